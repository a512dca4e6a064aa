// SPDX-License-Identifier: Apache-2.0
// The lower bound that an upper bound of kappa(E) proves [eq:rescale].
#pragma once

#include "src/core/dense.hpp"

namespace relulift {

struct RescaleBound {
  double lower_bound = 0.0;  // p_nn >= lower_bound, rounding included; never below 0 (t = 0)
  double t = 0.0;
};

// max of t <E,Y> - t^2/2 ||E||^2 over 0 <= t <= g / kappa_upper. Valid for ANY E, best for the
// residual Y - f(X) of a good network; kappa_upper must bound kappa of exactly this E and of the
// rows of X that belong to Y. Merged rows [eq:merged]: stack the rows -b_k x_k of the beta parts
// with their targets, and add the constant of the merging to the result.
RescaleBound rescale_bound(const Matrix& E, const Matrix& Y, double weight_decay,
                           double kappa_upper);

}  // namespace relulift
