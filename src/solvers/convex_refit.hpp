// SPDX-License-Identifier: Apache-2.0
// Output weights of fixed unit directions: the group lasso
//     min_W 1/2 ||A W - Y||^2 + g sum_j ||W_j||,   A = (X S)_+                          [eq:refit]
// by block coordinate descent on the Gram matrix with exact block minimisation, active sets and
// Anderson extrapolation (Bertrand & Massias 2021). Host code: it runs once per round, on k x k
// data. A sweep over k active blocks costs 2 k^2 c flops.
#pragma once

#include "src/core/control.hpp"
#include "src/core/dense.hpp"

namespace relulift {

struct RefitProblem {
  Matrix gram;               // A'A, k x k, full
  Matrix correlation;        // A'Y, k x c
  double target_square = 0;  // ||Y||^2
  double weight_decay = 0;   // g
};

struct RefitResult {
  Matrix W;  // k x c, row j = W_j
  double objective = 0;
  double bound = 0;  // no W has a smaller objective (weak duality, rounding aside)
  Index sweeps = 0;
};

// From W (k x c) until objective - bound <= tolerance * objective, at most max_sweeps sweeps.
// Never worse than the start.
RefitResult convex_refit(const RefitProblem& problem, Matrix W, double tolerance, Index max_sweeps,
                         const Control& control);

}  // namespace relulift
