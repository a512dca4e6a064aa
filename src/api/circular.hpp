// SPDX-License-Identifier: Apache-2.0
// Circular networks [eq:circular] on the backend that was asked for.
#pragma once

#include <relulift/convolution.hpp>
#include <relulift/solve.hpp>

#include "src/api/engines.hpp"

namespace relulift {

struct CircularSolution {
  CircularFit fit;
  Index iterations = 0;  // of the interior point
};

// fit_circular() by these engines, until the gap or `control` ends it. Throws InvalidInput with the
// sizes where so much memory is not free.
CircularSolution solve_circular_lasso(const Problem& problem, double gap, Engines& engines,
                                      const Control& control);

// Method::circular: a result whose network is linear and whose filters are the circular network.
// Throws InvalidInput for options that it does not take.
Result solve_circular(const Problem& problem, const Options& options);

}  // namespace relulift
