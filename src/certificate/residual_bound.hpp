// SPDX-License-Identifier: Apache-2.0
// Lower bounds from a fixed residual [eq:rescale]. Unlike src/certificate/dual_bound.hpp these need
// no multipliers but an upper bound on kappa(E) = max ||E'(Xu)_+|| over ||u|| <= 1, which the
// caller must have proved.
#pragma once

#include <relulift/problem.hpp>

#include "src/core/dense.hpp"

namespace relulift {

// Best right-hand side of [eq:rescale] over 0 <= t <= g/kappa, rounded down. E is n x c on the rows
// of the data as given, for example Y - f(X). Below every network's objective if kappa(E) <= kappa.
double rescaled_bound(const Problem& problem, const Matrix& E, double kappa);

// ||X||_F or, where it is smaller, a proved bound on ||X||_2 that is at most a few parts in a
// million too large. 0 only for X = 0; infinite where X is not finite. kappa(E) <=
// spectral_norm_bound(X) * spectral_norm_bound(E).
double spectral_norm_bound(const Matrix& A);

// The bound that needs no solver: E = Y.
double solver_free_floor(const Problem& problem);

}  // namespace relulift
