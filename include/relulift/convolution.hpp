// SPDX-License-Identifier: Apache-2.0
// Two-layer linear networks of circular convolutions, solved to global optimality: an
// l1-regularised linear model in the discrete Fourier domain (Pilanci & Ergen 2020, arXiv
// 2002.10553; docs/math.md, section 12).
#pragma once

#include <limits>
#include <relulift/network.hpp>
#include <relulift/problem.hpp>
#include <span>
#include <vector>

namespace relulift {

// x -> sum_j W_j' (x * u_j), where (x * u)_t = sum_s x_s u_(t - s mod d).
struct CircularNetwork {
  Index features = 0;  // d
  Index outputs = 0;   // c
  Index filters = 0;   // m, may be 0: the zero network
  // d x m, column-major: column j is the filter u_j.
  std::vector<double> U;
  // d x c for every filter, column-major: weight (t, k) of filter j at t + d (k + c j).
  std::vector<double> W;
};

struct CircularOptions {
  // Stop when (objective - bound) / objective is at most this; 0 <= gap < 1.
  double gap = 1e-8;
  double time_limit_seconds = std::numeric_limits<double>::infinity();
  int threads = 0;  // 0: all
};

struct CircularFit {
  CircularNetwork network;  // one filter, or none
  double objective = 0.0;   // of the network, by the function below
  // No circular network of any number of filters has a smaller objective: a dual value computed on
  // the data as given, up to rounding.
  double bound = 0.0;
};

// min over the number m of filters, U and W of
//     1/2 ||f(X) - Y||_F^2 + g/2 (||U||^2 + ||W||^2)                                [eq:circular]
// on the data of `problem`: rows of X are signals of length d. Limits end it with the best so far,
// at least as good as zero.
// Throws InvalidInput naming the first bad field.
CircularFit fit_circular(const Problem& problem, const CircularOptions& options = {});

// f(X) for X of samples x features, column-major. Returns samples x outputs, column-major.
std::vector<double> predict(const CircularNetwork& network, std::span<const double> X,
                            Index samples);

// The objective above by plain convolutions, summed in extended precision.
double objective(const Problem& problem, const CircularNetwork& network);

// The same function without convolutions, x -> V'x [eq:circular-model]: a network without
// activation with U = V of d x c and the unit matrix behind it; no neuron where there is no filter.
// Its [eq:train] is not [eq:circular]. Cost: d^2 c m.
Network linear_network(const CircularNetwork& network);

}  // namespace relulift
