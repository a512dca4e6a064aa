// SPDX-License-Identifier: Apache-2.0
// Options of the bound on a partition [eq:split], what it reports, and which cones it cuts by which
// rows. docs/math.md, section 11.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <relulift/result.hpp>

#include "src/solvers/pairs_options.hpp"
#include "src/solvers/split_point.hpp"

namespace relulift {

struct SplitOptions {
  // Cones in the end, at most; >= 2.
  Index max_cones = 16;
  // Relative duality gap of the last partition, > 0.
  double tolerance = 1e-3;
  // A bound, constant included, that is good enough.
  double target = std::numeric_limits<double>::infinity();
  // Called at every iterate, with the number of cones for the round; for benches and tests.
  std::function<void(const PairsStep&)> on_iteration = {};
};

struct SplitStage {
  Index cones;
  double dual;       // the best D(G) so far, constant included
  double seconds;    // of this partition
  Index iterations;  // of all
};
// After every partition, with the point of the best bound; false ends the run.
using OnSplit = std::function<bool(const SplitStage&, const SplitPoint&)>;

struct SplitOutcome {
  Status status;
  Index iterations;
};

// Of one cone in the interior point, host copies included.
std::int64_t split_block_bytes(Index own, Index residuals, Index order);

// How many cones, a power of two at least 2 or none at all (0), `seconds` and `bytes` are enough
// for; pairs: of the point on the whole space.
Index affordable_cones(const ReducedProblem& problem, Index pairs, double seconds,
                       std::int64_t bytes);

// Cuts cones with scores near the best, each by its row of the largest score, up to `most` cones.
void cut_where_it_pays(const ReducedProblem& problem, SplitPoint& point, Index most);

}  // namespace relulift
