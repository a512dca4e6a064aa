// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/pattern_rows.hpp"

namespace relulift {

Vector pattern_signs(const PatternSet& patterns, Index i) {
  Vector signs(patterns.samples());
  for (Index r = 0; r < signs.size(); ++r) signs[r] = patterns.active(r, i) ? 1.0 : -1.0;
  return signs;
}

Matrix cone_rows(const Matrix& X, const PatternSet& patterns, Index i) {
  return pattern_signs(patterns, i).asDiagonal() * X;
}

Matrix pattern_correlations(const Matrix& X, const PatternSet& patterns, Index i, const Matrix& E) {
  const Vector active = pattern_signs(patterns, i).cwiseMax(0.0);
  return X.transpose() * (active.asDiagonal() * E);
}

}  // namespace relulift
