// SPDX-License-Identifier: Apache-2.0
// From norms of groups to Omega, its dual norm and the factor that makes a dual point feasible
// [eq:pattern-dual], without the host.
#pragma once

#include <math.h>  // on host and device

#include "src/core/view.hpp"

namespace relulift::kernels {

// The norm of a group from its sum of squares; extent {groups}.
struct GroupNorm {
  const double* square = nullptr;
  RELULIFT_HD double operator()(Index group, Index) const { return sqrt(square[group]); }
};

// out = the largest norm; launch_columns with extent {groups, 1}.
template <class Norm>
struct LargestNorm {
  Norm norm;
  Slot out;
  template <class Team>
  RELULIFT_HD void operator()(Index, const Team& team) const {
    const double largest = team.max([&](Index group) { return norm(group, 0); });
    if (team.leads()) out.set(largest);
  }
};

// g / max(g, the dual norm); NaN where that is NaN, so that no bound comes of it.
RELULIFT_HD inline double dual_factor(double g, double norm) { return norm <= g ? 1.0 : g / norm; }
// out = sign times that: -1 where the dual point is the gradient of the loss, E = -R.
struct DualFactor {
  Slot norm;
  double g, sign;
  Slot out;
  RELULIFT_HD void operator()(Index, Index) const { out.set(sign * dual_factor(g, norm.get())); }
};

}  // namespace relulift::kernels
