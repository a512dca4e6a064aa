// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_options.hpp"

#include <algorithm>
#include <cmath>

namespace relulift {

std::int64_t pairs_bytes(const ReducedProblem& problem, Index pairs) {
  const Index n = problem.n(), c = problem.c(), order = n + problem.d() + c;
  const Index m = n + pairs, rows = n + problem.p();
  const Index elimination = 4 * n * n + rows * (4 * n + rows + 8 * c) + c * c * (m + 2 * n + c * c);
  // Schur matrix; H and its host copy; W, st, tt; the squares of a step and of the host's start.
  return 8 * (m * m + 2 * (2 * n + c) * (2 * n + c) + 7 * n * n + 19 * order * order +
              16 * (m + rows * c) + elimination);
}

Index most_pairs(const ReducedProblem& problem, const PairsOptions& options) {
  const Index all = std::min(2 * problem.n() * (problem.n() - 1), options.max_pairs);
  if (all < 0) return -1;
  if (pairs_bytes(problem, all) <= options.memory_limit_bytes) return all;
  Index low = -1, high = all;  // low fits (or none), high does not
  while (high - low > 1) {
    const Index middle = low + (high - low) / 2;
    (pairs_bytes(problem, middle) <= options.memory_limit_bytes ? low : high) = middle;
  }
  return low;
}

}  // namespace relulift
