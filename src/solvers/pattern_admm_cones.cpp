// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_admm_cones.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <limits>

namespace relulift {
namespace {

// argmin ||a + K'mu|| over the rows given, signs of the multipliers free.
Vector free_multipliers(const Matrix& normals, const Vector& a) {
  return normals.colPivHouseholderQr().solve(-a);
}

}  // namespace

PatternCones::PatternCones(const Matrix& X, const GatedPatterns& gated, Index columns)
    : columns_(X.transpose()),
      norms_(X.rowwise().norm()),
      gated_(gated),
      active_(static_cast<std::size_t>(columns)) {}

// From multipliers mu >= 0 of `rows` to those of least norm on a subset of them: as far towards the
// free ones as signs allow, and rows that reach zero leave.
void PatternCones::solve(Index pattern, const Vector& a, Rows& rows, Vector& mu, Vector& u) const {
  while (!rows.empty()) {
    const auto count = static_cast<Index>(rows.size());
    Matrix normals(a.size(), count);
    for (Index k = 0; k < count; ++k) {
      const Index r = rows[static_cast<std::size_t>(k)];
      normals.col(k) = sign(pattern, r) * columns_.col(r);
    }
    const Vector free = free_multipliers(normals, a);
    Index blocking = -1;
    double step = 1.0;
    for (Index k = 0; k < count; ++k) {
      if (free(k) > 0.0) continue;
      const double reach = mu(k) > 0.0 ? mu(k) / (mu(k) - free(k)) : 0.0;
      if (reach <= step) {
        step = reach;
        blocking = k;
      }
    }
    if (blocking < 0) {
      mu = free;
      u = a + normals * mu;
      return;
    }
    mu += step * (free - mu);
    Vector kept(count - 1);
    kept << mu.head(blocking), mu.tail(count - 1 - blocking);
    mu = kept.cwiseMax(0.0);
    rows.erase(rows.begin() + blocking);
  }
  mu.resize(0);
  u = a;
}

Vector PatternCones::nearest(Index pattern, Index column, const Vector& a) {
  Rows& rows = active_[static_cast<std::size_t>(column)];
  Vector mu = Vector::Zero(static_cast<Index>(rows.size())), u = a;
  solve(pattern, a, rows, mu, u);
  const double rounding = kRounding * a.norm();
  for (Index step = 0; step < 3 * a.size() + 10; ++step) {
    const Vector products = columns_.transpose() * u;
    Index worst = -1;
    double least = -rounding;
    for (Index r = 0; r < products.size(); ++r) {
      const double value = sign(pattern, r) * products(r);
      if (value < least * norms_(r)) {
        least = value / norms_(r);
        worst = r;
      }
    }
    if (worst < 0 || std::ranges::find(rows, worst) != rows.end()) break;
    rows.push_back(worst);
    mu.conservativeResize(mu.size() + 1);
    mu(mu.size() - 1) = 0.0;
    solve(pattern, a, rows, mu, u);
  }
  return u;
}

void PatternCones::blend(Index pattern, Vector& u) const {
  const Vector gate = gated_.gates.col(pattern);
  const Vector products = columns_.transpose() * u, margins = columns_.transpose() * gate;
  const double rounding = kRounding * u.norm();
  double step = 0.0;
  for (Index r = 0; r < products.size(); ++r) {
    const double below = -sign(pattern, r) * products(r);
    if (below <= rounding * norms_(r)) continue;
    const double margin = sign(pattern, r) * margins(r);
    step = std::max(step, margin > 0.0 ? below / margin : std::numeric_limits<double>::infinity());
  }
  if (step < std::numeric_limits<double>::infinity()) {
    u += step * gate;
  } else {
    u.setZero();
  }
}

Vector PatternCones::repaired(Index pattern, Index column, const Vector& a) {
  Vector u = nearest(pattern, column, a);
  // The direction that is nearest to a cone it is no part of is zero, up to rounding.
  if (u.norm() <= 1e-12 * a.norm()) return Vector::Zero(a.size());
  blend(pattern, u);
  return u;
}

}  // namespace relulift
