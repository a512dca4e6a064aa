// SPDX-License-Identifier: Apache-2.0
// The augmented Lagrangian on ReLU programs over patterns. Point and bound are proved by plain
// loops: a feasible point and a bound that no feasible point of another solver goes below.
#include "src/solvers/pattern_lagrangian.hpp"

#include <gtest/gtest.h>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/solvers/pattern_admm.hpp"
#include "src/solvers/pattern_interior.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/pattern_naive.hpp"

namespace relulift::testing {
namespace {

struct Case {
  Matrix X, Y;
  GatedPatterns gated;
  double g = 0.3;

  ProgramRequest request(double tolerance, Loss loss = Loss::squared) const {
    ProgramOptions options;
    options.tolerance = tolerance;
    options.loss = loss;
    options.outputs = Outputs::one_vs_all;
    return {X, Y, g, gated, options, false, 2000};
  }
};

Case random_case(Index n, Index d, Index gates, Index c, bool labels = false) {
  Random random(11);
  Matrix X = random_matrix(random, n, d);
  Matrix Y = random_matrix(random, n, c);
  if (labels) Y = Y.unaryExpr([](double y) { return y > 0.0 ? 1.0 : -1.0; });
  GatedPatterns gated = patterns_of(X, random_matrix(random, d, gates));
  return {std::move(X), std::move(Y), std::move(gated)};
}
Case one_hot_case() {
  Case in = random_case(60, 3, 15, 3);
  in.Y.setZero();
  for (Index i = 0; i < in.Y.rows(); ++i) in.Y(i, i * i % 3) = 1.0;
  return in;
}

PatternPoint lagrangian(const ProgramRequest& request, SystemSize system = kSystemHost) {
  CpuBackend be;
  LagrangianOptions options;
  options.system = system;
  return PatternLagrangian<CpuBackend>(be, request, options).run(Control(), {});
}
PatternPoint admm(const ProgramRequest& request) {
  CpuBackend be;
  return solve_by_admm(be, request, PatternProgram::relu, kTileHost, Control(), {});
}

// Values by plain loops are those reported, the point is in the cones, the gap is what was asked.
void expect_proof(const Case& in, Loss loss, const PatternPoint& point, double tolerance) {
  const Index c = in.Y.cols();
  const PatternSet& patterns = in.gated.patterns;
  EXPECT_GE(naive_least_in_cones(in.X, patterns, point.V, c), -1e-11);
  EXPECT_GE(naive_least_in_cones(in.X, patterns, point.N, c), -1e-11);
  const Matrix F = naive_scores(in.X, patterns, point.V - point.N, c);
  const double omega = point.V.colwise().norm().sum() + point.N.colwise().norm().sum();
  const double objective = naive_loss(loss, F, in.Y) + in.g * omega;
  EXPECT_NEAR(point.objective, objective, 1e-10 * objective);
  EXPECT_NEAR(point.bound, naive_bound(loss, point.E, in.Y), 1e-9 * objective);
  EXPECT_LE(objective - point.bound, tolerance * objective);
}
// E against directions inside the cones, about the gates: none gains more than g.
void expect_feasible(const Case& in, const Matrix& E) {
  Random random(3);
  Index inside = 0;
  for (Index i = 0; i < in.gated.patterns.size(); ++i) {
    for (int draw = 0; draw < 20; ++draw) {
      Vector u = in.gated.gates.col(i).normalized();
      u += std::pow(0.7, draw) * random_matrix(random, u.size(), 1).col(0);
      const Vector s = in.X * u;
      bool in_cone = true;
      for (Index r = 0; r < s.size(); ++r)
        in_cone = in_cone && (in.gated.patterns.active(r, i) ? s(r) >= 0.0 : s(r) <= 0.0);
      if (!in_cone) continue;
      ++inside;
      for (Index k = 0; k < E.cols(); ++k)
        EXPECT_LE(std::abs(E.col(k).dot(s.cwiseMax(0.0))), in.g * u.norm() * (1.0 + 1e-9));
    }
  }
  EXPECT_GT(inside, in.gated.patterns.size());
}

// X = I and the pattern of all samples: V and N are the shrunk positive parts of y and -y.
TEST(PatternLagrangian, OfTheIdentityIsSoftThresholding) {
  const Index n = 6;
  Matrix Y(n, 1);
  Y << 2.0, -1.0, 0.5, 3.0, -0.2, 0.1;
  const Matrix X = Matrix::Identity(n, n);
  const Case in{X, Y, patterns_of(X, Matrix::Ones(n, 1)), 0.7};
  const Vector plus = Y.col(0).cwiseMax(0.0), minus = (-Y.col(0)).cwiseMax(0.0);
  const Vector v = (1.0 - in.g / plus.norm()) * plus, w = (1.0 - in.g / minus.norm()) * minus;

  const PatternPoint point = lagrangian(in.request(1e-10));

  EXPECT_NEAR(point.objective, in.g * (plus.norm() + minus.norm()) - in.g * in.g, 1e-9);
  EXPECT_LT((point.V.col(0) - v).norm(), 1e-4);  // a gap of 1e-10 is a distance of its root
  EXPECT_LT((point.N.col(0) - w).norm(), 1e-4);
}

TEST(PatternLagrangian, ProvesProgramsOfEverySmoothLossOfEntries) {
  for (const Loss loss : {Loss::squared, Loss::huber}) {
    const Case in = random_case(80, 4, 25, 2);
    const PatternPoint point = lagrangian(in.request(1e-7, loss));
    expect_proof(in, loss, point, 1e-7);
    expect_feasible(in, point.E);
  }
  const Case in = random_case(80, 4, 25, 1, true);
  const PatternPoint point = lagrangian(in.request(1e-7, Loss::logistic));
  expect_proof(in, Loss::logistic, point, 1e-7);
  expect_feasible(in, point.E);
}

TEST(PatternLagrangian, AgreesWithTheInteriorPoint) {
  const Case in = random_case(90, 5, 40, 2);
  CpuBackend be;
  const PatternPoint other =
      PatternInterior<CpuBackend>(be, in.X, in.Y, in.g, in.gated, PatternProgram::relu)
          .solve(1e-9, Control());

  const PatternPoint point = lagrangian(in.request(1e-8));

  EXPECT_NEAR(point.objective, other.objective, 1.2e-8 * other.objective);
  EXPECT_LE(point.bound, other.objective * (1.0 + 1e-12));
  EXPECT_LE(other.bound, point.objective * (1.0 + 1e-12));
}

// The softmax couples outputs. Another method, bounds of its own.
TEST(PatternLagrangian, AgreesWithAlternatingDirectionsOnTheSoftmax) {
  const Case in = one_hot_case();
  const PatternPoint other = admm(in.request(1e-3, Loss::logistic));

  const PatternPoint point = lagrangian(in.request(1e-7, Loss::logistic));

  EXPECT_LE(point.objective - point.bound, 1e-7 * point.objective);
  EXPECT_LE(point.objective, other.objective * (1.0 + 1e-7));
  EXPECT_LE(other.bound, point.objective);
  EXPECT_GE(naive_least_in_cones(in.X, in.gated.patterns, point.V, 3), -1e-11);
  EXPECT_GE(naive_least_in_cones(in.X, in.gated.patterns, point.N, 3), -1e-11);
  expect_feasible(in, point.E);
}

// Few samples: the matrix of the rows. Many: that of the columns, in tiles. Neither fits: along the
// weights.
TEST(PatternLagrangian, EveryMatrixLeadsToTheSameOptimum) {
  const Case wide = random_case(20, 8, 60, 2), tall = random_case(200, 3, 10, 2);
  for (const Case& in : {wide, tall, one_hot_case()}) {
    const Loss loss = in.Y.cols() == 3 ? Loss::logistic : Loss::squared;
    const PatternPoint usual = lagrangian(in.request(1e-6, loss));
    for (const SystemSize system : {SystemSize{6000, 64}, SystemSize{24, 1 << 20}}) {
      const PatternPoint point = lagrangian(in.request(1e-4, loss), system);

      EXPECT_NEAR(point.objective, usual.objective, 2e-4 * usual.objective) << system.max_order;
      EXPECT_LE(point.bound, usual.objective * (1.0 + 1e-12));
    }
  }
}

TEST(PatternLagrangian, RawColumnsOfAnyScaleAreSolved) {
  Case in = random_case(70, 4, 25, 1);
  const Vector scale = (Vector(4) << 1e3, 1.0, 1e-3, 30.0).finished();
  in.X = in.X * scale.asDiagonal();
  in.gated.gates = scale.cwiseInverse().asDiagonal() * in.gated.gates;

  const PatternPoint point = lagrangian(in.request(1e-6));

  expect_proof(in, Loss::squared, point, 1e-6);
}

// Equal rows, zero rows and dependent columns: active rows that span less than they count.
TEST(PatternLagrangian, DegenerateRowsAreSolved) {
  Case in = random_case(40, 4, 15, 1);
  in.X.row(3) = in.X.row(2);
  in.X.row(7) = -2.0 * in.X.row(2);
  in.X.row(11).setZero();
  in.X.col(3) = in.X.col(0) - in.X.col(1);
  Random random(5);
  in.gated = patterns_of(in.X, random_matrix(random, 4, 15));

  const PatternPoint point = lagrangian(in.request(1e-7));

  expect_proof(in, Loss::squared, point, 1e-7);
}

TEST(PatternLagrangian, AnInterruptedSolveReturnsAProvedPair) {
  const Case in = random_case(50, 3, 15, 1);
  for (const int polls : {0, 1, 4}) {
    CpuBackend be;
    int left = polls;
    const Control control(1e9, [&] { return left-- <= 0; });

    const PatternPoint point = solve_by_lagrangian(be, in.request(1e-12), kTileHost, control, {});

    EXPECT_LE(point.iterations, polls);
    expect_proof(in, Loss::squared, point, 1.0);
    expect_feasible(in, point.E);
  }
}

TEST(PatternLagrangian, ObeysTheLimitOfIterationsAndTheCaller) {
  const Case in = random_case(80, 4, 25, 1);
  ProgramRequest request = in.request(1e-12);
  request.max_iterations = 3;
  EXPECT_EQ(lagrangian(request).iterations, 3);

  CpuBackend be;
  Index calls = 0;
  solve_by_lagrangian(be, in.request(1e-12), kTileHost, Control(),
                      [&](const ProgramCheck&) { return ++calls < 4; });
  EXPECT_EQ(calls, 4);
}

TEST(PatternLagrangian, GoesOnFromAnEarlierSolve) {
  const Case in = random_case(80, 4, 25, 1);
  const PatternPoint first = lagrangian(in.request(1e-5));
  ProgramRequest request = in.request(1e-5);
  request.start = first;

  const PatternPoint point = lagrangian(request);

  expect_proof(in, Loss::squared, point, 1e-5);
  EXPECT_LT(point.iterations, first.iterations);
}

}  // namespace
}  // namespace relulift::testing
