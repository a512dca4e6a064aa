// SPDX-License-Identifier: Apache-2.0
// Writes certificates: docs/formats.md. Claims are the verifier's own numbers.
#include <nlohmann/json.hpp>
#include <relulift/certificate.hpp>
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "src/io/safetensors.hpp"
#include "src/verify/statement.hpp"

namespace relulift {
namespace {

using Json = nlohmann::json;

void add(io::Safetensors& content, const std::string& name, std::vector<Index> shape,
         std::vector<double> entries) {
  if (!entries.empty()) content.tensors[name] = {std::move(shape), std::move(entries)};
}

void add_tensors(io::Safetensors& content, const Proof& proof, const Problem& problem) {
  const Index n = problem.samples, r = problem.features;
  add(content, "G", {problem.outputs, n}, proof.G);
  add(content, "representative", {n}, {proof.representative.begin(), proof.representative.end()});
  add(content, "ratio", {n}, proof.ratio);
  std::vector<double> entries;
  for (const auto& [i, j, value] : proof.entries)
    entries.insert(entries.end(), {static_cast<double>(i), static_cast<double>(j), value});
  add(content, "entries", {static_cast<Index>(proof.entries.size()), 3}, std::move(entries));
  add(content, "splits", {static_cast<Index>(proof.splits.size())},
      {proof.splits.begin(), proof.splits.end()});
  add(content, "leaf_entries", {static_cast<Index>(proof.leaf_entries.size())},
      {proof.leaf_entries.begin(), proof.leaf_entries.end()});
  add(content, "axes", {r, r}, proof.axes);
  add(content, "cones", {static_cast<Index>(proof.cones.size())}, proof.cones);
  add(content, "norms", {static_cast<Index>(proof.norms.size())}, proof.norms);
}

}  // namespace

std::string certificate_bytes(const Result& result, const Problem& problem, const Schema& schema,
                              const Preparation& preparation, const Path& data,
                              std::string_view model) {
  if (result.proof.kind == "none" || schema.kind == TargetKind::none) return {};
  const bool labels = schema.kind == TargetKind::labels;
  const verifier::Statement statement{
      .columns = {schema.features, labels ? schema.label_column : "", schema.outputs},
      .bias = preparation.bias,
      .mean = preparation.mean,
      .scale = preparation.scale,
      .weight_decay = problem.weight_decay};
  const std::string table = verifier::read_bytes(data);
  double objective = 0.0;
  try {
    const Problem read =
        verifier::problem_of(statement, verifier::read_csv(table, statement.columns));
    if (read.X != problem.X || read.Y != problem.Y) return {};
    objective = verifier::rounded_up(verifier::objective_of(statement, read, model).high());
  } catch (const InvalidInput&) {  // NPY, or a table that the verifier does not understand
    return {};
  }

  io::Safetensors content;
  add_tensors(content, result.proof, problem);
  const double lower_bound = result.certificate.lower_bound;
  Json standardization;
  if (preparation.standardized())
    standardization = {{"mean", preparation.mean}, {"scale", preparation.scale}};
  const std::string own(64, '0');
  content.metadata = {{"format", "relulift certificate"},
                      {"format_version", "1"},
                      {"version", version()},
                      {"kind", result.proof.kind},
                      {"sigma", Json(result.proof.sigma).dump()},
                      {"features", Json(schema.features).dump()},
                      {"bias", Json(preparation.bias).dump()},
                      {"standardization", standardization.dump()},
                      {"weight_decay", Json(problem.weight_decay).dump()},
                      {"lower_bound", Json(lower_bound).dump()},
                      {"objective", Json(objective).dump()},
                      {"relative_gap", Json(verifier::gap_above(objective, lower_bound)).dump()},
                      {"data_sha256", verifier::sha256(table)},
                      {"model_sha256", verifier::sha256(model)},
                      {"sha256", own}};
  if (labels) content.metadata["target"] = Json(schema.label_column).dump();
  content.metadata[labels ? "classes" : "targets"] = Json(schema.outputs).dump();
  std::string bytes = io::safetensors_bytes(content);
  const std::string hash = verifier::sha256(bytes);
  bytes.replace(bytes.find(own), own.size(), hash);
  return bytes;
}

}  // namespace relulift
