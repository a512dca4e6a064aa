// SPDX-License-Identifier: Apache-2.0
// Convex programs over activation patterns by plain loops: data, objective, cones.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_point.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {

struct PatternProblem {
  Matrix X, Y;
  GatedPatterns patterns;
  double g = 0.1;
};

inline PatternProblem random_patterns(Index n, Index d, Index c, Index gates, double g) {
  Random random(static_cast<std::uint64_t>(n + 100 * d + 1000 * c + 10000 * gates));
  const Matrix X = random_matrix(random, n, d), Y = random_matrix(random, n, c);
  return {X, Y, patterns_of(X, random_matrix(random, d, gates)), g};
}

// All patterns of rows in the plane: a gate between every two neighbouring borders.
inline GatedPatterns patterns_of_the_plane(const Matrix& X) {
  std::vector<double> borders;
  for (Index r = 0; r < X.rows(); ++r) {
    const double normal = std::atan2(X(r, 1), X(r, 0));
    for (const double side : {0.5, 1.5})
      borders.push_back(std::remainder(normal + side * std::numbers::pi, 2 * std::numbers::pi));
  }
  std::ranges::sort(borders);
  borders.push_back(borders.front() + 2 * std::numbers::pi);
  Matrix gates(2, static_cast<Index>(borders.size()) - 1);
  for (Index k = 0; k < gates.cols(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double middle = 0.5 * (borders[at] + borders[at + 1]);
    gates.col(k) << std::cos(middle), std::sin(middle);
  }
  return patterns_of(X, gates);
}

// The prediction of V - N (gated: V), by the definition of the patterns.
inline Matrix naive_prediction(const PatternProblem& p, const PatternPoint& point) {
  const Index n = p.X.rows(), c = p.Y.cols();
  Matrix f = Matrix::Zero(n, c);
  for (Index i = 0; i < p.patterns.patterns.size(); ++i)
    for (Index r = 0; r < n; ++r) {
      if (!p.patterns.patterns.active(r, i)) continue;
      for (Index k = 0; k < c; ++k)
        for (Index j = 0; j < p.X.cols(); ++j) {
          f(r, k) += p.X(r, j) * point.V(j, i * c + k);
          if (point.N.size() > 0) f(r, k) -= p.X(r, j) * point.N(j, i * c + k);
        }
    }
  return f;
}

inline double naive_objective(const PatternProblem& p, const PatternPoint& point) {
  double total = 0.0;
  for (Index j = 0; j < point.V.cols(); ++j) total += p.g * point.V.col(j).norm();
  for (Index j = 0; j < point.N.cols(); ++j) total += p.g * point.N.col(j).norm();
  const Matrix f = naive_prediction(p, point);
  for (Index r = 0; r < f.rows(); ++r)
    for (Index k = 0; k < f.cols(); ++k) total += 0.5 * std::pow(f(r, k) - p.Y(r, k), 2);
  return total;
}

// The least entry of (2 D_i - I) X w over all columns w of V and N, relative to ||x_r|| ||w||.
inline double least_slack(const PatternProblem& p, const PatternPoint& point) {
  const Index c = p.Y.cols();
  double least = 0.0;
  for (const Matrix* weights : {&point.V, &point.N})
    for (Index column = 0; column < weights->cols(); ++column)
      for (Index r = 0; r < p.X.rows(); ++r) {
        const double z = p.X.row(r).dot(weights->col(column));
        const double size = p.X.row(r).norm() * weights->col(column).norm();
        const double slack = p.patterns.patterns.active(r, column / c) ? z : -z;
        if (size > 0.0) least = std::min(least, slack / size);
      }
  return least;
}

// max of e'D_i X u over unit u in the plane with (2 D_i - I) X u >= 0, by its candidates: the
// gradient and the borders of the cone.
inline double plane_gain(const Matrix& X, const PatternSet& patterns, Index i, const Vector& e) {
  Vector a = Vector::Zero(2);
  for (Index r = 0; r < X.rows(); ++r)
    if (patterns.active(r, i)) a += e[r] * X.row(r).transpose();
  std::vector<Vector> candidates = {a};
  for (Index r = 0; r < X.rows(); ++r)
    for (const double side : {1.0, -1.0})
      candidates.emplace_back(side * Eigen::Vector2d(-X(r, 1), X(r, 0)));
  double best = 0.0;
  for (Vector u : candidates) {
    if (!(u.norm() > 0.0)) continue;
    u.normalize();
    bool inside = true;
    for (Index r = 0; r < X.rows(); ++r) {
      const double z = X.row(r).dot(u);
      inside = inside && (patterns.active(r, i) ? z : -z) >= -1e-12 * X.row(r).norm();
    }
    if (inside) best = std::max(best, a.dot(u));
  }
  return best;
}

}  // namespace relulift::testing
