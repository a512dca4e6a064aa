// SPDX-License-Identifier: Apache-2.0
// ReLU programs over more patterns than a solver holds: a few at a time, and grown by refinement.
#include <gtest/gtest.h>

#include <cmath>
#include <relulift/solve.hpp>

#include "src/patterns/pattern_set.hpp"
#include "src/patterns/sample.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

Problem random_problem(Index n, Index d, Index c, double g, std::uint64_t seed) {
  Random random(seed);
  const Matrix X = random_matrix(random, n, d), Y = random_matrix(random, n, c);
  return {.samples = n,
          .features = d,
          .outputs = c,
          .X = {X.data(), X.data() + X.size()},
          .Y = {Y.data(), Y.data() + Y.size()},
          .weight_decay = g};
}

Options relu_options(Index gates) {
  Options options;
  options.method = Method::relu;
  options.engine = Engine::none;
  options.split = 0;
  options.program.gates = gates;
  return options;
}

// A direction on the hyperplanes of some rows lies in the closed cones of the patterns beside it,
// whose gates are strictly inside.
TEST(GatesBeside, HoldTheDirectionInTheirCones) {
  Random random(1);
  const Index n = 30, d = 6, on_it = 4;
  Matrix X = random_matrix(random, n, d);
  const Matrix U = random_matrix(random, d, 3);
  for (Index r = 0; r < on_it; ++r) {
    const Vector u = U.col(0);
    X.row(r) -= X.row(r).dot(u) / u.squaredNorm() * u.transpose();
  }

  const Matrix gates = gates_beside(X, U, 5);

  ASSERT_EQ(gates.cols(), 6);
  EXPECT_TRUE(gates_inside(X, gates));
  EXPECT_FALSE(gates_inside(X, U));
  const Matrix along = X * U, beside = X * gates;
  for (Index j = 0; j < gates.cols(); ++j)
    for (Index r = 0; r < n; ++r)
      EXPECT_GE((beside(r, j) >= 0.0 ? 1.0 : -1.0) * along(r, j / 2), -1e-12)
          << "row " << r << " of gate " << j;
  // The two of a direction are on opposite sides of what it lies on.
  EXPECT_LT(beside(0, 0) * beside(0, 1), 0.0);
}

// The same optimum as all patterns at once, and the bound is of all of them.
TEST(FewPatternsAtATime, ReachTheOptimumOfAll) {
  const Problem problem = random_problem(30, 4, 1, 0.3, 2);
  Options options = relu_options(800);
  options.program.outputs = Outputs::one_vs_all;

  const Result few = solve(problem, options);
  options.program.solver = ProgramSolver::interior;
  const Result all = solve(problem, options);

  EXPECT_GT(all.program.patterns, 500);
  EXPECT_EQ(few.program.patterns, all.program.patterns);
  EXPECT_GT(few.program.rounds, 0);
  EXPECT_EQ(all.program.rounds, 0);
  EXPECT_LE(few.program.objective - few.program.bound, 1e-6 * few.program.objective);
  EXPECT_LE(few.program.bound, all.program.objective);
  EXPECT_LE(all.program.bound, few.program.objective);
  EXPECT_NEAR(few.program.objective, all.program.objective, 3e-6 * all.program.objective);
}

// Five gates miss most of what training finds; refinement is at least as good as training and the
// program over its patterns is solved.
TEST(Refinement, IsNoWorseThanTraining) {
  for (const Index outputs : {1, 2}) {
    const Problem problem = random_problem(20, 6, outputs, 0.5, 3);
    Options trained_options;
    trained_options.engine = Engine::none;
    const Result trained = solve(problem, trained_options);
    Options options = relu_options(5);
    options.program.tolerance = 1e-4;
    const Result sampled = solve(problem, options);
    options.program.refine = true;

    const Result refined = solve(problem, options);

    EXPECT_LE(refined.objective, trained.objective * (1.0 + 1e-4)) << outputs << " outputs";
    EXPECT_LT(refined.objective, 0.98 * sampled.objective);
    EXPECT_LE(refined.program.objective - refined.program.bound, 1e-4 * refined.program.objective);
    EXPECT_NEAR(refined.objective, refined.program.objective, 1e-9 * refined.objective);
  }
}

// Where all patterns can be listed, refinement of a few gates ends at the optimum over all.
TEST(Refinement, ReachesTheOptimumOverAllPatterns) {
  const Problem problem = random_problem(25, 3, 1, 0.2, 4);
  Options options = relu_options(3);
  options.program.refine = true;
  const Result refined = solve(problem, options);
  options.program.refine = false;
  options.method = Method::exact;

  const Result exact = solve(problem, options);

  EXPECT_GE(refined.objective, exact.program.bound);
  EXPECT_LE(refined.objective, exact.objective * (1.0 + 1e-4));
}

TEST(Refinement, RepeatsItselfForASeed) {
  const Problem problem = random_problem(20, 6, 1, 0.5, 3);
  Options options = relu_options(5);
  options.program.refine = true;

  const Result first = solve(problem, options), second = solve(problem, options);

  EXPECT_EQ(first.network.U, second.network.U);
  EXPECT_EQ(first.network.V, second.network.V);
  EXPECT_EQ(first.program.bound, second.program.bound);
}

}  // namespace
}  // namespace relulift::testing
