// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/train_setup.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "src/solvers/column_generation.hpp"

namespace relulift {
namespace {

// Activations that the host holds at a time: one block is faulted in once and reused.
constexpr Index kBlockEntries = Index{1} << 20;

// Lines of `length` entries that stay below that.
Index lines_at_once(Index length) {
  return std::max<Index>(1, kBlockEntries / std::max<Index>(length, 1));
}

}  // namespace

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
  at.sigma = at.sigma.cwiseMax(1e-4 * largest);
  const double middle = d > 0 ? std::exp(at.sigma.array().log().mean()) : 1.0;
  at.samples.scale = (at.sigma / middle).array().pow(-whitening);
  at.samples.X = X * at.rotation * at.samples.scale.asDiagonal();
  at.samples.Y = problem.stacked_Y();
  at.samples.row_norm = X.rowwise().norm();
  at.samples.weight_decay = problem.weight_decay;
  return at;
}

Index default_width(Index samples) {
  const Index wanted = std::max<Index>({2 * samples, std::min<Index>(4 * samples, 800), 300});
  const Index fits = static_cast<Index>(1.5e8 / std::max<double>(1.0, samples));
  return std::clamp<Index>(wanted, 1, std::max<Index>(fits, 300));
}

Index refit_slice(Index directions) {
  return std::max<Index>(64, (Index{1} << 24) / std::max<Index>(directions, 1));
}

// One wide network is worth more than two of half its width, but for the smallest problems.
Index default_starts(Index samples) { return samples <= 200 ? 2 : 1; }

EngineBytes train_bytes(Index samples, Index features, Index outputs, Index neurons,
                        const TrainOptions& options) {
  // In floating point: the product of sizes that somebody typed may not fit an integer.
  const auto number = [](Index k) { return static_cast<double>(k); };
  const double n = number(samples), d = number(features), c = number(outputs);
  const double width = number(neurons) + number(options.new_directions);
  const double starts = number(options.starts > 0 ? options.starts : default_starts(samples));
  const double directions = number(options.ascents) + width;
  const double at_once = number(ascents_at_once(samples, Index{1} << 24));
  const double slice = std::min(n, number(refit_slice(options.new_directions + neurons)));
  const double data = n * (4.0 * (d + c) + c * starts);
  const double engine = data + n * (3.0 * width + 2.0 * std::min(at_once, directions)) +
                        slice * width + width * width + 32.0 * (d + c) * width +
                        (3.0 * d + c) * directions;
  const double host =
      2.0 * data + 2.0 * number(kBlockEntries) + 3.0 * width * width + 8.0 * (d + c) * directions;
  const auto bytes = [](double doubles) {
    return static_cast<std::int64_t>(std::min(8.0 * doubles, 4e18));
  };
  return {.engine = bytes(engine), .host = bytes(host)};
}

Matrix random_directions(const TrainCoordinates& at, const Matrix& X, Index count, Random& random) {
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

Weights random_weights(const TrainCoordinates& at, const Matrix& X, Index neurons, Random& random) {
  const Matrix& Y = at.samples.Y;
  Matrix U = random_directions(at, X, neurons, random);
  Matrix V(Y.cols(), neurons), F = Matrix::Zero(Y.rows(), Y.cols());
  const Index block = lines_at_once(X.rows());
  Matrix buffer(X.rows(), std::min(block, neurons));
  for (Index first = 0; first < neurons; first += block) {
    const Index count = std::min(block, neurons - first);
    auto A = buffer.leftCols(count);
    A.noalias() = X * U.middleCols(first, count);
    A = A.cwiseMax(0.0);
    V.middleCols(first, count).noalias() = Y.transpose() * A;
    // A little noise: neurons of a shared output direction would stay together.
    for (Index j = first; j < first + count; ++j) {
      const double size = 0.3 * V.col(j).norm() / std::sqrt(static_cast<double>(V.rows())) + 1e-12;
      for (Index k = 0; k < V.rows(); ++k) V(k, j) += size * random.normal();
      V.col(j).normalize();
    }
    F.noalias() += A * V.middleCols(first, count).transpose();
  }
  const double gain = F.cwiseProduct(Y).sum() - at.samples.weight_decay * neurons;
  const double t = gain > 0.0 ? gain / F.squaredNorm() : 1e-3 * Y.norm() / (F.norm() + 1e-300);
  return {std::sqrt(t) * U, std::sqrt(t) * V};
}

Matrix residual(const Matrix& X, const Matrix& Y, const Weights& weights) {
  Matrix E = Y;
  if (weights.neurons() == 0) return E;
  const Index block = lines_at_once(weights.neurons());
  Matrix A(std::min(block, E.rows()), weights.neurons());
  for (Index first = 0; first < E.rows(); first += block) {
    const Index count = std::min(block, E.rows() - first);
    auto a = A.topRows(count);
    a.noalias() = X.middleRows(first, count) * weights.U;
    a = a.cwiseMax(0.0);
    E.middleRows(first, count).noalias() -= a * weights.V.transpose();
  }
  return E;
}

double objective_of(const Matrix& E, const Weights& w, double weight_decay) {
  return 0.5 * E.squaredNorm() + 0.5 * weight_decay * (w.U.squaredNorm() + w.V.squaredNorm());
}

}  // namespace relulift
