// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <relulift/error.hpp>

#include "src/model/rounding.hpp"
#include "src/presolve/presolve.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift {
namespace {

Problem small_problem() {
  return {.samples = 2,
          .features = 2,
          .outputs = 1,
          .X = {1, -1, 2, 0},
          .Y = {3, 1},
          .weight_decay = 0.5};
}

std::string message_of(const Problem& p) {
  try {
    validate(p);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(Network, PredictionAndObjectiveByHand) {
  // u = (1, 1): preactivations 3 and -1. v = 2: predictions 6, 0. J = (9 + 1)/2 + 0.25 (2 + 4).
  const Network net{.features = 2, .outputs = 1, .neurons = 1, .U = {1, 1}, .V = {2}};

  EXPECT_EQ(predict(net, small_problem().X, 2), (std::vector<double>{6, 0}));
  EXPECT_EQ(objective(small_problem(), net), 6.5);
}

TEST(Network, ObjectiveAgreesWithPlainLoops) {
  Random random(31);
  for (int trial = 0; trial < 10; ++trial) {
    const Problem p = testing::random_problem(random, 30, 1 + trial, 1 + trial % 4, 0.1);
    const Network net = testing::random_network(random, p.features, p.outputs, 7 * trial);

    const double j = testing::naive_objective(p, net);
    EXPECT_NEAR(objective(p, net), j, 1e-13 * j);
  }
}

// u^2 and v^2 are no doubles; g (u^2 + v^2)/2 = 1e60 1e-340 is.
TEST(Network, PenaltiesOfTinyWeightsDoNotUnderflow) {
  const Problem p{
      .samples = 1, .features = 1, .outputs = 1, .X = {0}, .Y = {0}, .weight_decay = 1e60};
  const Network net{.features = 1, .outputs = 1, .neurons = 1, .U = {1e-170}, .V = {1e-170}};

  EXPECT_NEAR(objective(p, net), 1e-280, 1e-294);
}

TEST(Network, TheZeroNetworkPredictsZero) {
  const Network zero{.features = 2, .outputs = 1, .neurons = 0, .U = {}, .V = {}};

  EXPECT_EQ(predict(zero, small_problem().X, 2), (std::vector<double>{0, 0}));
  EXPECT_EQ(objective(small_problem(), zero), 5.0);
}

TEST(Network, RefusesDataOfAnotherWidth) {
  const Network net{.features = 3, .outputs = 1, .neurons = 1, .U = {1, 1, 1}, .V = {2}};
  EXPECT_THROW(objective(small_problem(), net), InvalidInput);
  EXPECT_THROW(predict(net, small_problem().X, 2), InvalidInput);
  const Network torn{.features = 2, .outputs = 1, .neurons = 2, .U = {1, 1}, .V = {2, 1}};
  EXPECT_THROW(objective(small_problem(), torn), InvalidInput);
}

TEST(Problem, ValidationNamesTheFirstBadField) {
  EXPECT_EQ(message_of(small_problem()), "");
  Problem p = small_problem();
  p.samples = 0;
  EXPECT_NE(message_of(p).find("samples"), std::string::npos);
  p = small_problem();
  p.X.pop_back();
  EXPECT_NE(message_of(p).find("X holds 3 entries"), std::string::npos);
  p = small_problem();
  p.Y.push_back(0);
  EXPECT_NE(message_of(p).find("Y holds 3"), std::string::npos);
  p = small_problem();
  p.X[3] = std::nan("");
  EXPECT_NE(message_of(p).find("X is not finite in row 1, column 1"), std::string::npos);
  p = small_problem();
  p.Y[0] = HUGE_VAL;
  EXPECT_NE(message_of(p).find("Y is not finite"), std::string::npos);
  p = small_problem();
  p.X[2] = 2e75;
  EXPECT_NE(message_of(p).find("values of X are too large to be squared"), std::string::npos);
  p = small_problem();
  p.Y[1] = -1e180;
  EXPECT_NE(message_of(p).find("values of Y are too large"), std::string::npos);
  for (const double bad : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    p = small_problem();
    p.weight_decay = bad;
    EXPECT_NE(message_of(p).find("weight_decay"), std::string::npos);
  }
}

// The Gram matrix of (s, u, v) of a network, which is feasible for [eq:sdp].
Matrix lifted(const ReducedProblem& p, const Weights& w) {
  Matrix factor(p.n() + p.d() + p.c(), w.neurons());
  factor << (p.X * w.U).cwiseAbs(), w.U, w.V;
  return factor * factor.transpose();
}

TEST(Rounding, RecoversTheNetworkBehindARankOneSolution) {
  Random random(34);
  for (int trial = 0; trial < 10; ++trial) {
    const Problem p = testing::random_problem(random, 12, 3, 2, 0.1);
    const Presolved pre = presolve(p);
    Weights one = pre.weights(testing::random_network(random, 3, 2, 1));
    const double factor = std::sqrt(one.V.norm() / one.U.norm());  // what is returned is balanced
    one = {factor * one.U, one.V / factor};

    const Weights found = round_relaxation(pre.reduced, lifted(pre.reduced, one), {}, Control());

    ASSERT_EQ(found.neurons(), 1);
    EXPECT_NEAR(objective(pre.reduced, found), objective(pre.reduced, one),
                1e-6 * objective(pre.reduced, one));
  }
}

TEST(Rounding, ComesCloseToTheNetworkBehindASolution) {
  Random random(35);
  for (int trial = 0; trial < 10; ++trial) {
    Problem p = testing::random_problem(random, 20, 2, 2, 0.05);
    const Network teacher = testing::random_network(random, 2, 2, 3);
    p.Y = predict(teacher, p.X, p.samples);
    const Presolved pre = presolve(p);
    const Weights known = pre.weights(teacher);
    const double target = objective(pre.reduced, known);

    const Weights found = round_relaxation(pre.reduced, lifted(pre.reduced, known), {}, Control());
    const Weights again = round_relaxation(pre.reduced, lifted(pre.reduced, known), {}, Control());

    EXPECT_EQ(found.U, again.U);
    const double zero = 0.5 * pre.reduced.stacked_Y().squaredNorm();
    EXPECT_LE(objective(pre.reduced, found), target + 0.1 * (zero - target)) << trial;
  }
}

TEST(Rounding, UnusableSolutionsGiveNoNeurons) {
  const Presolved pre = presolve(small_problem());

  EXPECT_EQ(round_relaxation(pre.reduced, Matrix(), {}, Control()).neurons(), 0);
  const Index order = pre.reduced.n() + pre.reduced.d() + pre.reduced.c();
  EXPECT_EQ(round_relaxation(pre.reduced, Matrix::Zero(order, order), {}, Control()).neurons(), 0);
  const Matrix bad = Matrix::Constant(order, order, std::nan(""));
  EXPECT_EQ(round_relaxation(pre.reduced, bad, {}, Control()).neurons(), 0);
}

}  // namespace
}  // namespace relulift
