// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/train_objective.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/core/random.hpp"
#include "src/solvers/lbfgs.hpp"
#include "src/solvers/train_setup.hpp"

namespace relulift {
namespace {

Matrix random_matrix(Random& random, Index r, Index c) {
  Matrix m(r, c);
  for (Index j = 0; j < c; ++j)
    for (Index i = 0; i < r; ++i) m(i, j) = random.normal();
  return m;
}

ReducedProblem random_reduced(Random& random, Index n, Index d, Index c) {
  ReducedProblem p;
  p.X = random_matrix(random, n, d);
  p.X.col(0) *= 30.0;  // badly scaled on purpose
  p.Y = random_matrix(random, n, c);
  p.Y_beta.resize(0, c);
  p.weight_decay = 0.3;
  return p;
}

struct Evaluation {
  Vector values;
  Matrix gradient;
};

Evaluation evaluate(const TrainCoordinates& at, const Matrix& P, Index starts, double eps) {
  CpuBackend be;
  SmoothedObjective<CpuBackend> f(be, at.samples, P.cols(), starts);
  f.shape(P.cols() / starts, starts);
  f.set_smoothing(eps);
  auto p = be.matrix(P.rows(), P.cols()), g = be.matrix(P.rows(), P.cols());
  auto values = be.slots(starts);
  be.upload({P.data(), static_cast<std::size_t>(P.size())}, p.view());
  f.evaluate(p.view(), g.view(), values[0]);
  Evaluation e{Vector(starts), Matrix(P.rows(), P.cols())};
  be.fetch(values[0], {e.values.data(), static_cast<std::size_t>(starts)});
  be.fetch(g.view(), {e.gradient.data(), static_cast<std::size_t>(P.size())});
  return e;
}

// [eq:smooth] written out: plain loops over one network in the original coordinates.
double naive(const ReducedProblem& p, const Weights& w, double eps) {
  double J = 0.0;
  for (Index i = 0; i < p.n(); ++i) {
    Vector out = Vector::Zero(p.c());
    for (Index j = 0; j < w.neurons(); ++j) {
      const double z = p.X.row(i).dot(w.U.col(j));
      const double h = eps * p.X.row(i).norm() * w.U.col(j).norm();
      const double a = z >= h ? z : (z <= -h ? 0.0 : (z + h) * (z + h) / (4.0 * h));
      out += a * w.V.col(j);
    }
    J += 0.5 * (out - p.Y.row(i).transpose()).squaredNorm();
  }
  return J + 0.5 * p.weight_decay * (w.U.squaredNorm() + w.V.squaredNorm());
}

class SmoothedObjectiveAt : public testing::TestWithParam<double> {};

TEST_P(SmoothedObjectiveAt, IsTheRoundedObjectiveOfEachStart) {
  Random random(3);
  const ReducedProblem p = random_reduced(random, 31, 4, 3);
  const TrainCoordinates at = train_coordinates(p, 0.5);
  const Weights a{random_matrix(random, 4, 5), random_matrix(random, 3, 5)};
  const Weights b{random_matrix(random, 4, 5), random_matrix(random, 3, 5)};
  Matrix P(7, 10);
  P << at.parameters(a), at.parameters(b);

  const Evaluation e = evaluate(at, P, 2, GetParam());

  EXPECT_NEAR(e.values[0], naive(p, a, GetParam()), 1e-11 * e.values[0]);
  EXPECT_NEAR(e.values[1], naive(p, b, GetParam()), 1e-11 * e.values[1]);
}

TEST_P(SmoothedObjectiveAt, GradientAgreesWithCentralDifferences) {
  Random random(4);
  const ReducedProblem p = random_reduced(random, 40, 3, 2);
  const TrainCoordinates at = train_coordinates(p, 0.5);
  const Matrix P = at.parameters({random_matrix(random, 3, 6), random_matrix(random, 2, 6)});

  const Evaluation e = evaluate(at, P, 1, GetParam());

  const double step = 1e-6;
  for (Index j = 0; j < P.cols(); ++j) {
    for (Index i = 0; i < P.rows(); ++i) {
      Matrix up = P, down = P;
      up(i, j) += step;
      down(i, j) -= step;
      const double slope =
          (naive(p, at.weights(up), GetParam()) - naive(p, at.weights(down), GetParam())) /
          (2.0 * step);
      // Rounding of J / step, and the jump of the second derivative.
      EXPECT_NEAR(e.gradient(i, j), slope, 1e-5 * (1.0 + e.gradient.cwiseAbs().maxCoeff()))
          << i << ' ' << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rounding, SmoothedObjectiveAt, testing::Values(0.0, 0.01, 0.3));

TEST(TrainCoordinates, MapsBackExactly) {
  Random random(5);
  const ReducedProblem p = random_reduced(random, 20, 4, 2);
  const TrainCoordinates at = train_coordinates(p, 1.0);
  const Weights w{random_matrix(random, 4, 3), random_matrix(random, 2, 3)};

  const Weights back = at.weights(at.parameters(w));

  EXPECT_LT((back.U - w.U).norm(), 1e-12 * w.U.norm());
  EXPECT_EQ(back.V, w.V);
}

// sum_s 1/2 sum_i h_i (x_i - 1 - s)^2: columns are the variables.
template <Backend B>
class Quadratic {
 public:
  explicit Quadratic(B& be) : be_(be) {}
  struct Value {
    MatrixView<const double> P;
    Index neurons, start;
    static RELULIFT_HD double curvature(Index j) { return 1.0 + 100.0 * j * j; }
    RELULIFT_HD double operator()(Index i, Index j) const {
      const double x = P(i, start * neurons + j) - 1.0 - start;
      return 0.5 * curvature(j) * x * x;
    }
  };
  struct Gradient {
    MatrixView<const double> P;
    MatrixView<double> G;
    Index neurons;
    RELULIFT_HD void operator()(Index i, Index j) const {
      G(i, j) = Value::curvature(j % neurons) * (P(i, j) - 1.0 - static_cast<double>(j / neurons));
    }
  };
  Index rows() const { return 1; }
  void shape(Index neurons, Index starts) {
    neurons_ = neurons;
    starts_ = starts;
  }
  void evaluate(MatrixView<const double> P, MatrixView<double> G, Slot values) {
    for (Index s = 0; s < starts_; ++s) {
      be_.sum({1, neurons_}, Value{P, neurons_, s}, Slot{values.address + s});
    }
    be_.launch({1, neurons_ * starts_}, Gradient{P, G, neurons_});
  }

 private:
  B& be_;
  Index neurons_ = 0, starts_ = 0;
};

TEST(Lbfgs, MinimisesSeveralIllConditionedQuadraticsAtOnce) {
  CpuBackend be;
  Quadratic<CpuBackend> f(be);
  Lbfgs<CpuBackend, Quadratic<CpuBackend>> lbfgs(be, f, 40, 2);

  lbfgs.begin(Matrix::Zero(1, 40), 2);
  lbfgs.advance(150, [] { return false; });

  const Matrix x = lbfgs.point(), state = lbfgs.state();
  EXPECT_LT((x.leftCols(20).array() - 1.0).abs().maxCoeff(), 1e-5);
  EXPECT_LT((x.rightCols(20).array() - 2.0).abs().maxCoeff(), 1e-5);
  EXPECT_LT(state(kernels::kValue, 0), 1e-7);
  EXPECT_LT(state(kernels::kValue, 1), 1e-7);
}

// Few pairs and directions of seven digits cost steps, not the minimum.
TEST(Lbfgs, ABasisInFloatReachesTheSameMinimum) {
  CpuBackend be;
  Quadratic<CpuBackend> f(be);
  for (const Index pairs : {5, 12}) {
    Lbfgs<CpuBackend, Quadratic<CpuBackend>, float> lbfgs(be, f, 40, 2, pairs);

    lbfgs.begin(Matrix::Zero(1, 40), 2);
    lbfgs.advance(2000, [] { return false; });

    const Matrix x = lbfgs.point(), state = lbfgs.state();
    EXPECT_LT((x.leftCols(20).array() - 1.0).abs().maxCoeff(), 1e-6) << pairs;
    EXPECT_LT((x.rightCols(20).array() - 2.0).abs().maxCoeff(), 1e-6) << pairs;
  }
}

}  // namespace
}  // namespace relulift
