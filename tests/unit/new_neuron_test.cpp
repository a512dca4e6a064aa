// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/new_neuron.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <relulift/solve.hpp>

#include "tests/support/generators.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/naive.hpp"

namespace relulift::testing {
namespace {

// J as a function of the size of one neuron along u, minimised over a grid of sizes: along u the
// output weights of a given size s are best parallel to E'a, J = ||E||^2/2 - s ||E'a|| + s^2
// ||a||^2/2 + g s.
TEST(NewNeuron, TheRatioIsWhatTheBestSizeIsWorth) {
  Random random(3);
  const Matrix X = random_matrix(random, 12, 3), E = random_matrix(random, 12, 2);
  const Vector u = random_matrix(random, 3, 1).col(0).normalized();
  const double g = 0.2;
  const Vector a = (X * u).cwiseMax(0.0);

  double best = 0.0;
  for (int k = 0; k <= 200'000; ++k) {
    const double s = 1e-5 * k;
    best = std::max(best, s * (E.transpose() * a).norm() - 0.5 * s * s * a.squaredNorm() - g * s);
  }

  const double ratio = neuron_gain(X, E, g, u).ratio;
  ASSERT_GT(ratio, 0.0);
  EXPECT_NEAR(0.5 * ratio * ratio, best, 1e-9);
}

TEST(NewNeuron, TheGradientIsThatOfFiniteDifferencesAlongTheSphere) {
  Random random(4);
  const Matrix X = random_matrix(random, 12, 3), E = random_matrix(random, 12, 2);
  const Vector u = random_matrix(random, 3, 1).col(0).normalized();
  const NeuronGain gain = neuron_gain(X, E, 0.2, u);

  EXPECT_NEAR(u.dot(gain.gradient), 0.0, 1e-12);
  for (int k = 0; k < 3; ++k) {
    Vector along = Vector::Unit(3, k) - u[k] * u;
    const double h = 1e-6;
    const double up = neuron_gain(X, E, 0.2, (u + h * along).normalized()).ratio;
    const double down = neuron_gain(X, E, 0.2, (u - h * along).normalized()).ratio;
    EXPECT_NEAR((up - down) / (2 * h), along.dot(gain.gradient), 1e-6);
  }
}

TEST(NewNeuron, AClimbEndsNoLowerThanItBegins) {
  Random random(5);
  const Matrix X = random_matrix(random, 30, 4), E = random_matrix(random, 30, 2);
  for (int k = 0; k < 20; ++k) {
    const Vector u = random_matrix(random, 4, 1).col(0).normalized();
    const Vector end = climb(X, E, 0.2, u, Control());
    EXPECT_NEAR(end.norm(), 1.0, 1e-12);
    EXPECT_GE(neuron_gain(X, E, 0.2, end).ratio, neuron_gain(X, E, 0.2, u).ratio);
  }
}

// X = I, Y = (3, 4, -5), g = 1. One neuron along (3, 4, 0) of size ||(3, 4)|| - g = 4 and one along
// (0, 0, 1) of size 4 are optimal, J = 4.5 + 4.5. Without one of them J = 4.5 + 12.5, and to add it
// again is the best there is.
class Removed : public ::testing::Test {
 protected:
  const Problem problem{.samples = 3,
                        .features = 3,
                        .outputs = 1,
                        .X = {1, 0, 0, 0, 1, 0, 0, 0, 1},
                        .Y = {3, 4, -5},
                        .weight_decay = 1.0};
  const Network both{3, 1, 2, {1.2, 1.6, 0, 0, 0, 2}, {2, -2}};
  const Network first{3, 1, 1, {1.2, 1.6, 0}, {2}};
  const Network second{3, 1, 1, {0, 0, 2}, {-2}};
  const Options options{.engine = Engine::none, .time_limit_seconds = 5.0};
};

TEST_F(Removed, CertifyFindsTheNeuronThatIsMissing) {
  for (const bool without_second : {true, false}) {
    const Network& given = without_second ? first : second;
    const Vector missing = without_second ? Vector{{0, 0, 2}} : Vector{{1.2, 1.6, 0}};

    const auto suggestion = certify(problem, given, options).suggestion;

    ASSERT_TRUE(suggestion.has_value());
    Network enlarged = given;
    enlarged.neurons = 2;
    enlarged.U.insert(enlarged.U.end(), suggestion->u.begin(), suggestion->u.end());
    enlarged.V.insert(enlarged.V.end(), suggestion->v.begin(), suggestion->v.end());
    const double before = naive_objective(problem, given);
    const double after = naive_objective(problem, enlarged);
    EXPECT_NEAR(suggestion->objective, after, 1e-12 * before);
    EXPECT_NEAR(suggestion->reduction, before - after, 1e-12 * before);
    EXPECT_NEAR(suggestion->reduction, 8.0, 1e-8);
    for (Index k = 0; k < 3; ++k) EXPECT_NEAR(suggestion->u[k], missing[k], 1e-3);
  }
}

TEST_F(Removed, NothingIsSuggestedWhereNoNeuronLowersTheObjective) {
  EXPECT_FALSE(certify(problem, both, options).suggestion.has_value());
}

TEST_F(Removed, SolveSuggestsNothing) {
  EXPECT_FALSE(solve(problem, options).suggestion.has_value());
}

TEST_F(Removed, TheNetworkWithoutNeuronsLacksOneToo) {
  const auto suggestion = certify(problem, {3, 1, 0, {}, {}}, options).suggestion;
  ASSERT_TRUE(suggestion.has_value());
  EXPECT_NEAR(suggestion->objective, 17.0, 1e-8);
}

}  // namespace
}  // namespace relulift::testing
