// SPDX-License-Identifier: Apache-2.0
// The order of the programs on data that nobody chose: relaxation <= exact <= sampled joint <=
// sampled one-vs-all, gated <= ReLU on the same patterns; and no bound above an objective that its
// claim covers.
#include <gtest/gtest.h>

#include <cmath>
#include <relulift/solve.hpp>

#include "src/patterns/sample.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

constexpr double kTolerance = 1e-5;  // of every program

Problem random_problem(std::uint64_t seed) {
  Random random(seed);
  const Index n = 8 + static_cast<Index>(8.0 * random.uniform());
  const Index d = 2 + static_cast<Index>(2.0 * random.uniform());
  const Index c = 1 + static_cast<Index>(3.0 * random.uniform());
  const Matrix X = random_matrix(random, n, d), Y = random_matrix(random, n, c);
  return {.samples = n,
          .features = d,
          .outputs = c,
          .X = {X.data(), X.data() + X.size()},
          .Y = {Y.data(), Y.data() + Y.size()},
          .weight_decay = std::pow(10.0, -1.0 + 1.5 * random.uniform())};
}

Result solved(const Problem& problem, Method method, Outputs outputs = Outputs::joint) {
  Options options;
  options.method = method;
  options.gap = method == Method::sdp ? 0.0 : 0.01;
  options.engine = method == Method::sdp ? Engine::interior : Engine::none;
  options.split = 0;
  options.program.outputs = outputs;
  options.program.gates = 12;
  options.program.tolerance = kTolerance;
  return solve(problem, options);
}

class ProgramOrder : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ProgramOrder, RelaxationExactSampledOneVsAll) {
  const Problem problem = random_problem(GetParam());

  const Result sdp = solved(problem, Method::sdp);
  const Result exact = solved(problem, Method::exact);
  const Result joint = solved(problem, Method::relu);
  const Result single = solved(problem, Method::relu, Outputs::one_vs_all);
  const Result gated_joint = solved(problem, Method::gated);
  const Result gated_single = solved(problem, Method::gated, Outputs::one_vs_all);

  const double slack = 1.0 + 3.0 * kTolerance;
  if (std::isfinite(sdp.relaxation.dual)) {
    EXPECT_LE(sdp.relaxation.dual, exact.objective * slack);
  }
  EXPECT_LE(exact.objective, joint.objective * slack);
  EXPECT_LE(joint.objective, single.objective * slack);
  EXPECT_LE(gated_joint.program.objective, joint.program.objective * slack);
  EXPECT_LE(gated_single.program.objective, single.program.objective * slack);
  EXPECT_LE(gated_joint.program.objective, gated_single.program.objective * slack);
  // Bounds of programs: of all that the program admits.
  EXPECT_LE(joint.program.bound, joint.objective);
  EXPECT_LE(joint.program.bound, single.objective);
  EXPECT_LE(single.program.bound, single.objective * (1.0 + 1e-12));
  EXPECT_LE(gated_joint.program.bound, joint.objective);
  EXPECT_LE(gated_single.program.bound, single.objective);
  // Bounds for every network: of every ReLU network here.
  for (const Result* bounding : {&sdp, &exact, &joint, &single}) {
    if (bounding->certificate.claim != Claim::every_network) continue;
    for (const Result* network : {&sdp, &exact, &joint, &single})
      EXPECT_LE(bounding->certificate.lower_bound, network->objective * (1.0 + 1e-12));
  }
  EXPECT_NE(gated_joint.certificate.claim, Claim::every_network);
  EXPECT_NEAR(objective(problem, joint.network), joint.objective, 1e-9 * joint.objective);
  EXPECT_NEAR(objective(problem, gated_joint.network), gated_joint.program.objective,
              1e-6 * gated_joint.program.objective);
}

INSTANTIATE_TEST_SUITE_P(Random, ProgramOrder, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace relulift::testing
