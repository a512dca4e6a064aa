// SPDX-License-Identifier: Apache-2.0
// The analytic interior start of the interior point on active pairs [eq:pairs]: S0 from infinitely
// many random neurons (arc-cosine kernel, Cho & Saul 2009) with its s-diagonal doubled, and
// multipliers with Q positive definite by construction.
#pragma once

#include <vector>

#include "src/solvers/pairs_point.hpp"

namespace relulift {

class PairsStart {
 public:
  explicit PairsStart(const ReducedProblem& problem);

  // K_ij(S0) for lifted rows i, j < 2n. Positive but for (i, n + i).
  double gram(Index i, Index j) const;

  // y = -eta/2 by row, G = H = 0, w = scale/(K_ij(S0) + small) with Q positive definite, S = S0.
  PairsPoint point(const std::vector<LiftedPair>& pairs) const;

  const Matrix& S() const { return S_; }
  double trace() const { return trace_; }

 private:
  // Half the largest a with Q(z) > 0 for multipliers a w.
  double half_step(const std::vector<LiftedPair>& pairs, const Vector& w) const;

  const ReducedProblem& problem_;
  Matrix S_;
  Matrix tt_;  // X S_uu X'
  double trace_ = 0.0;
  Vector eta_;   // n: g/(||x_i||^2 ||unit rows||_2^2)
  Matrix root_;  // lower Cholesky factor of g/2 I - X'diag(eta)X/4
};

}  // namespace relulift
