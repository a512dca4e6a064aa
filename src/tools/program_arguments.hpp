// SPDX-License-Identifier: Apache-2.0
// Options of the programs over patterns on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <relulift/io.hpp>
#include <relulift/options.hpp>
#include <string>

namespace relulift::tools {

struct ProgramArguments {
  std::string method = "sdp";
  std::string outputs = "joint";
  std::string group = "neuron";
  std::string loss = "squared";
  std::optional<double> huber_delta;
  std::string gates;  // a number or an NPY file; empty: the default
  std::string gate_kind = "gaussian";
  std::optional<Index> gate_features;
  std::string image;  // HxW or HxWxPLANES
  std::optional<Index> patch;
  std::string pool = "none";
  std::optional<Index> stride;
  std::string solver = "auto";
  std::string decomposition = "exact";
  std::optional<double> tolerance;
  bool refine = false;

  void add_to(CLI::App& command);
  // Throws InvalidInput for a value out of range and for options that do not go together; reads no
  // file.
  void check() const;
  bool program() const { return method != "sdp"; }
  // features: of the prepared problem; raw: of the data. Reads the gates.
  void apply(Options& options, Index features, const Preparation& preparation) const;
  void check_images() const;  // the part of check() about patches
  // The NPY file of the gates; empty where they are drawn.
  std::string gate_file() const;
};

}  // namespace relulift::tools
