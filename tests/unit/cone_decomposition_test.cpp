// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_decomposition.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "src/patterns/pattern_rows.hpp"
#include "src/solvers/cone_projection.hpp"
#include "tests/support/pattern_programs.hpp"

namespace relulift::testing {
namespace {

struct RandomCone {
  Matrix K;
  Vector gate, w;
};

// Rows of very different lengths, all on one side of the gate.
RandomCone random_cone(Random& random, Index n, Index d) {
  RandomCone out{random_matrix(random, n, d), random_matrix(random, d, 1),
                 random_matrix(random, d, 1)};
  for (Index r = 0; r < n; ++r)
    out.K.row(r) *= std::pow(10.0, r % 5 - 2) * (out.K.row(r).dot(out.gate) < 0.0 ? -1.0 : 1.0);
  return out;
}

// The least (K u)_r / (||row|| ||u||).
double least_slack(const Matrix& K, const Vector& u) {
  if (u.norm() == 0.0) return 0.0;
  return (K * u).cwiseQuotient(K.rowwise().norm()).minCoeff() / u.norm();
}

TEST(ConeDecomposition, IsExactInTheConesAndOptimalByWeakDuality) {
  Random random(11);
  int apart = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Index d = 2 + trial % 6, n = 3 + 4 * (trial % 13);
    const RandomCone cone = random_cone(random, n, d);

    const ConeDecomposition found = decompose_exactly(cone.K, cone.w, cone.gate);

    const double value = found.V.norm() + found.N.norm();
    EXPECT_LE((found.V - found.N - cone.w).norm(), 1e-14 * value) << trial;
    EXPECT_GE(least_slack(cone.K, found.V), -1e-13) << trial;
    EXPECT_GE(least_slack(cone.K, found.N), -1e-12) << trial;
    EXPECT_LE(found.bound, value * (1 + 1e-12)) << trial;
    EXPECT_LE(value - found.bound, 1e-6 * value) << trial;
    // <w, z> <= ||V|| + ||N|| for any decomposition where the projections of z and -z are short.
    EXPECT_LE(project_on_cone(cone.K, found.z).value, 1 + 1e-8) << trial;
    EXPECT_LE(project_on_cone(cone.K, -found.z).value, 1 + 1e-8) << trial;
    EXPECT_NEAR(cone.w.dot(found.z), found.bound, 1e-9 * value) << trial;
    apart += value > 1.01 * cone.w.norm();
  }
  EXPECT_GT(apart, 30);
}

// With unit rays r and s of the cone and w = x r + y s, xy < 0, the parts lie on the rays: z with
// z'r = 1, z's = -1 has z'(a r + b s) = a - b <= ||a r + b s||.
TEST(ConeDecomposition, OfThePlaneLiesOnTheRaysOfTheCone) {
  Random random(12);
  const Matrix X = random_matrix(random, 9, 2);
  const GatedPatterns all = patterns_of_the_plane(X);
  int apart = 0;
  for (Index i = 0; i < all.patterns.size(); ++i) {
    const Matrix K = cone_rows(X, all.patterns, i);
    Matrix rays(2, 2);
    Index count = 0;
    for (Index r = 0; r < 9; ++r)
      for (const double side : {1.0, -1.0}) {
        const Vector ray = side / K.row(r).norm() * Vector{{-K(r, 1), K(r, 0)}};
        if ((K * ray).minCoeff() > -1e-12 && count < 2) rays.col(count++) = ray;
      }
    ASSERT_EQ(count, 2);
    const Vector w = random_matrix(random, 2, 1), parts = rays.inverse() * w;
    const bool inside = parts.prod() >= 0.0;

    const ConeDecomposition found = decompose_exactly(K, w, all.gates.col(i));

    const double value = found.V.norm() + found.N.norm();
    const double expected = inside ? w.norm() : parts.cwiseAbs().sum();
    EXPECT_NEAR(value, expected, 1e-7 * expected) << i;
    apart += !inside;
  }
  EXPECT_GT(apart, 3);
}

double near_objective(const Vector& w, const Matrix& Q, const Vector& V, const Vector& N) {
  const Vector rest = V - N - w;
  return V.norm() + N.norm() - w.dot(V - N) / w.norm() + 0.5 * rest.dot(Q * rest);
}

TEST(ConeDecomposition, ApproximateIsNoWorseThanOtherPointsOfTheCones) {
  Random random(13);
  for (int trial = 0; trial < 40; ++trial) {
    const Index d = 2 + trial % 5, n = 4 + 3 * (trial % 11);
    const RandomCone cone = random_cone(random, n, d);
    const Matrix root = std::pow(10.0, trial % 4 - 2) * random_matrix(random, d, d);
    const Matrix Q = root * root.transpose();

    const ConeDecomposition found = decompose_nearly(cone.K, cone.w, cone.gate, Q);

    EXPECT_GE(least_slack(cone.K, found.V), -1e-12) << trial;
    EXPECT_GE(least_slack(cone.K, found.N), -1e-12) << trial;
    const double least = near_objective(cone.w, Q, found.V, found.N);
    const double slack = 1e-5 * (1 + cone.w.norm());
    EXPECT_LE(least, near_objective(cone.w, Q, Vector::Zero(d), Vector::Zero(d)) + slack);
    const ConeDecomposition exact = decompose_exactly(cone.K, cone.w, cone.gate);
    EXPECT_LE(least, near_objective(cone.w, Q, exact.V, exact.N) + slack) << trial;
    // A convex function that falls towards no point of the cones is at its minimum.
    for (int other = 0; other < 30; ++other) {
      const ConeProjection U = project_on_cone(cone.K, random_matrix(random, d, 1));
      const ConeProjection M = project_on_cone(cone.K, random_matrix(random, d, 1));
      const double t = std::pow(10.0, -other % 5);
      const Vector V = found.V + t * (U.value * U.direction - found.V);
      const Vector N = found.N + t * (M.value * M.direction - found.N);
      EXPECT_LE(least, near_objective(cone.w, Q, V, N) + slack) << trial << " " << other;
    }
  }
}

TEST(ConeDecomposition, ApproximateTendsToExactAsTheErrorGetsDearer) {
  Random random(14);
  const RandomCone cone = random_cone(random, 20, 3);
  const ConeDecomposition exact = decompose_exactly(cone.K, cone.w, cone.gate);

  const ConeDecomposition found =
      decompose_nearly(cone.K, cone.w, cone.gate, 1e7 * Matrix::Identity(3, 3));

  const double value = exact.V.norm() + exact.N.norm();
  EXPECT_GT(value, 1.1 * cone.w.norm());
  EXPECT_LE((found.V - found.N - cone.w).norm(), 1e-4 * value);
  EXPECT_NEAR(found.V.norm() + found.N.norm(), value, 1e-3 * value);
}

TEST(ConeDecomposition, OfAWeightInsideItsConeIsTheWeight) {
  Random random(15);
  const RandomCone cone = random_cone(random, 12, 4);
  const Vector w = 3.0 * cone.gate;

  for (const double sign : {1.0, -1.0}) {
    const ConeDecomposition found = decompose_exactly(cone.K, sign * w, cone.gate);
    EXPECT_EQ(found.V, sign > 0.0 ? w : Vector(Vector::Zero(4)));
    EXPECT_EQ(found.N, sign > 0.0 ? Vector(Vector::Zero(4)) : w);
    EXPECT_DOUBLE_EQ(found.bound, w.norm());
  }
}

TEST(ConeDecomposition, AGateOnTheBorderIsMovedInsideWhereThereIsAnInside) {
  Matrix quadrant(3, 2), line(3, 2);
  quadrant << 1, 0, 0, 2, 0, 0;
  line << 1, 0, 0, 1, 0, -1;
  const Vector gate{{1.0, 0.0}};

  const auto moved = strictly_inside(quadrant, gate);

  ASSERT_TRUE(moved);
  EXPECT_GT(moved->minCoeff(), 0.1);
  EXPECT_FALSE(strictly_inside(line, gate));
}

// Both samples lie on the gate's border on opposite sides: the cone is the ray of e_1.
TEST(ConeDecomposition, ABlockOfAConeWithoutInteriorIsProjected) {
  Matrix X(3, 2), gates(2, 1), U(2, 1);
  X << 1, 0, 0, 1, 0, -1;
  gates << 1, 0;
  U << 2, 5;
  const GatedPatterns gated = patterns_of(X, gates);

  const DecomposedBlocks parts = decompose_blocks(X, gated, {{0}, U, Matrix::Ones(1, 1)},
                                                  Decomposition::exact, 1.0, Control());

  EXPECT_EQ(parts.projected, 1);
  ASSERT_EQ(parts.S.cols(), 1);
  EXPECT_NEAR((parts.S.col(0) - Vector::Unit(2, 0)).norm(), 0.0, 1e-12);
  EXPECT_NEAR(parts.W(0, 0), 2.0, 1e-12);
}

// What the gated program predicts, and neurons where their patterns say so.
TEST(ConeDecomposition, OfAllBlocksPredictsWhatTheGatedNetworkDoes) {
  const PatternProblem p = random_patterns(25, 3, 2, 12, 0.1);
  Random random(16);
  PatternPoint point;
  point.V = random_matrix(random, 3, p.patterns.patterns.size() * 2);
  point.V.col(3).setZero();

  for (const bool joint : {false, true}) {
    const RankOneTerms terms = rank_one_terms(point, 2, joint);
    const DecomposedBlocks parts =
        decompose_blocks(p.X, p.patterns, terms, Decomposition::exact, 1.0, Control());

    const Matrix f = (p.X * parts.S).cwiseMax(0.0) * parts.W;
    const double size = parts.W.cwiseAbs().sum();
    EXPECT_LE((f - naive_prediction(p, point)).norm(), 1e-9 * size) << joint;
    EXPECT_EQ(parts.projected + parts.left_out, 0);
  }
}

TEST(ConeDecomposition, WithoutTimeLeavesBlocksOut) {
  const PatternProblem p = random_patterns(20, 2, 1, 5, 0.1);
  Random random(17);
  PatternPoint point;
  point.V = random_matrix(random, 2, p.patterns.patterns.size());
  const RankOneTerms terms = rank_one_terms(point, 1, false);

  const DecomposedBlocks parts =
      decompose_blocks(p.X, p.patterns, terms, Decomposition::exact, 1.0, Control(0.0));

  EXPECT_EQ(parts.left_out, p.patterns.patterns.size());
  EXPECT_EQ(parts.S.cols(), 0);
}

}  // namespace
}  // namespace relulift::testing
