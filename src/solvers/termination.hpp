// SPDX-License-Identifier: Apache-2.0
// When an engine stops, as pure functions of what a check measured.
#pragma once

#include <limits>
#include <optional>

#include "src/solvers/engine.hpp"

namespace relulift {

struct Limits {
  // Stop when both relative residuals of [eq:stop] are at most this. > 0.
  double tolerance = 1e-6;
  // 0 = no limit.
  Index max_iterations = 0;
  // Stop when neither objective estimate moved by this, relatively, in `stall_checks` checks.
  double stall_improvement = 1e-4;
  Index stall_checks = 25;
};

struct Measured {
  Index iteration = 0;
  double primal = 0.0, dual = 0.0;                    // objective estimates
  double primal_residual = 0.0, dual_residual = 0.0;  // relative
};

// Checks since an estimate last left the band of stall_improvement around its anchor. Estimates of
// a first-order method are not monotone, so a move in either direction counts as life.
struct Stall {
  double primal = std::numeric_limits<double>::quiet_NaN();
  double dual = std::numeric_limits<double>::quiet_NaN();
  Index checks = 0;
};
Stall advance(const Stall& before, const Measured& now, const Limits& limits);

// Nothing: go on. Time and interruption are the caller's, who owns the clock.
std::optional<Status> termination(const Measured& now, const Stall& stall, const Limits& limits);

}  // namespace relulift
