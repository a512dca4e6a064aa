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

EngineBytes proximal_bytes(const ProgramRequest& request) {
  const Index n = request.Y.rows(), d = request.X.cols(), c = request.Y.cols();
  const Index P = request.gated.patterns.size(), rows = request.X.rows();
  // Iterates, gradient and the best; scores, targets and the best; X; a tile.
  const Index entries = 5 * d * P * c + 6 * n * c + rows * d + (Index{1} << 24);
  // What is found in single precision is evaluated in double at the end.
  return {.engine = 8 * entries + P * rows / 8,
          .host = 8 * (2 * rows * d + 2 * d * P * c + 2 * n * c)};
}

MetricBasis unrotated(const Matrix& X) {
  return {X, {}, raised_metric(X.colwise().squaredNorm().transpose())};
}

}  // namespace relulift
