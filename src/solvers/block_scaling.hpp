// SPDX-License-Identifier: Apache-2.0
// Block scaling of the dense engine from a trained network.
#pragma once

#include "src/lift/face.hpp"

namespace relulift {

struct ScalingRule {
  // b^2 ||S_uu|| = u * ||K||, e^2 ||S_vv|| = v * ||K|| at the network's S, K of the scaled rows.
  double u = 0.1;
  double v = 0.1;
};

// `start` may have no neurons: then the norms of one neuron per direction of X are used.
BlockScaling block_scaling(const ReducedProblem& problem, const Weights& start,
                           const ScalingRule& rule = {});

}  // namespace relulift
