// SPDX-License-Identifier: Apache-2.0
// A two-layer ReLU network x -> V (U'x)_+ and its objective.
#pragma once

#include <relulift/problem.hpp>
#include <span>
#include <vector>

namespace relulift {

struct Network {
  Index features = 0;  // d
  Index outputs = 0;   // c
  Index neurons = 0;   // m, may be 0: the zero network
  // d x m, column-major: column j holds the input weights u_j of neuron j.
  std::vector<double> U;
  // c x m, column-major: column j holds the output weights v_j of neuron j.
  std::vector<double> V;
};

// (XU)_+ V' for X of samples x features, column-major. Returns samples x outputs, column-major.
std::vector<double> predict(const Network& network, std::span<const double> X, Index samples);

// J of [eq:train] by a plain forward pass in double precision on the data as given, summed in
// extended precision.
double objective(const Problem& problem, const Network& network);

}  // namespace relulift
