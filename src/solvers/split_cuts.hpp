// SPDX-License-Identifier: Apache-2.0
// Which cones of a partition [eq:split] are cut by which rows, and how many cones there may be.
// docs/math.md, section 11.
#pragma once

#include <cstdint>

#include "src/solvers/split_point.hpp"

namespace relulift {

// Of one cone in the interior point, host copies included.
std::int64_t split_block_bytes(Index own, Index residuals, Index order);

// Pairs that a cone may have, for so many of the point on the whole space.
inline Index split_pairs(Index whole) { return 3 * whole; }

// How many cones, a power of two at least 2 or none at all (0), `seconds` and `bytes` are enough
// for; pairs: of the point on the whole space.
Index affordable_cones(const ReducedProblem& problem, Index pairs, double seconds,
                       std::int64_t bytes);

// Cuts cones with scores near the best, each by its row of the largest score, up to `most` cones.
void cut_where_it_pays(const ReducedProblem& problem, SplitPoint& point, Index most);

}  // namespace relulift
