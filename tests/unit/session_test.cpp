// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <relulift/error.hpp>
#include <relulift/solve.hpp>

#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

// Presolve removes every row: the zero network is optimal, and no phase ran that had a limit.
TEST(Session, NothingLeftToSolveIsOptimalNotOutOfTime) {
  const Problem p{.samples = 3,
                  .features = 2,
                  .outputs = 1,
                  .X = std::vector<double>(6, 0.0),
                  .Y = {1, -2, 2},
                  .weight_decay = 0.5};

  const Result r = solve(p, {.gap = 0.0});

  EXPECT_EQ(r.status, Status::optimal);
  EXPECT_EQ(r.objective, 4.5);
}

TEST(Session, AWidthThatCannotFitIsRefused) {
  Random random(1);
  const Problem p = random_problem(random, 10, 6, 1, 0.1);

  EXPECT_THROW(solve(p, {.max_neurons = 2'000'000'000}), InvalidInput);
}

}  // namespace
}  // namespace relulift::testing
