// SPDX-License-Identifier: Apache-2.0
// All activation patterns of X: the cells of the arrangement of the hyperplanes x_r'u = 0
// [eq:cells].
#pragma once

#include <functional>
#include <optional>

#include "src/patterns/pattern_set.hpp"

namespace relulift {

// 2 sum_{k < rank} C(directions - 1, k): the number of cells when no `rank` of the directions lie
// in a hyperplane (Cover 1965), an upper bound otherwise. Infinity where it overflows.
double most_patterns(Index directions, Index rank);

// The pattern of every open cell and a gate inside it; the closures of the cells cover the space.
// Zero rows are active everywhere. Nothing where there are more than `limit`, or go_on() returned
// false. Cost: about cells x n x rank flops.
std::optional<GatedPatterns> all_patterns(const Matrix& X, Index limit,
                                          const std::function<bool()>& go_on = {});

}  // namespace relulift
