// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/termination.hpp"

#include <cmath>

namespace relulift {

namespace {

// NaN anchors, of the first check, count as moved.
bool moved(double anchor, double now, double relative) {
  return !(std::abs(now - anchor) <= relative * std::abs(anchor));
}

}  // namespace

Stall advance(const Stall& before, const Measured& now, const Limits& limits) {
  const bool alive = moved(before.primal, now.primal, limits.stall_improvement) ||
                     moved(before.dual, now.dual, limits.stall_improvement);
  if (alive) return {now.primal, now.dual, 0};
  return {before.primal, before.dual, before.checks + 1};
}

std::optional<Status> termination(const Measured& now, const Stall& stall, const Limits& limits) {
  if (!std::isfinite(now.primal_residual) || !std::isfinite(now.dual_residual)) {
    return Status::numerical_failure;
  }
  if (now.primal_residual <= limits.tolerance && now.dual_residual <= limits.tolerance) {
    return Status::optimal;
  }
  if (stall.checks >= limits.stall_checks) return Status::stalled;
  if (limits.max_iterations > 0 && now.iteration >= limits.max_iterations) {
    return Status::iteration_limit;
  }
  return std::nullopt;
}

}  // namespace relulift
