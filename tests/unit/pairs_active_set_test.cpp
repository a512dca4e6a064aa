// SPDX-License-Identifier: Apache-2.0
// Which violated pairs enter the interior point: against costs worked out by hand.
#include <gtest/gtest.h>

#include "src/solvers/pairs_active_set.hpp"

namespace relulift::testing {
namespace {

// Rows of lengths 1, 2 and 1 at 0, 60 and 90 degrees.
ReducedProblem three_rows() {
  ReducedProblem problem;
  problem.X.resize(3, 2);
  problem.X << 1.0, 0.0, 1.0, std::sqrt(3.0), 0.0, 1.0;
  problem.Y = Matrix::Zero(3, 1);
  return problem;
}

// A neuron halfway between alpha_0 and alpha_1 adds |x_0||x_1| (1 + cos 60)/2 = 1.5 times ||u||^2
// to their entry, one between alpha_0 and beta_1 (1 - cos 60)/2 |x_0||x_1| = 0.5 times: the same
// entry is lifted for -0.3/1.5 = 0.2 and for 0.3/0.5 = 0.6.
TEST(PairsActiveSet, APairCountsByTheNeuronThatLiftsIt) {
  Matrix K = Matrix::Identity(7, 7);
  K(0, 1) = K(1, 0) = -0.3;
  K(0, 4) = K(4, 0) = -0.3;

  for (const double depth : {0.19, 0.21, 0.59, 0.61}) {
    PairsActiveSet set(three_rows(), 0, 100);
    const Index added = set.add_violated(K, depth, 5);
    EXPECT_EQ(added, depth < 0.2 ? 2 : depth < 0.6 ? 1 : 0) << depth;
    if (added == 1) {
      EXPECT_EQ(set.pairs().front(), (LiftedPair{0, 4}));
    }
  }
}

TEST(PairsActiveSet, TheWorstOfARowComeFirstAndThoseThatAreInDoNotHideTheRest) {
  Matrix K = Matrix::Identity(7, 7);
  K(0, 1) = K(1, 0) = -0.3;
  K(0, 4) = K(4, 0) = -0.3;

  PairsActiveSet set(three_rows(), 0, 100);
  set.add({{0, 4}});
  const Index added = set.add_violated(K, 0.0, 1);

  EXPECT_EQ(added, 1);
  EXPECT_EQ(set.pairs(), (std::vector<LiftedPair>{{0, 1}, {0, 4}}));
}

// alpha_i and beta_i have a free multiplier, and no pair.
TEST(PairsActiveSet, ASampleIsNoPairWithItself) {
  Matrix K = Matrix::Identity(7, 7);
  K(1, 4) = K(4, 1) = -1.0;
  K(2, 2) = -1.0;

  PairsActiveSet set(three_rows(), 0, 100);

  EXPECT_EQ(set.add_violated(K, 0.0, 5), 0);
}

}  // namespace
}  // namespace relulift::testing
