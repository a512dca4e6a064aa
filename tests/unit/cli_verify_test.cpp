// SPDX-License-Identifier: Apache-2.0
// `relulift verify` as a user calls it, on what train and certify have written.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;

class CliVerify : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  std::string data(const std::string& name) {
    return (fs::path(std::getenv("RELULIFT_DATA")) / name).string();
  }
  Json result(const std::string& name) { return Json::parse(content_of(folder / name)); }
  void train(const std::string& arguments) {
    const Outcome trained = run("train " + arguments + " --weight-decay 0.1 --out out --quiet");
    ASSERT_EQ(trained.code, 0) << trained.err;
  }
  TemporaryFolder folder;
};

TEST_F(CliVerify, ProvesTheBoundOfTheResultFromTheFiles) {
  train(data("random_00.csv") + " --targets y0,y1,y2,y3,y4");
  const double bound = result("out/result.json")["lower_bound"];

  const Outcome with =
      run("verify out/certificate.safetensors " + data("random_00.csv") + " out/model.safetensors");
  EXPECT_EQ(with.code, 0) << with.out;
  EXPECT_EQ(with.out.rfind("VALID\n", 0), 0U) << with.out;
  const std::string before = "has an objective below ";
  ASSERT_NE(with.out.find(before), std::string::npos);
  EXPECT_EQ(std::stod(with.out.substr(with.out.find(before) + before.size())), bound);
  EXPECT_NE(with.out.find("The model's objective is"), std::string::npos);
  EXPECT_NE(
      with.out.find(
          "25 samples, 2 features (x0, x1), 5 outputs of y0, y1, y2, y3, y4, weight decay 0.1"),
      std::string::npos);

  const Outcome without = run("verify out/certificate.safetensors " + data("random_00.csv"));
  EXPECT_EQ(without.code, 0);
  EXPECT_NE(without.out.find("were not checked"), std::string::npos);
}

TEST_F(CliVerify, ProvesMultipliersOfAPreparedProblemWithLabels) {
  train(data("iris_train.csv") +
        " --target species --bias --standardize --engine interior --iterations 20 --time-limit 4");
  const Outcome outcome = run("verify out/certificate.safetensors " + data("iris_train.csv") +
                              " out/model.safetensors");

  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_NE(outcome.out.find("proved by"), std::string::npos);
  EXPECT_NE(
      outcome.out.find("4 features (sepal_length, sepal_width, petal_length, petal_width) and a "
                       "bias, standardized by the certificate's constants, 3 outputs of species"),
      std::string::npos)
      << outcome.out;
}

// Six features: too many for the proof by a tree of small cones to close the gap.
TEST_F(CliVerify, ProvesTheRelaxationOnAPartitionOfWeightSpace) {
  ASSERT_EQ(run("generate random --samples 16 --features 6 --outputs 2 --seed 1 --out t.csv").code,
            0);
  train("t.csv --targets y0,y1 --engine interior --gap 0 --split 4");

  const Json written = result("out/result.json");
  const double bound = written["lower_bound"];
  double best = 0.0;
  for (const Json& attempt : written["bounds"])
    if (attempt["method"] == "split") {
      EXPECT_EQ(attempt["kind"], "split");
      best = std::max(best, attempt["value"].get<double>());
    }
  EXPECT_EQ(best, bound);
  const Outcome outcome = run("verify out/certificate.safetensors t.csv out/model.safetensors");
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_EQ(outcome.out.rfind("VALID\n", 0), 0U) << outcome.out;
  EXPECT_NE(outcome.out.find("proved by split"), std::string::npos) << outcome.out;

  train("t.csv --targets y0,y1 --engine interior --gap 0 --split 0");
  const Json without = result("out/result.json");
  for (const Json& attempt : without["bounds"]) EXPECT_NE(attempt["method"], "split");
}

TEST_F(CliVerify, TakesTheCertificateOfANetworkTrainedElsewhere) {
  train(data("random_01.csv") + " --targets y0,y1,y2,y3,y4");
  const Outcome certified =
      run("certify out/model.safetensors " + data("random_01.csv") + " --out certified");
  ASSERT_EQ(certified.code, 0) << certified.err;
  EXPECT_NE(
      certified.out.find("Wrote certified/certificate.safetensors, certified/model.safetensors, "
                         "certified/result.json and certified/trace.csv."),
      std::string::npos)
      << certified.out;

  const Outcome outcome = run("verify certified/certificate.safetensors " + data("random_01.csv") +
                              " out/model.safetensors");
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_EQ(run("certify out/model.safetensors " + data("random_01.csv") + " --out out").code, 2);
}

TEST_F(CliVerify, SaysWhyACertificateIsInvalid) {
  train(data("random_00.csv") + " --targets y0,y1,y2,y3,y4");
  const std::string random = data("random_00.csv");
  std::string flipped = content_of(folder / "out/certificate.safetensors");
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
  folder.write("flipped", flipped);
  folder.write("text", "no certificate\n");
  const std::pair<std::string, std::string> cases[] = {
      {"verify flipped " + random, "it is damaged"},
      {"verify text " + random, "the certificate: "},
      {"verify out/model.safetensors " + random, "the certificate: "},
      {"verify out/certificate.safetensors " + data("random_01.csv"), "the data are not those"},
      {"verify out/certificate.safetensors " + random + " text", "the model is not that"}};
  for (const auto& [arguments, reason] : cases) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 6) << arguments;
    EXPECT_EQ(outcome.out.rfind("INVALID: ", 0), 0U) << outcome.out;
    EXPECT_NE(outcome.out.find(reason), std::string::npos) << arguments << ": " << outcome.out;
  }
}

TEST_F(CliVerify, SaysWhichFileCannotBeRead) {
  folder.write("here", "x");
  fs::create_directory(folder / "folder");
  for (const std::string arguments :
       {"absent here", "here absent", "here here absent", "folder here", "here folder"}) {
    const Outcome outcome = run("verify " + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_NE(outcome.err.find("cannot be read"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(run("verify here").code, 2);
  EXPECT_EQ(run("verify").code, 2);
}

TEST_F(CliVerify, ReplacesTheCertificateOfAnEarlierResult) {
  train(data("random_00.csv") + " --targets y0,y1,y2,y3,y4");
  train(data("random_01.csv") + " --targets y0,y1,y2,y3,y4");

  EXPECT_EQ(run("verify out/certificate.safetensors " + data("random_01.csv")).code, 0);
}

}  // namespace
}  // namespace relulift::test
