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
