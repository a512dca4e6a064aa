// SPDX-License-Identifier: Apache-2.0
// What every relaxation engine reports at its checks and at its end. Engines know the reduced
// problem only; the driver maps multipliers back and has them certified by separate code.
#pragma once

#include <functional>
#include <limits>
#include <relulift/result.hpp>

#include "src/presolve/reduced_problem.hpp"
#include "src/solvers/low_rank_state.hpp"

namespace relulift {

struct EngineCheck {
  Index iteration = 0;
  // Estimates of p_sdp in the scale of the data as given (constant included); NaN when unknown.
  double primal = std::numeric_limits<double>::quiet_NaN();
  double dual = std::numeric_limits<double>::quiet_NaN();
  double primal_residual = std::numeric_limits<double>::quiet_NaN();  // relative
  double dual_residual = std::numeric_limits<double>::quiet_NaN();    // relative
  // Fetches the dual candidate (reduced scale). Costs a device read-back: call it when `dual`
  // promises an improvement.
  std::function<Multipliers()> multipliers = {};
  // Fetches all the engine needs to go on from this check; of engines that can be resumed. Called
  // during the check alone, and only when a checkpoint is due or the solve ends.
  std::function<LowRankState()> state = {};
  bool last = false;  // the engine ends after this check
};

// Called at every check on the calling thread; false stops the engine.
using OnCheck = std::function<bool(const EngineCheck&)>;

struct EngineOutcome {
  Status status = Status::numerical_failure;
  Index iterations = 0;
  double primal = std::numeric_limits<double>::quiet_NaN();
  double dual = std::numeric_limits<double>::quiet_NaN();
  // PSD, order n + d + c, blocks (s, u, v) of the reduced problem: input of rounding and of warm
  // starts. Empty when the engine has none.
  Matrix S;
  Multipliers multipliers;  // of the best dual value
};

}  // namespace relulift
