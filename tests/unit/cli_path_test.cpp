// SPDX-License-Identifier: Apache-2.0
// relulift path as a user runs it.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/html.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::ordered_json;

std::string bundled(const std::string& name) {
  const char* folder = std::getenv("RELULIFT_DATA");
  if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
  return (fs::path(folder) / name).string();
}

std::vector<std::map<std::string, std::string>> csv(const std::string& content) {
  const auto fields = [](const std::string& line) {
    std::vector<std::string> out;
    std::istringstream text(line + ",");
    for (std::string field; std::getline(text, field, ',');) out.push_back(field);
    return out;
  };
  std::istringstream lines(content);
  std::string line;
  std::getline(lines, line);
  const auto names = fields(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(lines, line)) {
    const auto values = fields(line);
    EXPECT_EQ(values.size(), names.size()) << line;
    rows.emplace_back();
    for (std::size_t k = 0; k < names.size(); ++k) rows.back()[names[k]] = values.at(k);
  }
  return rows;
}

constexpr const char* kGated = " --method gated --outputs one-vs-all --gates 30 --quiet ";

class CliPath : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  TemporaryFolder folder;
};

TEST_F(CliPath, WritesTableChoiceAndTheBestModelWhichPredictsAsItsResultSays) {
  const Outcome outcome =
      run("path " + bundled("iris_train.csv") + " --target species" + kGated +
          "--weight-decays 0.1:10:3 --folds 3 --standardize --bias --out p --test " +
          bundled("iris_test.csv"));

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = csv(content_of(folder / "p/path.csv"));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("weight_decay"), "10");
  EXPECT_EQ(rows[2].at("weight_decay"), "0.1");
  const Json path = Json::parse(content_of(folder / "p/path.json"));
  EXPECT_EQ(path["criterion"], "accuracy");
  EXPECT_EQ(path["folds_done"], 3);
  double best = -1.0;
  std::string decay;
  for (const auto& row : rows)
    if (std::stod(row.at("cv_accuracy")) > best + 1e-9) {
      best = std::stod(row.at("cv_accuracy"));
      decay = row.at("weight_decay");
    }
  EXPECT_DOUBLE_EQ(path["best"].get<double>(), std::stod(decay));
  EXPECT_GE(path["one_standard_error"].get<double>(), path["best"].get<double>());
  const Json result = Json::parse(content_of(folder / "p/best/result.json"));
  EXPECT_EQ(result["problem"]["weight_decay"], path["best"]);
  EXPECT_TRUE(fs::exists(folder / "p/best/trace.csv"));

  const Outcome predicted = run("predict p/best/model.safetensors " + bundled("iris_test.csv"));
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  std::istringstream answers(predicted.out), truths(content_of(bundled("iris_test.csv")));
  std::string answer, truth;
  std::getline(answers, answer);
  std::getline(truths, truth);
  int right = 0, count = 0;
  while (std::getline(answers, answer) && std::getline(truths, truth)) {
    ++count;
    right += answer.substr(0, answer.find(',')) == truth.substr(truth.rfind(',') + 1);
  }
  EXPECT_DOUBLE_EQ(result["test"]["accuracy"].get<double>(), right / static_cast<double>(count));
}

TEST_F(CliPath, ThePageNeedsNothingElseAndHasARowPerWeightDecay) {
  ASSERT_EQ(run("path " + bundled("iris_train.csv") + " --target species" + kGated +
                "--weight-decays 10,1 --folds 3 --out p")
                .code,
            0);

  const std::string html = content_of(folder / "p/path.html");
  const auto tags = tags_of(html);
  for (const char* word : {"http:", "https:", "src=", "href=", "url(", "<script", "nan%", ">nan",
                           "nan,", "inf%", ">inf"})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  EXPECT_EQ(count_class(tags, "polygon", "band"), 1U);
  EXPECT_EQ(count_class(tags, "line", "best"), 3U);
  EXPECT_EQ(count_class(tags, "tr", "best"), 1U);
  EXPECT_EQ(count_class(tags, "circle", "neurons"), 2U);
}

TEST_F(CliPath, WithoutFoldsNoModelIsChosen) {
  const Outcome outcome = run("path " + bundled("random_00.csv") + " --targets y0" + kGated +
                              "--weight-decays 10,1 --out p");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(folder / "p/best"));
  EXPECT_TRUE(Json::parse(content_of(folder / "p/path.json"))["best"].is_null());
  for (const auto& row : csv(content_of(folder / "p/path.csv"))) {
    EXPECT_EQ(row.at("cv_rmse"), "");
    EXPECT_NE(row.at("train_rmse"), "");
  }
}

TEST_F(CliPath, AnEarlierPathIsReplacedAndAForeignFileKept) {
  const std::string arguments = "path " + bundled("random_00.csv") + " --targets y0" + kGated +
                                "--weight-decays 10,1 --folds 2 --out p";
  ASSERT_EQ(run(arguments).code, 0);
  EXPECT_EQ(run(arguments).code, 0);
  folder.write("p/best/mine.txt", "kept");

  const Outcome refused = run(arguments);

  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("best/mine.txt"), std::string::npos) << refused.err;
  EXPECT_EQ(content_of(folder / "p/best/mine.txt"), "kept");
}

TEST_F(CliPath, TheTimeLimitEndsPointsAndTheTableIsWhole) {
  const Outcome outcome =
      run("path " + bundled("breast_cancer.csv") +
          " --target diagnosis --method gated --tolerance 1e-14 --solver gradient --quiet "
          "--weight-decays 1e-4:1e-3:4 --folds 2 --time-limit 1 --out p");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = csv(content_of(folder / "p/path.csv"));
  ASSERT_EQ(rows.size(), 4U);
  for (const auto& row : rows) {
    EXPECT_EQ(row.at("status"), "time_limit");
    EXPECT_TRUE(std::isfinite(std::stod(row.at("objective"))));
  }
}

TEST_F(CliPath, AnInterruptionWritesWhatIsDoneAndEndsWithFour) {
  Program program(folder.path(),
                  {"path", bundled("breast_cancer.csv"), "--target", "diagnosis", "--method",
                   "gated", "--tolerance", "1e-14", "--solver", "gradient", "--weight-decays",
                   "1e-4:1e-3:4", "--folds", "2", "--out", "p"});
  ASSERT_TRUE(program.wait_for_error_output("1/4"));
  program.send(SIGINT);
  const Outcome outcome = program.wait();

  ASSERT_EQ(outcome.code, 4) << outcome.err;
  EXPECT_EQ(csv(content_of(folder / "p/path.csv")).size(), 1U);
  EXPECT_TRUE(Json::parse(content_of(folder / "p/path.json"))["interrupted"].get<bool>());
  EXPECT_FALSE(fs::exists(folder / "p/best"));
}

TEST_F(CliPath, BadInputIsOneSentenceAndNothingIsWritten) {
  folder.write("t.csv", "a,k\n1,u\n2,v\n3,u\n4,u\n");
  const std::map<std::string, std::string> cases{
      {"--weight-decays 1:2:0", "at least 1"},
      {"--weight-decays 2:1:3", "must not be above"},
      {"--weight-decays 1:2", "LOW:HIGH:COUNT"},
      {"--weight-decays 1:2:x", "LOW:HIGH:COUNT"},
      {"--weight-decays 1,,2", "'' is not a number"},
      {"--weight-decays 1,-2", "finite and positive"},
      {"--weight-decays 1,1", "named twice"},
      {"--weight-decays 1 --folds 1", "--folds must be at least 2, not 1"},
      {"--weight-decays 1 --folds 5", "t.csv: has 4 rows, fewer than 5 folds"}};
  for (const auto& [arguments, sentence] : cases) {
    const Outcome outcome =
        run("path t.csv --target k" + std::string(kGated) + arguments + " --out p");

    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(folder / "p")) << arguments;
  }
}

TEST_F(CliPath, AClassWithFewerRowsThanFoldsIsNamedAndSolved) {
  folder.write("t.csv", "a,k\n1,u\n2,v\n3,u\n4,u\n");

  const Outcome outcome =
      run("path t.csv --target k" + std::string(kGated) + "--weight-decays 1 --folds 2 --out p");

  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("class v has 1 row"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace relulift::test
