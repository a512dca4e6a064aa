// SPDX-License-Identifier: Apache-2.0
// Nearest points of the cones K_i u >= 0 on the host: they repair a point of [eq:relu-cones] that
// is nearly feasible, and their norms are the dual norms that prove its bound. The active set of
// each starts where the last one of its column ended. Columns are shared among the threads of
// OpenMP.
#pragma once

#include <vector>

#include "src/core/dense.hpp"
#include "src/patterns/pattern_set.hpp"

namespace relulift {

class PatternCones {
 public:
  // Of so many columns of (V, N), halves x P x c of them; `gated` outlives this.
  PatternCones(const Matrix& X, const GatedPatterns& gated, Index outputs, Index columns);

  // For every column of A the nearest point of its cone, moved along the gate, which lies inside,
  // as far as rounding asks for. Zero where the gate does not reach a row.
  Matrix repaired(const Matrix& A);
  // The largest norm of nearest points, of the columns of G (V) and of -G (N).
  double largest(const Matrix& G);

 private:
  Index pattern(Index column) const { return column / outputs_ % gated_.patterns.size(); }
  // But for rounding; `column` remembers its active rows.
  Vector nearest(Index column, const Vector& a);
  Vector repaired(Index column, const Vector& a);
  void blend(Index pattern, Vector& u) const;

  Matrix columns_;  // X', a sample a column
  Vector norms_;    // of samples
  const GatedPatterns& gated_;
  Index outputs_;
  std::vector<std::vector<Index>> active_;
};

}  // namespace relulift
