// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/report.hpp>
#include <sstream>

#include "gtest/gtest.h"

namespace relulift::test {
namespace {

using Json = nlohmann::json;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Result spiral_result() {
  Result result;
  result.status = Status::stalled;
  result.network = {.features = 2, .outputs = 3, .neurons = 1, .U = {1, 2}, .V = {1, 2, 3}};
  result.objective = 16.5933;
  result.winner = Winner::column_generation;
  result.certificate = {Claim::every_network, "cholesky", 15.9012};
  result.relaxation = {"interior", "optimal", 16.2435, 16.2434, 40};
  result.seconds.presolve = 0.5;
  result.removed_rows = 3;
  result.device = "cpu";
  return result;
}

RunFacts spiral_facts() {
  RunFacts facts{
      .command = Command::train, .samples = 60, .features = 2, .outputs = 3, .weight_decay = 0.1};
  facts.train = Scores{.accuracy = 0.75, .rmse = kNan, .loss = 3.0};
  facts.total_seconds = 2.0;
  return facts;
}

TEST(Score, CountsRowsByTheirLargestOutput) {
  // Rows (1, 3), (2, 2), (5, 4) against classes 1, 0, 1: right, right (first of equals), wrong.
  const Dataset data{.source = "t",
                     .schema = {.kind = TargetKind::labels},
                     .samples = 3,
                     .features = 1,
                     .outputs = 2,
                     .X = {},
                     .Y = {0, 1, 0, 1, 0, 1}};
  const std::vector<double> predictions{1, 2, 5, 3, 2, 4};

  const Scores scores = score(data, predictions);

  EXPECT_DOUBLE_EQ(scores.accuracy, 2.0 / 3.0);
  EXPECT_TRUE(std::isnan(scores.rmse));
  EXPECT_DOUBLE_EQ(scores.loss, 0.5 * (1 + 1 + 25 + 4 + 4 + 9));
}

TEST(Score, NumericTargetsHaveAnErrorAndOneHotOnesAnAccuracyToo) {
  Dataset data{.source = "t",
               .schema = {.kind = TargetKind::values},
               .samples = 2,
               .features = 1,
               .outputs = 2,
               .X = {},
               .Y = {0, 1, 1, 0}};
  const std::vector<double> predictions{1, 1, 1, 0};

  EXPECT_DOUBLE_EQ(score(data, predictions).rmse, 0.5);
  EXPECT_DOUBLE_EQ(score(data, predictions).accuracy, 0.5);
  data.Y[0] = 0.3;
  EXPECT_TRUE(std::isnan(score(data, predictions).accuracy));
}

TEST(ResultJson, HoldsEveryFieldOfTheContract) {
  const Json json = Json::parse(result_json(spiral_result(), spiral_facts()));

  EXPECT_EQ(json["program"], "relulift");
  EXPECT_EQ(json["command"], "train");
  EXPECT_EQ(json["status"], "stalled");
  EXPECT_EQ(json["objective"], 16.5933);
  EXPECT_EQ(json["lower_bound"], 15.9012);
  EXPECT_DOUBLE_EQ(json["relative_gap"], (16.5933 - 15.9012) / 16.5933);
  EXPECT_TRUE(json["better_objective"].is_null());
  EXPECT_EQ(json["relaxation"]["engine"], "interior");
  EXPECT_EQ(json["relaxation"]["primal"], 16.2435);
  EXPECT_EQ(json["relaxation"]["dual"], 16.2434);
  EXPECT_EQ(json["relaxation"]["status"], "optimal");
  EXPECT_EQ(json["relaxation"]["iterations"], 40);
  EXPECT_EQ(json["certificate"],
            Json({{"kind", "cholesky"}, {"claim", "every_network"}, {"estimate", nullptr}}));
  EXPECT_EQ(json["neurons"], 1);
  EXPECT_EQ(json["winner"], "column_generation");
  EXPECT_EQ(json["train"], Json({{"accuracy", 0.75}, {"rmse", nullptr}, {"loss", 3.0}}));
  EXPECT_EQ(json["test"], nullptr);
  EXPECT_EQ(json["seconds"]["total"], 2.0);
  EXPECT_EQ(json["seconds"]["presolve"], 0.5);
  for (const char* key : {"network", "relaxation", "certificate", "rounding"})
    EXPECT_TRUE(json["seconds"].contains(key));
  EXPECT_EQ(json["problem"], Json({{"samples", 60},
                                   {"features", 2},
                                   {"outputs", 3},
                                   {"weight_decay", 0.1},
                                   {"removed_rows", 3},
                                   {"standardized", false},
                                   {"bias", false}}));
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_TRUE(json["version"].is_string());
}

TEST(ResultJson, WhatDoesNotExistIsNull) {
  Result result;
  result.objective = kNan;

  const Json json = Json::parse(result_json(result, {}));

  for (const char* key : {"objective", "lower_bound", "relative_gap", "train", "test"})
    EXPECT_TRUE(json[key].is_null()) << key;
  EXPECT_TRUE(json["relaxation"]["primal"].is_null());
  EXPECT_EQ(json["certificate"]["claim"], "none");
}

// lower_bound holds only what is proved for every network.
TEST(ResultJson, TheBoundOfAProgramIsNoLowerBound) {
  Result result = spiral_result();
  result.certificate = {};
  result.program.bound = 15.5;

  const Json json = Json::parse(result_json(result, spiral_facts()));

  EXPECT_EQ(json["program_bound"], 15.5);
  EXPECT_TRUE(json["lower_bound"].is_null());
  EXPECT_TRUE(json["relative_gap"].is_null());
  EXPECT_EQ(json["certificate"],
            Json({{"kind", "none"}, {"claim", "none"}, {"estimate", nullptr}}));
}

TEST(ResultJson, AnEstimateStandsBesideTheBoundAndNeverInIt) {
  Result result = spiral_result();
  result.certificate.estimate = 16.1;

  const Json json = Json::parse(result_json(result, spiral_facts()));

  EXPECT_EQ(json["certificate"]["estimate"], 16.1);
  EXPECT_EQ(json["lower_bound"], 15.9012);
  EXPECT_DOUBLE_EQ(json["relative_gap"], (16.5933 - 15.9012) / 16.5933);
}

TEST(ResultJson, ListsTheBoundsThatWereTriedAndTheFilesOfTheRun) {
  Result result = spiral_result();
  result.bounds = {{"floor", "floor", 3.0, 0.25, 0.125, 0.125},
                   {"interior", "none", -std::numeric_limits<double>::infinity(), 2.0, 1.5, 0.5}};
  RunFacts facts = spiral_facts();
  facts.files = {.data = "a \"b\".csv", .test = "t.csv"};
  facts.columns = {{"a", "b"}, TargetKind::labels, "k", {"u", "v"}};

  const Json json = Json::parse(result_json(result, facts));

  EXPECT_EQ(json["bounds"][0], Json({{"method", "floor"},
                                     {"kind", "floor"},
                                     {"value", 3.0},
                                     {"at", 0.25},
                                     {"method_seconds", 0.125},
                                     {"proof_seconds", 0.125}}));
  EXPECT_EQ(json["bounds"][1]["value"], nullptr);
  EXPECT_EQ(json["files"], Json({{"data", "a \"b\".csv"},
                                 {"targets", nullptr},
                                 {"test", "t.csv"},
                                 {"test_targets", nullptr},
                                 {"model", nullptr}}));
  EXPECT_EQ(json["columns"],
            Json({{"features", {"a", "b"}}, {"target", "k"}, {"outputs", {"u", "v"}}}));
  EXPECT_EQ(json["suggestion"], nullptr);
}

// u on the prepared features (x - 2) / 4 and the constant one is u / 4 on x, with the bias
// u_bias - 2 u / 4.
TEST(ResultJson, ASuggestionStandsInTheCoordinatesOfTheModelFile) {
  Result result = spiral_result();
  result.suggestion = NewNeuron{{8.0, 3.0}, {5.0, 6.0, 7.0}, 16.0, 0.5933};
  RunFacts facts = spiral_facts();
  facts.preparation = {.bias = true, .mean = {2.0}, .scale = {4.0}};

  const Json json = Json::parse(result_json(result, facts));

  EXPECT_EQ(json["suggestion"], Json({{"objective", 16.0},
                                      {"reduction", 0.5933},
                                      {"u", {2.0}},
                                      {"bias", -1.0},
                                      {"v", {5.0, 6.0, 7.0}}}));
  facts.command = Command::certify;
  EXPECT_NE(closing_words(result, facts).find("Adding one neuron lowers the objective by 0.59."),
            std::string::npos);
}

TEST(ResultJson, CertifyTellsOfABetterNetwork) {
  Result result = spiral_result();
  result.better_objective = 16.25;
  RunFacts facts = spiral_facts();
  facts.command = Command::certify;

  const Json json = Json::parse(result_json(result, facts));

  EXPECT_EQ(json["command"], "certify");
  EXPECT_EQ(json["objective"], 16.5933);
  EXPECT_EQ(json["better_objective"], 16.25);
  EXPECT_TRUE(json["winner"].is_null());
}

// (objective - bound) / objective, wherever a gap is shown.
TEST(RelativeGap, IsZeroForEqualFiguresAndNanWithoutABound) {
  EXPECT_DOUBLE_EQ(relative_gap(4.0, 3.0), 0.25);
  EXPECT_EQ(relative_gap(4.0, 4.0), 0.0);
  EXPECT_EQ(relative_gap(0.0, 0.0), 0.0);
  EXPECT_TRUE(std::isnan(relative_gap(4.0, kNan)));
  EXPECT_TRUE(std::isnan(relative_gap(Result{})));
}

TEST(Trace, HasOneLinePerCheckAndEmptyFieldsForWhatDoesNotExist) {
  Result result = spiral_result();
  Progress progress;
  progress.phase = "dense";
  progress.iteration = 25;
  progress.objective = 2.0;
  progress.lower_bound = 1.0;
  progress.seconds = 0.25;
  result.trace = {progress};

  EXPECT_EQ(trace_csv(result),
            "phase,iteration,objective,lower_bound,relative_gap,program_bound,primal_residual,"
            "dual_residual,seconds\ndense,25,2,1,0.5,,,,0.25\n");
}

TEST(ClosingWords, ASplitRelaxationCouldGoOn) {
  Result result = spiral_result();
  result.status = Status::optimal;
  EXPECT_NE(closing_words(result, spiral_facts()).find("what is left of the gap is its own"),
            std::string::npos);

  result.certificate.kind = "split";

  EXPECT_NE(closing_words(result, spiral_facts()).find("more of them (--split) raise the bound"),
            std::string::npos);
}

TEST(ClosingWords, SayWhatIsProvedInPlainWords) {
  const std::string words = closing_words(spiral_result(), spiral_facts());

  EXPECT_NE(words.find("No two-layer ReLU network of any width can have an objective below 15.90; "
                       "yours has 16.59: the best possible objective is at most 4.2 % below it.\n"),
            std::string::npos)
      << words;
  EXPECT_NE(words.find("Accuracy on the training data: 75.0 %."), std::string::npos) << words;
}

// What is said must not be more than what is proved.
TEST(ClosingWords, RoundTheBoundDownAndTheGapUp) {
  Result result = spiral_result();
  result.objective = 2.0;
  result.certificate.lower_bound = 1.99999;
  EXPECT_NE(closing_words(result, spiral_facts())
                .find("below 1.9999900; yours has 2.0000000: the best possible objective is at "
                      "most 0.00051 % below it."),
            std::string::npos)
      << closing_words(result, spiral_facts());
  result.certificate.lower_bound = 1.00009;
  EXPECT_NE(closing_words(result, spiral_facts()).find("below 1.000;"), std::string::npos);
  EXPECT_NE(closing_words(result, spiral_facts()).find("at most 50 % below it"), std::string::npos);
}

// J = 8.902 is 9.9 % above L = 8.101, and L is 9.0 % below J: only the second may be said.
TEST(ClosingWords, MeasureTheGapFromTheObjectiveDown) {
  Result result = spiral_result();
  result.objective = 8.902;
  result.certificate.lower_bound = 8.101;

  const std::string words = closing_words(result, spiral_facts());

  EXPECT_NE(words.find("the best possible objective is at most 9.0 % below it."), std::string::npos)
      << words;
}

TEST(ClosingWords, TellOfABetterNetworkBesideTheOneCertified) {
  Result result = spiral_result();
  RunFacts facts = spiral_facts();
  facts.command = Command::certify;
  EXPECT_EQ(closing_words(result, facts).find("beside it"), std::string::npos);

  result.better_objective = 16.1201;

  EXPECT_NE(closing_words(result, facts)
                .find("% below it. A network with objective 16.13 was found beside it.\n"),
            std::string::npos)
      << closing_words(result, facts);
}

TEST(ClosingWords, SayOnceThatFiguresAreOfStandardizedFeatures) {
  Result result = spiral_result();
  result.program = {.solver = "admm", .patterns = 5, .objective = 16.6, .bound = 16.5};
  RunFacts facts = spiral_facts();
  facts.method = Method::relu;
  facts.standardized = true;
  for (const Claim claim : {Claim::every_network, Claim::none}) {
    result.certificate.claim = claim;
    const std::string words = closing_words(result, facts);
    const std::size_t first = words.find("those of the standardized features.");
    EXPECT_NE(first, std::string::npos) << words;
    EXPECT_EQ(words.find("standardized", first + 20), std::string::npos) << words;
  }
}

TEST(ClosingWords, ClaimNothingWithoutABound) {
  Result result = spiral_result();
  result.certificate = {};
  EXPECT_NE(closing_words(result, spiral_facts()).find("No lower bound was proved."),
            std::string::npos);
  result.certificate = {Claim::every_network, "floor", 0.0};
  EXPECT_NE(closing_words(result, spiral_facts()).find("too weak"), std::string::npos);
}

TEST(ProgressTable, RepeatsItsHeaderEveryFiftyRows) {
  std::ostringstream out;
  ProgressReport report(out, ProgressStyle::table);
  Progress progress;
  progress.phase = "interior";

  for (int k = 0; k < 101; ++k) {
    progress.seconds = k;
    report.show(progress);
  }

  const std::string text = out.str();
  std::size_t headers = 0;
  for (std::size_t at = 0; (at = text.find("phase", at)) != std::string::npos; ++at) ++headers;
  EXPECT_EQ(headers, 3U);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 104);
  const std::size_t width = text.find('\n');
  for (std::size_t at = 0; at < text.size(); at += width + 1) EXPECT_EQ(text[at + width], '\n');
}

TEST(ProgressTable, HoldsRowsBackThatComeTooFast) {
  for (const auto& [style, shown] :
       {std::pair(ProgressStyle::log, 3), std::pair(ProgressStyle::quiet, 0)}) {
    std::ostringstream out;
    ProgressReport report(out, style);
    Progress progress;
    progress.phase = "network";
    for (int k = 0; k <= 80; ++k) {  // 8 seconds: shown at 0, at 5, and the last
      progress.seconds = 0.1 * k;
      report.show(progress);
    }
    report.finish();
    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), shown) << text;
  }
}

}  // namespace
}  // namespace relulift::test
