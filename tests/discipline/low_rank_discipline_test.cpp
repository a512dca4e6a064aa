// SPDX-License-Identifier: Apache-2.0
// The low-rank engine on a backend that behaves like a device: an outer iteration reads back what
// the host decides by, a bounded number of times, and uploads the next list.
#include <gtest/gtest.h>

#include "src/solvers/low_rank_alm.hpp"
#include "tests/support/discipline.hpp"

namespace relulift::testing {
namespace {

LowRankState start(const ReducedProblem& problem) {
  return low_rank_start(problem, {Matrix(problem.d(), 0), Matrix(problem.c(), 0)}, {});
}

TEST(LowRankDiscipline, AnOuterIterationAllocatesNothingAndReadsBackLittle) {
  const ReducedProblem problem = reduced(14, 3, 2);
  StrictBackend be;
  LowRankOptions options;
  options.max_iterations = 12;
  options.inner_steps = 40;
  LowRankAlm<StrictBackend, float> engine(be, problem, start(problem), options);
  CheckCounts counts(be);

  const EngineOutcome out = engine.run(Control(), counts.on_check());

  EXPECT_NE(out.status, Status::numerical_failure);
  ASSERT_GE(counts.checks(), 6u);
  for (std::size_t k = 1; k < counts.checks(); ++k) {
    EXPECT_EQ(counts.allocations(k), 0);
    // Two points of six arrays each, at most 13 scans, the steps in groups of ten.
    EXPECT_LE(counts.fetches(k), 40);
    EXPECT_LE(counts.recordings(k), 1);
  }
  EXPECT_TRUE(be.fences_intact());
}

TEST(LowRankDiscipline, SameAnswerAsOnTheCpu) {
  const ReducedProblem problem = reduced(14, 3, 2);
  StrictBackend strict;
  CpuBackend cpu(1);

  const EngineOutcome a =
      LowRankAlm<StrictBackend>(strict, problem, start(problem)).run(Control(), {});
  const EngineOutcome b = LowRankAlm<CpuBackend>(cpu, problem, start(problem)).run(Control(), {});

  EXPECT_EQ(a.status, b.status);
  EXPECT_NEAR(a.dual, b.dual, 1e-3 * (1.0 + std::abs(b.dual)));  // strides change the rounding
}

}  // namespace
}  // namespace relulift::testing
