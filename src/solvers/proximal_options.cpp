// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/proximal_options.hpp"

namespace relulift {
namespace {

// Metric entries below this share of the largest are raised: a direction without data.
constexpr double kLeastMetric = 1e-10;

}  // namespace

Vector raised_metric(const Vector& metric) {
  const double largest = metric.maxCoeff();
  return largest > 0.0 ? Vector(metric.cwiseMax(kLeastMetric * largest))
                       : Vector(Vector::Ones(metric.size()));
}

MetricBasis unrotated(const Matrix& X) {
  return {X, {}, raised_metric(X.colwise().squaredNorm().transpose())};
}

}  // namespace relulift
