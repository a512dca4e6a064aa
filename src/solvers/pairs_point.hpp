// SPDX-License-Identifier: Apache-2.0
// The iterate of the interior point on active pairs [eq:pairs] on the host, between rounds.
#pragma once

#include <cstdint>
#include <vector>

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

// A pair of lifted rows, i < j < 2n: the constraint K_ij(S) >= 0 and its multiplier W_ij = W_ji.
// alpha_i is i, beta_i is n + i; (i, n + i) is no pair: its multiplier y_i is free.
struct LiftedPair {
  std::int32_t i, j;
  auto operator<=>(const LiftedPair&) const = default;
};

struct PairsPoint {
  Vector y;                       // n, free: the alpha_i-beta_i entries of W
  Matrix G;                       // n x c
  Matrix H;                       // p x c
  std::vector<LiftedPair> pairs;  // ascending
  Vector w;                       // > 0, of the pairs
  Vector kap;                     // > 0, its complement: 2 K_ij(S) when the primal is feasible
  Matrix S;                       // positive definite, order n + d + c
};

// Every variable z_k multiplies A_k = factor_k (l_i l_j' + l_j l_i') with (i, j) = (row, col)_k in
// the lifted rows alpha (n), beta (n), v (c); D(z) = -sum_k linear_k z_k + curvature_k z_k^2/2.
// Order: y, w, then the residual multipliers, [G; H] column by column (n + p rows, c columns).
struct PairsVariables {
  PairsVariables(const ReducedProblem& problem, const std::vector<LiftedPair>& pairs);
  // With a y for these rows only.
  PairsVariables(const ReducedProblem& problem, const std::vector<LiftedPair>& pairs,
                 const std::vector<Index>& open);

  Index size() const { return static_cast<Index>(row.size()); }

  Index pairs, residuals;  // first w and first residual multiplier
  std::vector<std::int32_t> row, col;
  std::vector<double> factor, linear, curvature;
};

std::vector<double> pack(const PairsPoint& point);             // z
void unpack(const std::vector<double>& z, PairsPoint& point);  // keeps the pairs

// The dual candidate in the terms of [eq:slack].
Multipliers multipliers_of(const PairsPoint& point);

// The point of listed multipliers, ascending beside the alpha_i-beta_i ones; kap is left empty.
PairsPoint pairs_point(const Multipliers& multipliers, const Matrix& S);

// D(G) of [eq:slack] without the constant of the problem.
double dual_value(const ReducedProblem& problem, const PairsPoint& point);

}  // namespace relulift
