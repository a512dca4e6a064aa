// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "src/solvers/gated_products.hpp"
#include "src/solvers/pattern_admm_system.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

struct AdmmOptions {
  double tolerance = 1e-6;   // (objective - bound) / objective
  Index max_iterations = 0;  // 0: no limit
  // Penalties of v = u and of the cones beside that of f = F u, per pattern: W = pull P sqrt(X'X),
  // in units of the mean of X'X, and cone P X'X. Of [eq:pattern-admm].
  double pull = 3e-4, cone = 1e-2;
  double pull_power = 0.5;  // of X'X; 0 where the penalty needs one number
  double relaxation = 1.6;  // in (0, 2)
  double penalty = 1.0;     // of all splits, to begin with
  Index adaptions = 40;     // of the penalty, at most
  Index tile_entries = kTileHost;
  SystemOptions system;
};

// What a program of this size takes: its matrix is factorised up to an order that costs seconds.
inline AdmmOptions admm_options(Index n, Index d, PatternProgram program, Index tile_entries,
                                Index patches = 1) {
  AdmmOptions options;
  options.tile_entries = tile_entries;
  options.system.patches = patches;
  options.system.halves = program == PatternProgram::relu ? 2 : 1;
  if (program == PatternProgram::relu) options.pull = 3e-3;
  options.system.max_order = tile_entries >= kTileDevice ? 20'000 : 6'000;
  options.system.rank = std::min({n, 2 * d + 20, Index{200}});
  options.system.max_iterations = 200;
  return options;
}

}  // namespace relulift
