// SPDX-License-Identifier: Apache-2.0
// The bound on partitions on a backend that behaves like a device. Between two iterates of a
// partition it may read a few slots back per cone, but may not allocate or upload.
#include <gtest/gtest.h>

#include <map>

#include "tests/support/discipline.hpp"
#include "tests/support/split.hpp"

namespace relulift::testing {
namespace {

TEST(SplitDiscipline, APartitionAllocatesNothingAndReadsBackAFixedNumberOfTimesPerCone) {
  const ReducedProblem problem = reduced(12, 3, 2);
  StrictBackend be;
  std::map<int, std::vector<StrictCounts>> by_cones;
  std::map<int, std::vector<Index>> variables;
  SplitOptions options{.max_cones = 8};
  options.on_iteration = [&](const PairsStep& s) {
    by_cones[s.round].push_back(be.counts());
    variables[s.round].push_back(s.iteration);
  };
  SplitBound<StrictBackend> engine(be, problem, root_point(problem), options);

  engine.run(Control(), [](const SplitStage&, const SplitPoint&) { return true; });

  ASSERT_GE(by_cones.size(), 2U);
  Index compared = 0;
  for (const auto& [cones, at] : by_cones) {
    for (std::size_t k = 2; k < at.size(); ++k) {
      // The last partition has several rounds, each with matrices of its own; a round begins with
      // an iterate and no step.
      const auto& steps = variables[cones];
      if (steps[k] == steps[k - 1] || steps[k - 1] == steps[k - 2]) continue;
      EXPECT_EQ(at[k].allocations, at[k - 1].allocations) << cones;
      EXPECT_EQ(at[k].uploads, at[k - 1].uploads) << cones;
      EXPECT_EQ(at[k].recordings, at[k - 1].recordings) << cones;
      // Ten of a cone, besides two of all; where the bound rose, its multipliers; a shifted
      // factorisation once in a while.
      EXPECT_LE(at[k].fetches - at[k - 1].fetches, 12 * cones + 4) << cones;
      ++compared;
    }
  }
  EXPECT_GE(compared, 10);
  EXPECT_TRUE(be.fences_intact());
}

TEST(SplitDiscipline, SameAnswerAsOnTheCpu) {
  const ReducedProblem problem = reduced(12, 3, 2);
  const PairsPoint root = root_point(problem);
  StrictBackend strict;
  CpuBackend cpu(1);
  SplitBound<StrictBackend> on_strict(strict, problem, root, {.max_cones = 8});
  SplitBound<CpuBackend> on_cpu(cpu, problem, root, {.max_cones = 8});
  const auto stages = [](auto& engine) {
    std::vector<SplitStage> found;
    engine.run(Control(), [&](const SplitStage& stage, const SplitPoint&) {
      found.push_back(stage);
      return true;
    });
    return found;
  };

  const std::vector<SplitStage> a = stages(on_strict), b = stages(on_cpu);

  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    EXPECT_EQ(a[k].cones, b[k].cones);
    EXPECT_NEAR(a[k].dual, b[k].dual, 1e-3 * b[k].dual);  // both within the gap tolerance
  }
}

}  // namespace
}  // namespace relulift::testing
