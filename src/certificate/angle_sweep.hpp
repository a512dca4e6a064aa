// SPDX-License-Identifier: Apache-2.0
// kappa(E) in the plane, exactly: between two event angles (x_i'u = 0) F(u) = M u is linear, and M
// changes by a rank-one term e_i x_i' at each. O(n log n + n c).
#pragma once

#include <vector>

#include "src/certificate/cone_search_data.hpp"

namespace relulift {

// An upper bound of kappa, above it by rounding alone. `found` receives the best direction and
// every local maximum above `threshold`.
double angle_sweep(const ConeData& data, double threshold, std::vector<ConeDirection>& found);

}  // namespace relulift
