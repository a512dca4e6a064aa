// SPDX-License-Identifier: Apache-2.0
// Products with one pattern on the host [eq:pattern]: what the cones and the residuals of single
// patterns are made of. Those of all patterns at once are in src/solvers/gated_products.hpp.
#pragma once

#include "src/patterns/pattern_set.hpp"

namespace relulift {

// The diagonal of 2 D_i - I: +1 where pattern i is active, else -1.
Vector pattern_signs(const PatternSet& patterns, Index i);
// K_i = (2 D_i - I) X.
Matrix cone_rows(const Matrix& X, const PatternSet& patterns, Index i);
// A_i'E = X'D_i E.
Matrix pattern_correlations(const Matrix& X, const PatternSet& patterns, Index i, const Matrix& E);

}  // namespace relulift
