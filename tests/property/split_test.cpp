// SPDX-License-Identifier: Apache-2.0
// The bound on partitions [eq:split] against enumeration: it rises with the cones and never passes
// the optimum; its multipliers are feasible by plain arithmetic.
#include <gtest/gtest.h>

#include "tests/support/brute_force.hpp"
#include "tests/support/split.hpp"

namespace relulift::testing {
namespace {

struct Stages {
  std::vector<SplitStage> stages;
  std::vector<SplitPoint> points;
  SplitOutcome outcome;
};

Stages run(const ReducedProblem& p, const PairsPoint& root, const SplitOptions& options,
           const Control& control = Control()) {
  CpuBackend be(1);
  SplitBound<CpuBackend> split(be, p, root, options);
  Stages out;
  out.outcome = split.run(control, [&](const SplitStage& stage, const SplitPoint& point) {
    out.stages.push_back(stage);
    out.points.push_back(point);
    return true;
  });
  return out;
}

Problem instance(std::uint64_t seed, Index n, Index d, Index c, bool degenerate) {
  Random random(seed);
  Problem p = random_problem(random, n, d, c, 0.15);
  if (degenerate) {
    make_parallel(p, 3, 1, 2.0);
    make_parallel(p, 5, 0, -0.5);
    make_parallel(p, 6, 0, -1.5);
    make_zero(p, 8);
  }
  return p;
}

TEST(Split, BoundsRiseWithTheConesUpToTheOptimumAndAreDualFeasible) {
  for (const bool degenerate : {false, true})
    for (const auto& [n, d, c] : {std::array<Index, 3>{10, 2, 1}, {12, 2, 2}, {11, 3, 2}}) {
      const Problem given = instance(static_cast<std::uint64_t>(10 * n + c), n, d, c, degenerate);
      const ReducedProblem p = presolve(given).reduced;
      const BruteForce exact = brute_force(given);
      const PairsPoint root = root_point(p);
      double bound = plain_dual(p, whole_space(root));

      const Stages found = run(p, root, {.max_cones = 16});

      ASSERT_GE(found.stages.size(), 2U);
      Index cones = 1;
      for (std::size_t k = 0; k < found.stages.size(); ++k) {
        const SplitPoint& point = found.points[k];
        EXPECT_GT(found.stages[k].cones, cones);
        EXPECT_LE(found.stages[k].cones, 16);
        EXPECT_GE(found.stages[k].dual, bound);
        EXPECT_LE(found.stages[k].dual, exact.upper * (1.0 + 1e-9));
        EXPECT_NEAR(plain_dual(p, point), found.stages[k].dual, 1e-11 * bound);
        EXPECT_GT(least_eigenvalue(p, point), 0.0) << n << d << c << " stage " << k;
        cones = found.stages[k].cones;
        bound = found.stages[k].dual;
      }
    }
}

// In the plane n rows make 2n cells: so many cones know almost every sign.
TEST(Split, ReachesTheOptimumInThePlane) {
  for (const bool degenerate : {false, true})
    for (const std::uint64_t seed : {1, 2}) {
      const Problem given = instance(seed, 11, 2, 2, degenerate);
      const ReducedProblem p = presolve(given).reduced;
      const BruteForce exact = brute_force(given);

      const Stages found = run(p, root_point(p), {.max_cones = 64});

      EXPECT_GE(found.stages.back().dual, exact.lower * (1.0 - 1.5e-3)) << seed << degenerate;
      EXPECT_LE(found.stages.back().dual, exact.upper * (1.0 + 1e-9));
    }
}

// With all rows fixed a cone has neither free multipliers nor pairs.
TEST(Split, ConesMayKnowEverySign) {
  for (const Index n : {1, 2, 3}) {
    Random random(static_cast<std::uint64_t>(n));
    const Problem given = random_problem(random, n, 2, 1, 0.1);
    const ReducedProblem p = presolve(given).reduced;
    const BruteForce exact = brute_force(given);
    const PairsPoint root = root_point(p);

    SplitPoint point = whole_space(root);
    for (Index row = 0; row < p.n(); ++row)
      for (Index leaf = static_cast<Index>(point.cones.size()) - 1; leaf >= 0; --leaf)
        cut(p, point, leaf, row);
    EXPECT_GT(least_eigenvalue(p, point), 0.0);
    const Stages found = run(p, root, {.max_cones = 16});

    EXPECT_NE(found.outcome.status, Status::numerical_failure);
    for (const SplitPoint& at : found.points) EXPECT_GT(least_eigenvalue(p, at), 0.0) << n;
    for (const SplitStage& at : found.stages) EXPECT_LE(at.dual, exact.upper * (1.0 + 1e-9)) << n;
  }
}

TEST(Split, ATargetThatIsMetEndsTheRun) {
  const Problem given = instance(3, 12, 3, 2, false);
  const ReducedProblem p = presolve(given).reduced;
  const PairsPoint root = root_point(p);
  const double first = plain_dual(p, whole_space(root));
  const double best = run(p, root, {.max_cones = 32}).stages.back().dual;
  ASSERT_GT(best, first * (1.0 + 1e-3));  // otherwise nothing is shown

  const double target = 0.5 * (first + best);
  const Stages found = run(p, root, {.max_cones = 32, .target = target});
  EXPECT_EQ(found.outcome.status, Status::optimal);
  EXPECT_GE(found.stages.back().dual, target);
  EXPECT_LT(found.stages.back().dual, best);

  EXPECT_TRUE(run(p, root, {.max_cones = 32, .target = first * (1.0 - 1e-9)}).stages.empty());
}

// Before a partition has improved anything the best point is the one given.
TEST(Split, AnInterruptedRunHandsOutAPointThatProvesItsBound) {
  const Problem given = instance(4, 11, 3, 2, true);
  const ReducedProblem p = presolve(given).reduced;
  const PairsPoint root = root_point(p);
  for (const int polls : {0, 1, 3, 8, 20}) {
    int polled = 0;
    const Control control(1e9, [&] { return polled++ >= polls; });

    const Stages found = run(p, root, {.max_cones = 16}, control);

    EXPECT_EQ(found.outcome.status, Status::interrupted);
    ASSERT_EQ(found.stages.empty(), polls == 0);  // before the first partition
    if (polls == 0) continue;
    ASSERT_FALSE(found.points.back().cones.empty()) << polls;
    EXPECT_GT(least_eigenvalue(p, found.points.back()), 0.0) << polls;
    EXPECT_NEAR(plain_dual(p, found.points.back()), found.stages.back().dual, 1e-10) << polls;
  }
}

TEST(Split, ACallerThatHasEnoughIsAskedNoMore) {
  const Problem given = instance(5, 11, 3, 1, false);
  const ReducedProblem p = presolve(given).reduced;
  CpuBackend be(1);
  SplitBound<CpuBackend> split(be, p, root_point(p), {.max_cones = 16});
  int stages = 0;

  const SplitOutcome out = split.run(Control(), [&](const SplitStage&, const SplitPoint&) {
    ++stages;
    return false;
  });

  EXPECT_EQ(out.status, Status::interrupted);
  EXPECT_EQ(stages, 1);
}

}  // namespace
}  // namespace relulift::testing
