// SPDX-License-Identifier: Apache-2.0
#include "src/presolve/presolve.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "src/presolve/parallel_rows.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift {
namespace {

using testing::naive_objective;
using testing::random_network;
using testing::random_problem;

// Column-major from rows that can be read.
Problem problem_of(std::vector<std::vector<double>> x, std::vector<std::vector<double>> y) {
  const auto n = static_cast<Index>(x.size());
  Problem p{.samples = n,
            .features = static_cast<Index>(x[0].size()),
            .outputs = static_cast<Index>(y[0].size()),
            .X = {},
            .Y = {},
            .weight_decay = 0.5};
  for (Index l = 0; l < p.features; ++l)
    for (Index i = 0; i < n; ++i) p.X.push_back(x[i][l]);
  for (Index k = 0; k < p.outputs; ++k)
    for (Index i = 0; i < n; ++i) p.Y.push_back(y[i][k]);
  return p;
}

void expect_same_objectives(const Problem& p, const Presolved& pre, Random& random,
                            double relative) {
  for (int trial = 0; trial < 5; ++trial) {
    const Network given = random_network(random, p.features, p.outputs, 6);

    const Weights inside = pre.weights(given);
    const Network back = pre.network(inside);

    // `back` has lost what X does not see; both forms have the same J.
    const double j = naive_objective(p, back);
    EXPECT_NEAR(objective(pre.reduced, inside), j, relative * j);
    // The prediction of `given` survives, so only its penalty can fall.
    EXPECT_LE(j, naive_objective(p, given) * (1 + relative));
  }
}

TEST(Presolve, MergedWeightsAndTargetsAreThoseDerivedByHand) {
  // (3,4) twice its half: weights 1 + 1/4; antiparallel twin of length 2: beta weight 4; zero row.
  const Problem p =
      problem_of({{3, 4}, {0, 0}, {1.5, 2}, {-6, -8}, {1, 0}}, {{2}, {7}, {4}, {6}, {5}});

  const Presolved pre = presolve(p);

  const ReducedProblem& r = pre.reduced;
  ASSERT_EQ(r.n(), 2);
  EXPECT_EQ(pre.removed_rows, 3);
  EXPECT_EQ(pre.perturbation, 0.0);
  EXPECT_EQ(pre.representative, (std::vector<Index>{0, -1, 0, 0, 4}));
  ASSERT_EQ(r.p(), 1);
  EXPECT_EQ(r.beta_rows[0], 0);
  const double a = std::sqrt(1.25);
  EXPECT_NEAR(r.beta_weight(0), 2 / a, 1e-15);
  EXPECT_NEAR(r.Y(0, 0), (2 + 0.5 * 4) / a, 1e-14);  // A Ya = sum tau y / A
  EXPECT_NEAR(r.Y(1, 0), 5, 1e-15);
  EXPECT_NEAR(r.Y_beta(0, 0), 6, 1e-14);
  // Zero row 49/2, and what the average of 2 and 4/.5 leaves: (2-3.2)^2/2 + (4-1.6)^2/2.
  EXPECT_NEAR(r.constant, 24.5 + 0.72 + 2.88, 1e-13);
  EXPECT_NEAR(r.X.rowwise().squaredNorm().mean(), 1.0, 1e-14);
  EXPECT_NEAR(r.weight_decay, 0.5 / pre.sigma, 1e-15);
}

TEST(Presolve, KeepsEveryObjectiveOnDegenerateData) {
  Random random(1);
  for (int trial = 0; trial < 40; ++trial) {
    const Index n = 4 + static_cast<Index>(random.bits() % 9);
    const Index d = 1 + static_cast<Index>(random.bits() % 6);
    const Index c = 1 + static_cast<Index>(random.bits() % 3);
    Problem p = random_problem(random, n, d, c, 0.1 + random.uniform());
    testing::make_zero(p, n - 1);
    testing::make_parallel(p, 1, 0, -0.25);
    testing::make_parallel(p, 2, 0, trial % 2 == 0 ? 2.0 : 3.7);
    if (trial % 3 == 0) testing::make_dependent(p, d - 1, random);
    for (double& x : p.X) x *= trial % 5 == 0 ? 1e6 : 1.0;

    const Presolved pre = presolve(p);

    EXPECT_LE(pre.reduced.d(), std::min(d, pre.reduced.n()));
    EXPECT_GE(pre.removed_rows, 3);
    expect_same_objectives(p, pre, random, 1e-11);
  }
}

TEST(Presolve, NetworkMapsAreInverseOnTheRowSpace) {
  Random random(2);
  Problem p = random_problem(random, 7, 4, 2, 0.3);
  testing::make_dependent(p, 2, random);
  const Presolved pre = presolve(p);
  ASSERT_EQ(pre.reduced.d(), 3);
  const Weights inside{Matrix::Random(3, 5), Matrix::Random(2, 5)};

  const Weights again = pre.weights(pre.network(inside));

  EXPECT_LE((again.U - inside.U).norm(), 1e-14 * inside.U.norm());
  EXPECT_LE((again.V - inside.V).norm(), 1e-14 * inside.V.norm());
}

TEST(Presolve, ReducedRowsAreNeitherZeroNorParallelAndOfFullColumnRank) {
  Random random(3);
  Problem p = random_problem(random, 30, 3, 1, 0.1);
  for (Index j = 10; j < 30; ++j)
    testing::make_parallel(p, j, j % 10, std::ldexp(j % 2 ? -1.0 : 1.0, j % 5));
  testing::make_dependent(p, 1, random);

  const Presolved pre = presolve(p, {.merge_tolerance = 1e-12});

  EXPECT_EQ(pre.reduced.n(), 10);
  EXPECT_EQ(pre.reduced.d(), 2);
  const RowGroups again = group_parallel_rows(pre.reduced.X, {.relative = 1e-12});
  EXPECT_EQ(again.directions.size(), 10u);
}

// ||Delta|| ||Y||/g is 100 and 1e-10 of the objective.
TEST(Presolve, TakesOutNothingThatCouldMatterAtThisWeightDecay) {
  Problem parallel = problem_of({{1, 0}, {1, 1e-14}}, {{0}, {1}});
  Problem shorter = problem_of({{1, 0}, {0, 1e-14}}, {{0}, {1}});
  for (const double g : {1e-16, 1e-4})
    for (Problem* p : {&parallel, &shorter}) {
      p->weight_decay = g;

      const Presolved pre = presolve(*p);

      const Index left = g < 1e-10 ? 2 : 1;
      EXPECT_EQ(pre.reduced.n(), left);
      EXPECT_EQ(pre.reduced.d(), left);
      EXPECT_EQ(pre.exact, left == 2);
    }
}

// The second row is below the rounding of the first, and spans a direction of its own.
TEST(Presolve, ShortRowsCountForTheRank) {
  Problem p = problem_of({{1, 0, 1}, {0, 1e-200, 0}, {2, 0, -1}, {1, 0, 3}}, {{1}, {1}, {2}, {3}});
  p.weight_decay = 1e-200;

  const Presolved pre = presolve(p);

  EXPECT_EQ(pre.reduced.n(), 4);
  EXPECT_EQ(pre.reduced.d(), 3);
  p.X[5] = 0;  // without its entry
  EXPECT_EQ(presolve(p).reduced.d(), 2);
}

TEST(Presolve, AllZeroDataLeavesTheZeroNetwork) {
  const Problem p = problem_of({{0, 0}, {0, -0.0}}, {{3}, {4}});

  const Presolved pre = presolve(p);

  EXPECT_EQ(pre.reduced.n(), 0);
  EXPECT_EQ(pre.reduced.d(), 0);
  EXPECT_EQ(pre.reduced.c(), 1);
  EXPECT_EQ(pre.removed_rows, 2);
  EXPECT_EQ(pre.reduced.constant, 12.5);
  const Network zero = pre.network({Matrix(0, 0), Matrix(1, 0)});
  EXPECT_EQ(zero.features, 2);
  EXPECT_EQ(objective(p, zero), 12.5);
  EXPECT_EQ(objective(pre.reduced, Weights{Matrix(0, 0), Matrix(1, 0)}), 12.5);
}

TEST(Presolve, OneColumnIsOneDirection) {
  const Problem p = problem_of({{3}, {-2}, {0.1}, {-7}}, {{1}, {2}, {3}, {4}});

  const Presolved pre = presolve(p);

  EXPECT_EQ(pre.reduced.n(), 1);
  EXPECT_EQ(pre.reduced.p(), 1);
  EXPECT_EQ(pre.perturbation, 0.0);
}

TEST(ParallelRows, ExactMergingTellsTheLastBitApart) {
  // 0.1 * 3 rounds: the rows differ in the last bit and are not parallel.
  Matrix X(4, 2);
  X << 0.1, 0.7, 0.1 * 3, 0.7 * 3, 0.2, 1.4, -0.4, -2.8;

  const RowGroups exact = group_parallel_rows(X, {.relative = 0.0});
  const RowGroups near = group_parallel_rows(X, {.relative = 1e-13});

  EXPECT_EQ(exact.representative, (std::vector<Index>{0, 1, 0, 0}));
  EXPECT_EQ(exact.perturbation, 0.0);
  EXPECT_EQ(exact.ratio, (std::vector<double>{1, 1, 2, -4}));
  EXPECT_EQ(near.representative, (std::vector<Index>{0, 0, 0, 0}));
  EXPECT_GT(near.perturbation, 0.0);
  EXPECT_LT(near.perturbation, 1e-15);
}

TEST(ParallelRows, RescaledColumnsKeepTheirGroupsWithinTheTolerance) {
  Random random(5);
  Problem p = random_problem(random, 200, 5, 1, 1.0);
  for (Index j = 100; j < 200; ++j) testing::make_parallel(p, j, j - 100, j % 3 ? 2.0 : -0.5);
  for (Index l = 0; l < 5; ++l) {
    const double scale = random.uniform();
    for (Index i = 0; i < 200; ++i) p.X[i + 200 * l] /= scale;
  }
  for (Index j = 100; j < 200; ++j)  // a rounding error in every entry
    for (Index l = 0; l < 5; ++l)
      p.X[j + 200 * l] *= 1 + 2e-16 * (static_cast<double>(random.bits() % 3) - 1);
  const Eigen::Map<const Matrix> X(p.X.data(), 200, 5);

  const RowGroups groups = group_parallel_rows(X, {.relative = 1e-13});

  EXPECT_EQ(groups.directions.size(), 100u);
  double squares = 0;
  for (Index j = 0; j < 200; ++j)
    squares += (X.row(j) - groups.ratio[j] * X.row(groups.representative[j])).squaredNorm();
  EXPECT_NEAR(groups.perturbation, std::sqrt(squares), 1e-15 * X.norm());
}

TEST(ParallelRows, SixtyThousandRowsFormTheirFortyThousandGroups) {
  Random random(6);
  Matrix X(60000, 3);
  for (Index i = 0; i < X.rows(); ++i)
    for (Index l = 0; l < 3; ++l) X(i, l) = i < 40000 ? random.normal() : 2 * X(i - 20000, l);

  const RowGroups groups = group_parallel_rows(X, {.relative = 1e-13});

  EXPECT_EQ(groups.directions.size(), 40000u);
}

TEST(Presolve, SurvivesEntriesWhoseSquaresOverflow) {
  Problem p = problem_of({{1e200, 2e200}, {3e-200, 1}, {-1e200, 5e199}}, {{1}, {2}, {3}});

  const Presolved pre = presolve(p);

  EXPECT_TRUE(pre.reduced.X.allFinite());
  EXPECT_TRUE(std::isfinite(pre.reduced.weight_decay));
}

}  // namespace
}  // namespace relulift
