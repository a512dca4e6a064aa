// SPDX-License-Identifier: Apache-2.0
// What the solvers of the programs over given patterns, [eq:gated] and [eq:relu-cones], start from
// and return.
#pragma once

#include <limits>

#include "src/core/dense.hpp"

namespace relulift {

enum class PatternProgram { gated, relu };

struct PatternPoint {
  // d x (P c), column i c + k is V_i e_k. N is empty for gated programs.
  Matrix V, N;
  // n x c, dual feasible but for rounding: Omega*(A_i'E) <= g for gated programs; for ReLU the
  // largest of +-(E e_k)'A_i u over u of the cone of i, ||u|| <= 1, is at most g.
  Matrix E;
  double objective = std::numeric_limits<double>::infinity();  // of V, N
  double bound = -std::numeric_limits<double>::infinity();     // no V, N has a smaller objective
  Index iterations = 0;
};

}  // namespace relulift
