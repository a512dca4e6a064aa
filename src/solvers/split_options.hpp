// SPDX-License-Identifier: Apache-2.0
// Options of the bound on a partition of weight space [eq:split], and what it reports.
#pragma once

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
  // Newton steps in all; 0 = no limit.
  Index max_iterations = 0;
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

}  // namespace relulift
