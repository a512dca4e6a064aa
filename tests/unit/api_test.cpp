// SPDX-License-Identifier: Apache-2.0
// solve() and certify() of the library: what they refuse, and that a result agrees with itself.
#include <algorithm>
#include <cmath>
#include <limits>
#include <relulift/solve.hpp>
#include <string>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/generators.hpp"

namespace relulift::test {
namespace {

Problem problem() {
  return {.samples = 3,
          .features = 2,
          .outputs = 1,
          .X = {1, 0, 2, 0, 1, -1},
          .Y = {1, -1, 3},
          .weight_decay = 0.5};
}

Network network() {
  return {.features = 2, .outputs = 1, .neurons = 2, .U = {1, 0, 0, 1}, .V = {1, -1}};
}

std::string refusal(const Network& network) {
  return error_of([&] { certify(problem(), network, {.time_limit_seconds = 1.0}); });
}

TEST(Certify, RefusesANetworkOfOtherSizes) {
  Network wide = network(), tall = network(), negative = network();
  wide.features = 3;
  tall.outputs = 2;
  negative.neurons = -1;

  EXPECT_NE(refusal(wide).find("features and outputs"), std::string::npos);
  EXPECT_NE(refusal(tall).find("features and outputs"), std::string::npos);
  EXPECT_NE(refusal(negative).find("neurons"), std::string::npos);
}

TEST(Certify, RefusesWeightsOfTheWrongLength) {
  Network few = network(), odd = network(), stated = network();
  few.V.pop_back();
  odd.U.push_back(1.0);
  stated.neurons = std::numeric_limits<Index>::max();

  EXPECT_EQ(refusal(few), "V of the network must hold 1 x neurons entries, not 1");
  EXPECT_EQ(refusal(odd), "U of the network must hold 2 x neurons entries, not 5");
  EXPECT_NE(refusal(stated).find("U of the network"), std::string::npos);
}

TEST(Certify, RefusesWeightsThatAreNotFinite) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Network first = network(), second = network();
    first.U[3] = bad;
    second.V[0] = bad;

    EXPECT_EQ(refusal(first), "U of the network has an entry that is not finite");
    EXPECT_EQ(refusal(second), "V of the network has an entry that is not finite");
  }
}

// The multipliers that prove the bound are the last word on the dual value, whichever check of the
// engine they come from.
TEST(Solve, TheDualValueIsTheOneThatWasProved) {
  Random random(5);
  const Problem p = relulift::testing::random_problem(random, 12, 3, 1, 0.3);
  for (const Engine engine : {Engine::interior, Engine::low_rank, Engine::dense}) {
    const Result result = solve(p, {.engine = engine,
                                    .gap = 0.0,
                                    .time_limit_seconds = 20.0,
                                    .split = 0,
                                    .max_iterations = 60});

    ASSERT_EQ(result.certificate.kind, "cholesky");
    EXPECT_EQ(result.relaxation.dual, result.certificate.lower_bound);
  }
}

// 160 directions of 6 features: past the sizes that auto leaves to the interior engine alone.
TEST(Solve, TheLowRankEngineHandsOverToTheInteriorOne) {
  Random random(8);
  const Problem p = relulift::testing::random_problem(random, 160, 6, 1, 1.0);

  const Result result = solve(p, {.max_neurons = 40, .gap = 0.0, .split = 0, .max_iterations = 60});

  std::vector<std::string> phases;
  for (const Progress& at : result.trace)
    if (phases.empty() || phases.back() != at.phase) phases.emplace_back(at.phase);
  const auto low_rank = std::find(phases.begin(), phases.end(), "low-rank");
  ASSERT_NE(low_rank, phases.end());
  EXPECT_NE(std::find(low_rank, phases.end(), "interior"), phases.end());
  EXPECT_EQ(result.relaxation.engine, "interior");
  EXPECT_GE(result.relaxation.primal, result.relaxation.dual);
  EXPECT_GT(result.relaxation.dual, 0.99 * result.relaxation.primal);
}

// What the texts of Engine::none say.
TEST(Solve, WithoutARelaxationTheConesStillProveABoundAtFewFeatures) {
  Random random(6);
  const Problem p = relulift::testing::random_problem(random, 12, 2, 2, 0.3);

  const Result result = solve(p, {.engine = Engine::none, .time_limit_seconds = 20.0});

  EXPECT_EQ(result.relaxation.engine, "none");
  EXPECT_EQ(result.certificate.kind, "cones");
  EXPECT_NE(result.plan.find("cones (2 features)"), std::string::npos) << result.plan;
  EXPECT_LE(result.certificate.lower_bound, result.objective);
}

TEST(Certify, ReturnsTheNetworkAsItWasGiven) {
  const Result result = certify(problem(), network(), {.time_limit_seconds = 5.0});

  EXPECT_EQ(result.network.U, network().U);
  EXPECT_EQ(result.network.V, network().V);
  EXPECT_EQ(result.certificate.claim, Claim::every_network);
  EXPECT_LE(result.certificate.lower_bound, result.objective);
}

}  // namespace
}  // namespace relulift::test
