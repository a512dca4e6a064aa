// SPDX-License-Identifier: Apache-2.0
// Alternating directions on programs over patterns. Point and bound are proved by plain loops: a
// feasible point and a dual feasible E whose values agree are optimal, whatever found them.
#include "src/solvers/pattern_admm.hpp"

#include <gtest/gtest.h>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/solvers/gated_program.hpp"
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
    return {X, Y, g, gated, options, false, 20'000};
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

PatternPoint admm(const ProgramRequest& request, PatternProgram program) {
  CpuBackend be;
  return solve_by_admm(be, request, program, kTileHost, Control(), {});
}

// Values by plain loops are those reported, E is feasible, and the gap is what was asked for.
void expect_gated_proof(const Case& in, Loss loss, const PatternPoint& point, double tolerance) {
  const Index c = in.Y.cols();
  const Matrix F = naive_scores(in.X, in.gated.patterns, point.V, c);
  const double objective = naive_loss(loss, F, in.Y) + in.g * point.V.colwise().norm().sum();
  EXPECT_NEAR(point.objective, objective, 1e-10 * objective);
  EXPECT_LE(naive_dual_norm(in.X, in.gated.patterns, point.E), in.g * (1.0 + 1e-10));
  EXPECT_NEAR(point.bound, naive_bound(loss, point.E, in.Y), 1e-9 * objective);
  EXPECT_LE(objective - point.bound, tolerance * objective);
}
// The same for cones; E against directions inside them.
void expect_relu_proof(const Case& in, Loss loss, const PatternPoint& point, double tolerance) {
  const Index c = in.Y.cols();
  const PatternSet& patterns = in.gated.patterns;
  EXPECT_GE(naive_least_in_cones(in.X, patterns, point.V, c), -1e-12);
  EXPECT_GE(naive_least_in_cones(in.X, patterns, point.N, c), -1e-12);
  const Matrix F = naive_scores(in.X, patterns, point.V - point.N, c);
  const double omega = point.V.colwise().norm().sum() + point.N.colwise().norm().sum();
  const double objective = naive_loss(loss, F, in.Y) + in.g * omega;
  EXPECT_NEAR(point.objective, objective, 1e-10 * objective);
  EXPECT_NEAR(point.bound, naive_bound(loss, point.E, in.Y), 1e-9 * objective);
  EXPECT_LE(objective - point.bound, tolerance * objective);
  Random random(3);
  Index inside = 0;
  for (Index i = 0; i < patterns.size(); ++i) {
    for (int draw = 0; draw < 20; ++draw) {
      Vector u = in.gated.gates.col(i).normalized();
      u += std::pow(0.7, draw) * random_matrix(random, u.size(), 1).col(0);
      const Vector s = in.X * u;
      bool in_cone = true;
      for (Index r = 0; r < s.size(); ++r)
        in_cone = in_cone && (patterns.active(r, i) ? s(r) >= 0.0 : s(r) <= 0.0);
      if (!in_cone) continue;
      ++inside;
      for (Index k = 0; k < c; ++k)
        EXPECT_LE(std::abs(point.E.col(k).dot(s.cwiseMax(0.0))), in.g * u.norm() * (1.0 + 1e-9));
    }
  }
  EXPECT_GT(inside, patterns.size());
}

// X = I and the pattern of all samples: V and N are the shrunk positive parts of y and -y.
TEST(PatternAdmm, OfTheIdentityIsSoftThresholding) {
  const Index n = 6;
  Matrix Y(n, 1);
  Y << 2.0, -1.0, 0.5, 3.0, -0.2, 0.1;
  const Matrix X = Matrix::Identity(n, n);
  const Case in{X, Y, patterns_of(X, Matrix::Ones(n, 1)), 0.7};
  const Vector plus = Y.col(0).cwiseMax(0.0), minus = (-Y.col(0)).cwiseMax(0.0);
  const Vector v = (1.0 - in.g / plus.norm()) * plus, w = (1.0 - in.g / minus.norm()) * minus;

  const PatternPoint point = admm(in.request(1e-9), PatternProgram::relu);

  EXPECT_NEAR(point.objective, in.g * (plus.norm() + minus.norm()) - in.g * in.g, 1e-8);
  EXPECT_LT((point.V.col(0) - v).norm(), 1e-4);  // a gap of 1e-9 is a distance of its root
  EXPECT_LT((point.N.col(0) - w).norm(), 1e-4);
}

TEST(PatternAdmm, ProvesGatedProgramsOfEveryLossOfEntries) {
  for (const Loss loss : {Loss::squared, Loss::absolute, Loss::huber}) {
    const Case in = random_case(70, 4, 25, 2);
    expect_gated_proof(in, loss, admm(in.request(1e-6, loss), PatternProgram::gated), 1e-6);
  }
  for (const Loss loss : {Loss::hinge, Loss::logistic}) {
    const Case in = random_case(70, 4, 25, 1, true);
    expect_gated_proof(in, loss, admm(in.request(1e-6, loss), PatternProgram::gated), 1e-6);
  }
}

TEST(PatternAdmm, ProvesReluProgramsOfEveryLossOfEntries) {
  for (const Loss loss : {Loss::squared, Loss::absolute, Loss::huber}) {
    const Case in = random_case(50, 3, 20, 2);
    expect_relu_proof(in, loss, admm(in.request(1e-3, loss), PatternProgram::relu), 1e-3);
  }
  for (const Loss loss : {Loss::hinge, Loss::logistic}) {
    const Case in = random_case(50, 3, 20, 1, true);
    expect_relu_proof(in, loss, admm(in.request(1e-3, loss), PatternProgram::relu), 1e-3);
  }
}

// Blocks, features and the softmax: against another method with a bound of its own.
TEST(PatternAdmm, AgreesWithTheProximalGradientMethod) {
  Case in = random_case(60, 4, 20, 3);
  struct Variant {
    Loss loss;
    Outputs outputs;
    Group group;
  };
  for (const Variant v : {Variant{Loss::squared, Outputs::joint, Group::neuron},
                          Variant{Loss::squared, Outputs::one_vs_all, Group::feature},
                          Variant{Loss::logistic, Outputs::one_vs_all, Group::neuron},
                          Variant{Loss::logistic, Outputs::joint, Group::neuron}}) {
    if (v.loss == Loss::logistic) {
      in.Y.setZero();
      for (Index i = 0; i < in.Y.rows(); ++i) in.Y(i, i * i % 3) = 1.0;
    }
    ProgramRequest request = in.request(2e-6, v.loss);
    request.options.outputs = v.outputs;
    request.options.group = v.group;
    CpuBackend be;
    const PatternPoint other = solve_gated(be, request, kTileHost, Control(), {});

    const PatternPoint point = admm(request, PatternProgram::gated);

    EXPECT_NEAR(point.objective, other.objective, 1e-5 * other.objective);
    EXPECT_LE(point.bound, other.objective);
    EXPECT_LE(other.bound, point.objective);
    EXPECT_LE(point.objective - point.bound, 2e-6 * point.objective);
  }
}

TEST(PatternAdmm, FactorAndConjugateGradientsLeadToTheSameOptimum) {
  const Case in = random_case(90, 4, 30, 2);
  for (const PatternProgram program : {PatternProgram::gated, PatternProgram::relu}) {
    const ProgramRequest request = in.request(1e-4);
    AdmmOptions options = admm_options(90, 4, program, kTileHost);
    CpuBackend be;
    const PatternPoint formed = solve_by_admm(be, request, program, options, Control(), {});
    options.system.max_order = 0;

    const PatternPoint free = solve_by_admm(be, request, program, options, Control(), {});

    EXPECT_LE(free.objective - free.bound, 1e-4 * free.objective);
    EXPECT_NEAR(free.objective, formed.objective, 1e-4 * formed.objective);
    EXPECT_LE(free.iterations, 2 * formed.iterations);
  }
}

TEST(PatternAdmm, RawColumnsOfAnyScaleAreSolved) {
  Case in = random_case(70, 4, 25, 1);
  const Vector scale = (Vector(4) << 1e3, 1.0, 1e-3, 30.0).finished();
  in.X = in.X * scale.asDiagonal();
  in.gated.gates = scale.cwiseInverse().asDiagonal() * in.gated.gates;

  const PatternPoint point = admm(in.request(1e-5), PatternProgram::gated);

  expect_gated_proof(in, Loss::squared, point, 1e-5);
}

TEST(PatternAdmm, SinglePrecisionReportsValuesInDouble) {
  const Case in = random_case(70, 4, 25, 2);
  ProgramRequest request = in.request(1e-4);
  request.single_precision = true;

  expect_gated_proof(in, Loss::squared, admm(request, PatternProgram::gated), 2e-4);
}

TEST(PatternAdmm, SinglePrecisionWithConesIsFeasibleInDouble) {
  const Case in = random_case(50, 3, 20, 1);
  ProgramRequest request = in.request(1e-3);
  request.single_precision = true;

  expect_relu_proof(in, Loss::squared, admm(request, PatternProgram::relu), 2e-3);
}

TEST(PatternAdmm, OneVsAllIsASumOverOutputs) {
  const Case both = random_case(50, 3, 15, 2);
  double sum = 0.0;
  for (Index k = 0; k < 2; ++k) {
    Case one = both;
    one.Y = both.Y.col(k);
    sum += admm(one.request(1e-4), PatternProgram::relu).objective;
  }

  const PatternPoint point = admm(both.request(1e-4), PatternProgram::relu);

  EXPECT_NEAR(point.objective, sum, 1e-4 * sum);
}

TEST(PatternAdmm, AnInterruptedSolveReturnsAProvedPair) {
  const Case in = random_case(50, 3, 15, 1);
  for (const int polls : {0, 1, 7, 60}) {
    CpuBackend be;
    int left = polls;
    const Control control(1e9, [&] { return left-- <= 0; });

    const PatternPoint point =
        solve_by_admm(be, in.request(1e-9), PatternProgram::relu, kTileHost, control, {});

    EXPECT_EQ(point.iterations, polls);
    expect_relu_proof(in, Loss::squared, point, 1.0);
  }
}

TEST(PatternAdmm, GoesOnFromAnEarlierSolve) {
  const Case in = random_case(50, 3, 15, 1);
  const PatternPoint first = admm(in.request(1e-3), PatternProgram::relu);
  ProgramRequest request = in.request(1e-9);
  request.start = first;
  request.max_iterations = 1;

  const PatternPoint point = admm(request, PatternProgram::relu);

  EXPECT_LE(point.objective, first.objective * (1.0 + 1e-9));
}

}  // namespace
}  // namespace relulift::testing
