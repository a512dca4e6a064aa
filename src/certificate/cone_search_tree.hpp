// SPDX-License-Identifier: Apache-2.0
// Depth-first passes over the cells of [eq:cone], in branches that threads work on side by side.
// Rounds of fixed node quotas, merged in branch order, make the result independent of the number
// of threads (unless the clock stops it).
#pragma once

#include "src/certificate/cone_search.hpp"
#include "src/certificate/cone_search_cell.hpp"

namespace relulift {

struct ConePass {
  double threshold = 0.0;            // T; grows with better directions when tolerance is set
  double tolerance = 0.0;            // maximise: T = (1 + tolerance) best. 0: prune, T is fixed
  ConeDirection best;                // maximise: known and found
  std::vector<ConeDirection> found;  // above `report`
  double report = std::numeric_limits<double>::infinity();
  Index keep = 0;         // directions worth keeping
  double upper = 0.0;     // out: kappa <= upper, in the scale of ConeData
  bool finished = false;  // out: every cell was settled
  Index nodes = 0;        // out
};

// Works until every cell is settled or a limit of `options` is reached.
void run_pass(const ConeData& data, const ConeSearchOptions& options, Index max_nodes,
              ConePass& pass);

}  // namespace relulift
