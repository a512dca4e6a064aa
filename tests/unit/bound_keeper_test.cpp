// SPDX-License-Identifier: Apache-2.0
#include "src/api/bound_keeper.hpp"

#include <gtest/gtest.h>

#include "src/api/proofs.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/split.hpp"

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

class SplitKeeper : public ::testing::Test {
 protected:
  SplitKeeper() {
    Random random(17);
    problem_ = testing::random_problem(random, 11, 2, 2, 0.15);
    testing::make_parallel(problem_, 5, 0, -0.5);
    testing::make_zero(problem_, 8);
    presolved_ = presolve(problem_);
    exact_ = testing::brute_force(problem_);
    const PairsPoint root = testing::root_point(presolved_.reduced);
    point_ = testing::split_point(presolved_.reduced, root, 8);
    whole_ = presolved_.dual_candidate(multipliers_of(whole_space(root), 0));
  }
  Problem problem_;
  Presolved presolved_;
  testing::BruteForce exact_;
  SplitPoint point_;
  DualCandidate whole_;
};

// Proved by the verifier itself, which loses only roundings; the multipliers of the whole space
// prove less.
TEST_F(SplitKeeper, KeepsABoundByConesAndTheProofOfIt) {
  const double dual = testing::plain_dual(presolved_.reduced, point_);
  BoundKeeper keeper(problem_, BoundKeeper::Proofs::keep);
  const double whole = keeper.offer(whole_, {.objective_upper = exact_.upper});
  ASSERT_GT(dual, whole * (1.0 + 1e-3));

  const double bound =
      keeper.offer(testing::candidate_of(presolved_, point_), exact_.upper, 1 << 30, Control());

  EXPECT_NEAR(bound, dual, 1e-9 * dual);
  EXPECT_LE(bound, exact_.upper);
  EXPECT_EQ(keeper.value(), bound);
  EXPECT_EQ(keeper.certificate().kind, "split");
  EXPECT_EQ(keeper.certificate().claim, Claim::every_network);
  EXPECT_EQ(keeper.last().kind, "split");
  EXPECT_EQ(keeper.last().value, bound);
  keeper.offer(whole_, {.objective_upper = exact_.upper});
  EXPECT_EQ(keeper.certificate().kind, "split");

  const Proof proof = keeper.verified(exact_.upper, 1 << 30, Control());
  EXPECT_EQ(proof.kind, "split");
  EXPECT_EQ(proof.leaf_entries.size(), point_.cones.size());
  EXPECT_EQ(keeper.certificate().kind, "split");
  EXPECT_EQ(keeper.value(), bound);
  EXPECT_EQ(verify(problem_, proof, exact_.upper * (1.0 + 1e-12)).lower_bound, bound);
}

TEST_F(SplitKeeper, AWeakerSplitLeavesTheBetterProof) {
  BoundKeeper keeper(problem_, BoundKeeper::Proofs::keep);
  const double bound =
      keeper.offer(testing::candidate_of(presolved_, point_), exact_.upper, 1 << 30, Control());
  SplitPoint weaker = point_;
  for (PairsPoint& at : weaker.cones) {
    at.G *= 0.5;
    at.H *= 0.5;
  }

  EXPECT_LT(
      keeper.offer(testing::candidate_of(presolved_, weaker), exact_.upper, 1 << 30, Control()),
      bound);

  keeper.verified(exact_.upper, 1 << 30, Control());
  EXPECT_EQ(keeper.value(), bound);
}

TEST_F(SplitKeeper, WithoutRoomOrTimeNothingIsProved) {
  const SplitCandidate candidate = testing::candidate_of(presolved_, point_);
  for (const bool room : {false, true}) {
    BoundKeeper keeper(problem_, BoundKeeper::Proofs::keep);
    const double floor = keeper.value();

    const double bound = keeper.offer(candidate, exact_.upper, room ? 1 << 30 : 1000,
                                      room ? Control(0.0) : Control());

    EXPECT_EQ(bound, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(keeper.last().kind, "none");
    EXPECT_EQ(keeper.value(), floor);
  }
}

// Multipliers a little outside of what is feasible are repaired, and the bound pays; far outside
// they prove what no multipliers would.
TEST_F(SplitKeeper, MultipliersThatAreNotFeasibleNeverProveTooMuch) {
  const double bound = BoundKeeper(problem_).offer(testing::candidate_of(presolved_, point_),
                                                   exact_.upper, 1 << 30, Control());
  for (const double rise : {1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0}) {
    SplitPoint outside = point_;
    for (PairsPoint& at : outside.cones) {
      at.G *= 1.0 + rise;
      at.H *= 1.0 + rise;
    }
    BoundKeeper keeper(problem_, BoundKeeper::Proofs::keep);

    const double found =
        keeper.offer(testing::candidate_of(presolved_, outside), exact_.upper, 1 << 30, Control());

    EXPECT_LE(found, exact_.upper) << rise;
    EXPECT_TRUE(rise > 1e-4 || found > bound * (1.0 - 1e-2)) << rise;
    EXPECT_GE(keeper.value(), 0.0);
  }
}

// Splits are rows of the data as given, whatever presolve merged and dropped.
TEST_F(SplitKeeper, AProofNamesTheRowsOfTheData) {
  Problem shifted = problem_;  // a zero row and a parallel one before all others
  for (Index k = 0; k < 2; ++k) {
    for (Index l = shifted.features - 1; l >= 0; --l)
      shifted.X.insert(shifted.X.begin() + l * shifted.samples,
                       k == 0 ? 2.0 * shifted.X[l * shifted.samples] : 0.0);
    for (Index o = shifted.outputs - 1; o >= 0; --o)
      shifted.Y.insert(shifted.Y.begin() + o * shifted.samples, 0.25);
    ++shifted.samples;
  }
  const Presolved presolved = presolve(shifted);
  const SplitPoint point =
      testing::split_point(presolved.reduced, testing::root_point(presolved.reduced), 8);

  const Proof proof =
      split_proof(shifted, testing::candidate_of(presolved, point), 0.0, exact_.upper);

  for (const Index row : proof.splits) {
    EXPECT_TRUE(row == -1 || proof.representative[static_cast<std::size_t>(row)] == row) << row;
    EXPECT_NE(row, 0);
    EXPECT_NE(row, 2);  // stands behind row 1
  }
  EXPECT_NEAR(verify(shifted, proof).lower_bound, testing::plain_dual(presolved.reduced, point),
              1e-6);
}

}  // namespace
}  // namespace relulift
