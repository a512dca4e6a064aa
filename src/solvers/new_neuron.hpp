// SPDX-License-Identifier: Apache-2.0
// The one neuron that lowers J of a given network most, all its other weights kept. Along a unit
// direction u the best output weights and the best size are known, and with them the reduction
// [eq:neuron]; directions come from ascents [eq:ascent] and, at few features, a search of the
// sphere [eq:cone], and climb from there.
#pragma once

#include <optional>
#include <relulift/result.hpp>

#include "src/core/control.hpp"
#include "src/core/dense.hpp"

namespace relulift {

// A direction of unit length and what the best neuron along it is worth.
struct NeuronGain {
  double ratio = 0.0;  // (||E'a|| - g) / ||a||, a = (Xu)_+; its square is twice the reduction
  Vector gradient;     // of the ratio, along the sphere
};

// [eq:neuron] at unit u; the ratio is at most 0 where no neuron along u lowers J.
NeuronGain neuron_gain(const Matrix& X, const Matrix& E, double g, const Vector& u);

// Steepest ascent of the ratio on the sphere: never below its start.
Vector climb(const Matrix& X, const Matrix& E, double g, Vector u, const Control& control);

// The best neuron found, or none: nothing is suggested unless a forward pass of the enlarged
// network, on the data as given, has an objective that is lower by more than a part in 1e6. A
// search, so none found is no proof of optimality. Takes a few seconds at most.
std::optional<NewNeuron> suggest_neuron(const Problem& problem, const Network& network, int threads,
                                        const Control& control);

}  // namespace relulift
