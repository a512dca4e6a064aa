// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/termination.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace relulift {
namespace {

constexpr Limits kLimits{.tolerance = 1e-6, .max_iterations = 100};

Measured at(Index iteration, double primal_residual, double dual_residual) {
  return {iteration, 2.0, 1.0, primal_residual, dual_residual};
}

TEST(Termination, ToleranceIsMetOnlyByBothResiduals) {
  const double inside = 1e-6, outside = std::nextafter(1e-6, 1.0);

  EXPECT_EQ(termination(at(1, inside, inside), {}, kLimits), Status::optimal);
  EXPECT_EQ(termination(at(1, outside, inside), {}, kLimits), std::nullopt);
  EXPECT_EQ(termination(at(1, inside, outside), {}, kLimits), std::nullopt);
}

TEST(Termination, IterationLimitIsInclusiveAndZeroMeansNone) {
  EXPECT_EQ(termination(at(99, 1.0, 1.0), {}, kLimits), std::nullopt);
  EXPECT_EQ(termination(at(100, 1.0, 1.0), {}, kLimits), Status::iteration_limit);
  EXPECT_EQ(termination(at(100, 1.0, 1.0), {}, {.tolerance = 1e-6}), std::nullopt);
}

TEST(Termination, ResidualThatIsNoNumberIsAFailureWhateverElseHolds) {
  EXPECT_EQ(termination(at(100, NAN, 0.0), {}, kLimits), Status::numerical_failure);
  EXPECT_EQ(termination(at(1, 0.0, INFINITY), {}, kLimits), Status::numerical_failure);
}

TEST(Termination, StallNeedsTheGivenNumberOfQuietChecks) {
  EXPECT_EQ(termination(at(1, 1.0, 1.0), {2.0, 1.0, 24}, kLimits), std::nullopt);
  EXPECT_EQ(termination(at(1, 1.0, 1.0), {2.0, 1.0, 25}, kLimits), Status::stalled);
}

TEST(Stall, SlowDriftIsMeasuredFromItsAnchorAndCountsAsLife) {
  Stall stall = advance({}, {1, 2.0, 1.0, 0.1, 0.1}, kLimits);
  EXPECT_EQ(stall.checks, 0);

  // Half the band per check: every third check leaves it.
  stall = advance(stall, {2, 2.0, 1.0 + 0.5e-4, 0.1, 0.1}, kLimits);
  EXPECT_EQ(stall.checks, 1);
  stall = advance(stall, {3, 2.0, 1.0 + 0.99e-4, 0.1, 0.1}, kLimits);
  EXPECT_EQ(stall.checks, 2);
  stall = advance(stall, {4, 2.0, 1.0 + 1.5e-4, 0.1, 0.1}, kLimits);
  EXPECT_EQ(stall.checks, 0);
}

TEST(Stall, OneMovingEstimateIsEnough) {
  const Stall before{2.0, 1.0, 7};

  EXPECT_EQ(advance(before, {9, 2.1, 1.0, 0.1, 0.1}, kLimits).checks, 0);
  EXPECT_EQ(advance(before, {9, 2.0, 1.1, 0.1, 0.1}, kLimits).checks, 0);
  EXPECT_EQ(advance(before, {9, 2.0, 1.0, 0.1, 0.1}, kLimits).checks, 8);
}

}  // namespace
}  // namespace relulift
