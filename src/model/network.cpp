// SPDX-License-Identifier: Apache-2.0
// Public functions of a plain network: forward pass, objective, validation of the problem.
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/network.hpp>
#include <string>

#include "src/core/dense.hpp"

namespace relulift {
namespace {

using ConstMap = Eigen::Map<const Matrix>;

// At most about this many hidden activations are held at a time.
constexpr Index kBlockEntries = 1 << 20;

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

void require_shape(const std::string& field, std::size_t entries, Index rows, Index cols) {
  const bool fits = rows <= std::numeric_limits<Index>::max() / cols;
  require(fits && entries == static_cast<std::size_t>(rows * cols),
          field + " holds " + std::to_string(entries) + " entries, expected " +
              std::to_string(rows) + " x " + std::to_string(cols));
}

void require_finite(const std::string& field, const std::vector<double>& entries, Index rows) {
  for (std::size_t k = 0; k < entries.size(); ++k)
    require(std::isfinite(entries[k]), field + " is not finite in row " + std::to_string(k % rows) +
                                           ", column " + std::to_string(k / rows) +
                                           " (counted from 0)");
}

// Products of the two appear squared in objectives and bounds.
void require_squarable(const std::string& field, const std::vector<double>& entries) {
  double sum = 0.0;
  for (const double entry : entries) sum += entry * entry;
  require(sum < 1e150,
          "the values of " + field + " are too large to be squared; rescale or standardize them");
}

void require_matching(const Network& network, Index features) {
  require(network.neurons >= 0, "neurons must not be negative");
  require(network.features == features, "the network expects " + std::to_string(network.features) +
                                            " features, the data has " + std::to_string(features));
  const auto m = static_cast<std::size_t>(network.neurons);
  require(network.U.size() == m * static_cast<std::size_t>(network.features),
          "U of the network does not have features x neurons entries");
  require(network.V.size() == m * static_cast<std::size_t>(network.outputs),
          "V of the network does not have outputs x neurons entries");
  const bool gated = network.activation == Activation::gated;
  require(network.G.size() == (gated ? network.U.size() : 0),
          "G of the network does not have a gate for each gated neuron");
}

}  // namespace

void validate(const Problem& problem) {
  require(problem.samples >= 1, "samples must be at least 1");
  require(problem.features >= 1, "features must be at least 1");
  require(problem.outputs >= 1, "outputs must be at least 1");
  require_shape("X", problem.X.size(), problem.samples, problem.features);
  require_shape("Y", problem.Y.size(), problem.samples, problem.outputs);
  require_finite("X", problem.X, problem.samples);
  require_finite("Y", problem.Y, problem.samples);
  require_squarable("X", problem.X);
  require_squarable("Y", problem.Y);
  require(std::isfinite(problem.weight_decay) && problem.weight_decay > 0.0,
          "weight_decay must be finite and positive");
}

namespace {

void require_rows(const Network& network, std::span<const double> X, Index samples) {
  require(samples >= 0, "samples must not be negative");
  require(X.size() == static_cast<std::size_t>(samples * network.features),
          "X does not have samples x features entries");
  require_matching(network, network.features);
}

// Rows whose activations are held at once. A sum on a gate rounds by its place in a product, so
// that all who take the sign of one use these blocks.
Index rows_at_once(const Network& network) {
  return std::max<Index>(1, kBlockEntries / std::max<Index>(1, network.neurons));
}

}  // namespace

std::vector<bool> active_neurons(const Network& network, std::span<const double> X, Index samples) {
  require(network.activation == Activation::gated, "only gated networks have active neurons");
  require_rows(network, X, samples);
  const ConstMap rows(X.data(), samples, network.features);
  const ConstMap G(network.G.data(), network.features, network.neurons);
  std::vector<bool> active(static_cast<std::size_t>(samples * network.neurons));
  const Index block = rows_at_once(network);
  for (Index first = 0; first < samples; first += block) {
    const Index count = std::min(block, samples - first);
    const Matrix s = rows.middleRows(first, count) * G;
    for (Index j = 0; j < network.neurons; ++j)
      for (Index r = 0; r < count; ++r)
        active[static_cast<std::size_t>(first + r + j * samples)] = s(r, j) >= 0.0;
  }
  return active;
}

std::vector<double> predict(const Network& network, std::span<const double> X, Index samples) {
  require_rows(network, X, samples);
  const ConstMap rows(X.data(), samples, network.features);
  const ConstMap U(network.U.data(), network.features, network.neurons);
  const ConstMap V(network.V.data(), network.outputs, network.neurons);
  const ConstMap G(network.G.data(), network.features,
                   network.activation == Activation::gated ? network.neurons : 0);
  std::vector<double> prediction(static_cast<std::size_t>(samples * network.outputs), 0.0);
  Eigen::Map<Matrix> f(prediction.data(), samples, network.outputs);
  const Index block = rows_at_once(network);
  Matrix hidden(std::min(block, samples), network.neurons);  // one block, faulted in once
  for (Index first = 0; first < samples; first += block) {
    const Index count = std::min(block, samples - first);
    auto h = hidden.topRows(count);
    h.noalias() = rows.middleRows(first, count) * U;
    if (network.activation == Activation::relu) h = h.cwiseMax(0.0);
    if (network.activation == Activation::gated)
      h = ((rows.middleRows(first, count) * G).array() >= 0.0).select(h.array(), 0.0);
    f.middleRows(first, count).noalias() = h * V.transpose();
  }
  return prediction;
}

namespace {

// Extended: the square of a small weight may be no double, and bounds are measured by J.
long double half_squares(const std::vector<double>& weights) {
  long double sum = 0.0L;
  for (const double w : weights) sum += static_cast<long double>(w) * w;
  return sum / 2.0L;
}

void require_fit(const Problem& problem, const Network& network) {
  require_matching(network, problem.features);
  require(network.outputs == problem.outputs, "the network has " + std::to_string(network.outputs) +
                                                  " outputs, the problem " +
                                                  std::to_string(problem.outputs));
}

}  // namespace

double objective(const Problem& problem, const Network& network) {
  require_fit(problem, network);
  std::vector<double> difference = predict(network, problem.X, problem.samples);
  for (std::size_t k = 0; k < difference.size(); ++k) difference[k] -= problem.Y[k];
  const long double penalty = half_squares(network.U) + half_squares(network.V);
  return static_cast<double>(half_squares(difference) + problem.weight_decay * penalty);
}

double objective(const Problem& problem, const Network& network, Loss loss, double huber_delta) {
  if (loss == Loss::squared) return objective(problem, network);
  require_fit(problem, network);
  const std::vector<double> f = predict(network, problem.X, problem.samples);
  const long double penalty = half_squares(network.U) + half_squares(network.V);
  return static_cast<double>(
      loss_value(loss, f, problem.Y, problem.samples, problem.outputs, huber_delta) +
      problem.weight_decay * penalty);
}

}  // namespace relulift
