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

  const Result r =
      solve(p, {.engine = Engine::interior, .gap = 0.0, .time_limit_seconds = 20.0, .split = 4});

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

// Data whose relaxation is far from tight.
Problem loose_problem() {
  Random random(19);
  return random_problem(random, 14, 4, 2, 0.2);
}

double best_of(const Result& r, const std::string& method) {
  double best = 0.0;
  for (const BoundAttempt& bound : r.bounds)
    if (bound.method == method) best = std::max(best, bound.value);
  return best;
}

TEST(Session, SplittingRaisesTheBoundOfTheRelaxationAndIsProved) {
  const Problem p = loose_problem();

  const Result whole = solve(p, {.engine = Engine::interior, .gap = 0.0, .split = 0});
  const Result r =
      solve(p, {.engine = Engine::interior, .gap = 0.0, .split = 8, .keep_proof = true});

  EXPECT_EQ(best_of(whole, "split"), 0.0);
  EXPECT_NE(whole.certificate.kind, "split");
  EXPECT_EQ(r.certificate.kind, "split");
  EXPECT_EQ(r.proof.kind, "split");
  EXPECT_LE(r.proof.leaf_entries.size(), 8U);
  EXPECT_GT(r.certificate.lower_bound, whole.certificate.lower_bound * (1.0 + 1e-3));
  EXPECT_LE(r.certificate.lower_bound, std::min(r.objective, whole.objective));
  EXPECT_EQ(r.certificate.lower_bound, best_of(r, "split"));
  EXPECT_EQ(verify(p, r.proof, r.objective * (1.0 + 1e-12)).lower_bound, r.certificate.lower_bound);
  EXPECT_TRUE(std::any_of(r.trace.begin(), r.trace.end(),
                          [](const Progress& at) { return std::string(at.phase) == "split"; }));
}

TEST(Session, SplittingEndsAtTheGapThatWasAskedFor) {
  const Problem p = loose_problem();
  const Result whole = solve(p, {.engine = Engine::interior, .gap = 0.0, .split = 0});
  const Result all = solve(p, {.engine = Engine::interior, .gap = 0.0, .split = 32});
  const auto gap = [](const Result& r) {
    return (r.objective - r.certificate.lower_bound) / r.objective;
  };
  ASSERT_LT(gap(all), 0.9 * gap(whole));
  const double asked = 0.5 * (gap(all) + gap(whole));

  const Result r = solve(p, {.engine = Engine::interior, .gap = asked, .split = 32});

  EXPECT_EQ(r.status, Status::gap_met);
  EXPECT_EQ(r.certificate.kind, "split");
  EXPECT_LE(gap(r), asked);
  EXPECT_LT(r.certificate.lower_bound, all.certificate.lower_bound);
}

TEST(Session, AnInterruptedSplitKeepsTheBestBoundSoFar) {
  const Problem p = loose_problem();
  const Result whole = solve(p, {.engine = Engine::interior, .gap = 0.0, .split = 0});
  int reports = 0;  // of partitions
  double seen = 0.0;
  Options options{.engine = Engine::interior, .gap = 0.0, .split = 32};
  options.on_progress = [&](const Progress& at) {
    if (std::string(at.phase) != "split" || at.heartbeat) return true;
    seen = at.lower_bound;
    return ++reports < 2;
  };

  const Result r = solve(p, options);

  EXPECT_EQ(r.status, Status::interrupted);
  EXPECT_EQ(reports, 2);
  EXPECT_EQ(r.certificate.lower_bound, seen);
  EXPECT_EQ(r.certificate.kind, "split");
  EXPECT_GT(r.certificate.lower_bound, whole.certificate.lower_bound);
  EXPECT_LE(r.certificate.lower_bound, r.objective);
}

TEST(Session, ANumberOfConesThatIsNoneIsRefused) {
  const Problem p = loose_problem();
  for (const Index split : {Index{1}, Index{-2}, std::numeric_limits<Index>::min()})
    EXPECT_THROW(solve(p, {.split = split}), InvalidInput) << split;
}

TEST(Session, AWidthThatCannotFitIsRefused) {
  Random random(1);
  const Problem p = random_problem(random, 10, 6, 1, 0.1);

  EXPECT_THROW(solve(p, {.max_neurons = 2'000'000'000}), InvalidInput);
}

}  // namespace
}  // namespace relulift::testing
