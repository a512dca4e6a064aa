// SPDX-License-Identifier: Apache-2.0
// The interior point over patterns on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "src/solvers/pattern_interior.hpp"
#include "tests/support/pattern_programs.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

constexpr std::array kPrograms{PatternProgram::gated, PatternProgram::relu};

TEST(PatternInteriorDiscipline, AllMemoryIsTakenAtConstruction) {
  for (const PatternProgram program : kPrograms) {
    const PatternProblem p = random_patterns(35, 3, 2, 10, 0.2);
    StrictBackend be;
    PatternInterior<StrictBackend> solver(be, p.X, p.Y, p.g, p.patterns, program);
    const StrictCounts before = be.counts();

    const PatternPoint point = solver.solve(1e-9, Control());

    EXPECT_EQ(be.counts().allocations, before.allocations);
    EXPECT_TRUE(be.fences_intact());
    EXPECT_LE(point.objective - point.bound, 1e-9 * point.objective);
  }
}

// The host takes part in every step, a fixed number of times: no loop over blocks waits.
TEST(PatternInteriorDiscipline, AStepWaitsAsOftenWhateverTheNumberOfPatterns) {
  for (const PatternProgram program : kPrograms) {
    for (const Index gates : {5, 40}) {
      const PatternProblem p = random_patterns(35, 3, 1, gates, 0.2);
      StrictBackend be;
      PatternInterior<StrictBackend> solver(be, p.X, p.Y, p.g, p.patterns, program);
      const StrictCounts before = be.counts();

      const PatternPoint point = solver.solve(1e-9, Control());

      ASSERT_GT(point.iterations, 3);
      const Index fetches = be.counts().fetches - before.fetches;
      EXPECT_LE(fetches, 40 * (point.iterations + 1)) << gates;
    }
  }
}

TEST(PatternInteriorDiscipline, WhatThePlanIsToldIsWhatIsAllocated) {
  for (const PatternProgram program : kPrograms) {
    const PatternProblem p = random_patterns(70, 3, 1, 20, 0.2);
    StrictBackend be;

    const PatternInterior<StrictBackend> solver(be, p.X, p.Y, p.g, p.patterns, program);

    const std::int64_t told =
        pattern_interior_bytes(70, 70, 3, p.patterns.patterns.size(), program).engine;
    EXPECT_EQ(told, be.live_bytes());
    EXPECT_EQ(told, be.most_bytes());
  }
}

}  // namespace
}  // namespace relulift::testing
