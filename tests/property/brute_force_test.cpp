// SPDX-License-Identifier: Apache-2.0
// The oracle itself: closed forms, and agreement of its two sides.
#include "tests/support/brute_force.hpp"

#include <gtest/gtest.h>

#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift::testing {
namespace {

// X = I, y = (3, 4, -5), g = 1: one neuron for the positive part of norm 5, one for the negative
// part of norm 5, each at min_t (t - 5)^2/2 + g t = 5 g - g^2/2. Optimum 9.
TEST(BruteForce, IdentityDataReachesNine) {
  const Problem p{.samples = 3,
                  .features = 3,
                  .outputs = 1,
                  .X = {1, 0, 0, 0, 1, 0, 0, 0, 1},
                  .Y = {3, 4, -5},
                  .weight_decay = 1};

  const BruteForce best = brute_force(p, 1e-9);

  EXPECT_NEAR(best.upper, 9, 1e-7);
  EXPECT_NEAR(best.lower, 9, 1e-7);
}

TEST(BruteForce, BothSidesMeetAndTheNetworkHasTheUpperValue) {
  Random random(11);
  for (int trial = 0; trial < 12; ++trial) {
    const Index n = 3 + static_cast<Index>(random.bits() % 6), d = 1 + trial % 3, c = 1 + trial % 2;
    Problem p = random_problem(random, n, d, c, 0.1 + 0.5 * random.uniform());
    if (trial % 4 == 1) make_parallel(p, 1, 0, -2);
    if (trial % 4 == 2) make_zero(p, 2);

    const BruteForce best = brute_force(p, 1e-5);

    EXPECT_LE(best.upper - best.lower, 1e-5 * best.upper) << n << ' ' << d << ' ' << c;
    EXPECT_NEAR(naive_objective(p, best.network), best.upper, 1e-10 * best.upper);
    for (int k = 0; k < 20; ++k)
      EXPECT_LE(best.lower, naive_objective(p, random_network(random, d, c, 4, 0.5)) + 1e-12);
  }
}

TEST(BruteForce, ExactKappaIsAboveEveryDirection) {
  Random random(12);
  for (int trial = 0; trial < 10; ++trial) {
    const Index d = 1 + trial % 3;
    const Problem p = random_problem(random, 8, d, 2, 1);
    const Eigen::Map<const Eigen::MatrixXd> X(p.X.data(), 8, d), E(p.Y.data(), 8, 2);

    const double kappa = exact_kappa(X, E);

    double best = 0;
    for (int k = 0; k < 20000; ++k) {
      Eigen::VectorXd u(d);
      for (Index l = 0; l < d; ++l) u(l) = random.normal();
      best = std::max(best, brute::gain(X, E, u));
    }
    EXPECT_LE(best, kappa * (1 + 1e-13));
    EXPECT_GE(best, 0.98 * kappa);
  }
}

}  // namespace
}  // namespace relulift::testing
