// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_admm_cones.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "src/patterns/pattern_rows.hpp"
#include "src/solvers/cone_projection.hpp"

namespace relulift {

PatternCones::PatternCones(const Matrix& X, const GatedPatterns& gated, Index outputs,
                           Index columns)
    : columns_(X.transpose()),
      norms_(X.rowwise().norm()),
      gated_(gated),
      outputs_(outputs),
      active_(static_cast<std::size_t>(columns)) {}

Vector PatternCones::nearest(Index column, const Vector& a) {
  std::vector<Index>& rows = active_[static_cast<std::size_t>(column)];
  const SignedRows K{columns_, norms_, pattern_signs(gated_.patterns, pattern(column))};
  NearestPoint found = nearest_in_cone(K, a, std::move(rows));
  rows = std::move(found.rows);
  return std::move(found.u);
}

void PatternCones::blend(Index pattern, Vector& u) const {
  const Vector gate = gated_.gates.col(pattern), signs = pattern_signs(gated_.patterns, pattern);
  const Vector products = columns_.transpose() * u, margins = columns_.transpose() * gate;
  const double rounding = kConeRounding * u.norm();
  double step = 0.0;
  for (Index r = 0; r < products.size(); ++r) {
    const double below = -signs[r] * products[r];
    if (below <= rounding * norms_[r]) continue;
    const double margin = signs[r] * margins[r];
    step = std::max(step, margin > 0.0 ? below / margin : std::numeric_limits<double>::infinity());
  }
  if (step < std::numeric_limits<double>::infinity()) {
    u += step * gate;
  } else {
    u.setZero();
  }
}

Vector PatternCones::repaired(Index column, const Vector& a) {
  Vector u = nearest(column, a);
  // The direction that is nearest to a cone it is no part of is zero, up to rounding.
  if (u.norm() <= 1e-12 * a.norm()) return Vector::Zero(a.size());
  blend(pattern(column), u);
  return u;
}

Matrix PatternCones::repaired(const Matrix& A) {
  Matrix out = A;
#pragma omp parallel for schedule(dynamic)
  for (Index j = 0; j < A.cols(); ++j)
    if (!A.col(j).isZero(0.0)) out.col(j) = repaired(j, A.col(j));
  return out;
}

double PatternCones::largest(const Matrix& G) {
  const Index half = G.cols();
  double largest = 0.0;
#pragma omp parallel for schedule(dynamic) reduction(max : largest)
  for (Index j = 0; j < 2 * half; ++j) {
    const Vector a = j < half ? Vector(G.col(j)) : Vector(-G.col(j - half));
    if (a.norm() > largest) largest = std::max(largest, nearest(j, a).norm());
  }
  return largest;
}

}  // namespace relulift
