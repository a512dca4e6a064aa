// SPDX-License-Identifier: Apache-2.0
// A two-layer network x -> V s(U'x) and its objective.
#pragma once

#include <relulift/loss.hpp>
#include <relulift/problem.hpp>
#include <span>
#include <vector>

namespace relulift {

// relu: s(z) = z_+. gated: neuron j gives x'u_j where x'h_j >= 0 and zero elsewhere, h_j its gate.
// linear: s(z) = z.
enum class Activation { relu, gated, linear };

struct Network {
  Index features = 0;  // d
  Index outputs = 0;   // c
  Index neurons = 0;   // m, may be 0: the zero network
  // d x m, column-major: column j holds the input weights u_j of neuron j.
  std::vector<double> U;
  // c x m, column-major: column j holds the output weights v_j of neuron j.
  std::vector<double> V;
  Activation activation = Activation::relu;
  // d x m, column-major: column j holds the gate of neuron j; empty unless gated.
  std::vector<double> G = {};
};

// s(XU) V' for X of samples x features, column-major. Returns samples x outputs, column-major.
std::vector<double> predict(const Network& network, std::span<const double> X, Index samples);

// Of a gated network: whether predict() has neuron j active on row r, x_r'h_j >= 0, at r + j
// samples. Throws InvalidInput for networks without gates.
std::vector<bool> active_neurons(const Network& network, std::span<const double> X, Index samples);

// J of [eq:train], with s for the ReLU, by a plain forward pass in double precision on the data as
// given, summed in extended precision.
double objective(const Problem& problem, const Network& network);
// The same with another loss in place of 1/2 ||. - Y||^2; huber_delta is read by huber alone.
double objective(const Problem& problem, const Network& network, Loss loss, double huber_delta);

}  // namespace relulift
