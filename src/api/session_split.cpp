// SPDX-License-Identifier: Apache-2.0
// The part of a session that raises the bound above that of the relaxation, on a partition of
// weight space into cones [eq:split].
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <relulift/error.hpp>
#include <utility>

#include "src/api/session.hpp"
#include "src/solvers/split_cuts.hpp"

namespace relulift {
namespace {

// Worth of the partition that is chosen without a time limit.
constexpr double kSplitSeconds = 40.0, kMostOverrun = 2.0;
// Of a time limit, for the proofs.
constexpr double kProofShare = 0.1;
// A proof has to promise this much more, relatively; a target is passed by as much.
constexpr double kWorthProving = 1e-6, kTargetRoom = 1e-6;

}  // namespace

void Session::split(PairsPoint root) {
  const double left = control_.remaining();
  const auto affordable = [&](double seconds) {
    return affordable_cones(presolved_.reduced, static_cast<Index>(root.pairs.size()), seconds,
                            engines_->memory().engine);
  };
  const bool automatic = options_.split == Options::kAutomaticSplit;
  const Index cones =
      automatic ? affordable(std::isfinite(left) ? left : kSplitSeconds)
                : std::min(options_.split, affordable(std::numeric_limits<double>::infinity()));
  if (cones < 2) return;
  phase_ = "split";
  phase_iteration_ = 0;
  const double most = std::isfinite(left) ? (1.0 - kProofShare) * left
                      : automatic         ? kMostOverrun * kSplitSeconds
                                          : left;
  const Control clock, control = control_.within(most);
  const double known = given_ ? reference_objective(best_weights_) : best_.objective;
  const SplitOptions options{
      .max_cones = cones,
      .max_iterations = options_.max_iterations,
      .target = (1.0 - options_.gap) * std::min(best_.objective, known) * (1.0 + kTargetRoom)};
  const auto on_stage = [&](const SplitStage& stage, const SplitPoint& point) {
    if (stage.dual > keeper_.value() * (1.0 + kWorthProving)) {
      keeper_.offer(candidate_of(point), best_.objective, usable_memory(), control_);
      note_bound("split", keeper_.last(), clock.seconds());
    }
    return report({.iteration = stage.iterations}, Beat::check) && !gap_met();
  };
  try {
    engines_->split(presolved_.reduced, std::move(root), options, control, on_stage);
  } catch (const std::bad_alloc&) {  // what was proved by then holds
    plan_.reason += "; the memory did not suffice for more cones";
  } catch (const DeviceError& error) {
    plan_.reason += fmt::format("; the split ended early ({})", error.what());
  }
  result_.seconds.relaxation += clock.seconds();
}

SplitCandidate Session::candidate_of(const SplitPoint& point) const {
  SplitCandidate out{point.tree.nodes(), {}};
  for (Index leaf = 0; leaf < static_cast<Index>(point.cones.size()); ++leaf)
    out.leaves.push_back(presolved_.dual_candidate(multipliers_of(point, leaf)));
  return out;
}

}  // namespace relulift
