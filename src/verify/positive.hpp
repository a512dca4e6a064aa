// SPDX-License-Identifier: Apache-2.0
// Positive definiteness proved by a Cholesky factorisation in floating point with an a-priori bound
// of its error [eq:cholesky] (Rump 2006).
#pragma once

#include <vector>

#include "src/verify/ball.hpp"

namespace relulift::verifier {

// An entry on or below the diagonal; row >= column.
struct Entry {
  Index row = 0, column = 0;
  Ball value;
};

// True only if every symmetric matrix of this order within the balls is positive definite.
// Entries of the same position are added up; what is not listed is zero. O(order^3): in extended
// precision up to kMaxExtended, in double beyond.
bool proves_positive(Index order, std::vector<Entry> entries);
inline constexpr Index kMaxExtended = 1200;

// Upper bound of the largest singular value of a column-major matrix: the Frobenius norm, or
// `offered` where that is smaller and proved.
Real spectral_norm_above(const std::vector<double>& A, Index rows, double offered);

}  // namespace relulift::verifier
