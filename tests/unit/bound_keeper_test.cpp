// SPDX-License-Identifier: Apache-2.0
#include "src/api/bound_keeper.hpp"

#include <gtest/gtest.h>

namespace relulift {
namespace {

TEST(BoundKeeper, ClaimsNothingOnceANetworkRefutesTheBound) {
  const Problem p{
      .samples = 1, .features = 1, .outputs = 1, .X = {1}, .Y = {3}, .weight_decay = 0.5};
  BoundKeeper keeper(p);
  keeper.offer(1.375, "cones");  // g y - g^2/2, the optimum

  EXPECT_FALSE(keeper.refuted_by(1.375));
  EXPECT_FALSE(keeper.refuted_by(1.375 * (1 - 0.9e-9)));  // rounding of an objective
  EXPECT_EQ(keeper.certificate().kind, "cones");
  EXPECT_TRUE(keeper.refuted_by(1.375 * (1 - 1.1e-9)));

  EXPECT_EQ(keeper.certificate().claim, Claim::none);
  EXPECT_EQ(keeper.certificate().kind, "none");
  EXPECT_EQ(keeper.value(), -std::numeric_limits<double>::infinity());
}

// A bound whose proof is not at hand stays; nothing weaker takes its place.
TEST(BoundKeeper, NeverLowersTheBoundForACertificate) {
  const Problem p{
      .samples = 1, .features = 1, .outputs = 1, .X = {1}, .Y = {3}, .weight_decay = 0.5};
  BoundKeeper keeper(p, BoundKeeper::Proofs::keep);
  const double floor = keeper.value();
  EXPECT_EQ(keeper.verified(1.375, 1 << 20, Control()).kind, "floor");
  EXPECT_NEAR(keeper.value(), floor, 1e-9 * floor);
  keeper.offer(1.375 + 1e-6, "cones");

  EXPECT_EQ(keeper.verified(1.376, 1 << 20, Control()).kind, "none");

  EXPECT_EQ(keeper.value(), 1.375 + 1e-6);
  EXPECT_EQ(keeper.certificate().kind, "cones");
}

}  // namespace
}  // namespace relulift
