// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_projection.hpp"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <bit>
#include <limits>

#include "tests/support/pattern_programs.hpp"

namespace relulift::testing {
namespace {

// The projection lies in the interior of one face: over all sets of rows, the nearest point of
// their null spaces that is in the cone.
double enumerated(const Matrix& K, const Vector& a) {
  double best = 0.0;  // of u = 0
  for (unsigned set = 0; set < 1U << K.rows(); ++set) {
    Vector u = a;
    if (set != 0) {
      Matrix active(K.cols(), std::popcount(set));
      Index column = 0;
      for (Index r = 0; r < K.rows(); ++r)
        if (set >> r & 1U) active.col(column++) = K.row(r).transpose();
      u -= active * active.completeOrthogonalDecomposition().solve(a);
    }
    if ((K * u).minCoeff() >= -1e-11) best = std::max(best, u.norm());
  }
  return best;
}

TEST(ConeProjection, IsThatOfTheBestFace) {
  Random random(3);
  int inside = 0, zero = 0, between = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const Index d = 2 + trial % 3, n = 2 + trial % 7;
    Matrix K = random_matrix(random, n, d);
    if (trial % 2 == 0)
      K.array().colwise() *= (K.col(0).array() > 0.0).select(Vector::Ones(n), -1.0).array();
    const Vector a = random_matrix(random, d, 1);

    const ConeProjection found = project_on_cone(K, a);

    const double best = enumerated(K, a);
    EXPECT_NEAR(found.upper, best, 1e-9) << trial;
    EXPECT_NEAR(found.value, best, 1e-9) << trial;
    if (found.value > 0.0) {
      EXPECT_GE((K * found.direction).minCoeff(), -1e-10) << trial;
    }
    inside += best > a.norm() * (1 - 1e-12);
    zero += best < 1e-12;
    between += best >= 1e-12 && best < a.norm() * (1 - 1e-12);
  }
  EXPECT_GT(inside, 10);
  EXPECT_GT(zero, 10);
  EXPECT_GT(between, 100);
}

TEST(ConeProjection, RowsThatAreZeroOrComeTwiceChangeNothing) {
  Random random(4);
  for (int trial = 0; trial < 50; ++trial) {
    const Matrix K = random_matrix(random, 6, 3);
    const Vector a = random_matrix(random, 3, 1);
    Matrix more(14, 3);
    more << K, K * 7.0, Matrix::Zero(2, 3);

    EXPECT_NEAR(project_on_cone(more, a).upper, project_on_cone(K, a).upper, 1e-12) << trial;
  }
}

TEST(ConeProjection, ColumnsOfAnyScaleAreProjectedToRounding) {
  Random random(5);
  for (int trial = 0; trial < 20; ++trial) {
    Matrix K = random_matrix(random, 60, 6);
    K.array().rowwise() *= Eigen::Array<double, 1, 6>{0.1, 800, 1, 30, 5, 100};
    const Vector gate = random_matrix(random, 6, 1), a = random_matrix(random, 6, 1);
    for (Index r = 0; r < 60; ++r)
      if (K.row(r).dot(gate) < 0.0) K.row(r) *= -1.0;

    const ConeProjection found = project_on_cone(K, a);

    EXPECT_LE(found.upper - found.value, 1e-9 * a.norm()) << trial;
    if (found.value > 0.0) {
      const Vector slack = (K * found.direction).cwiseQuotient(K.rowwise().norm());
      EXPECT_GE(slack.minCoeff(), -1e-8) << trial;
    }
  }
}

TEST(ConeProjection, GainsOfAllPatternsAreThoseOfTheirBordersInThePlane) {
  Random random(6);
  const Matrix X = random_matrix(random, 15, 2), E = random_matrix(random, 15, 3);
  const GatedPatterns all = patterns_of_the_plane(X);

  const ConeGains gains = cone_gains(X, all.patterns, E);

  for (Index i = 0; i < all.patterns.size(); ++i)
    for (Index k = 0; k < 6; ++k) {
      const Vector e = (k % 2 == 0 ? 1.0 : -1.0) * E.col(k / 2);
      EXPECT_NEAR(gains.upper(i, k), plane_gain(X, all.patterns, i, e), 1e-10) << i << " " << k;
    }
}

}  // namespace
}  // namespace relulift::testing
