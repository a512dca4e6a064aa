// SPDX-License-Identifier: Apache-2.0
// Programs over patterns [eq:gated] [eq:relu-cones] by plain loops that share no code with the
// library: values, conjugates, feasibility.
#pragma once

#include <cmath>
#include <limits>
#include <relulift/loss.hpp>

#include "src/core/dense.hpp"
#include "src/patterns/pattern_set.hpp"

namespace relulift::testing {

inline Matrix naive_scores(const Matrix& X, const PatternSet& patterns, const Matrix& W,
                           Index outputs) {
  Matrix F = Matrix::Zero(X.rows(), outputs);
  for (Index i = 0; i < patterns.size(); ++i)
    for (Index r = 0; r < X.rows(); ++r)
      for (Index k = 0; k < outputs; ++k)
        if (patterns.active(r, i)) F(r, k) += X.row(r).dot(W.col(i * outputs + k));
  return F;
}

// Labels are -1 and 1; huber with delta = 1.
inline double naive_loss(Loss loss, const Matrix& F, const Matrix& Y) {
  double sum = 0.0;
  for (Index i = 0; i < F.rows(); ++i)
    for (Index k = 0; k < F.cols(); ++k) {
      const double f = F(i, k), y = Y(i, k), r = std::abs(f - y);
      if (loss == Loss::squared) sum += 0.5 * r * r;
      if (loss == Loss::absolute) sum += r;
      if (loss == Loss::huber) sum += r <= 1.0 ? 0.5 * r * r : r - 0.5;
      if (loss == Loss::hinge) sum += std::max(0.0, 1.0 - y * f);
      if (loss == Loss::logistic) sum += std::log(1.0 + std::exp(-y * f));
    }
  return sum;
}

// -L*(-E); -infinity outside the domain.
inline double naive_bound(Loss loss, const Matrix& E, const Matrix& Y) {
  const double outside = -std::numeric_limits<double>::infinity();
  double sum = 0.0;
  for (Index i = 0; i < E.rows(); ++i)
    for (Index k = 0; k < E.cols(); ++k) {
      const double e = E(i, k), y = Y(i, k), a = y * e;
      const bool classes = loss == Loss::hinge || loss == Loss::logistic;
      if (classes && (a < 0.0 || a > 1.0)) return outside;
      if ((loss == Loss::absolute || loss == Loss::huber) && std::abs(e) > 1.0) return outside;
      if (loss == Loss::squared || loss == Loss::huber) sum += e * y - 0.5 * e * e;
      if (loss == Loss::absolute) sum += e * y;
      if (loss == Loss::hinge) sum += a;
      if (loss == Loss::logistic) {
        if (a > 0.0) sum -= a * std::log(a);
        if (a < 1.0) sum -= (1.0 - a) * std::log(1.0 - a);
      }
    }
  return sum;
}

// Largest ||A_i'E e_k||.
inline double naive_dual_norm(const Matrix& X, const PatternSet& patterns, const Matrix& E) {
  double largest = 0.0;
  for (Index i = 0; i < patterns.size(); ++i)
    for (Index k = 0; k < E.cols(); ++k) {
      Vector a = Vector::Zero(X.cols());
      for (Index r = 0; r < X.rows(); ++r)
        if (patterns.active(r, i)) a += E(r, k) * X.row(r).transpose();
      largest = std::max(largest, a.norm());
    }
  return largest;
}

// Smallest (2 D_i - I) x_r'u / (|x_r| |u|) over rows and columns of V.
inline double naive_least_in_cones(const Matrix& X, const PatternSet& patterns, const Matrix& V,
                                   Index outputs) {
  double least = 0.0;
  for (Index j = 0; j < V.cols(); ++j)
    for (Index r = 0; r < X.rows(); ++r) {
      const double scale = X.row(r).norm() * V.col(j).norm();
      const double s = patterns.active(r, j / outputs) ? 1.0 : -1.0;
      if (scale > 0.0) least = std::min(least, s * X.row(r).dot(V.col(j)) / scale);
    }
  return least;
}

}  // namespace relulift::testing
