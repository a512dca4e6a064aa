// SPDX-License-Identifier: Apache-2.0
#include "src/api/bound_keeper.hpp"

#include <algorithm>
#include <cmath>

#include "src/certificate/residual_bound.hpp"
#include "src/core/control.hpp"

namespace relulift {

BoundKeeper::BoundKeeper(const Problem& problem) : problem_(problem) {
  const Control clock;
  offer(std::max(0.0, solver_free_floor(problem)), "floor");  // J >= 0
  last_ = {"floor", value(), clock.seconds()};
}

double BoundKeeper::offer(const DualCandidate& candidate, const BoundOptions& options) {
  const Control clock;
  const Bound bound = certify_multipliers(problem_, candidate, options);
  last_ = {bound.kind, bound.value, clock.seconds()};
  seconds_ += last_.seconds;
  offer(bound.value, bound.kind);
  best_.estimate = std::fmax(best_.estimate, bound.estimate);  // NaN gives way
  return bound.value;
}

void BoundKeeper::offer(double bound, const std::string& kind) {
  if (!(bound > best_.lower_bound)) return;
  best_ = {Claim::every_network, kind, bound, best_.estimate};
}

bool BoundKeeper::refuted_by(double objective) {
  // A part in 1e9 covers the rounding of the objective.
  if (!(best_.lower_bound > objective * (1.0 + 1e-9))) return false;
  best_ = {};
  return true;
}

}  // namespace relulift
