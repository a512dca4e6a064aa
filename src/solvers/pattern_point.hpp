// SPDX-License-Identifier: Apache-2.0
// What the solvers of the convex programs over given patterns start from and return. With
// A_i = D_i X of pattern i (Pilanci & Ergen 2020; Mishkin et al. 2022):
//     gated:  min 1/2 ||sum_i A_i V_i - Y||^2 + g sum_i sum_k ||V_i e_k|| [eq:gated] ReLU:   min
//     1/2 ||sum_i A_i (V_i - N_i) - Y||^2 + g sum_i sum_k ||V_i e_k|| + ||N_i e_k||,
//             (2 D_i - I) X V_i >= 0, the same for N_i [eq:relu-cones]
#pragma once

#include <limits>

#include "src/core/dense.hpp"

namespace relulift {

enum class PatternProgram { gated, relu };

struct PatternPoint {
  // d x (P c), column i c + k is V_i e_k. N is empty for gated programs.
  Matrix V, N;
  // n x c, dual feasible but for rounding: ||A_i'E e_k|| <= g for gated programs; for ReLU the
  // largest of +-(E e_k)'A_i u over u of the cone of i, ||u|| <= 1, is at most g.
  Matrix E;
  double objective = std::numeric_limits<double>::infinity();  // of V, N
  double bound = -std::numeric_limits<double>::infinity();     // no V, N has a smaller objective
  Index iterations = 0;
};

}  // namespace relulift
