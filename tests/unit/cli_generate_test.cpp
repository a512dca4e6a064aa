// SPDX-License-Identifier: Apache-2.0
// relulift generate as a user runs it. Hostile arguments are in cli_hostile_test.cpp.
#include <nlohmann/json.hpp>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

std::string make(const std::string& recipe, int seed, const std::string& out) {
  return "generate " + recipe + " --samples 40 --features 2 --outputs 3 --seed " +
         std::to_string(seed) + " --out " + out;
}

TEST(CliGenerate, TheSeedDeterminesTheBytes) {
  const TemporaryFolder folder;
  for (const std::string recipe : {"spiral", "teacher", "random"}) {
    for (const auto& [seed, out] : {std::pair(1, "a.csv"), {1, "b.csv"}, {2, "c.csv"}}) {
      const Outcome outcome = run_program(folder.path(), make(recipe, seed, out));
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      EXPECT_EQ(outcome.err, "");
      EXPECT_EQ(outcome.out,
                std::string("Wrote ") + out + ": 40 samples, 2 features, targets y0,y1,y2.\n");
    }
    EXPECT_EQ(content_of(folder / "a.csv").rfind("x0,x1,y0,y1,y2\n", 0), 0U);
    EXPECT_EQ(content_of(folder / "a.csv"), content_of(folder / "b.csv"));
    EXPECT_NE(content_of(folder / "a.csv"), content_of(folder / "c.csv"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 3);
}

TEST(CliGenerate, TheNoiseIsATenthUnlessGiven) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(folder.path(), make("teacher", 1, "a.csv")).code, 0);
  ASSERT_EQ(run_program(folder.path(), make("teacher", 1, "b.csv --noise 0.1")).code, 0);
  ASSERT_EQ(run_program(folder.path(), make("teacher", 1, "c.csv --noise 0")).code, 0);

  EXPECT_EQ(content_of(folder / "a.csv"), content_of(folder / "b.csv"));
  EXPECT_NE(content_of(folder / "a.csv"), content_of(folder / "c.csv"));
}

TEST(CliGenerate, ManyTargetsAreNamedShortly) {
  const TemporaryFolder folder;
  const Outcome outcome = run_program(
      folder.path(), "generate random --samples 3 --features 4 --outputs 9 --seed 0 --out t.csv");
  EXPECT_EQ(outcome.out, "Wrote t.csv: 3 samples, 4 features, targets y0,y1,..,y8.\n");
}

TEST(CliGenerate, WhatItWritesTrainsAndIsScored) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(folder.path(), make("spiral", 1, "spiral.csv")).code, 0);
  ASSERT_EQ(run_program(folder.path(), make("teacher", 1, "teacher.csv --noise 0")).code, 0);
  for (const std::string recipe : {"spiral", "teacher"}) {
    const Outcome outcome = run_program(
        folder.path(), "train " + recipe + ".csv --targets y0,y1,y2 --weight-decay 0.001 --out " +
                           recipe + " --engine none --time-limit 3 --quiet");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const auto result = nlohmann::json::parse(content_of(folder / (recipe + "/result.json")));
    EXPECT_EQ(result["problem"]["samples"], 40);
    EXPECT_EQ(result["problem"]["features"], 2);
    EXPECT_EQ(result["problem"]["outputs"], 3);
    EXPECT_EQ(result["train"]["accuracy"].is_null(), recipe == "teacher");
    if (recipe == "teacher") {
      // Ten neurons fit the targets exactly, so that little besides the penalty is left.
      EXPECT_LT(result["train"]["rmse"].get<double>(), 0.05);
    }
  }
}

TEST(CliGenerate, ASignalLeavesNothingHalfWritten) {
  const TemporaryFolder folder;
  folder.write("t.csv", "precious");
  Program program(folder.path(), {"generate", "teacher", "--samples", "300000", "--features", "9",
                                  "--outputs", "1", "--seed", "1", "--out", "t.csv"});
  const auto files = [&] { return std::distance(fs::directory_iterator(folder.path()), {}); };
  for (int k = 0; k < 20000 && files() == 1 && content_of(folder / "t.csv") == "precious"; ++k)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  program.send(SIGINT);
  const Outcome outcome = program.wait();

  if (outcome.code == 0) GTEST_SKIP() << "the program was faster than the signal";
  EXPECT_EQ(outcome.code, 4);
  EXPECT_EQ(outcome.err, "relulift: interrupted; nothing was written\n");
  EXPECT_EQ(files(), 1);
  EXPECT_EQ(content_of(folder / "t.csv"), "precious");
}

}  // namespace
}  // namespace relulift::test
