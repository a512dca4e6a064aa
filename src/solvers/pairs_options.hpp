// SPDX-License-Identifier: Apache-2.0
// Options, sizes and trace of the interior point on active pairs [eq:pairs].
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "src/solvers/pairs_point.hpp"

namespace relulift {

struct PairsStep {
  int round;
  Index iteration, variables;
  double dual;  // D + constant
  double gap, primal_step, dual_step, centering;
};

struct PairsOptions {
  // Iterations (Cholesky factorisations of the Schur matrix) in all; 0 = no limit.
  Index max_iterations = 0;
  // Relative duality gap of the last rounds, and the one to a feasible primal value that ends the
  // run, >= 1e-7.
  double tolerance = 1e-5;
  // The active set never grows beyond this, >= 0.
  Index max_pairs = 100'000;
  // ... and is kept so small that everything fits.
  std::int64_t memory_limit_bytes = std::numeric_limits<std::int64_t>::max();
  // Nearest samples of each sample that start the active set, >= 1.
  Index neighbours = 4;
  // A point that is nearly optimal, with a dense S >= 0 and pairs that may need more; its kap is
  // not used. None: neighbours and the analytic start.
  std::optional<PairsPoint> start = {};
  // Value of a feasible point that is known, without the constant of the problem.
  double primal = std::numeric_limits<double>::quiet_NaN();
  // Violated pairs added per lifted row and round, >= 1.
  Index per_row = 1;
  // Share of the analytic start in a restart, in (0, 1].
  double blend = 0.1;
  // Called at every iterate; for benches and tests.
  std::function<void(const PairsStep&)> on_iteration = {};
};

// Bytes of a round with `pairs` active pairs, host copies included.
std::int64_t pairs_bytes(const ReducedProblem& problem, Index pairs);
// The largest active set that fits the memory limit, at most all pairs; negative: none fits.
Index most_pairs(const ReducedProblem& problem, const PairsOptions& options);

}  // namespace relulift
