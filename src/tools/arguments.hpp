// SPDX-License-Identifier: Apache-2.0
// Arguments that several subcommands share, and what follows from them.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <relulift/io.hpp>
#include <relulift/options.hpp>
#include <relulift/report.hpp>
#include <string>
#include <vector>

namespace relulift::tools {

using Clock = std::chrono::steady_clock;

// For --help: what DATA may be.
inline constexpr const char* kTableWords =
    "CSV with a header, NPY, NPZ, IDX, LIBSVM or CIFAR-10 (.bin); also out of gzip";

// --target, --targets, --targets-file.
struct TargetArguments {
  std::string label_column;
  std::vector<std::string> value_columns;
  std::string file;

  void add_to(CLI::App& command);
  Targets targets() const;
};

// Options of a solve and how to show it.
struct SolveArguments {
  std::string engine = "auto";
  std::string precision = "double";
  std::string split = "auto";
  std::string device = "auto";
  std::optional<Index> neurons;
  double gap = 0.01;
  double time_limit_seconds = std::numeric_limits<double>::infinity();
  std::optional<Index> iterations;
  std::optional<int> threads;
  Index seed = 0;
  bool quiet = false;

  void add_to(CLI::App& command);
  // Throws InvalidInput naming the first option out of range.
  void check() const;
  // Options with what is left of the time limit since `start` and progress into `report`.
  Options options(Clock::time_point start, ProgressReport& report) const;
  ProgressStyle style() const;

 private:
  Index cones() const;  // of --split, as Options::split
};

// Throws InvalidInput unless `value` is finite and positive.
void check_weight_decay(double value);

// Throws InvalidInput when writing `output` would destroy an input.
void check_no_overwrite(const std::string& output, const std::vector<std::string>& inputs);

// Throws InvalidInput when an input lies in the folder `output`, which is replaced as a whole.
void check_not_inside(const std::string& output, const std::vector<std::string>& inputs);

// Throws InvalidInput unless the columns of `data` are as many as the model takes and gives.
void check_fits(const Model& model, const Dataset& data, const std::string& source);

// The certificate among the files of a result; empty, there is none.
void add_certificate(std::map<std::string, std::string>& files, std::string bytes);

// "Wrote OUT/a, OUT/b and OUT/c."
std::string files_words(const std::string& out, const std::map<std::string, std::string>& files);

double seconds_since(Clock::time_point start);

// "train", "predict", ...: each adds its subcommand; the callback returns the exit code through
// `code`.
void add_train(CLI::App& app, Clock::time_point start, int& code);
void add_path(CLI::App& app, Clock::time_point start, int& code);
void add_predict(CLI::App& app, int& code);
void add_certify(CLI::App& app, Clock::time_point start, int& code);
void add_generate(CLI::App& app, int& code);
void add_report(CLI::App& app, int& code);
void add_verify(CLI::App& app, int& code);
void add_info(CLI::App& app, int& code);

}  // namespace relulift::tools
