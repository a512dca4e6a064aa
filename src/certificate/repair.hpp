// SPDX-License-Identifier: Apache-2.0
// What a candidate proves once Q + kappa C is known to be positive semidefinite [eq:repair].
#pragma once

#include "src/certificate/merged_data.hpp"
#include "src/core/dual_candidate.hpp"

namespace relulift {

// The right-hand side of [eq:repair] as a function of kappa, rounded down; of an infinite kappa the
// constant of [eq:merged].
class Repair {
 public:
  // objective_upper: of some network on the data as given; infinity when none is known.
  Repair(const MergedData& data, const DualCandidate& candidate, double objective_upper);

  double value(double kappa) const;

 private:
  void add(Extended multiplier, Extended target);
  double at(Extended t, Extended growth) const;
  double rounded_down(Extended bound, Extended size) const;

  Extended constant_ = 0, penalty_ = 0, cost_ = 0;
  Extended linear_ = 0, square_ = 0, size_ = 0, rounding_ = 0;
};

}  // namespace relulift
