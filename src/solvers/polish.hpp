// SPDX-License-Identifier: Apache-2.0
// Exact simplifications of a network: none of them increases J of [eq:train].
#pragma once

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

// ||u_j|| = ||v_j|| with the same product; neurons with u_j = 0 or v_j = 0 are dropped, and so are
// those whose size ||u_j|| ||v_j|| is at most `dead` times the largest (0: only the exact zeros,
// which changes nothing; otherwise the caller compares objectives).
Weights balanced(const Weights& weights, double dead = 0.0);

// One neuron for all that share a direction up to 1 - cosine <= tolerance (the largest keeps its
// direction, the output weights add), then balanced. With tolerance near rounding J never grows.
Weights merged_duplicates(const Weights& weights, double tolerance = 1e-15);

// The `count` neurons of largest ||u_j|| ||v_j||, in their order; all when there are no more.
Weights largest(const Weights& weights, Index count);

// Neurons of both.
Weights joined(const Weights& a, const Weights& b);

}  // namespace relulift
