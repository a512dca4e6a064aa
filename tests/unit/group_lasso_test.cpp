// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/group_lasso.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

struct Lasso {
  Matrix X, Y, S;
  double g = 0.1;
};

Lasso random_lasso(Index n, Index d, Index c, Index k, double g) {
  Random random(static_cast<std::uint64_t>(n + 10 * d + 100 * c + 1000 * k));
  Lasso p{random_matrix(random, n, d), random_matrix(random, n, c), random_matrix(random, d, k), g};
  p.S = p.S.colwise().normalized().eval();
  return p;
}

GroupLassoPoint solved(const Lasso& p, double tolerance, const GroupLassoPoint& start = {},
                       const Control& control = Control()) {
  CpuBackend be(1);
  return GroupLasso<CpuBackend>(be, p.X, p.Y, p.g, p.S).solve(start, tolerance, control);
}

// (x_i's_j)_+ by plain loops.
double activation(const Lasso& p, Index i, Index j) {
  double z = 0;
  for (Index l = 0; l < p.X.cols(); ++l) z += p.X(i, l) * p.S(l, j);
  return z > 0 ? z : 0;
}

// E'a_j of the residual Y - A W, and the objective, by plain loops.
struct Residual {
  Matrix pull;  // k x c
  double objective = 0;
};
Residual residual_of(const Lasso& p, const Matrix& W) {
  Residual out{Matrix::Zero(p.S.cols(), p.Y.cols())};
  for (Index i = 0; i < p.X.rows(); ++i)
    for (Index o = 0; o < p.Y.cols(); ++o) {
      double r = p.Y(i, o);
      for (Index j = 0; j < p.S.cols(); ++j) r -= activation(p, i, j) * W(j, o);
      out.objective += 0.5 * r * r;
      for (Index j = 0; j < p.S.cols(); ++j) out.pull(j, o) += activation(p, i, j) * r;
    }
  for (Index j = 0; j < p.S.cols(); ++j) out.objective += p.g * W.row(j).norm();
  return out;
}

// The subgradient conditions of a convex program: they hold at its minimum and nowhere else.
TEST(GroupLasso, SolutionSatisfiesTheConditionsOfOptimality) {
  for (const Index c : {1, 2, 3}) {
    const Lasso p = random_lasso(20, 3, c, 40, 0.5);

    const GroupLassoPoint point = solved(p, 1e-11);

    const Residual at = residual_of(p, point.W);
    EXPECT_NEAR(point.objective, at.objective, 1e-10 * at.objective);
    EXPECT_LE(point.bound, at.objective * (1 + 1e-12));
    EXPECT_LE(at.objective - point.bound, 2e-11 * at.objective);
    int active = 0;
    for (Index j = 0; j < p.S.cols(); ++j) {
      EXPECT_LE(at.pull.row(j).norm(), p.g * (1 + 1e-4)) << j;
      const double size = point.W.row(j).norm();
      if (size < 1e-4) continue;
      ++active;
      EXPECT_LE((at.pull.row(j) - p.g * point.W.row(j) / size).norm(), 1e-3 * p.g) << j;
    }
    EXPECT_GT(active, 2);
    EXPECT_LT(active, 40);
  }
}

// One direction: W = a'Y (1 - g/||a'Y||)_+ / ||a||^2.
TEST(GroupLasso, OneDirectionHasItsClosedForm) {
  const Lasso p{Matrix::Identity(2, 2), (Matrix(2, 2) << 3, 0, 0, 4).finished(),
                Vector::Constant(2, std::sqrt(0.5)), 1.0};
  // a = (1, 1)/sqrt 2, a'Y = (3, 4)/sqrt 2 of norm 5/sqrt 2.
  const double shrink = 1.0 - std::sqrt(2.0) / 5.0;

  const GroupLassoPoint point = solved(p, 1e-12);

  EXPECT_NEAR(point.W(0, 0), 3.0 / std::sqrt(2.0) * shrink, 1e-5);
  EXPECT_NEAR(point.W(0, 1), 4.0 / std::sqrt(2.0) * shrink, 1e-5);
  EXPECT_NEAR(point.objective, 12.5 - 0.5 * std::pow(5.0 / std::sqrt(2.0) - 1.0, 2), 1e-10);
}

TEST(GroupLasso, ZeroIsTheAnswerWhereNoDirectionPays) {
  Lasso p = random_lasso(10, 2, 2, 5, 1e3);

  const GroupLassoPoint point = solved(p, 1e-9);

  EXPECT_NEAR(point.objective, 0.5 * p.Y.squaredNorm(), 1e-8 * point.objective);
  EXPECT_LT(point.W.norm(), 1e-6);
}

// Copies of a direction share its weight: the value is that without them. Coordinate descent and
// normal equations of W alone are singular here.
TEST(GroupLasso, NearlyParallelDirectionsDoNoHarm) {
  const Lasso p = random_lasso(15, 3, 2, 12, 0.3);
  Lasso q = p;
  q.S.resize(3, 36);
  Random random(4);
  q.S << p.S, p.S, p.S + 1e-9 * random_matrix(random, 3, 12);

  const GroupLassoPoint once = solved(p, 1e-10), thrice = solved(q, 1e-10);

  EXPECT_NEAR(once.objective, thrice.objective, 1e-7 * once.objective);
  EXPECT_LE(thrice.steps, 30);  // 14 when written
}

// (X, Y, g) -> (a X, b Y, a b g): the same W times b/a, the objective times b^2.
TEST(GroupLasso, UnitsDoNotMatter) {
  const Lasso p = random_lasso(12, 3, 2, 10, 0.2);
  for (const double a : {1e-40, 1.0, 1e30}) {
    for (const double b : {1e-50, 1e20}) {
      const Lasso q{a * p.X, b * p.Y, p.S, a * b * p.g};

      const GroupLassoPoint one = solved(p, 1e-8), other = solved(q, 1e-8);

      EXPECT_NEAR(other.objective / (b * b), one.objective, 1e-7 * one.objective) << a << ' ' << b;
      EXPECT_LE((other.W * (a / b) - one.W).norm(), 1e-4 * one.W.norm()) << a << ' ' << b;
    }
  }
}

TEST(GroupLasso, AnyStartAndAnyStopLeaveAValidPair) {
  const Lasso p = random_lasso(20, 3, 2, 30, 0.2);
  const double best = solved(p, 1e-10).objective;
  const GroupLassoPoint rough = solved(p, 1e-2);

  for (const int polls : {0, 1, 3}) {
    int left = polls;
    const GroupLassoPoint point =
        solved(p, 1e-10, rough, Control(1e300, [&] { return left-- <= 0; }));

    EXPECT_LE(point.bound, best * (1 + 1e-9));
    EXPECT_GE(residual_of(p, point.W).objective, best * (1 - 1e-9));
    EXPECT_NEAR(residual_of(p, point.W).objective, point.objective, 1e-9 * best);
  }
  EXPECT_NEAR(solved(p, 1e-10, rough).objective, best, 1e-9 * best);
}

}  // namespace
}  // namespace relulift::testing
