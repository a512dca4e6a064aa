// SPDX-License-Identifier: Apache-2.0
// Of the proximal gradient method, and the coordinates it works in.
#pragma once

#include "src/core/dense.hpp"

namespace relulift {

struct ProximalOptions {
  double tolerance = 1e-6;   // (objective - bound) / objective
  Index max_iterations = 0;  // 0: no limit
  double curvature = 1.0;    // of the loss, at most, in any direction
  Index tile_entries = 0;    // of GatedProducts
  Index patches = 1;         // of a sample
};

// X = coordinates * basis', X'X = basis diag(metric) basis'; for groups of features basis = I and
// metric the squared norms of columns.
struct MetricBasis {
  Matrix coordinates;  // of X
  Matrix basis;        // d x d, orthogonal; empty: the identity
  Vector metric;       // d
};
MetricBasis unrotated(const Matrix& X);
// Entries below 1e-10 of the largest raised to that; ones where all are zero.
Vector raised_metric(const Vector& metric);

}  // namespace relulift
