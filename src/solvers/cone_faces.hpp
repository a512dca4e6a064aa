// SPDX-License-Identifier: Apache-2.0
// Nearest points of many cones K_i u >= 0 at once, over the rows of each that have ever mattered: a
// cell of an arrangement of n hyperplanes in general position has about 2 d faces, whatever n is.
// Those rows are met one by one: a product with all of X shows which rows the nearest points leave,
// and they join. Active sets of nonnegative least squares (Lawson & Hanson 1974) from where the
// last one of a column ended, on an orthonormal basis that grows and shrinks by a row: O(d^2) flops
// each.
#pragma once

#include <vector>

#include "src/core/dense.hpp"
#include "src/patterns/pattern_set.hpp"

namespace relulift {

// Q R of vectors that come and go: Q'Q = I, R upper triangular.
class GrowingBasis {
 public:
  explicit GrowingBasis(Index dimension)
      : Q_(dimension, dimension), R_(Matrix::Zero(dimension, dimension)) {}
  Index size() const { return size_; }
  // Whether `v` lies outside the span, as far as rounding shows.
  bool append(const Vector& v);
  void remove(Index k);
  // argmin over mu of ||a + (vectors) mu||, and a less its part in the span.
  Vector multipliers(const Vector& a) const;
  Vector rest(const Vector& a) const;

 private:
  Matrix Q_, R_;
  Index size_ = 0;
};

class ConeFaces {
 public:
  using Rows = std::vector<Index>;
  // So many columns, each of a pattern; `patterns` outlives this.
  ConeFaces(const Matrix& X, const PatternSet& patterns, Index columns);

  // The point nearest to `a` of the cone of the rows known, which is no shorter than that of the
  // cone; any point where it is no longer than `enough`. Different columns at once: no data race.
  Vector nearest(Index pattern, Index column, const Vector& a, double enough);
  // Takes the row in; whether it was not there.
  bool learn(Index pattern, Index row);
  // What is orthogonal to the active rows of a column: orthonormal columns, their number, and the
  // part of v in it.
  Matrix tangent(Index pattern, Index column) const;
  Index freedom(Index column) const {
    return columns_.rows() - static_cast<Index>(active_[static_cast<std::size_t>(column)].size());
  }
  Vector onto_tangent(Index pattern, Index column, const Vector& v) const;
  // 1 / |x_r|, zero for a row of zeros.
  const Vector& inverse_norms() const { return inverse_norms_; }

  // Rows below zero by less than this share of |x| |u| count as zero.
  static constexpr double kRounding = 1e-12;

 private:
  double factor(Index pattern, Index row) const {
    return patterns_.active(row, pattern) ? inverse_norms_[row] : -inverse_norms_[row];
  }
  Vector normal(Index pattern, Index row) const { return factor(pattern, row) * columns_.col(row); }
  Index most_violated(Index pattern, const Vector& u) const;  // -1: none

  Matrix columns_;  // X', a sample a column
  Vector inverse_norms_;
  const PatternSet& patterns_;
  std::vector<Rows> known_;   // of patterns
  std::vector<Rows> active_;  // of columns
};

}  // namespace relulift
