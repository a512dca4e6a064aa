// SPDX-License-Identifier: Apache-2.0
// The augmented Lagrangian of the low-rank engine by its definition, in plain loops.
#pragma once

#include <algorithm>

#include "src/solvers/low_rank_host.hpp"

namespace relulift::testing {

// Row p of K: alpha_p, or beta_(p - n), of unit rows; Z is r x (n + d + c).
inline Vector naive_lifted_row(const UnitRows& rows, const Matrix& Z, Index p) {
  const Index n = rows.X.rows(), i = p % n;
  Vector t = Vector::Zero(Z.rows());
  for (Index l = 0; l < rows.X.cols(); ++l) t += rows.X(i, l) * Z.col(n + l);
  return p < n ? Vector(0.5 * (Z.col(i) + t)) : Vector(0.5 * (Z.col(i) - t));
}

// Objective of [eq:sdp] at S = Z'Z, plus (||m||^2 + ||free||^2) / (2 sigma).
inline double naive_lagrangian(const ReducedProblem& problem, const LowRankState& state,
                               const Matrix& Z) {
  const UnitRows rows(problem);
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  double value = 0.0;
  for (Index i = 0; i < n; ++i) {
    const Vector k = naive_lifted_row(rows, Z, i);
    for (Index o = 0; o < c; ++o) {
      const double r = rows.length[i] * k.dot(Z.col(n + d + o)) - problem.Y(i, o);
      value += 0.5 * r * r;
    }
  }
  for (Index b = 0; b < problem.p(); ++b) {
    const Index i = problem.beta_rows[b];
    const Vector k = naive_lifted_row(rows, Z, n + i);
    for (Index o = 0; o < c; ++o) {
      const double fit = problem.beta_weight[b] * rows.length[i] * k.dot(Z.col(n + d + o));
      value += 0.5 * (fit - problem.Y_beta(b, o)) * (fit - problem.Y_beta(b, o));
    }
  }
  value += 0.5 * problem.weight_decay * Z.rightCols(d + c).squaredNorm();
  for (std::size_t e = 0; e < state.pairs.size(); ++e) {
    const auto [p, q] = state.pairs[e];
    const double inner = naive_lifted_row(rows, Z, p).dot(naive_lifted_row(rows, Z, q));
    const double m = std::max(0.0, state.w[static_cast<Index>(e)] - state.sigma * inner);
    value += m * m / (2.0 * state.sigma);
  }
  for (Index i = 0; i < n; ++i) {
    const double inner = naive_lifted_row(rows, Z, i).dot(naive_lifted_row(rows, Z, n + i));
    const double m = state.y[i] - state.sigma * inner;
    value += m * m / (2.0 * state.sigma);
  }
  return value;
}

}  // namespace relulift::testing
