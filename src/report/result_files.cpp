// SPDX-License-Identifier: Apache-2.0
// result.json and trace.csv; docs/formats.md describes every field.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/report.hpp>
#include <relulift/system.hpp>

#include "src/report/program_json.hpp"

namespace relulift {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json scores_json(const std::optional<Scores>& scores) {
  if (!scores) return {};
  return {{"accuracy", number(scores->accuracy)},
          {"rmse", number(scores->rmse)},
          {"loss", number(scores->loss)}};
}

Json bounds_json(const std::vector<BoundAttempt>& bounds) {
  Json list = Json::array();
  for (const BoundAttempt& bound : bounds)
    list.push_back({{"method", bound.method},
                    {"kind", bound.kind},
                    {"value", number(bound.value)},
                    {"at", bound.at_seconds},
                    {"method_seconds", bound.method_seconds},
                    {"proof_seconds", bound.proof_seconds}});
  return list;
}

// In the coordinates of the model file, where it could be appended as it stands.
Json suggestion_json(const Result& result, const Preparation& preparation) {
  if (!result.suggestion) return {};
  const NewNeuron& neuron = *result.suggestion;
  const Network network{static_cast<Index>(neuron.u.size()), static_cast<Index>(neuron.v.size()), 1,
                        neuron.u, neuron.v};
  const Model model = make_model(network, preparation, {});
  return {{"objective", number(neuron.objective)},
          {"reduction", number(neuron.reduction)},
          {"u", model.network.U},
          {"bias", model.hidden_bias.empty() ? Json() : number(model.hidden_bias[0])},
          {"v", model.network.V}};
}

Json files_json(const RunFiles& files) {
  const auto name = [](const std::string& file) { return file.empty() ? Json() : Json(file); };
  return {{"data", name(files.data)},
          {"targets", name(files.targets)},
          {"test", name(files.test)},
          {"test_targets", name(files.test_targets)},
          {"model", name(files.model)}};
}

Json columns_json(const Schema& columns) {
  const bool labels = columns.kind == TargetKind::labels;
  return {{"features", columns.features},
          {"target", labels ? Json(columns.label_column) : Json()},
          {"outputs", columns.outputs}};
}

bool covers_every_network(const Result& result) {
  return result.certificate.claim == Claim::every_network;
}

Json program_json(const Result& result, const RunFacts& facts) {
  if (facts.method == Method::sdp) return {};
  const ProgramReport& program = result.program;
  const bool samples_patterns = facts.method == Method::relu || facts.method == Method::gated;
  const bool circular = facts.method == Method::circular;
  const bool pooled = facts.program.pooling != Pooling::none;
  return {{"outputs", to_string(facts.program.outputs)},
          {"loss", to_string(facts.program.loss)},
          {"groups", groups_json(facts)},
          {"gates", samples_patterns ? Json(to_string(facts.program.gate_kind)) : Json()},
          {"patterns", circular ? Json() : Json(program.patterns)},
          {"filters", circular || pooled ? Json(program.filters) : Json()},
          {"all_patterns", program.all_patterns},
          {"solver", program.solver},
          {"objective", number(program.objective)},
          {"relative_gap", number(relative_gap(program.objective, program.bound))},
          {"iterations", program.iterations},
          {"rounds", program.rounds},
          {"pooling", pooling_json(facts.program)}};
}

std::string field(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

}  // namespace

double relative_gap(double objective, double lower_bound) {
  const double distance = objective - lower_bound;
  return distance == 0.0 ? 0.0 : distance / objective;
}

double relative_gap(const Result& result) {
  if (!covers_every_network(result)) return std::numeric_limits<double>::quiet_NaN();
  return relative_gap(result.objective, result.certificate.lower_bound);
}

std::string result_json(const Result& result, const RunFacts& facts) {
  const Seconds& seconds = result.seconds;
  const bool train = facts.command == Command::train;
  Json json{{"program", "relulift"},
            {"version", version()},
            {"command", train ? "train" : "certify"},
            {"method", to_string(facts.method)},
            {"status", to_string(result.status)},
            {"objective", number(result.objective)},
            {"lower_bound",
             covers_every_network(result) ? number(result.certificate.lower_bound) : Json()},
            {"relative_gap", number(relative_gap(result))},
            {"program_bound", number(result.program.bound)},
            {"convex_program", program_json(result, facts)},
            {"better_objective", number(result.better_objective)},
            {"suggestion", suggestion_json(result, facts.preparation)},
            {"relaxation",
             {{"engine", result.relaxation.engine},
              {"primal", number(result.relaxation.primal)},
              {"dual", number(result.relaxation.dual)},
              {"status", result.relaxation.status},
              {"iterations", result.relaxation.iterations}}},
            {"certificate",
             {{"kind", result.certificate.kind},
              {"claim", to_string(result.certificate.claim)},
              {"estimate", number(result.certificate.estimate)}}},
            {"bounds", bounds_json(result.bounds)},
            {"neurons", result.network.neurons},
            {"winner", train ? Json(to_string(result.winner)) : Json()},
            {"train", scores_json(facts.train)},
            {"test", scores_json(facts.test)},
            {"seconds",
             {{"total", facts.total_seconds},
              {"presolve", seconds.presolve},
              {"network", seconds.network},
              {"relaxation", seconds.relaxation},
              {"certificate", seconds.certificate},
              {"rounding", seconds.rounding}}},
            {"problem",
             {{"samples", facts.samples},
              {"features", facts.features},
              {"outputs", facts.outputs},
              {"weight_decay", facts.weight_decay},
              {"removed_rows", result.removed_rows},
              {"standardized", facts.standardized},
              {"bias", facts.bias}}},
            {"files", files_json(facts.files)},
            {"columns", columns_json(facts.columns)},
            {"device", result.device},
            {"plan", result.plan}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string trace_csv(const Result& result) {
  std::string text =
      "phase,iteration,objective,lower_bound,relative_gap,program_bound,primal_residual,"
      "dual_residual,seconds\n";
  for (const Progress& row : result.trace)
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{}\n", row.phase, row.iteration, field(row.objective),
                    field(row.lower_bound), field(relative_gap(row.objective, row.lower_bound)),
                    field(row.program_bound), field(row.primal_residual), field(row.dual_residual),
                    field(row.seconds));
  return text;
}

}  // namespace relulift
