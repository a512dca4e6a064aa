// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/cone_search_bound.hpp"

#include <algorithm>
#include <limits>

namespace relulift {

RescaleBound rescale_bound(const Matrix& E, const Matrix& Y, double weight_decay,
                           double kappa_upper) {
  // Sums of N products in any order: error at most N eps sum |e y|.
  const double unit = std::numeric_limits<double>::epsilon();
  const double slack = unit * static_cast<double>(E.size() + 4);
  const double inner = E.cwiseProduct(Y).sum() - slack * E.cwiseProduct(Y).cwiseAbs().sum();
  const double square = E.squaredNorm() * (1.0 + slack);
  RescaleBound best;
  if (!(inner > 0.0) || !(square > 0.0)) return best;
  double t = inner / square;
  if (kappa_upper > 0.0) t = std::min(t, weight_decay / kappa_upper * (1.0 - 2.0 * unit));
  const double linear = t * inner, quadratic = 0.5 * t * (t * square);
  const double value = linear - quadratic - 4.0 * unit * (linear + quadratic);
  if (value > 0.0) best = {value, t};
  return best;
}

}  // namespace relulift
