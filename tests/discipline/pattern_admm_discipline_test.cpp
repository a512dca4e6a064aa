// SPDX-License-Identifier: Apache-2.0
// Alternating directions over patterns on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "src/solvers/pattern_admm.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

struct At {
  Index iteration;
  StrictCounts counts;
};

// Checks of a run, and the fences after it.
std::vector<At> checks(PatternProgram program, Index max_order, Index outputs) {
  StrictBackend be;
  Random random(3);
  const Matrix X = random_matrix(random, 70, 3), Y = random_matrix(random, 70, outputs);
  const GatedPatterns gated = patterns_of(X, random_matrix(random, 3, 12));
  ProgramOptions program_options;
  program_options.outputs = Outputs::one_vs_all;
  program_options.tolerance = 1e-12;
  const ProgramRequest request{X, Y, 0.3, gated, program_options, false, 300};
  AdmmOptions options = admm_options(70, 3, program, 512);
  options.system.max_order = max_order;
  std::vector<At> at;
  solve_by_admm(be, request, program, options, Control(), [&](const ProgramCheck& check) {
    at.push_back({check.iteration, be.counts()});
    return true;
  });
  EXPECT_TRUE(be.fences_intact());
  return at;
}

TEST(PatternAdmmDiscipline, TheHostReadsAtChecksAlone) {
  for (const auto program : {PatternProgram::gated, PatternProgram::relu}) {
    const std::vector<At> at = checks(program, 1000, 2);
    ASSERT_GE(at.size(), 10U);
    Index longest = 0, shortest = 1000;
    for (std::size_t k = 1; k < at.size(); ++k) {
      EXPECT_EQ(at[k].counts.allocations, at[k - 1].counts.allocations);
      // Residuals, ends of both sides, and what is kept of them; the factor needs no reads.
      EXPECT_LE(at[k].counts.fetches - at[k - 1].counts.fetches, 6);
      EXPECT_LE(at[k].counts.uploads - at[k - 1].counts.uploads, 1);  // the repaired point
      longest = std::max(longest, at[k].iteration - at[k - 1].iteration);
      shortest = std::min(shortest, at[k].iteration - at[k - 1].iteration);
    }
    EXPECT_GT(longest, shortest);
  }
}

TEST(PatternAdmmDiscipline, ConjugateGradientsAllocateNothing) {
  const std::vector<At> at = checks(PatternProgram::relu, 0, 1);
  ASSERT_GE(at.size(), 10U);
  EXPECT_EQ(at.back().counts.allocations, at.front().counts.allocations);
}

TEST(PatternAdmmDiscipline, AWholeSolveTakesWhatThePlanWasTold) {
  Random random(4);
  const Matrix X = random_matrix(random, 70, 3), Y = random_matrix(random, 70, 2);
  const GatedPatterns gated = patterns_of(X, random_matrix(random, 3, 12));
  for (const auto program : {PatternProgram::gated, PatternProgram::relu}) {
    for (const auto outputs : {Outputs::one_vs_all, Outputs::joint}) {
      for (const bool single : {false, true}) {
        for (const Index max_order : {0, 1000}) {
          ProgramOptions program_options;
          program_options.outputs = outputs;
          const ProgramRequest request{X, Y, 0.3, gated, program_options, single, 20};
          AdmmOptions options = admm_options(70, 3, program, 512);
          options.system.max_order = max_order;
          StrictBackend be;

          solve_by_admm(be, request, program, options, Control(), {});

          const std::int64_t told = admm_bytes<StrictBackend>(request, program, options).engine;
          EXPECT_GE(told, be.most_bytes());
          // What the matrix is made from is gone before the last iterates are there.
          const Needs made = Needs{}.matrix(70, 3).matrix(1, 70);
          EXPECT_LE(told - (max_order > 0 ? made.storage_bytes : 0), be.most_bytes());
          EXPECT_EQ(be.live_bytes(), 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace relulift::testing
