// SPDX-License-Identifier: Apache-2.0
// The interior point on a backend that behaves like a device. Its iteration ends in decisions of
// the host (step lengths), so it may read a few slots back per iteration, but it may not allocate
// or upload within a round.
#include <gtest/gtest.h>

#include <map>

#include "src/solvers/pairs_interior_point.hpp"
#include "tests/support/discipline.hpp"

namespace relulift::testing {
namespace {

TEST(PairsDiscipline, ARoundAllocatesNothingAndReadsBackAFixedNumberOfTimes) {
  const ReducedProblem problem = reduced(14, 3, 2);
  StrictBackend be;
  std::map<int, std::vector<StrictCounts>> by_round;
  PairsOptions options;
  options.on_iteration = [&](const PairsStep& s) { by_round[s.round].push_back(be.counts()); };
  PairsInteriorPoint<StrictBackend> engine(be, problem, options);

  const EngineOutcome out = engine.run(Control(), {});

  EXPECT_NE(out.status, Status::numerical_failure);
  ASSERT_FALSE(by_round.empty());
  for (const auto& [round, at] : by_round) {
    for (std::size_t k = 2; k < at.size(); ++k) {
      EXPECT_EQ(at[k].allocations, at[1].allocations) << round;
      EXPECT_EQ(at[k].recordings, at[1].recordings) << round;
      EXPECT_LE(at[k].fetches - at[k - 1].fetches, 12) << round;
    }
  }
  EXPECT_TRUE(be.fences_intact());
}

TEST(PairsDiscipline, SameAnswerAsOnTheCpu) {
  const ReducedProblem problem = reduced(14, 3, 2);
  StrictBackend strict;
  CpuBackend cpu(1);
  PairsInteriorPoint<StrictBackend> on_strict(strict, problem);
  PairsInteriorPoint<CpuBackend> on_cpu(cpu, problem);

  const EngineOutcome a = on_strict.run(Control(), {}), b = on_cpu.run(Control(), {});

  EXPECT_EQ(a.status, b.status);
  EXPECT_NEAR(a.dual, b.dual, 1e-4 * (1 + std::abs(b.dual)));  // both within the gap tolerance
}

}  // namespace
}  // namespace relulift::testing
