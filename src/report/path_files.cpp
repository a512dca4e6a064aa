// SPDX-License-Identifier: Apache-2.0
// path.csv and path.json; docs/formats.md describes every field.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/path.hpp>
#include <relulift/system.hpp>

#include "src/report/numbers.hpp"
#include "src/report/program_json.hpp"

namespace relulift {
namespace {

using Json = nlohmann::ordered_json;

struct Column {
  const char* name;
  double Scores::*member;
};
constexpr Column kScores[] = {
    {"accuracy", &Scores::accuracy}, {"rmse", &Scores::rmse}, {"loss", &Scores::loss}};

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
std::string field(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

double lower_bound(const Result& result) {
  return result.certificate.claim == Claim::every_network
             ? result.certificate.lower_bound
             : -std::numeric_limits<double>::infinity();
}

// Means over some folds alone would not compare with those over all.
MeanScore validated(const RegularizationPath& path, const PathRow& row, double Scores::*member) {
  return path.folds_done == path.folds ? mean_score(row.folds, member) : MeanScore{};
}

Json scores_json(const Scores& scores) {
  Json json;
  for (const Column& column : kScores) json[column.name] = number(scores.*column.member);
  return json;
}

Json row_json(const RegularizationPath& path, const PathRow& row) {
  const Result& result = row.point.result;
  Json validation;
  for (const Column& column : kScores) {
    const MeanScore score = validated(path, row, column.member);
    validation[column.name] = {{"mean", number(score.mean)},
                               {"standard_error", number(score.error)}};
  }
  Json folds = Json::array();
  for (const Scores& fold : row.folds) folds.push_back(scores_json(fold));
  return {{"weight_decay", row.point.weight_decay},
          {"status", to_string(result.status)},
          {"objective", number(result.objective)},
          {"lower_bound", number(lower_bound(result))},
          {"program_bound", number(result.program.bound)},
          {"relative_gap", number(relative_gap(result))},
          {"neurons", result.network.neurons},
          {"train", scores_json(row.train)},
          {"test", scores_json(row.test)},
          {"validation", path.folds > 0 ? validation : Json()},
          {"folds", folds},
          {"solver", result.program.solver},
          {"iterations", result.program.iterations},
          {"seconds", row.point.seconds}};
}

Json chosen_json(const RegularizationPath& path, const std::optional<Index>& row) {
  if (!row) return {};
  return path.rows[static_cast<std::size_t>(*row)].point.weight_decay;
}

Json files_json(const RunFiles& files) {
  const auto name = [](const std::string& file) { return file.empty() ? Json() : Json(file); };
  return {{"data", name(files.data)},
          {"targets", name(files.targets)},
          {"test", name(files.test)},
          {"test_targets", name(files.test_targets)}};
}

Json settings_json(const RunFacts& facts) {
  const bool over_patterns = facts.method != Method::sdp;
  const bool sampled = facts.method == Method::relu || facts.method == Method::gated;
  const ProgramOptions& program = facts.program;
  return {{"method", to_string(facts.method)},
          {"loss", to_string(program.loss)},
          {"huber_delta", program.loss == Loss::huber ? Json(program.huber_delta) : Json()},
          {"outputs", over_patterns ? Json(to_string(program.outputs)) : Json()},
          {"groups", over_patterns ? Json(groups_json(facts)) : Json()},
          {"gates", sampled ? Json(to_string(program.gate_kind)) : Json()},
          {"pooling", pooling_json(program)},
          {"tolerance", over_patterns ? Json(program.tolerance) : Json()}};
}

}  // namespace

std::string path_csv(const RegularizationPath& path) {
  std::string text =
      "weight_decay,objective,lower_bound,program_bound,relative_gap,neurons,train_accuracy,"
      "train_rmse,train_loss,test_accuracy,test_rmse,test_loss,cv_accuracy,cv_accuracy_error,"
      "cv_rmse,cv_rmse_error,cv_loss,cv_loss_error,seconds,status\n";
  for (const PathRow& row : path.rows) {
    const Result& result = row.point.result;
    text += fmt::format("{},{},{},{},{},{}", row.point.weight_decay, field(result.objective),
                        field(lower_bound(result)), field(result.program.bound),
                        field(relative_gap(result)), result.network.neurons);
    for (const Scores* scores : {&row.train, &row.test})
      for (const Column& column : kScores) text += "," + field(scores->*column.member);
    for (const Column& column : kScores) {
      const MeanScore score = validated(path, row, column.member);
      text += fmt::format(",{},{}", field(score.mean), field(score.error));
    }
    text += fmt::format(",{},{}\n", row.point.seconds, to_string(result.status));
  }
  return text;
}

std::string path_json(const RegularizationPath& path, const RunFacts& facts) {
  Json points = Json::array();
  for (const PathRow& row : path.rows) points.push_back(row_json(path, row));
  const Json json{{"program", "relulift"},
                  {"version", version()},
                  {"command", "path"},
                  {"settings", settings_json(facts)},
                  {"seed", path.seed},
                  {"folds", path.folds},
                  {"folds_done", path.folds_done},
                  {"criterion", path.folds > 0 ? Json(to_string(path.criterion)) : Json()},
                  {"best", chosen_json(path, path.choice.best)},
                  {"one_standard_error", chosen_json(path, path.choice.one_standard_error)},
                  {"interrupted", path.interrupted},
                  {"points", points},
                  {"problem",
                   {{"samples", facts.samples},
                    {"features", facts.features},
                    {"outputs", facts.outputs},
                    {"standardized", facts.standardized},
                    {"bias", facts.bias}}},
                  {"seconds", facts.total_seconds},
                  {"files", files_json(facts.files)},
                  {"device", path.rows.empty() ? "" : path.rows[0].point.result.device},
                  {"plan", path.rows.empty() ? "" : path.rows[0].point.result.plan}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string path_words(const RegularizationPath& path) {
  const auto count = path.rows.size();
  std::string text = fmt::format("{} weight decay{} solved", count, count == 1 ? "" : "s");
  if (path.folds > 0) text += fmt::format(", {} of {} folds", path.folds_done, path.folds);
  text += path.interrupted ? "; stopped because it was interrupted.\n" : ".\n";
  if (!path.choice.best)
    return text + (path.folds == 0 ? "Without --folds no model is chosen.\n"
                                   : "No model is chosen before all folds are solved.\n");
  const auto at = [&](Index k) -> const PathRow& { return path.rows[static_cast<std::size_t>(k)]; };
  const PathRow& best = at(*path.choice.best);
  const bool accuracy = path.criterion == Criterion::accuracy;
  const MeanScore score =
      mean_score(best.folds, accuracy                            ? &Scores::accuracy
                             : path.criterion == Criterion::rmse ? &Scores::rmse
                                                                 : &Scores::loss);
  const double unit = accuracy ? 100.0 : 1.0;
  text += fmt::format(
      "Best weight decay {}: {} {}{} over {} folds, standard error {}{}; within one standard error "
      "of it up to {}.\n",
      figure(best.point.weight_decay, 6),
      accuracy                            ? "accuracy"
      : path.criterion == Criterion::rmse ? "root mean squared error"
                                          : "loss per row",
      figure(unit * score.mean, 4), accuracy ? " %" : "", path.folds, figure(unit * score.error, 2),
      accuracy ? " %" : "", figure(at(*path.choice.one_standard_error).point.weight_decay, 6));
  return text;
}

}  // namespace relulift
