// SPDX-License-Identifier: Apache-2.0
// Dual candidates for tests of the certificate, none of them from an engine.
#pragma once

#include <relulift/network.hpp>

#include "src/core/dual_candidate.hpp"
#include "src/core/random.hpp"
#include "src/presolve/presolve.hpp"

namespace relulift::testing {

// G and H are the residuals of `weights`. Eliminating v from Q leaves -<G_i,G_j>/(2g) on l_i l_j',
// whose harmful sign W cancels; the free multipliers are a plain shift.
inline Multipliers residual_multipliers(const ReducedProblem& p, const Weights& weights) {
  const Index n = p.n();
  Multipliers dual;
  const Matrix residual =
      (p.stacked_X() * weights.U).cwiseMax(0.0) * weights.V.transpose() - p.stacked_Y();
  dual.G = residual.topRows(n);
  dual.H = residual.bottomRows(p.p());
  Matrix weighted = Matrix::Zero(2 * n, p.c());
  weighted.topRows(n) = dual.G;
  for (Index k = 0; k < p.p(); ++k)
    weighted.row(n + p.beta_rows[k]) = p.beta_weight(k) * dual.H.row(k);
  dual.dense = (weighted * weighted.transpose() / (-2 * p.weight_decay)).cwiseMax(0.0);
  const double norm = p.X.squaredNorm();
  for (Index i = 0; i < n; ++i)
    dual.dense(i, n + i) = dual.dense(n + i, i) = -0.45 * p.weight_decay / norm;
  return dual;
}

inline Multipliers random_multipliers(Random& random, const ReducedProblem& p, double size,
                                      bool listed) {
  const Index n = p.n();
  Multipliers dual;
  const auto fill = [&](Matrix& A, Index rows) {
    A.resize(rows, p.c());
    for (Index k = 0; k < A.size(); ++k) A(k) = random.normal();
  };
  fill(dual.G, n);
  fill(dual.H, p.p());
  // Signs as they come: the certificate has to project.
  if (listed) {
    for (Index k = 0; k < 3 * n; ++k)
      dual.entries.push_back({static_cast<Index>(random.bits() % (2 * n)),
                              static_cast<Index>(random.bits() % (2 * n)), size * random.normal()});
  } else {
    dual.dense.resize(2 * n, 2 * n);
    for (Index k = 0; k < dual.dense.size(); ++k) dual.dense(k) = size * random.normal();
  }
  return dual;
}

}  // namespace relulift::testing
