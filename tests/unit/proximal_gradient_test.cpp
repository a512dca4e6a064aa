// SPDX-License-Identifier: Apache-2.0
// The proximal gradient method against the interior point, plain loops and conditions of
// optimality; its prox against the problems that define them.
#include "src/solvers/proximal_gradient.hpp"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/patterns/sample.hpp"
#include "src/solvers/gated_program.hpp"
#include "src/solvers/pattern_interior.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

struct Case {
  Matrix X, Y;
  GatedPatterns gated;
};

Case random_case(std::uint64_t seed, Index n, Index d, Index c, Index gates) {
  Random random(seed);
  Case out{random_matrix(random, n, d), random_matrix(random, n, c), GatedPatterns(n)};
  out.gated = patterns_of(out.X, gaussian_gates(d, gates, seed));
  return out;
}

PatternPoint solved(const Case& data, double g, const ProgramOptions& options,
                    bool single = false) {
  CpuBackend be;
  const ProgramRequest request{.X = data.X,
                               .Y = data.Y,
                               .weight_decay = g,
                               .gated = data.gated,
                               .options = options,
                               .single_precision = single};
  return solve_gated(be, request, kTileHost, Control(60.0), {});
}

Matrix predictions(const Case& data, const Matrix& W) {
  const Index c = data.Y.cols();
  Matrix f = Matrix::Zero(data.X.rows(), c);
  for (Index i = 0; i < data.gated.patterns.size(); ++i)
    for (Index r = 0; r < data.X.rows(); ++r)
      if (data.gated.patterns.active(r, i)) f.row(r) += data.X.row(r) * W.middleCols(i * c, c);
  return f;
}

double columns_norm(const Matrix& W) { return W.colwise().norm().sum(); }
double rows_norm(const Matrix& W) { return W.rowwise().norm().sum(); }
double nuclear_norm(const Matrix& W, Index c) {
  double sum = 0.0;
  for (Index i = 0; i * c < W.cols(); ++i)
    sum += Eigen::JacobiSVD<Matrix>(W.middleCols(i * c, c)).singularValues().sum();
  return sum;
}

TEST(ProximalGradient, AgreesWithTheInteriorPoint) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Case data = random_case(seed, 40, 5, 2, 30);
    CpuBackend be;
    const PatternPoint interior =
        PatternInterior<CpuBackend>(be, data.X, data.Y, 0.7, data.gated, PatternProgram::gated)
            .solve(1e-9, Control(60.0));

    const PatternPoint point =
        solved(data, 0.7, {.outputs = Outputs::one_vs_all, .tolerance = 1e-8});

    EXPECT_NEAR(point.objective, interior.objective, 2e-8 * interior.objective);
    EXPECT_LE(point.bound, interior.objective * (1.0 + 1e-9));
    EXPECT_LE(interior.bound, point.objective * (1.0 + 1e-12));
  }
}

TEST(ProximalGradient, StatesTheObjectiveOfWhatItReturns) {
  const Case data = random_case(4, 30, 4, 3, 20);
  const double g = 0.5;

  const PatternPoint neurons = solved(data, g, {.outputs = Outputs::one_vs_all});
  const PatternPoint blocks = solved(data, g, {.outputs = Outputs::joint});
  const PatternPoint features = solved(data, g, {.group = Group::feature});

  const auto loss = [&](const PatternPoint& point) {
    return 0.5 * (predictions(data, point.V) - data.Y).squaredNorm();
  };
  EXPECT_NEAR(neurons.objective, loss(neurons) + g * columns_norm(neurons.V), 1e-9);
  EXPECT_NEAR(blocks.objective, loss(blocks) + g * nuclear_norm(blocks.V, 3), 1e-6);
  EXPECT_NEAR(features.objective, loss(features) + g * rows_norm(features.V), 1e-9);
  // A neuron that may serve several outputs can do all that others can.
  EXPECT_LT(blocks.objective, neurons.objective);
}

// E proves <E,Y> - ||E||^2/2 when its dual norms are at most g: recomputed by plain loops.
TEST(ProximalGradient, ItsDualPointProvesItsBoundForEveryPenalty) {
  const Case data = random_case(5, 30, 4, 3, 20);
  const double g = 0.5;
  for (const ProgramOptions& options :
       {ProgramOptions{.outputs = Outputs::one_vs_all}, ProgramOptions{.outputs = Outputs::joint},
        ProgramOptions{.group = Group::feature}}) {
    const PatternPoint point = solved(data, g, options);

    Matrix pulls(4, 3 * data.gated.patterns.size());
    double most = 0.0;
    for (Index i = 0; i < data.gated.patterns.size(); ++i) {
      Matrix A = data.X;
      for (Index r = 0; r < 30; ++r)
        if (!data.gated.patterns.active(r, i)) A.row(r).setZero();
      const Matrix pull = A.transpose() * point.E;
      pulls.middleCols(3 * i, 3) = pull;
      most = std::max(most, options.outputs == Outputs::joint
                                ? Eigen::JacobiSVD<Matrix>(pull).singularValues()[0]
                                : pull.colwise().norm().maxCoeff());
    }
    if (options.group == Group::feature) most = pulls.rowwise().norm().maxCoeff();
    EXPECT_LE(most, g * (1.0 + 1e-12));
    EXPECT_NEAR(point.bound, point.E.cwiseProduct(data.Y).sum() - 0.5 * point.E.squaredNorm(),
                1e-10);
    EXPECT_LE(point.objective - point.bound, 1e-6 * point.objective);
    EXPECT_LE(point.bound, point.objective);
  }
}

TEST(ProximalGradient, ColumnsOfAnyScaleDoNoHarm) {
  Case data = random_case(6, 60, 4, 1, 25);
  data.X.col(0) *= 1e3;
  data.X.col(1) *= 1e-3;
  data.X.col(3) = data.X.col(2) + 1e-3 * data.X.col(3);
  data.gated = patterns_of(data.X, gaussian_gates(4, 60, 6));

  const PatternPoint point = solved(data, 0.3, {.tolerance = 1e-6});

  EXPECT_LE(point.objective - point.bound, 1e-6 * point.objective);
  EXPECT_LE(point.iterations, 20'000);
}

TEST(ProximalGradient, SinglePrecisionEndsInValuesThatAreTrueInDouble) {
  const Case data = random_case(7, 50, 5, 2, 30);
  const PatternPoint exact = solved(data, 0.5, {.outputs = Outputs::one_vs_all, .tolerance = 1e-9});

  const PatternPoint point =
      solved(data, 0.5, {.outputs = Outputs::one_vs_all, .tolerance = 1e-4}, /*single=*/true);

  EXPECT_NEAR(
      point.objective,
      0.5 * (predictions(data, point.V) - data.Y).squaredNorm() + 0.5 * columns_norm(point.V),
      1e-10 * point.objective);
  EXPECT_GE(point.objective, exact.bound);
  EXPECT_LE(point.bound, exact.objective);
  EXPECT_LE(point.objective - point.bound, 3e-4 * point.objective);
}

// No bound may exceed the value of any W, and the gap closes.
TEST(ProximalGradient, SmoothLossesEndInACertifiedGap) {
  Case binary = random_case(8, 40, 3, 1, 20), classes = random_case(9, 40, 3, 3, 20);
  for (double& y : binary.Y.reshaped()) y = y > 0.0 ? 1.0 : -1.0;
  for (Index r = 0; r < 40; ++r) {
    Index top = 0;
    classes.Y.row(r).maxCoeff(&top);
    classes.Y.row(r).setZero();
    classes.Y(r, top) = 1.0;
  }
  const auto value = [](const Case& data, const Matrix& W, Loss loss, double g) {
    const Matrix f = predictions(data, W);
    const auto entries = static_cast<std::size_t>(f.size());
    return loss_value(loss, std::span(f.data(), entries), std::span(data.Y.data(), entries),
                      f.rows(), f.cols(), 0.3) +
           g * columns_norm(W);
  };
  const double g = 0.4;
  for (const auto& [data, loss] : {std::pair{&binary, Loss::logistic},
                                   {&classes, Loss::logistic},
                                   {&binary, Loss::huber},
                                   {&classes, Loss::huber}}) {
    const PatternPoint point = solved(
        *data, g,
        {.outputs = Outputs::one_vs_all, .loss = loss, .huber_delta = 0.3, .tolerance = 1e-7});

    EXPECT_LE(point.objective - point.bound, 1e-7 * point.objective);
    EXPECT_NEAR(point.objective, value(*data, point.V, loss, g), 1e-9);
    Random random(10);
    for (int k = 0; k < 20; ++k) {
      const Matrix W = point.V + 1e-2 * random_matrix(random, point.V.rows(), point.V.cols());
      EXPECT_GE(value(*data, W, loss, g), point.bound);
    }
  }
}

TEST(ProximalGradient, ALargeWeightDecayLeavesNothing) {
  const Case data = random_case(11, 20, 3, 2, 10);

  const PatternPoint point = solved(data, 1e4, {});

  EXPECT_EQ(point.V.norm(), 0.0);
  EXPECT_NEAR(point.objective, 0.5 * data.Y.squaredNorm(), 1e-12);
  EXPECT_NEAR(point.bound, point.objective, 1e-9);
}

TEST(ProximalGradient, AnInterruptedRunReturnsAValidPair) {
  const Case data = random_case(12, 40, 5, 1, 40);
  CpuBackend be;
  const ProgramRequest request{
      .X = data.X, .Y = data.Y, .weight_decay = 0.01, .gated = data.gated, .options = {}};

  const PatternPoint point = solve_gated(be, request, kTileHost, Control(60.0),
                                         [](const ProgramCheck& at) { return at.iteration < 3; });

  EXPECT_EQ(point.iterations, 3);
  EXPECT_LE(point.bound, point.objective);
  EXPECT_NEAR(
      point.objective,
      0.5 * (predictions(data, point.V) - data.Y).squaredNorm() + 0.01 * columns_norm(point.V),
      1e-9);
}

// ---- The prox of groups in a diagonal metric ----

// min 1/2 ||w - a||_M^2 + t ||w|| has the condition m (w - a) + t w / ||w|| = 0, or ||m a|| <= t.
TEST(NeuronPenalty, ItsProxSatisfiesTheConditionOfOptimality) {
  CpuBackend be;
  Random random(13);
  const Index d = 6, columns = 50;
  const Matrix A = random_matrix(random, d, columns);
  Vector metric(d);
  for (Index j = 0; j < d; ++j) metric[j] = std::pow(10.0, static_cast<double>(j - 4));
  auto a = be.matrix(d, columns), zero = be.matrix(d, columns), w = be.matrix(d, columns);
  auto scalars = be.slots(2), m = be.slots(d);
  upload(be, A, a.view());
  be.upload(std::span<const double>(metric.data(), 6), m[0]);
  be.launch({1}, kernels::SetSlot{scalars[0], 1.0});
  be.launch({1}, kernels::SetSlot{scalars[1], 0.4});
  NeuronPenalty<CpuBackend, double> penalty(be, d, columns, 1, scalars[1]);

  penalty.prox({a.view(), zero.view(), m[0].address, scalars[0]}, metric.maxCoeff(), w.view());

  Matrix W(d, columns);
  fetch(be, w.view(), W);
  Index vanished = 0;
  for (Index j = 0; j < columns; ++j) {
    const Vector pull = metric.cwiseProduct(A.col(j) - W.col(j));
    if (W.col(j).norm() == 0.0) {
      ++vanished;
      EXPECT_LE(metric.cwiseProduct(A.col(j)).norm(), 0.4);
    } else {
      EXPECT_LE((pull - 0.4 * W.col(j).normalized()).norm(), 1e-12);
    }
  }
  EXPECT_GT(vanished, 0);
  EXPECT_LT(vanished, columns);
}

TEST(NuclearPenalty, ItsProxShrinksSingularValues) {
  CpuBackend be;
  Random random(14);
  const Index d = 5, c = 3, blocks = 20;
  Matrix A = random_matrix(random, d, c * blocks);
  A.leftCols(c).setZero();
  A.middleCols(c, c).rightCols(2).setZero();  // rank one
  auto a = be.matrix(d, c * blocks), zero = be.matrix(d, c * blocks), w = be.matrix(d, c * blocks);
  auto scalars = be.slots(4), m = be.slots(d);
  upload(be, A, a.view());
  const Vector metric = Vector::Constant(d, 2.0);
  be.upload(std::span<const double>(metric.data(), 5), m[0]);
  be.launch({1}, kernels::SetSlot{scalars[0], 1.0});
  be.launch({1}, kernels::SetSlot{scalars[1], 1.5});
  NuclearPenalty<CpuBackend, double> penalty(be, d, c * blocks, c, scalars[1]);

  penalty.prox({a.view(), zero.view(), m[0].address, scalars[0]}, 2.0, w.view());
  penalty.value(w.view(), scalars[2]);
  penalty.dual(a.view(), scalars[3]);

  Matrix W(d, c * blocks);
  fetch(be, w.view(), W);
  double sum = 0.0, largest = 0.0;
  for (Index i = 0; i < blocks; ++i) {
    const Eigen::JacobiSVD<Matrix> svd(A.middleCols(i * c, c),
                                       Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Vector shrunk = (svd.singularValues().array() - 0.75).cwiseMax(0.0);
    const Matrix expected = svd.matrixU() * shrunk.asDiagonal() * svd.matrixV().transpose();
    EXPECT_LE((W.middleCols(i * c, c) - expected).norm(), 1e-7);
    sum += shrunk.sum();
    largest = std::max(largest, svd.singularValues()[0]);
  }
  EXPECT_NEAR(scalars[2].get(), sum, 1e-6);
  EXPECT_NEAR(scalars[3].get(), largest, 1e-12);
}

// ---- NaN proves nothing ----

template <class Penalty>
void expect_nan_of_nan() {
  CpuBackend be;
  Random random(15);
  for (const Index at : {0, 7, 23}) {
    Matrix A = random_matrix(random, 4, 6);
    auto a = be.matrix(4, 6);
    auto scalars = be.slots(3);
    Penalty penalty(be, 4, 6, 2, scalars[0]);
    upload(be, A, a.view());
    penalty.value(a.view(), scalars[1]);
    penalty.dual(a.view(), scalars[2]);
    EXPECT_GT(scalars[1].get(), scalars[2].get());

    A.reshaped()[at] = std::numeric_limits<double>::quiet_NaN();
    upload(be, A, a.view());
    penalty.value(a.view(), scalars[1]);
    penalty.dual(a.view(), scalars[2]);

    EXPECT_TRUE(std::isnan(scalars[1].get())) << at;
    EXPECT_TRUE(std::isnan(scalars[2].get())) << at;
    EXPECT_TRUE(std::isnan(kernels::dual_factor(1.0, scalars[2].get())));
  }
}

TEST(Penalties, AreNaNWhereverThereIsOne) {
  expect_nan_of_nan<NeuronPenalty<CpuBackend, double>>();
  expect_nan_of_nan<FeaturePenalty<CpuBackend, double>>();
  expect_nan_of_nan<NuclearPenalty<CpuBackend, double>>();
}

TEST(Penalties, ADualFactorMakesANormFit) {
  EXPECT_EQ(kernels::dual_factor(2.0, 1.9), 1.0);
  EXPECT_EQ(kernels::dual_factor(2.0, 2.0), 1.0);
  EXPECT_EQ(kernels::dual_factor(2.0, 8.0), 0.25);
  EXPECT_EQ(kernels::dual_factor(2.0, HUGE_VAL), 0.0);
}

template <template <class, class> class Penalty>
void expect_nothing_certified(const Case& data) {
  CpuBackend be;
  const Index columns = data.gated.patterns.size() * data.Y.cols();
  const MetricBasis basis = uniform(be, data.X);
  PatternPoint start;
  start.V = Matrix::Zero(data.X.cols(), columns);
  start.V(1, columns - 1) = std::numeric_limits<double>::quiet_NaN();
  using Method = ProximalGradient<CpuBackend, double, kernels::AnyLoss<double>, Penalty>;
  const auto method = [&] {
    return Method(be, data.X, data.Y, 0.5, data.gated.patterns, basis.metric, {}, {});
  };
  const double infinity = std::numeric_limits<double>::infinity();

  for (const PatternPoint& point :
       {method().evaluate(start), method().run(start, Control(60.0), {})}) {
    EXPECT_EQ(point.objective, infinity);
    EXPECT_EQ(point.bound, -infinity);
  }
}

TEST(ProximalGradient, APointWithNaNHasNoObjectiveAndNoBound) {
  const Case data = random_case(16, 30, 4, 2, 12);
  expect_nothing_certified<NeuronPenalty>(data);
  expect_nothing_certified<FeaturePenalty>(data);
  expect_nothing_certified<NuclearPenalty>(data);
}

}  // namespace
}  // namespace relulift::testing
