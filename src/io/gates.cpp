// SPDX-License-Identifier: Apache-2.0
#include "src/io/gates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "src/core/dense.hpp"

namespace relulift::io {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Gates whose values on all rows are held at once.
constexpr Index kGates = 64;
// A gate with all rows on one side goes this share of its largest value away from them.
constexpr double kAway = 1e-6;

// Values of a gate on the rows that are nearest to it on either side.
struct Nearest {
  double inactive = -kInfinity, active = kInfinity;
};

// largest: that a value of the gate may have, rounding: what a sum may be off by. Empty where the
// sides are not apart.
std::optional<double> shift(Nearest at, double largest, double rounding) {
  if (largest == 0.0 || (at.active > rounding && at.inactive < -rounding)) return 0.0;
  if (at.inactive == -kInfinity) at.inactive = at.active - kAway * largest;
  if (at.active == kInfinity) at.active = at.inactive + kAway * largest;
  if (!(at.active - at.inactive > 2.0 * rounding)) return std::nullopt;
  return -0.5 * (at.active + at.inactive);
}

}  // namespace

Index clear_gates(Model& model, const std::vector<bool>& active, const Dataset& data) {
  const Index n = data.samples, d = data.features, m = model.network.neurons;
  const Eigen::Map<const Matrix> X(data.X.data(), n, d), G(model.network.G.data(), d, m);
  Eigen::Map<Vector> bias(model.gate_bias.data(), m);
  const Vector widest = X.cwiseAbs().colwise().maxCoeff().transpose();
  const double unit = 4.0 * static_cast<double>(d + 2) * std::numeric_limits<double>::epsilon();
  Index unclear = 0;
  for (Index first = 0; first < m; first += kGates) {
    const Index count = std::min(kGates, m - first);
    const Matrix S = X * G.middleCols(first, count);
    for (Index k = 0; k < count; ++k) {
      const Index j = first + k;
      Nearest nearest;
      for (Index r = 0; r < n; ++r) {
        const double s = S(r, k) + bias[j];
        if (active[static_cast<std::size_t>(r + j * n)])
          nearest.active = std::min(nearest.active, s);
        else
          nearest.inactive = std::max(nearest.inactive, s);
      }
      const double largest = std::abs(bias[j]) + G.col(j).cwiseAbs().dot(widest);
      const std::optional<double> move = shift(nearest, largest, unit * largest);
      bias[j] += move.value_or(0.0);
      unclear += move ? 0 : 1;
    }
  }
  return unclear;
}

}  // namespace relulift::io
