// SPDX-License-Identifier: Apache-2.0
// Public functions of a circular network: forward pass and objective by plain convolutions. It
// shares nothing with the Fourier transforms that the solver works in.
#include <relulift/convolution.hpp>
#include <relulift/error.hpp>
#include <string>

#include "src/core/dense.hpp"

namespace relulift {
namespace {

using ConstMap = Eigen::Map<const Matrix>;

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

void require_whole(const CircularNetwork& network) {
  require(network.features >= 1 && network.outputs >= 1 && network.filters >= 0,
          "the network needs at least 1 feature and 1 output, and no negative number of filters");
  const auto signal = static_cast<std::size_t>(network.features);
  const auto m = static_cast<std::size_t>(network.filters);
  require(network.U.size() == signal * m,
          "U of the network does not have features x filters entries");
  require(network.W.size() == signal * m * static_cast<std::size_t>(network.outputs),
          "W of the network does not have features x outputs x filters entries");
}

// The linear model that the network is: f(x) = V'x, v_s = sum_j sum_t u_j,(t - s) w_j,t
// [eq:circular-model]. Cost: d^2 c m.
Matrix linear_model(const CircularNetwork& network) {
  const Index d = network.features, c = network.outputs;
  const ConstMap U(network.U.data(), d, network.filters);
  const ConstMap W(network.W.data(), d, c * network.filters);
  Matrix V = Matrix::Zero(d, c);
  for (Index j = 0; j < network.filters; ++j) {
    for (Index s = 0; s < d; ++s) {
      const Index tail = d - s;  // t = s..d-1 meets u_0.., t = 0..s-1 the end of u
      V.row(s) += U.col(j).head(tail).transpose() * W.block(s, c * j, tail, c);
      V.row(s) += U.col(j).tail(s).transpose() * W.block(0, c * j, s, c);
    }
  }
  return V;
}

}  // namespace

std::vector<double> predict(const CircularNetwork& network, std::span<const double> X,
                            Index samples) {
  require_whole(network);
  require(samples >= 0, "samples must not be negative");
  require(X.size() == static_cast<std::size_t>(samples * network.features),
          "X does not have samples x features entries");
  std::vector<double> prediction(static_cast<std::size_t>(samples * network.outputs));
  Eigen::Map<Matrix>(prediction.data(), samples, network.outputs).noalias() =
      ConstMap(X.data(), samples, network.features) * linear_model(network);
  return prediction;
}

Network linear_network(const CircularNetwork& network) {
  require_whole(network);
  const Index c = network.outputs;
  Network out{.features = network.features, .outputs = c, .neurons = 0, .U = {}, .V = {}};
  out.activation = Activation::linear;
  if (network.filters == 0) return out;
  const Matrix V = linear_model(network), unit = Matrix::Identity(c, c);
  out.neurons = c;
  out.U.assign(V.data(), V.data() + V.size());
  out.V.assign(unit.data(), unit.data() + unit.size());
  return out;
}

double objective(const Problem& problem, const CircularNetwork& network) {
  require(network.features == problem.features,
          "the network expects " + std::to_string(network.features) + " features, the data has " +
              std::to_string(problem.features));
  require(network.outputs == problem.outputs, "the network has " + std::to_string(network.outputs) +
                                                  " outputs, the problem " +
                                                  std::to_string(problem.outputs));
  const std::vector<double> f = predict(network, problem.X, problem.samples);
  long double loss = 0.0L, penalty = 0.0L;
  const auto square = [](long double x) { return x * x; };
  for (std::size_t k = 0; k < f.size(); ++k) loss += square(f[k] - problem.Y[k]);
  for (const double u : network.U) penalty += square(u);
  for (const double w : network.W) penalty += square(w);
  return static_cast<double>((loss + problem.weight_decay * penalty) / 2.0L);
}

}  // namespace relulift
