// SPDX-License-Identifier: Apache-2.0
// Where the interior-point method of pattern_interior.hpp starts in the cones K_i u >= 0 of
// [eq:relu-cones]: gates drawn at random often lie close to a border, and a start there costs
// dozens of steps, or all of them.
#pragma once

#include <span>

#include "src/patterns/pattern_set.hpp"

namespace relulift {

// Unit directions, a column for every pattern: the analytic centre
//     argmin_u n ||u||^2 / 2 - sum_r log (K_i u)_r
// by damped Newton steps from the gate. A gate that is not inside its cone stays what it is.
// X is that of the `rows` of the patterns. About 2 n d^2 flops a step, 5 to 50 steps a pattern.
Matrix cone_centres(const Matrix& X, std::span<const Index> rows, const GatedPatterns& patterns);

}  // namespace relulift
