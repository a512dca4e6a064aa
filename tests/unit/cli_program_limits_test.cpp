// SPDX-License-Identifier: Apache-2.0
// What limits and precision do to programs over patterns, as a user asks for them: taken or refused
// in a sentence, with true ends either way; and the same bytes from the same seed.
#include <nlohmann/json.hpp>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;

class CliProgramLimits : public testing::Test {
 protected:
  Outcome train(const std::string& arguments) {
    const char* data = std::getenv("RELULIFT_DATA");
    if (data == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
    return run_program(folder.path(),
                       "train " + (fs::path(data) / "spiral.csv").string() +
                           " --targets y0,y1,y2 --weight-decay 0.1 --engine none --out r " +
                           arguments);
  }
  Json result() { return Json::parse(content_of(folder / "r/result.json")); }
  std::string bytes() { return content_of(folder / "r/model.safetensors"); }
  TemporaryFolder folder;
};

struct Case {
  std::string name, arguments;
};
const std::string kGated = "--method gated --gates 20 ";
// Of the bound for every network little is asked.
const std::string kRelu = "--method relu --gates 20 --gap 0.5 ";
const std::string kAlone = "--outputs one-vs-all ";
const auto name_of = [](const auto& info) { return info.param.name; };

// ---- Programs whose solver counts iterations and works in either precision ----

class Iterating : public CliProgramLimits, public testing::WithParamInterface<Case> {};

// Whatever ended it: no bound lies above the objective of a run to the end.
TEST_P(Iterating, StopsAtTheLimitWithTrueEnds) {
  ASSERT_EQ(train(GetParam().arguments).code, 0);
  const Json whole = result();

  const Outcome limited = train(GetParam().arguments + "--iterations 7");

  ASSERT_EQ(limited.code, 0) << limited.err;
  const Json cut = result();
  EXPECT_EQ(cut["status"], "iteration_limit");
  EXPECT_EQ(cut["convex_program"]["iterations"], 7);
  EXPECT_GT(whole["convex_program"]["iterations"].get<int>(), 7);
  const double optimum = whole["convex_program"]["objective"].get<double>();
  EXPECT_GE(cut["convex_program"]["objective"].get<double>(), optimum * (1 - 1e-5));
  EXPECT_LE(cut["program_bound"].get<double>(), optimum);
}

TEST_P(Iterating, InSinglePrecisionAgreesToItsDigits) {
  ASSERT_EQ(train(GetParam().arguments).code, 0);
  const Json twice = result();

  const Outcome outcome = train(GetParam().arguments + "--precision single --tolerance 1e-4");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json single = result();
  const double objective = single["convex_program"]["objective"].get<double>();
  const double optimum = twice["convex_program"]["objective"].get<double>();
  EXPECT_NEAR(objective, optimum, 2e-4 * optimum);
  EXPECT_LE(single["program_bound"].get<double>(), optimum);
  EXPECT_GE(objective, twice["program_bound"].get<double>());
  EXPECT_LE(single["convex_program"]["relative_gap"].get<double>(), 3e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Iterating,
    testing::Values(Case{"GatedGradient", kGated + "--solver gradient "},
                    Case{"GatedGradientAlone", kGated + kAlone + "--solver gradient "},
                    Case{"GatedGradientFeatures", kGated + "--group feature --solver gradient "},
                    Case{"GatedAdmm", kGated + "--solver admm "},
                    Case{"GatedAdmmAlone", kGated + kAlone + "--solver admm "},
                    Case{"ReluAdmmAlone", "--method relu --gates 20 " + kAlone + "--solver admm "},
                    Case{"LinearAdmm", "--method linear --solver admm "}),
    name_of);

// ---- Refusals ----

struct Refusal {
  std::string name, arguments, sentence;
};
class Refused : public CliProgramLimits, public testing::WithParamInterface<Refusal> {};

TEST_P(Refused, EndsInOneSentenceAndWritesNothing) {
  const Outcome outcome = train(GetParam().arguments);

  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "relulift: " + GetParam().sentence + "\n");
  EXPECT_FALSE(fs::exists(folder / "r"));
}

const std::string kNeither =
    "the interior solver and the exchange method take neither max_iterations nor precision fp32";
const std::string kWidth = "max_neurons is for method sdp, and for exact with joint outputs";

INSTANTIATE_TEST_SUITE_P(
    Of, Refused,
    testing::Values(
        Refusal{"IterationsInside", kGated + kAlone + "--solver interior --iterations 7", kNeither},
        Refusal{"SingleInside", kRelu + kAlone + "--solver interior --precision single", kNeither},
        Refusal{"IterationsOfExchange", "--method exact --iterations 7", kNeither},
        Refusal{"SingleExchange", "--method exact --precision single", kNeither},
        Refusal{"SingleRelaxation", "--method sdp --precision single",
                "precision fp32 is for programs over patterns"},
        Refusal{"MixedLinear", "--method linear --precision mixed",
                "precision mixed is for method sdp"},
        Refusal{"WidthOfGated", kGated + "--neurons 8", kWidth},
        Refusal{"WidthOfRelu", kRelu + "--neurons 8", kWidth},
        Refusal{"WidthOfLinear", "--method linear --neurons 8", kWidth},
        Refusal{"WidthOfSeparateOutputs", "--method exact --outputs one-vs-all --neurons 8",
                kWidth}),
    [](const auto& info) { return info.param.name; });

TEST_F(CliProgramLimits, ExactWithJointOutputsKeepsToTheWidth) {
  ASSERT_EQ(train("--method exact --neurons 8 --time-limit 5").code, 0);

  EXPECT_LE(result()["neurons"].get<int>(), 8);
  EXPECT_LE(result()["program_bound"].get<double>(), result()["objective"].get<double>());
}

// ---- The same seed, the same bytes ----

class Repeated : public CliProgramLimits, public testing::WithParamInterface<Case> {};

TEST_P(Repeated, GivesTheSameBytes) {
  const std::string arguments = GetParam().arguments + "--seed 5 --threads 2";
  ASSERT_EQ(train(arguments).code, 0);
  const std::string first = bytes();

  ASSERT_EQ(train(arguments).code, 0);

  EXPECT_EQ(bytes(), first);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Repeated,
    testing::Values(
        Case{"Relu", kRelu}, Case{"ReluAlone", kRelu + kAlone},
        Case{"ReluAdmm", kRelu + kAlone + "--solver admm "}, Case{"Gated", kGated},
        Case{"GatedAlone", kGated + kAlone}, Case{"GatedGradient", kGated + "--solver gradient "},
        Case{"GatedGradientSingle", kGated + kAlone + "--solver gradient --precision single "},
        Case{"Exact", "--method exact "}, Case{"ExactAlone", "--method exact " + kAlone},
        Case{"Linear", "--method linear "},
        Case{"LinearGradient", "--method linear --solver gradient "}),
    name_of);

// ---- Out of time ----

// What was trained or taken apart by then is returned, never the network without neurons.
TEST_F(CliProgramLimits, ATimeLimitLeavesTheNetworkThatWasFound) {
  for (const std::string how : {"--refine", "--refine --outputs one-vs-all",
                                "--solver decomposition --outputs one-vs-all"}) {
    const Outcome limited = train("--method relu --gates 30 --time-limit 0.3 " + how);

    ASSERT_EQ(limited.code, 0) << limited.err;
    const Json json = result();
    EXPECT_GT(json["neurons"], 0) << how;
    EXPECT_LT(json["objective"], 20.0) << how;  // 30 without neurons, 16.6 at best
    EXPECT_LE(json["program_bound"], json["convex_program"]["objective"]) << how;
    EXPECT_GE(json["program_bound"], 0.0) << how;
  }
}

}  // namespace
}  // namespace relulift::test
