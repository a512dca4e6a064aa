// SPDX-License-Identifier: Apache-2.0
// Where the low-rank engine stands: all it needs to go on. Offered at a check, it is that of the
// outer iteration just done with the multipliers and the penalty before their update.
#pragma once

#include <limits>

#include "src/solvers/pairs_point.hpp"

namespace relulift {

struct LowRankState {
  Matrix Z;                       // r x (n + d + c), S = Z'Z; columns s_i / ||x_i||, u, v
  std::vector<LiftedPair> pairs;  // ascending, i < j < 2n, j != i + n
  Vector w;                       // multipliers of K_ij >= 0 on unit rows, one per pair, >= 0
  Vector y;                       // n: of K(alpha_i, beta_i) = 0 on unit rows, free
  double sigma = 0.0;             // penalty, > 0
  double tolerance = 0.0;         // of the next inner solve
  double violation = std::numeric_limits<double>::infinity();  // of the last one, relative
  Index iteration = 0;                                         // outer iterations done

  bool empty() const { return Z.size() == 0; }
};

}  // namespace relulift
