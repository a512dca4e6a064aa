// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/gaussian_data.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

// Four tests at four deviations: one of a thousand draws may fail, none of these.
TEST(GaussianData, AreTakenForWhatTheyAre) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    for (const Index d : {1, 5, 40}) {
      Matrix X(100, d);
      for (double& x : X.reshaped()) x = 7.0 * random.normal();
      EXPECT_TRUE(looks_gaussian(X)) << "seed " << seed << ", " << d << " columns";
    }
  }
}

TEST(GaussianData, OtherDataAreNot) {
  Random random(3);
  Matrix X(400, 6);
  for (double& x : X.reshaped()) x = random.normal();
  Matrix shifted = X, heavy = X, uniform = X, scaled = X, repeated = X, skewed = X;
  shifted.array() += 0.5;
  heavy.array() = heavy.array().cube();
  for (double& x : uniform.reshaped()) x = random.uniform() - 0.5;
  scaled.col(2) *= 3.0;
  repeated.col(1) = repeated.col(0);
  skewed = skewed.array().square() - 1.0;

  for (const Matrix& other : {shifted, heavy, uniform, scaled, repeated, skewed})
    EXPECT_FALSE(looks_gaussian(other));
  EXPECT_FALSE(looks_gaussian(X.topRows(5)));
  EXPECT_FALSE(looks_gaussian(Matrix::Zero(50, 2)));
  EXPECT_TRUE(looks_gaussian(X));
}

TEST(GaussianData, TheRateGrowsWithTheSamples) {
  EXPECT_NEAR(sampling_rate(500), std::sqrt(std::log(1000.0)), 1e-15);
}

}  // namespace
}  // namespace relulift::testing
