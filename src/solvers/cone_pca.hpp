// SPDX-License-Identifier: Apache-2.0
// The largest of ||B'u|| over a cone {K u >= 0} and ||u|| <= 1: cone-constrained PCA, the gain of a
// neuron that serves several outputs [eq:cone-pca] (Sahiner et al. 2021 enumerate it in d
// dimensions). Branch and bound over directions of the outputs instead: few outputs, any number of
// features.
#pragma once

#include "src/core/dense.hpp"

namespace relulift {

struct ConePcaOptions {
  double below = 0.0;      // what is at most this need not be told apart
  double relative = 1e-6;  // of the maximum, when it is above
  Index nodes = 4000;      // cells at most
};

struct ConePca {
  double upper = 0.0;  // no smaller than the maximum, rounding aside
  double value = 0.0;  // ||B'u|| of `u`
  Vector u;            // unit, in the cone but for rounding; empty where nothing gains
};

// K: n x d, B: d x c.
ConePca cone_pca(const Matrix& K, const Matrix& B, const ConePcaOptions& options);

}  // namespace relulift
