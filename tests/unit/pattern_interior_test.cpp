// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_interior.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <relulift/solve.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/pattern_programs.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

using enum PatternProgram;

PatternPoint solved(const PatternProblem& p, PatternProgram program, double tolerance = 1e-9,
                    const Control& control = Control()) {
  CpuBackend be(1);
  return PatternInterior<CpuBackend>(be, p.X, p.Y, p.g, p.patterns, program)
      .solve(tolerance, control);
}

void expect_closed(const PatternPoint& point, double tolerance) {
  EXPECT_LE(point.bound, point.objective);
  EXPECT_LE(point.objective - point.bound, tolerance * point.objective);
}

// min ||v - y||^2 / 2 + g ||v|| for ||y|| = size.
double shrunk(double size, double g) {
  return size > g ? g * size - 0.5 * g * g : 0.5 * size * size;
}

// X = I and the pattern of all samples: gated is one shrinkage, ReLU one for either sign of y.
TEST(PatternInterior, OptimaOfTheIdentityAreShrinkages) {
  const Matrix X = Matrix::Identity(6, 6);
  Matrix Y(6, 1);
  Y << 1, -2, 3, 0.5, -0.1, 0;
  for (const double g : {0.01, 0.3, 2.5, 10.0}) {
    const PatternProblem p{X, Y, patterns_of(X, Matrix::Ones(6, 1)), g};

    const PatternPoint gated_point = solved(p, gated), relu_point = solved(p, relu);

    const double plus = Y.cwiseMax(0.0).norm(), minus = Y.cwiseMin(0.0).norm();
    EXPECT_NEAR(gated_point.objective, shrunk(Y.norm(), g), 2e-9 * Y.norm()) << g;
    EXPECT_NEAR(relu_point.objective, shrunk(plus, g) + shrunk(minus, g), 2e-9 * Y.norm()) << g;
    EXPECT_EQ(gated_point.V.norm() == 0.0, Y.norm() <= g) << g;
    EXPECT_EQ(relu_point.N.norm() == 0.0, minus <= g) << g;
  }
}

// The subgradient conditions hold at the minimum of a convex program and nowhere else.
TEST(PatternInterior, GatedSolutionSatisfiesTheConditionsOfOptimality) {
  const PatternProblem p = random_patterns(30, 4, 2, 25, 1.0);

  const PatternPoint point = solved(p, gated, 1e-11);

  expect_closed(point, 1e-11);
  EXPECT_NEAR(point.objective, naive_objective(p, point), 1e-10 * point.objective);
  const Matrix residual = p.Y - naive_prediction(p, point);
  int used = 0;
  for (Index i = 0; i < p.patterns.patterns.size(); ++i)
    for (Index k = 0; k < 2; ++k) {
      Vector pull = Vector::Zero(4);
      for (Index r = 0; r < 30; ++r)
        if (p.patterns.patterns.active(r, i)) pull += residual(r, k) * p.X.row(r).transpose();
      EXPECT_LE(pull.norm(), p.g * (1 + 1e-4)) << i;
      const Vector v = point.V.col(2 * i + k);
      if (v.norm() < 1e-4) continue;
      ++used;
      EXPECT_LE((pull - p.g * v.normalized()).norm(), 1e-3 * p.g) << i;
    }
  EXPECT_GT(used, 3);
  EXPECT_LT(used, 50);
}

// A feasible point and a feasible multiplier of the same value prove each other.
TEST(PatternInterior, ReluSolutionAndBoundAreFeasibleByPlainLoops) {
  for (const double g : {0.05, 0.5, 3.0}) {
    PatternProblem p = random_patterns(20, 2, 1, 1, g);
    p.patterns = patterns_of_the_plane(p.X);

    const PatternPoint point = solved(p, relu);

    expect_closed(point, 1e-9);
    EXPECT_GE(least_slack(p, point), -1e-14);
    EXPECT_NEAR(point.objective, naive_objective(p, point), 1e-10 * point.objective);
    EXPECT_NEAR(point.bound, point.E.cwiseProduct(p.Y).sum() - 0.5 * point.E.squaredNorm(),
                1e-10 * point.objective);
    for (Index i = 0; i < p.patterns.patterns.size(); ++i)
      for (const double sign : {1.0, -1.0})
        EXPECT_LE(plane_gain(p.X, p.patterns.patterns, i, sign * point.E), g * (1 + 1e-9)) << i;
  }
}

// Over all patterns the program is the training problem of one output.
TEST(PatternInterior, ReluOptimumOverAllPatternsIsThatOfTraining) {
  for (const Index n : {8, 16, 25}) {
    PatternProblem p = random_patterns(n, 2, 1, 1, 0.2);
    p.patterns = patterns_of_the_plane(p.X);
    const Result trained = solve({.samples = n,
                                  .features = 2,
                                  .outputs = 1,
                                  .X = {p.X.data(), p.X.data() + p.X.size()},
                                  .Y = {p.Y.data(), p.Y.data() + p.Y.size()},
                                  .weight_decay = 0.2},
                                 {.gap = 1e-5, .threads = 1});

    const PatternPoint point = solved(p, relu);

    ASSERT_LE(trained.objective - trained.certificate.lower_bound, 2e-5 * trained.objective);
    EXPECT_LE(point.bound, trained.objective * (1 + 1e-9)) << n;
    EXPECT_GE(point.objective, trained.certificate.lower_bound * (1 - 1e-9)) << n;
  }
}

TEST(PatternInterior, OutputsAreProblemsOfTheirOwn) {
  for (const PatternProgram program : {gated, relu}) {
    const PatternProblem p = random_patterns(25, 3, 3, 12, 0.3);

    const PatternPoint together = solved(p, program);

    double sum = 0.0;
    for (Index k = 0; k < 3; ++k) {
      PatternProblem one = p;
      one.Y = p.Y.col(k);
      sum += solved(one, program).objective;
    }
    EXPECT_NEAR(together.objective, sum, 2e-9 * sum);
    EXPECT_NEAR(naive_objective(p, together), sum, 2e-9 * sum);
  }
}

TEST(PatternInterior, TheOrderOfPatternsDoesNotMatter) {
  for (const PatternProgram program : {gated, relu}) {
    const PatternProblem p = random_patterns(25, 3, 1, 20, 0.2);
    PatternProblem turned = p;
    turned.patterns = patterns_of(p.X, p.patterns.gates.rowwise().reverse());

    EXPECT_NEAR(solved(p, program).objective, solved(turned, program).objective, 1e-8);
  }
}

// First-order methods have no digit after 10,000 iterations on such columns.
TEST(PatternInterior, BadlyScaledColumnsReachEightDigits) {
  Random random(17);
  PatternProblem p = random_patterns(120, 6, 1, 1, 0.1);
  p.X = p.X.cwiseAbs().eval();
  p.X.array().rowwise() *= Eigen::Array<double, 1, 6>{0.1, 800, 1, 30, 5, 100};
  p.patterns = patterns_of(p.X, random_matrix(random, 6, 40));
  ASSERT_GT(p.patterns.patterns.size(), 15);
  for (const PatternProgram program : {gated, relu}) {
    const PatternPoint point = solved(p, program, 1e-8);

    expect_closed(point, 1e-8);
    EXPECT_NEAR(naive_objective(p, point), point.objective, 1e-9 * point.objective);
    if (program == relu) {
      EXPECT_GE(least_slack(p, point), -1e-14);
    }
  }
}

// A zero row costs y_r^2 / 2 whatever the weights; a row that comes twice has twice the weight in
// the loss and adds no cone.
TEST(PatternInterior, ZeroAndRepeatedRowsAreHarmless) {
  const PatternProblem p = random_patterns(20, 3, 1, 15, 0.3);
  PatternProblem more{Matrix::Zero(43, 3), Matrix::Zero(43, 1), p.patterns, p.g};
  more.X << Matrix::Zero(2, 3), p.X, p.X, Matrix::Zero(1, 3);
  more.Y << 3.0, -1.0, p.Y, p.Y, 2.0;
  more.patterns = patterns_of(more.X, p.patterns.gates);
  PatternProblem half = p;
  half.g = 0.15;
  for (const PatternProgram program : {gated, relu}) {
    const PatternPoint once = solved(half, program), twice = solved(more, program);

    EXPECT_NEAR(twice.objective, 2.0 * once.objective + 7.0, 1e-7);
    expect_closed(twice, 1e-9);
    EXPECT_EQ(twice.E(0, 0), 3.0);
    EXPECT_NEAR(naive_objective(more, twice), twice.objective, 1e-9 * twice.objective);
  }
}

TEST(PatternInterior, InterruptionReturnsAFeasiblePointAndATrueBound) {
  for (const PatternProgram program : {gated, relu}) {
    const PatternProblem p = random_patterns(40, 3, 2, 20, 0.1);
    const PatternPoint best = solved(p, program, 1e-10);
    for (const int polls : {0, 1, 3, 7, 12}) {
      int left = polls;
      const Control control(std::numeric_limits<double>::infinity(), [&] { return left-- <= 0; });

      const PatternPoint early = solved(p, program, 1e-10, control);

      EXPECT_LE(early.bound, best.objective * (1 + 1e-12)) << polls;
      EXPECT_GE(early.objective, best.bound * (1 - 1e-12)) << polls;
      EXPECT_NEAR(naive_objective(p, early), early.objective, 1e-10 * early.objective) << polls;
      if (program == relu) {
        EXPECT_GE(least_slack(p, early), -1e-13) << polls;
      }
    }
  }
}

// The gradient n u - K'(1 / Ku) is zero at the analytic centre, whose norm is one.
TEST(PatternInterior, StartsAtTheCentreOfConesWhoseGatesAreAtABorder) {
  PatternProblem p = random_patterns(30, 3, 1, 20, 0.1);
  std::vector<Index> rows(30);
  std::iota(rows.begin(), rows.end(), 0);
  for (Index i = 0; i < p.patterns.gates.cols(); ++i) {
    auto gate = p.patterns.gates.col(i);  // until 1e-6 of its way to the nearest border is left
    const Vector across = p.X.row(0).transpose() / p.X.row(0).squaredNorm();
    double length = std::numeric_limits<double>::infinity();
    for (Index r = 0; r < 30; ++r) {
      const double speed = p.X.row(r).dot(across) / p.X.row(r).dot(gate);
      if (speed > 0.0) length = std::min(length, 1.0 / speed);
    }
    if (std::isfinite(length)) gate -= (1.0 - 1e-6) * length * across;
  }

  const Matrix centres = cone_centres(p.X, rows, p.patterns);

  for (Index i = 0; i < centres.cols(); ++i) {
    Vector pull = Vector::Zero(3);
    for (Index r = 0; r < 30; ++r) {
      const double sign = p.patterns.patterns.active(r, i) ? 1.0 : -1.0;
      const double inside = sign * p.X.row(r).dot(centres.col(i));
      EXPECT_GT(inside, 0.0) << i;
      pull += sign / inside * p.X.row(r).transpose();
    }
    const double scale = pull.norm();
    EXPECT_LE((pull - scale * centres.col(i)).norm(), 0.5 * scale) << i;
  }
}

// Opposite rows and a gate on their border: the cone is a half-line.
TEST(PatternInterior, ConesWithoutInteriorLeaveBothEndsTrue) {
  PatternProblem p = random_patterns(12, 2, 1, 1, 0.1);
  p.X.row(0) << 1.0, 0.0;
  p.X.row(1) << -2.0, 0.0;
  p.patterns = patterns_of_the_plane(p.X);
  const double before = solved(p, relu).objective;
  Matrix gates(2, p.patterns.gates.cols() + 2);
  gates << p.patterns.gates, Matrix{{0.0, 0.0}, {1.0, -1.0}};
  p.patterns = patterns_of(p.X, gates);
  ASSERT_EQ(p.patterns.gates.cols(), gates.cols());

  const PatternPoint point = solved(p, relu);

  // A half-line is a part of two cones that are there, so the optimum is what it was.
  EXPECT_LE(point.bound, before);
  EXPECT_GE(point.objective, before * (1 - 2e-9));
  EXPECT_LE(point.objective, before * 1.01);
  EXPECT_GE(least_slack(p, point), -1e-13);
}

TEST(PatternInterior, TargetsThatAreZeroNeedNothing) {
  PatternProblem p = random_patterns(10, 2, 2, 5, 0.1);
  p.Y.setZero();
  for (const PatternProgram program : {gated, relu}) {
    const PatternPoint point = solved(p, program);

    EXPECT_EQ(point.objective, 0.0);
    EXPECT_EQ(point.bound, 0.0);
    EXPECT_EQ(point.V.norm(), 0.0);
  }
}

// Neither host access to device memory nor a leading dimension taken for the number of rows.
TEST(PatternInterior, WorksOnADevice) {
  for (const PatternProgram program : {gated, relu}) {
    const PatternProblem p = random_patterns(35, 3, 1, 10, 0.2);
    StrictBackend be;

    const PatternPoint strict =
        PatternInterior<StrictBackend>(be, p.X, p.Y, p.g, p.patterns, program)
            .solve(1e-9, Control());

    EXPECT_NEAR(strict.objective, solved(p, program).objective, 2e-9 * strict.objective);
    expect_closed(strict, 1e-9);
  }
}

}  // namespace
}  // namespace relulift::testing
