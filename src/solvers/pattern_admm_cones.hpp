// SPDX-License-Identifier: Apache-2.0
// Nearest points of the cones K_i u >= 0 on the host: they repair a point of [eq:relu-cones] that
// is nearly feasible, and their norms are the dual norms that prove its bound. Active sets of
// nonnegative least squares (Lawson & Hanson 1974), each from where the last one of its column
// ended: O(n d + d^3) flops a step.
#pragma once

#include <vector>

#include "src/core/dense.hpp"
#include "src/patterns/pattern_set.hpp"

namespace relulift {

class PatternCones {
 public:
  // Of so many columns of V; `gated` outlives this.
  PatternCones(const Matrix& X, const GatedPatterns& gated, Index columns);

  // The point of cone `pattern` nearest to a, but for rounding; `column` remembers its active rows.
  Vector nearest(Index pattern, Index column, const Vector& a);

  // The nearest point, moved along the gate, which lies inside, as far as rounding asks for. Zero
  // where the gate does not reach a row.
  Vector repaired(Index pattern, Index column, const Vector& a);

  // Rows below zero by less than this share of |x| |u| count as zero.
  static constexpr double kRounding = 1e-13;

 private:
  using Rows = std::vector<Index>;
  double sign(Index pattern, Index row) const {
    return gated_.patterns.active(row, pattern) ? 1.0 : -1.0;
  }
  // Multipliers of the active rows, those below zero dropped; u = a + K'mu.
  void solve(Index pattern, const Vector& a, Rows& rows, Vector& mu, Vector& u) const;
  void blend(Index pattern, Vector& u) const;

  Matrix columns_;  // X', a sample a column
  Vector norms_;    // of samples
  const GatedPatterns& gated_;
  std::vector<Rows> active_;
};

}  // namespace relulift
