// SPDX-License-Identifier: Apache-2.0
// train --checkpoint and --resume as a user meets them: killed at any moment, interrupted, and with
// the wrong file. No test relies on how far a run got before it was killed.
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;

class CliCheckpoint : public testing::Test {
 protected:
  static std::string data(const std::string& name) {
    const char* folder = std::getenv("RELULIFT_DATA");
    if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
    return (fs::path(folder) / name).string();
  }
  static std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
  }
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Json json(const std::string& name) { return Json::parse(content_of(folder / name)); }

  // Starts the command, waits for the phase, then for a checkpoint, and kills it there.
  void kill_after_checkpoint(const std::string& arguments, const std::string& phase) {
    Program program(folder.path(), words(arguments));
    ASSERT_TRUE(program.wait_for_error_output(phase));
    ASSERT_TRUE(program.wait_for_file(folder / "c"));
    program.send(SIGKILL);
    program.wait();
  }

  TemporaryFolder folder;
};

const std::string kIris = " --target species --weight-decay 0.1 --quiet";

// Both runs end with the gap met, so their objectives differ by that gap at most, and so do their
// bounds.
TEST_F(CliCheckpoint, KilledAndResumedItReachesTheSameResult) {
  const std::string train = "train " + data("iris_train.csv") + " --target species" +
                            " --weight-decay 0.1 --checkpoint c --checkpoint-every 0.2 --out ";
  ASSERT_EQ(run(train + "whole").code, 0);
  fs::remove(folder / "c");

  kill_after_checkpoint(train + "killed", "network");
  const Outcome resumed = run(train + "resumed --resume c");

  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const Json a = json("whole/result.json"), b = json("resumed/result.json");
  EXPECT_EQ(a["status"], "gap_met");
  EXPECT_EQ(b["status"], "gap_met");
  const double objective = a["objective"], bound = a["lower_bound"];
  EXPECT_NEAR(b["objective"].get<double>(), objective, 0.0102 * objective);
  EXPECT_NEAR(b["lower_bound"].get<double>(), bound, 0.0102 * objective);
}

// With an engine: the bound is that of the relaxation, which has one optimum.
TEST_F(CliCheckpoint, KilledInTheEngineItReachesTheSameBound) {
  ASSERT_EQ(run("generate random --samples 60 --features 8 --outputs 2 --seed 1 --out t.csv").code,
            0);
  const std::string train =
      "train t.csv --targets y0,y1 --weight-decay 1 --engine interior --split 0 "
      "--checkpoint c --checkpoint-every 0.2 --out ";
  ASSERT_EQ(run(train + "whole").code, 0);
  fs::remove(folder / "c");

  kill_after_checkpoint(train + "killed", "interior");
  const Outcome resumed = run(train + "resumed --resume c");

  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const Json a = json("whole/result.json"), b = json("resumed/result.json");
  const double objective = a["objective"], bound = a["lower_bound"];
  EXPECT_NEAR(b["lower_bound"].get<double>(), bound, 1e-3 * bound);
  EXPECT_NEAR(b["objective"].get<double>(), objective, 1e-2 * objective);
}

TEST_F(CliCheckpoint, SignalsLeaveACheckpointAndAResult) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string train = "train " + data("breast_cancer.csv") +
                              " --target diagnosis --weight-decay 0.1 --gap 0 --out r ";
    Program program(folder.path(), words(train + "--checkpoint c --checkpoint-every 1000"));
    ASSERT_TRUE(program.wait_for_error_output("objective"));
    program.send(signal);
    const Outcome outcome = program.wait();

    EXPECT_EQ(outcome.code, 4) << outcome.err;
    const Json interrupted = json("r/result.json");
    EXPECT_EQ(interrupted["status"], "interrupted");
    ASSERT_TRUE(fs::exists(folder / "c"));

    // The time is up before anything but the file can count.
    ASSERT_EQ(run(train + "--resume c --time-limit 0.01").code, 0);
    const Json resumed = json("r/result.json");
    EXPECT_LE(resumed["objective"].get<double>(),
              (1 + 1e-12) * interrupted["objective"].get<double>());
    fs::remove(folder / "c");
  }
}

TEST_F(CliCheckpoint, RunningOutOfTimeLeavesACheckpoint) {
  ASSERT_EQ(run("train " + data("breast_cancer.csv") +
                " --target diagnosis --weight-decay 0.1 --gap 0 --out r --time-limit 1 --quiet "
                "--checkpoint c --checkpoint-every 1000")
                .code,
            0);
  EXPECT_EQ(json("r/result.json")["status"], "time_limit");
  EXPECT_TRUE(fs::exists(folder / "c"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2);
}

TEST_F(CliCheckpoint, OneCheckpointMayBeReadAndReplaced) {
  const std::string train = "train " + data("iris_train.csv") + kIris + " --engine none ";
  ASSERT_EQ(run(train + "--out r --checkpoint c --time-limit 0.5").code, 0);

  const Outcome outcome = run(train + "--out r --checkpoint c --resume c --time-limit 5");

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
}

class RefusedCheckpoint : public CliCheckpoint {
 protected:
  // One sentence with these words, exit code 2, and no trace of the run.
  void expect_refused(const std::string& arguments, const std::string& sentence) {
    const Outcome outcome = run("train " + data("iris_train.csv") + kIris + " " + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_FALSE(fs::exists(folder / "out"));
  }
};

TEST_F(RefusedCheckpoint, OfOtherData) {
  ASSERT_EQ(run("train " + data("iris_test.csv") + kIris +
                " --engine none --time-limit 0.5 --out r --checkpoint c")
                .code,
            0);
  expect_refused("--out out --resume c", "c: is a checkpoint of other data");
}

TEST_F(RefusedCheckpoint, OfAnotherPreparation) {
  ASSERT_EQ(run("train " + data("iris_train.csv") + kIris +
                " --bias --engine none --time-limit 0.5 --out r --checkpoint c")
                .code,
            0);
  expect_refused("--out out --resume c", "c: is a checkpoint of other data");
}

TEST_F(RefusedCheckpoint, DamagedOrAbsent) {
  ASSERT_EQ(run("train " + data("iris_train.csv") + kIris +
                " --engine none --time-limit 0.5 --out r --checkpoint c")
                .code,
            0);
  std::string bytes = content_of(folder / "c");
  folder.write("short", bytes.substr(0, bytes.size() / 2));
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 4);
  folder.write("flipped", bytes);

  expect_refused("--out out --resume short", "short: ");
  expect_refused("--out out --resume flipped", "flipped: ");
  expect_refused("--out out --resume absent", "absent: cannot be opened");
  expect_refused("--out out --resume r/model.safetensors", "is no relulift checkpoint");
}

TEST_F(RefusedCheckpoint, WhereItCannotStand) {
  ASSERT_EQ(
      run("train " + data("iris_train.csv") + kIris + " --engine none --gap 0.3 --out r").code, 0);
  expect_refused("--out out --checkpoint no/c", "no/c: cannot be written");
  expect_refused("--out out --checkpoint .", "is a folder");
  expect_refused("--out out --checkpoint out", "may not lie in the output folder");
  expect_refused("--out r --checkpoint r/c", "may not lie in the output folder");
  expect_refused("--out r --checkpoint r/../r/model.safetensors", "may not lie in the output");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "r"), {}), 4);
}

TEST_F(RefusedCheckpoint, OverTheTable) {
  const std::string table = "a,b,k\n1,2,u\n3,4,v\n5,7,u\n6,1,v\n";
  folder.write("t.csv", table);

  const Outcome outcome = run("train t.csv --target k --weight-decay 1 --out r --checkpoint t.csv");

  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("t.csv: is an input"), std::string::npos) << outcome.err;
  EXPECT_EQ(content_of(folder / "t.csv"), table);
}

TEST_F(RefusedCheckpoint, AnIntervalThatIsNone) {
  expect_refused("--out out --checkpoint-every 5", "--checkpoint-every goes with --checkpoint");
  for (const char* bad : {"0", "-1", "nan", "inf"})
    expect_refused(std::string("--out out --checkpoint c --checkpoint-every ") + bad,
                   "--checkpoint-every must be finite and positive");
}

}  // namespace
}  // namespace relulift::test
