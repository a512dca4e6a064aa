// SPDX-License-Identifier: Apache-2.0
// The augmented Lagrangian over patterns on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "src/solvers/pattern_lagrangian.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

struct Solve {
  std::vector<StrictCounts> at;  // at the checks
  PatternPoint point;
};

Solve solve(Index n, Index outputs, Loss loss, const SystemSize& system) {
  StrictBackend be;
  Random random(3);
  const Matrix X = random_matrix(random, n, 3);
  Matrix Y = random_matrix(random, n, outputs);
  if (loss == Loss::logistic) {
    Y.setZero();
    for (Index i = 0; i < n; ++i) Y(i, i * i % outputs) = 1.0;
  }
  const GatedPatterns gated = patterns_of(X, random_matrix(random, 3, 12));
  ProgramOptions program;
  program.outputs = Outputs::one_vs_all;
  program.tolerance = 1e-7;
  program.loss = loss;
  const ProgramRequest request{X, Y, 0.3, gated, program, false, 300};
  LagrangianOptions options;
  options.tile_entries = 512;
  options.system = system;
  Solve out;
  out.point = PatternLagrangian<StrictBackend>(be, request, options)
                  .run(Control(), [&](const ProgramCheck&) {
                    out.at.push_back(be.counts());
                    return true;
                  });
  EXPECT_TRUE(be.fences_intact());
  return out;
}

// Blocks live on the host: a value costs it two products and the rounds of the projections.
TEST(PatternLagrangianDiscipline, NothingIsAllocatedBetweenChecks) {
  struct Shape {
    Index samples, outputs;
    Loss loss;
    SystemSize system;
  };
  for (const Shape& shape :
       {Shape{130, 2, Loss::squared, kSystemHost}, Shape{130, 2, Loss::squared, {6000, 64}},
        Shape{12, 1, Loss::squared, {6000, 64}}, Shape{70, 3, Loss::logistic, {6000, 64}}}) {
    const Solve run = solve(shape.samples, shape.outputs, shape.loss, shape.system);

    ASSERT_GE(run.at.size(), 5U);
    EXPECT_EQ(run.at.back().allocations, run.at.front().allocations);
    EXPECT_LE(run.point.objective - run.point.bound, 1e-7 * run.point.objective);
    for (std::size_t k = 1; k < run.at.size(); ++k)
      EXPECT_LE(run.at[k].fetches - run.at[k - 1].fetches, 300);
  }
}

}  // namespace
}  // namespace relulift::testing
