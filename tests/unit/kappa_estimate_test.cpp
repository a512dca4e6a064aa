// SPDX-License-Identifier: Apache-2.0
// Q of a list and the estimate of kappa, against [eq:slack] and [eq:shift] written out densely.
#include "src/certificate/kappa_estimate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "tests/support/generators.hpp"

namespace relulift {
namespace {

struct Case {
  Problem problem;
  MergedData data;
  DualCandidate candidate;
};

// Few entries per row, of either sign where W is free.
Case sparse_case(Random& random, Index n, Index d, Index c) {
  Case out{.problem = testing::random_problem(random, n, d, c, 0.5), .data = {}, .candidate = {}};
  testing::make_parallel(out.problem, n - 1, 0, -2.0);
  out.data = merge_data(out.problem, {});
  const Index k = out.data.directions();
  out.candidate.G.resize(k, c);
  out.candidate.H.resize(k, c);
  for (double& x : out.candidate.G.reshaped()) x = 0.1 * random.normal();
  for (double& x : out.candidate.H.reshaped()) x = 0.1 * random.normal();
  for (Index i = 0; i < k; ++i) {
    out.candidate.entries.push_back({i, k + i, 0.02 * (random.uniform() - 0.9)});
    for (int j = 0; j < 3; ++j)
      out.candidate.entries.push_back({static_cast<Index>(random.bits() % (2 * k)),
                                       static_cast<Index>(random.bits() % (2 * k)),
                                       0.01 * (random.uniform() - 0.1)});
  }
  return out;
}

// [eq:slack] with W, L, A and B as full matrices.
Matrix full_slack(const Case& test) {
  const MergedData& data = test.data;
  const Index k = data.directions(), d = data.features(), c = data.outputs();
  Matrix W = Matrix::Zero(2 * k, 2 * k), L(2 * k, k + d);
  for (const auto& [i, j, value] : test.candidate.entries) {
    const bool free = i - j == k || j - i == k;
    const double w = free ? value : std::max(0.0, value);
    W(i, j) += w;
    if (i != j) W(j, i) += w;
  }
  L << Matrix::Identity(k, k), data.X, Matrix::Identity(k, k), -data.X;
  L /= 2;
  const Matrix residuals =
      L.topRows(k).transpose() * (data.A.cast<double>().asDiagonal() * test.candidate.G) +
      L.bottomRows(k).transpose() * (data.B.cast<double>().asDiagonal() * test.candidate.H);
  Matrix Q = Matrix::Zero(k + d + c, k + d + c);
  Q.topLeftCorner(k + d, k + d) = -L.transpose() * W * L;
  Q.topRightCorner(k + d, c) = residuals / 2;
  Q.bottomLeftCorner(c, k + d) = residuals.transpose() / 2;
  Q.diagonal().tail(d + c).array() += data.weight_decay / 2;
  return Q;
}

Matrix full_shift(const MergedData& data, const Vector& e) {
  const Index k = data.directions(), d = data.features(), c = data.outputs();
  Matrix C = Matrix::Zero(k + d + c, k + d + c);
  C.diagonal().head(k) = e / 4;
  C.diagonal().tail(d + c).setConstant(data.weight_decay / 2);
  C.block(k, k, d, d) -= data.X.transpose() * e.asDiagonal() * data.X / 4;
  return C;
}

Vector some_shift(Random& random, const MergedData& data) {
  Vector e(data.directions());
  for (double& x : e) x = 0.2 + random.uniform();
  return 0.8 * 2.0 * data.weight_decay / (data.X.transpose() * e.asDiagonal() * data.X).trace() * e;
}

KappaLanczos lanczos(const ListSlack<double>& slack, const Shift<double>& shift) {
  return {product_with(slack), slack.order(), shift};
}

TEST(ListSlack, IsTheSlackOfTheDefinitionWithinItsErrorBounds) {
  Random random(61);
  for (int trial = 0; trial < 10; ++trial) {
    const Case test = sparse_case(random, 6 + 5 * trial, 1 + trial % 4, 1 + trial % 3);
    const ListSlack<double> list = build_list_slack<double>(test.data, test.candidate);
    const ListSlack<long double> fine = build_list_slack<long double>(test.data, test.candidate);
    const Matrix expected = full_slack(test);

    const Slack<double> slack = build_slack<double>(test.data, test.candidate);
    MatrixOf<long double> exact(list.order(), list.order());
    expand(fine, exact);

    for (Index q = 0; q < list.order(); ++q)
      for (Index p = q; p < list.order(); ++p) {
        EXPECT_NEAR(slack.Q(p, q), expected(p, q), 1e-13) << p << ' ' << q;
        EXPECT_LE(std::abs(slack.Q(p, q) - exact(p, q)), slack.error(p, q)) << p << ' ' << q;
      }
  }
}

TEST(ListSlack, ErrorSumsAreThoseOfTheFullMatrix) {
  Random random(62);
  const Case test = sparse_case(random, 30, 3, 2);
  const ListSlack<double> list = build_list_slack<double>(test.data, test.candidate);
  Vector scale(list.order());
  for (double& x : scale) x = 0.1 + random.uniform();
  Matrix error;
  expand_error(list, error);

  const Vector sums = scaled_error_sums(list, scale);
  const Vector expected = error.selfadjointView<Eigen::Lower>() * scale;

  EXPECT_GT(expected.minCoeff(), 0.0);
  EXPECT_LE((sums - expected).cwiseAbs().maxCoeff(), 1e-13 * expected.maxCoeff());
}

TEST(KappaEstimate, IsTheSmallestGeneralisedEigenvalue) {
  Random random(63);
  int indefinite = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const Case test = sparse_case(random, 5 + 9 * trial, 1 + trial % 5, 1 + trial % 3);
    const Vector e = some_shift(random, test.data);
    const ListSlack<double> list = build_list_slack<double>(test.data, test.candidate);
    const Slack<double> dense = build_slack<double>(test.data, test.candidate);
    const Shift<double> shift = build_shift<double>(test.data, e);
    const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> exact(full_slack(test),
                                                                 full_shift(test.data, e));
    const double kappa = std::max(0.0, -exact.eigenvalues()(0));

    const KappaEstimate found = lanczos(list, shift).run({});
    const KappaEstimate same = KappaLanczos(product_with(dense), list.order(), shift).run({});

    EXPECT_NEAR(found.kappa, kappa, 1e-9 * exact.eigenvalues().cwiseAbs().maxCoeff()) << trial;
    EXPECT_NEAR(same.kappa, kappa, 1e-9 * exact.eigenvalues().cwiseAbs().maxCoeff()) << trial;
    indefinite += kappa > 1e-3;
  }
  EXPECT_GE(indefinite, 15);
}

TEST(KappaEstimate, StopsWhereItNoLongerMattersAndStaysBelow) {
  Random random(64);
  const Case test = sparse_case(random, 200, 4, 2);
  const ListSlack<double> list = build_list_slack<double>(test.data, test.candidate);
  const Shift<double> shift = build_shift<double>(test.data, some_shift(random, test.data));
  const double kappa = lanczos(list, shift).run({}).kappa;
  ASSERT_GT(kappa, 0.0);

  const KappaEstimate few = lanczos(list, shift).run({.max_products = 5});
  const KappaEstimate rough = lanczos(list, shift).run({.settled = [](double low, double high) {
    return high < 1.1 * low;
  }});
  const KappaEstimate beaten = lanczos(list, shift).run({.give_up_above = 1e-3 * kappa});

  EXPECT_LE(few.kappa, kappa * (1 + 1e-9));
  EXPECT_LE(rough.kappa, kappa * (1 + 1e-9));
  EXPECT_NEAR(rough.kappa, kappa, 0.1 * kappa);
  EXPECT_GT(beaten.kappa, 1e-3 * kappa);
}

// -1 on the first two rows of s and C = I/2 there: both unit vectors are eigenvectors to -2, and
// v'Cv = 1 makes v_i^2 = 2.
TEST(KappaEstimate, WeighsTheRowsWithoutCurvature) {
  ListSlack<double> list;
  list.directions = 3;
  list.sparse = {{0, 0, -1.0, 0.0}, {1, 1, -0.5, 0.0}, {2, 2, 1.0, 0.0}};
  list.border = Matrix::Zero(2, 5);
  list.border_error = Matrix::Zero(2, 5);
  list.border(0, 3) = list.border(1, 4) = 1.0;
  const Shift<double> shift{.e = Vector::Constant(3, 2.0),
                            .u_block = Matrix::Identity(1, 1),
                            .u_block_error = Matrix::Zero(1, 1),
                            .output = 1.0};
  KappaLanczos run = lanczos(list, shift);

  const KappaEstimate found = run.run({});
  const Vector weight = run.negative_weight(8);

  EXPECT_NEAR(found.kappa, 2.0, 1e-12);
  EXPECT_NEAR(weight(0), 4.0, 1e-6);
  EXPECT_NEAR(weight(1), 2.0, 1e-6);
  EXPECT_NEAR(weight(2), 0.0, 1e-6);
}

TEST(KappaEstimate, DoesNotExistWithoutAPositiveShiftOrForNan) {
  Random random(65);
  const Case test = sparse_case(random, 12, 2, 1);
  const ListSlack<double> list = build_list_slack<double>(test.data, test.candidate);
  const Vector e = some_shift(random, test.data);
  ListSlack<double> bad = list;
  bad.sparse.front().value = std::nan("");

  EXPECT_FALSE(lanczos(list, build_shift<double>(test.data, 1e3 * e)).run({}).exists());
  EXPECT_FALSE(lanczos(list, build_shift<double>(test.data, 0.0 * e)).run({}).exists());
  EXPECT_FALSE(lanczos(bad, build_shift<double>(test.data, e)).run({}).exists());
}

}  // namespace
}  // namespace relulift
