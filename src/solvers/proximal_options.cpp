// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/proximal_options.hpp"

#include <Eigen/Eigenvalues>

namespace relulift {
namespace {

// Metric entries below this share of the largest are raised: a direction without data.
constexpr double kLeastMetric = 1e-10;

Vector raised(const Vector& metric) {
  const double largest = metric.maxCoeff();
  return largest > 0.0 ? Vector(metric.cwiseMax(kLeastMetric * largest))
                       : Vector(Vector::Ones(metric.size()));
}

}  // namespace

EngineBytes proximal_bytes(const ProgramRequest& request) {
  const Index n = request.X.rows(), d = request.X.cols(), c = request.Y.cols();
  const Index P = request.gated.patterns.size();
  // Iterates, gradient and the best; scores, targets and the best; X; a tile.
  const Index entries = 5 * d * P * c + 6 * n * c + n * d + (Index{1} << 24);
  // What is found in single precision is evaluated in double at the end.
  return {.engine = 8 * entries + P * n / 8, .host = 8 * (2 * n * d + 2 * d * P * c + 2 * n * c)};
}

MetricBasis rotated(const Matrix& X) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(X.transpose() * X);
  const Matrix& basis = eigen.eigenvectors();
  Matrix coordinates = X * basis;
  const Vector metric = coordinates.colwise().squaredNorm().transpose();
  return {std::move(coordinates), basis, raised(metric)};
}

MetricBasis unrotated(const Matrix& X) {
  return {X, {}, raised(X.colwise().squaredNorm().transpose())};
}

MetricBasis uniform(const Matrix& X) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(X.transpose() * X, Eigen::EigenvaluesOnly);
  const double largest = eigen.eigenvalues().maxCoeff();
  return {X, {}, raised(Vector::Constant(X.cols(), largest))};
}

}  // namespace relulift
