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

// Every bound that was tried, the best of which is the result.
TEST(Session, TheBoundsTellWhatEachMethodProvedAndWhen) {
  Random random(7);
  const Problem p = random_problem(random, 12, 3, 2, 0.1);

  const Result r = solve(p, {.engine = Engine::interior, .gap = 0.0, .time_limit_seconds = 20.0});

  ASSERT_FALSE(r.bounds.empty());
  EXPECT_EQ(r.bounds.front().method, "floor");
  double best = 0.0, before = 0.0;
  std::string kind;
  bool engine = false;
  for (const BoundAttempt& bound : r.bounds) {
    EXPECT_LE(bound.value, r.objective * (1 + 1e-9)) << bound.method;
    EXPECT_GE(bound.at_seconds, before);
    EXPECT_LE(bound.proof_seconds, bound.method_seconds + 1e-3);
    before = bound.at_seconds;
    engine = engine || (bound.method == "interior" && bound.kind == "cholesky");
    if (bound.value > best) {
      best = bound.value;
      kind = bound.kind;
    }
  }
  EXPECT_EQ(best, r.certificate.lower_bound);
  EXPECT_EQ(kind, r.certificate.kind);
  EXPECT_TRUE(engine);
}

TEST(Session, AWidthThatCannotFitIsRefused) {
  Random random(1);
  const Problem p = random_problem(random, 10, 6, 1, 0.1);

  EXPECT_THROW(solve(p, {.max_neurons = 2'000'000'000}), InvalidInput);
}

}  // namespace
}  // namespace relulift::testing
