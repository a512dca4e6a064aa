// SPDX-License-Identifier: Apache-2.0
// Seeded problems and networks, with every degeneracy that presolve must survive.
#pragma once

#include <relulift/network.hpp>

#include "src/core/random.hpp"

namespace relulift::testing {

inline Problem random_problem(Random& random, Index n, Index d, Index c, double weight_decay) {
  Problem p{
      .samples = n, .features = d, .outputs = c, .X = {}, .Y = {}, .weight_decay = weight_decay};
  p.X.resize(static_cast<std::size_t>(n * d));
  p.Y.resize(static_cast<std::size_t>(n * c));
  for (double& x : p.X) x = random.normal();
  for (double& y : p.Y) y = random.normal();
  return p;
}

inline Network random_network(Random& random, Index d, Index c, Index m, double size = 1.0) {
  Network net{.features = d, .outputs = c, .neurons = m, .U = {}, .V = {}};
  net.U.resize(static_cast<std::size_t>(d * m));
  net.V.resize(static_cast<std::size_t>(c * m));
  for (double& u : net.U) u = size * random.normal();
  for (double& v : net.V) v = size * random.normal();
  return net;
}

// Row j becomes tau times row i. Exact for a power of two, otherwise up to rounding.
inline void make_parallel(Problem& p, Index j, Index i, double tau) {
  for (Index l = 0; l < p.features; ++l) p.X[j + l * p.samples] = tau * p.X[i + l * p.samples];
}

inline void make_zero(Problem& p, Index j) { make_parallel(p, j, j, 0.0); }

// Column l becomes a combination of the others: rank X drops.
inline void make_dependent(Problem& p, Index l, Random& random) {
  std::vector<double> weight(static_cast<std::size_t>(p.features));
  for (double& w : weight) w = random.normal();
  for (Index i = 0; i < p.samples; ++i) {
    double sum = 0;
    for (Index k = 0; k < p.features; ++k)
      if (k != l) sum += weight[k] * p.X[i + k * p.samples];
    p.X[i + l * p.samples] = sum;
  }
}

}  // namespace relulift::testing
