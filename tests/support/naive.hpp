// SPDX-License-Identifier: Apache-2.0
// Plain loops in long double that share no code with the library: the oracle of the tests.
#pragma once

#include <relulift/network.hpp>

namespace relulift::testing {

// [eq:train], entry by entry.
inline double naive_objective(const Problem& p, const Network& net) {
  long double loss = 0, penalty = 0;
  for (Index i = 0; i < p.samples; ++i) {
    std::vector<long double> residual(static_cast<std::size_t>(p.outputs));
    for (Index k = 0; k < p.outputs; ++k) residual[k] = -p.Y[i + k * p.samples];
    for (Index j = 0; j < net.neurons; ++j) {
      long double z = 0;
      for (Index l = 0; l < p.features; ++l)
        z += static_cast<long double>(p.X[i + l * p.samples]) * net.U[l + j * p.features];
      if (z <= 0) continue;
      for (Index k = 0; k < p.outputs; ++k) residual[k] += z * net.V[k + j * p.outputs];
    }
    for (const long double r : residual) loss += r * r;
  }
  for (const long double u : net.U) penalty += u * u;
  for (const long double v : net.V) penalty += v * v;
  return static_cast<double>((loss + p.weight_decay * penalty) / 2);
}

}  // namespace relulift::testing
