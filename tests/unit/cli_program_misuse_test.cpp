// SPDX-License-Identifier: Apache-2.0
// Programs over activation patterns on data at the edge, and asked for what cannot be.
#include <cmath>

#include "tests/support/cli_program.hpp"
#include "tests/support/formats.hpp"

namespace relulift::test {
namespace {

// ---- Data at the edge ----

class EdgeTable : public CliProgram, public testing::WithParamInterface<std::string> {};

// Half the squares of the targets is the objective without neurons, which is best here.
TEST_P(EdgeTable, OfZerosHasANetworkWithoutNeurons) {
  folder.write("zero.csv", "a,b,y\n0,0,3\n0,0,-4\n");
  folder.write("one.csv", "a,y\n0,5\n");
  folder.write("tiny.csv", "a,b,y\n1e-200,2e-200,3\n-1e-200,3e-200,4\n");
  for (const char* table : {"zero.csv", "one.csv", "tiny.csv"}) {
    const Outcome trained = run(std::string("train ") + table +
                                " --targets y --weight-decay 0.1 --out r --method " + GetParam());

    ASSERT_EQ(trained.code, 0) << table << trained.err;
    EXPECT_EQ(result()["objective"], 12.5) << table;
    EXPECT_EQ(result()["neurons"], 0) << table;
    EXPECT_NEAR(result()["program_bound"].get<double>(), 12.5, 1e-12) << table;
    EXPECT_EQ(run(std::string("predict r/model.safetensors ") + table).code, 0) << table;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, EdgeTable,
                         testing::Values("relu", "gated", "exact", "linear", "circular",
                                         "relu --solver decomposition"));

// One sample x = 2, y = 3: min (2w - 3)^2 / 2 + g |w| has w = (6 - g) / 4.
TEST_F(CliProgram, OneSampleOfOneFeatureHasTheOptimumOfTheFormula) {
  folder.write("t.csv", "a,y\n2,3\n");
  const double w = (6 - 0.1) / 4, optimum = std::pow(2 * w - 3, 2) / 2 + 0.1 * w;
  for (const char* method :
       {"relu", "gated", "exact", "linear", "circular", "relu --solver decomposition",
        "relu --solver decomposition --decomposition approximate"}) {
    ASSERT_EQ(
        run(std::string("train t.csv --targets y --weight-decay 0.1 --out r --method ") + method)
            .code,
        0);
    EXPECT_NEAR(result()["objective"].get<double>(), optimum, 1e-6 * optimum) << method;
    EXPECT_LE(result()["program_bound"].get<double>(), optimum * (1 + 1e-12)) << method;
  }
}

// ---- Misuse ----

struct Misuse {
  std::string name, arguments, sentence;
};
class Misused : public CliProgram, public testing::WithParamInterface<Misuse> {};

TEST_P(Misused, EndsInOneSentenceAndWritesNothing) {
  folder.write("nan.npy", npy_file("<f8", "(2, 1)", raw_bytes(Row{1, std::nan("")})));
  folder.write("rows.npy", npy_file("<f8", "(3, 1)", raw_bytes(Row{1, 2, 3})));
  folder.write("soft.csv", "a,b,u,v\n1,2,1,0\n2,1,0.5,0.5\n");

  const bool own = GetParam().arguments.find("--weight-decay") != std::string::npos;
  const Outcome outcome = own ? run(GetParam().arguments) : spiral(GetParam().arguments);

  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("relulift: ", 0), 0U) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().sentence), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder / "r"));
}

INSTANTIATE_TEST_SUITE_P(
    Of, Misused,
    testing::Values(
        Misuse{"SplitOfGates", "--method gated --split 4",
               "split is for the bound on ReLU networks"},
        Misuse{"GatesThatAreNoNumberAndNoFile", "--method gated --gates 1e3",
               "--gates must be a whole number or an NPY file: there is no file 1e3"},
        Misuse{"RefineInSinglePrecision", "--method relu --refine --precision single",
               "refine works in double precision"},
        Misuse{"UnknownMethod", "--method svm", "svm"},
        Misuse{"GatesOfNoProgram", "--gates 5",
               "are for --method relu, gated, exact, linear or circular"},
        Misuse{"LossOfNoProgram", "--loss huber", "are for --method relu"},
        Misuse{"ToleranceOfNoProgram", "--tolerance 1e-3", "are for --method relu"},
        Misuse{"GatesOfAllPatterns", "--method exact --gates 5", "not exact"},
        Misuse{"GatesOfALinearNetwork", "--method linear --gates 5", "not linear"},
        Misuse{"GatesOfConvolutions", "--method circular --gates 5", "not circular"},
        Misuse{"BiasOfConvolutions", "--method circular --bias", "--bias is not for"},
        Misuse{"LossOfConvolutions", "--method circular --loss huber", "takes the squared loss"},
        Misuse{"OutputsOfConvolutions", "--method circular --outputs one-vs-all", "joint outputs"},
        Misuse{"SolverOfConvolutions", "--method circular --solver admm", "interior solver"},
        Misuse{"GroupsOfConvolutions", "--method circular --group feature", "feature groups"},
        Misuse{"EngineOfConvolutions", "--method circular --engine dense", "engines are for"},
        Misuse{"LimitOfConvolutions", "--method circular --neurons 5", "max_neurons"},
        Misuse{"PrecisionOfConvolutions", "--method circular --precision single",
               "neither precision"},
        Misuse{"CheckpointOfConvolutions", "--method circular --checkpoint c", "for method sdp"},
        Misuse{"NoGates", "--method gated --gates 0", "--gates must be at least 1, not 0"},
        Misuse{"MoreGatesThanMemory", "--method gated --gates 1000000000000000", "of memory"},
        Misuse{"AbsentGates", "--method gated --gates no.npy", "there is no file no.npy"},
        Misuse{"GatesWithNan", "--method gated --gates nan.npy", "nan.npy: the entry in row 1"},
        Misuse{"GatesOfOtherFeatures", "--method relu --gates rows.npy",
               "rows.npy: holds 3 rows of gates, the prepared problem has 2 features"},
        Misuse{"KindOfGivenGates", "--method gated --gates g.npy --gate-kind sparse",
               "--gate-kind says how gates are drawn"},
        Misuse{"PatchesWithoutImage", "--method gated --gate-kind patches", "go together"},
        Misuse{"ImageOfOtherSize", "--method gated --gate-kind patches --image 8x8",
               "--image 8x8: the data have 2 features"},
        Misuse{"ImageOfNothing", "--method gated --gate-kind patches --image 2x0",
               "--image must be HEIGHTxWIDTH"},
        Misuse{"PatchesWithBias", "--method gated --gate-kind patches --image 2x1 --bias",
               "knows no --bias"},
        Misuse{"FeatureGroupsOfReluNetworks", "--method relu --group feature",
               "feature groups are for"},
        Misuse{"ExactWithAnotherLoss", "--method exact --loss huber", "takes the squared loss"},
        Misuse{"GradientOfReluNetworks", "--method relu --solver gradient", "gradient solver"},
        Misuse{"GradientOfAKink", "--method gated --loss hinge --solver gradient", "smooth"},
        Misuse{"LagrangianOfGates", "--method gated --outputs one-vs-all --solver lagrangian",
               "the lagrangian solver is for the methods relu and exact"},
        Misuse{"LagrangianOfAKink",
               "--method relu --outputs one-vs-all --loss absolute --solver lagrangian",
               "the lagrangian solver takes smooth losses"},
        Misuse{"LagrangianOfAllJointPatterns", "--method exact --solver lagrangian",
               "has a solver of its own"},
        Misuse{"LagrangianInSinglePrecision",
               "--method relu --outputs one-vs-all --solver lagrangian --precision single",
               "no precision fp32"},
        Misuse{"InteriorOfJointOutputs", "--method gated --solver interior", "one-vs-all"},
        Misuse{"DecompositionOfGates", "--method gated --solver decomposition",
               "--solver decomposition is for --method relu, not gated"},
        Misuse{"DecompositionOfAllPatterns", "--method exact --solver decomposition",
               "--solver decomposition is for --method relu, not exact"},
        Misuse{"DecompositionOfALinearNetwork", "--method linear --solver decomposition",
               "--solver decomposition is for --method relu, not linear"},
        Misuse{"DecompositionOfAnotherSolver", "--method relu --decomposition approximate",
               "--decomposition goes with --solver decomposition"},
        Misuse{"DecompositionOfNoProgram", "--decomposition approximate", "are for --method relu"},
        Misuse{"ApproximateWithAnotherLoss",
               "--method relu --solver decomposition --decomposition approximate --loss huber",
               "decomposition approximate takes the squared loss"},
        Misuse{"RefineOfDecompositions", "--method relu --solver decomposition --refine",
               "refine is not for the decomposition solver"},
        Misuse{"RefineOfGates", "--method gated --refine", "--refine is for --method relu"},
        Misuse{"ZeroTolerance", "--method gated --tolerance 0", "--tolerance must lie in (0, 1)"},
        Misuse{"NanTolerance", "--method gated --tolerance nan", "--tolerance must lie in (0, 1)"},
        Misuse{"DeltaOfAnotherLoss", "--method gated --huber-delta 1", "goes with --loss huber"},
        Misuse{"NegativeDelta", "--method gated --loss huber --huber-delta=-1",
               "--huber-delta must be finite and positive"},
        Misuse{"CheckpointOfAProgram", "--method gated --checkpoint c", "are for method sdp"},
        Misuse{"MixedProgram", "--method gated --precision mixed", "is for method sdp"},
        Misuse{"SoftClasses",
               "train soft.csv --targets u,v --weight-decay 1 --out r --method gated --loss "
               "logistic",
               "row 1"},
        Misuse{"NumbersAsOneClass",
               "train soft.csv --targets u --weight-decay 1 --out r --method gated --loss logistic",
               "row 1"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace relulift::test
