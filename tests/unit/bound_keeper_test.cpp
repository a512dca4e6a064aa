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

}  // namespace
}  // namespace relulift
