// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/train_setup.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "src/solvers/polish.hpp"

namespace relulift {

Matrix TrainCoordinates::parameters(const Weights& w) const {
  const Index d = rotation.rows();
  Matrix p(d + w.V.rows(), w.neurons());
  p.topRows(d) = samples.scale.cwiseInverse().asDiagonal() * (rotation.transpose() * w.U);
  p.bottomRows(w.V.rows()) = w.V;
  return p;
}

Weights TrainCoordinates::weights(const Matrix& p) const {
  const Index d = rotation.rows();
  return {rotation * (samples.scale.asDiagonal() * p.topRows(d)), p.bottomRows(p.rows() - d)};
}

TrainCoordinates train_coordinates(const ReducedProblem& problem, double whitening) {
  const Matrix X = problem.stacked_X();
  const Index d = X.cols();
  TrainCoordinates at;
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(X.transpose() * X);
  at.rotation = eigen.eigenvectors().rowwise().reverse();
  at.sigma = eigen.eigenvalues().reverse().cwiseMax(0.0).cwiseSqrt();
  const double largest = d > 0 ? at.sigma[0] : 1.0;
  at.sigma = at.sigma.cwiseMax(1e-7 * largest);
  const double middle = d > 0 ? std::exp(at.sigma.array().log().mean()) : 1.0;
  at.samples.scale = (at.sigma / middle).array().pow(-whitening);
  at.samples.X = X * at.rotation * at.samples.scale.asDiagonal();
  at.samples.Y = problem.stacked_Y();
  at.samples.row_norm = X.rowwise().norm();
  at.samples.weight_decay = problem.weight_decay;
  return at;
}

Index default_width(Index samples) {
  const Index wanted = std::max<Index>(2 * samples, 300);
  const Index fits = static_cast<Index>(1.5e8 / std::max<double>(1.0, samples));
  return std::clamp<Index>(wanted, 1, std::max<Index>(fits, 300));
}

Matrix random_directions(const TrainCoordinates& at, const Matrix& X, Index count,
                         Random& random) {
  const Index d = X.cols();
  Matrix S(d, count);
  for (Index j = 0; j < count; ++j) {
    if (j % 5 == 4 && X.rows() > 0) {
      const Index i = static_cast<Index>(random.bits() % static_cast<std::uint64_t>(X.rows()));
      S.col(j) = (random.bits() % 2 == 0 ? 1.0 : -1.0) * X.row(i).transpose();
      continue;
    }
    Vector z(d);
    for (Index i = 0; i < d; ++i) z[i] = random.normal();
    if (j % 2 == 0) z = z.cwiseQuotient(at.sigma);
    S.col(j) = at.rotation * z;
  }
  for (Index j = 0; j < count; ++j) S.col(j).normalize();
  return S;
}

Weights random_weights(const TrainCoordinates& at, Index neurons, Random& random) {
  const Index d = at.rotation.rows(), c = at.samples.Y.cols();
  Weights w{Matrix(d, neurons), Matrix(c, neurons)};
  for (Index j = 0; j < neurons; ++j) {
    Vector z(d);
    for (Index i = 0; i < d; ++i) z[i] = random.normal();
    w.U.col(j) = at.rotation * z.cwiseQuotient(at.sigma);
    for (Index k = 0; k < c; ++k) w.V(k, j) = random.normal();
    // Sizes ||u|| ||v|| that sum to about what the penalty of a fit would allow.
    w.U.col(j).normalize();
    w.V.col(j).normalize();
  }
  // The smallest sizes for which the outputs reach half of Y in norm.
  const Matrix F = at.samples.Y - residual(at.samples.X, at.samples.Y, [&] {
    Weights scaled = w;
    scaled.U = at.samples.scale.cwiseInverse().asDiagonal() * (at.rotation.transpose() * w.U);
    return scaled;
  }());
  const double size = F.norm() > 0.0 ? 0.5 * at.samples.Y.norm() / F.norm() : 1.0;
  w.U *= std::sqrt(size);
  w.V *= std::sqrt(size);
  return w;
}

Matrix residual(const Matrix& X, const Matrix& Y, const Weights& weights) {
  Matrix E = Y;
  if (weights.neurons() > 0) {
    E.noalias() -= (X * weights.U).cwiseMax(0.0) * weights.V.transpose();
  }
  return E;
}

double objective_of(const Matrix& E, const Weights& w, double weight_decay) {
  return 0.5 * E.squaredNorm() + 0.5 * weight_decay * (w.U.squaredNorm() + w.V.squaredNorm());
}

}  // namespace relulift
