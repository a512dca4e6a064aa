// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/train_network.hpp"

#include <gtest/gtest.h>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

ReducedProblem reduced(Index n, Index d, Index c) {
  Random random(static_cast<std::uint64_t>(100 * n + 10 * d + c));
  return presolve(random_problem(random, n, d, c, 0.1)).reduced;
}

TEST(Trainer, ImproveIsNeverWorseThanAStartWiderThanItsLimit) {
  const ReducedProblem p = reduced(30, 3, 2);
  CpuBackend be(1);
  TrainOptions options;
  options.max_neurons = 60;
  const Weights start = NetworkTrainer<CpuBackend>(be, p, options).run(Control()).weights;
  ASSERT_GT(start.neurons(), 3);
  options.max_neurons = 2;

  const TrainReport r = NetworkTrainer<CpuBackend>(be, p, options).improve(start, Control());

  EXPECT_LE(r.objective, objective(p, start) * (1.0 + 1e-12));
}

// The interrupt is polled before every evaluation, not once per chunk or ascent.
TEST(Trainer, StopsWithinAStep) {
  const ReducedProblem p = reduced(30, 3, 2);
  CpuBackend be(1);
  TrainOptions options;
  options.starts = 1;  // no refit in between
  int polls = 0;
  const Control control(1e300, [&] { return ++polls > 12; });

  const TrainReport r = NetworkTrainer<CpuBackend>(be, p, options).run(control);

  EXPECT_GT(r.iteration, 0);
  EXPECT_LE(r.iteration, 12);
  EXPECT_LE(polls, 30);
  EXPECT_LT(r.objective, 0.5 * p.Y.squaredNorm() + p.constant);  // the point reached counts
}

TEST(Trainer, AFalseStepLeavesNothingBehind) {
  const ReducedProblem p = reduced(12, 3, 1);
  const TrainCoordinates at = train_coordinates(p, 0.5);
  CpuBackend be(1);
  SmoothedObjective<CpuBackend> f(be, at.samples, 4, 1);
  Lbfgs<CpuBackend, SmoothedObjective<CpuBackend>> lbfgs(be, f, 4, 1);
  const auto never = [] { return false; };
  Random random(3);
  const Matrix x = at.parameters(random_weights(at, p.stacked_X(), 4, random));
  Matrix broken = x;
  broken(0, 0) = std::numeric_limits<double>::quiet_NaN();
  f.set_smoothing(0.01);

  lbfgs.begin(broken, 1);
  lbfgs.advance(20, never);
  const double done = lbfgs.state()(kernels::kDone, 0);
  const double started = lbfgs.state()(kernels::kStarted, 0);
  lbfgs.begin(x, 1);
  lbfgs.advance(20, never);

  EXPECT_EQ(started, 0.0);  // nothing was accepted
  EXPECT_EQ(done, 1.0);
  EXPECT_TRUE(lbfgs.point().allFinite());
  EXPECT_LT(lbfgs.state()(kernels::kValue, 0), 0.9 * objective(p, at.weights(x)));
}

// Against every pair of directions.
TEST(MergedDuplicates, FindsTheTwinsThatAComparisonOfAllFinds) {
  Random random(4);
  for (const Index d : {1, 2, 7}) {
    const Index m = 60;
    Weights w{random_matrix(random, d, m), random_matrix(random, 2, m)};
    for (Index j = 0; j < m; j += 3) {  // at and around the tolerance
      w.U.col(j) = (0.5 + random.uniform()) * w.U.col((j + 1) % m);
      if (j % 2 == 0) w.U(0, j) *= 1.0 + 3e-5 * random.uniform();
    }
    const double tolerance = 1e-10;

    const Weights merged = merged_duplicates(w, tolerance);

    const Matrix S = merged.U.colwise().normalized();
    for (Index j = 0; j < S.cols(); ++j)
      for (Index i = 0; i < j; ++i)
        EXPECT_GT(0.5 * (S.col(j) - S.col(i)).squaredNorm(), 0.999 * tolerance);
    EXPECT_LT(merged.neurons(), m);
    const Matrix X = random_matrix(random, 20, d);
    const Matrix before = residual(X, Matrix::Zero(20, 2), w);
    EXPECT_LE((residual(X, Matrix::Zero(20, 2), merged) - before).norm(), 1e-3 * before.norm());
  }
}

}  // namespace
}  // namespace relulift::testing
