// SPDX-License-Identifier: Apache-2.0
// Standardization and bias: forward on data, and folded into the weights of a network.
//   u'((x - mean) / scale) + b = (u / scale)'x + (b - sum_j u_j mean_j / scale_j)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/io.hpp>

#include "src/io/file.hpp"
#include "src/io/gates.hpp"
#include "src/io/text.hpp"

namespace relulift {
namespace {

std::span<const double> column(std::span<const double> X, Index samples, Index j) {
  return X.subspan(static_cast<std::size_t>(j * samples), static_cast<std::size_t>(samples));
}

// The sum of term(x) in pairs of halves: its error grows with the logarithm of the length.
template <class Term>
double sum(std::span<const double> x, const Term& term) {
  constexpr std::size_t kPlain = 128;
  if (x.size() > kPlain)
    return sum(x.first(x.size() / 2), term) + sum(x.subspan(x.size() / 2), term);
  double total = 0.0;
  for (const double value : x) total += term(value);
  return total;
}

void fit_column(Preparation& preparation, std::span<const double> x, const std::string& source,
                const std::string& name) {
  const auto count = static_cast<double>(x.size());
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  // Of a constant column the value itself, so that the prepared column is zero.
  const double mean = *low == *high ? *low : sum(x, [&](double v) { return v / count; });
  const double variance = sum(x, [&](double v) { return (v - mean) * (v - mean) / count; });
  double scale = std::sqrt(variance);
  if (!std::isfinite(mean) || !std::isfinite(scale))
    throw InvalidInput(fmt::format("{}: the values of column {} are too large to standardize",
                                   source, io::in_quotes(name)));
  // Below this the deviations are rounding of the entries themselves.
  const double noise = 1e-14 * std::max(std::abs(*low), std::abs(*high));
  if (scale <= noise) {
    scale = 1.0;
    ++preparation.constant_features;
  }
  preparation.mean.push_back(mean);
  preparation.scale.push_back(scale);
}

}  // namespace

Preparation fit_preparation(const Dataset& data, Standardize standardize, Bias bias) {
  Preparation preparation{.bias = bias == Bias::yes};
  if (standardize == Standardize::yes)
    for (Index j = 0; j < data.features; ++j)
      fit_column(preparation, column(data.X, data.samples, j), data.source,
                 data.schema.features[static_cast<std::size_t>(j)]);
  return preparation;
}

std::vector<double> prepare(const Preparation& preparation, std::span<const double> X,
                            Index samples) {
  const auto rows = static_cast<std::size_t>(samples);
  std::vector<double> out;
  out.reserve(X.size() + (preparation.bias ? rows : 0));
  out.assign(X.begin(), X.end());
  if (preparation.standardized())
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = (out[k] - preparation.mean[k / rows]) / preparation.scale[k / rows];
  if (preparation.bias) out.insert(out.end(), rows, 1.0);
  return out;
}

Problem make_problem(const Dataset& data, const Preparation& preparation, double weight_decay) {
  const Index features = data.features + (preparation.bias ? 1 : 0);
  io::check_fits_memory(
      data.source, "the prepared problem",
      8.0 * static_cast<double>(data.samples) * static_cast<double>(features + data.outputs));
  Problem problem{.samples = data.samples,
                  .features = features,
                  .outputs = data.outputs,
                  .X = prepare(preparation, data.X, data.samples),
                  .Y = data.Y,
                  .weight_decay = weight_decay};
  try {
    validate(problem);
  } catch (const InvalidInput& error) {
    throw InvalidInput(data.source + ": " + error.what());
  }
  return problem;
}

namespace {

// Weights of m neurons on raw features and what they add to the bias.
struct Folded {
  std::vector<double> weights;  // d x m
  std::vector<double> bias;     // m, or empty: nothing is prepared
};

Folded folded(const std::vector<double>& prepared, std::size_t m, const Preparation& preparation) {
  const std::size_t rows = m == 0 ? 0 : prepared.size() / m;
  const std::size_t d = rows - (preparation.bias && m > 0 ? 1 : 0);
  Folded out{std::vector<double>(d * m), {}};
  if (preparation.bias || preparation.standardized()) out.bias.assign(m, 0.0);
  for (std::size_t j = 0; j < m; ++j) {
    if (preparation.bias) out.bias[j] = prepared[d + j * rows];
    for (std::size_t i = 0; i < d; ++i) {
      double weight = prepared[i + j * rows];
      if (preparation.standardized()) {
        weight /= preparation.scale[i];
        out.bias[j] -= weight * preparation.mean[i];
      }
      out.weights[i + j * d] = weight;
    }
  }
  return out;
}

// Of what is unfolded: a gate may have been moved off the rows that it was trained on.
enum class Layer { hidden, gates };

// The inverse.
std::vector<double> unfolded(const std::vector<double>& weights,
                             const std::vector<double>& constants, std::size_t m,
                             const Preparation& preparation, Layer layer) {
  const std::size_t d = m == 0 ? 0 : weights.size() / m;
  const std::size_t rows = d + (preparation.bias ? 1 : 0);
  std::vector<double> out(rows * m);
  for (std::size_t j = 0; j < m; ++j) {
    double bias = constants.empty() ? 0.0 : constants[j];
    double size = std::abs(bias);
    for (std::size_t i = 0; i < d; ++i) {
      const double weight = weights[i + j * d];
      const double moved = preparation.standardized() ? weight * preparation.mean[i] : 0.0;
      bias += moved;
      size += std::abs(moved);
      out[i + j * rows] = preparation.standardized() ? weight * preparation.scale[i] : weight;
    }
    if (preparation.bias)
      out[d + j * rows] = bias;
    else if (layer == Layer::hidden &&
             std::abs(bias) > 1e-5 * size)  // what float32 weights leave of the cancellation
      throw InvalidInput(fmt::format(
          "model: the bias of neuron {} contradicts the metadata, which say that there is none",
          j));
  }
  return out;
}

// One more row, of constants.
std::vector<double> with_constants(const std::vector<double>& weights,
                                   const std::vector<double>& constants) {
  const std::size_t m = constants.size(), d = m == 0 ? 0 : weights.size() / m;
  std::vector<double> out((d + 1) * m);
  for (std::size_t j = 0; j < m; ++j) {
    std::copy_n(weights.data() + j * d, d, out.data() + j * (d + 1));
    out[d + j * (d + 1)] = constants[j];
  }
  return out;
}

}  // namespace

Model make_model(const Network& network, const Preparation& preparation, const Schema& schema) {
  Model model;
  model.preparation = preparation;
  model.schema = schema;
  const auto m = static_cast<std::size_t>(network.neurons);
  Folded hidden = folded(network.U, m, preparation);
  model.network = network;
  model.network.features -= preparation.bias ? 1 : 0;
  model.network.U = std::move(hidden.weights);
  model.hidden_bias = std::move(hidden.bias);
  if (network.activation == Activation::gated) {
    Folded gates = folded(network.G, m, preparation);
    model.network.G = std::move(gates.weights);
    model.gate_bias = std::move(gates.bias);
  }
  return model;
}

Model make_model(const Network& network, const Preparation& preparation, const Dataset& data,
                 std::span<const double> prepared) {
  Model model = make_model(network, preparation, data.schema);
  if (!model.gate_bias.empty())
    model.unclear_gates =
        io::clear_gates(model, active_neurons(network, prepared, data.samples), data);
  return model;
}

Network prepared_network(const Model& model) {
  const Preparation& preparation = model.preparation;
  const auto m = static_cast<std::size_t>(model.network.neurons);
  Network network = model.network;
  network.features += preparation.bias ? 1 : 0;
  network.U = unfolded(model.network.U, model.hidden_bias, m, preparation, Layer::hidden);
  if (network.activation == Activation::gated)
    network.G = unfolded(model.network.G, model.gate_bias, m, preparation, Layer::gates);
  return network;
}

std::vector<double> predict(const Model& model, std::span<const double> X, Index samples) {
  if (model.hidden_bias.empty()) return predict(model.network, X, samples);
  const auto d = static_cast<std::size_t>(model.network.features);
  Network extended = model.network;
  extended.features += 1;
  extended.U = with_constants(model.network.U, model.hidden_bias);
  if (extended.activation == Activation::gated)
    extended.G = with_constants(model.network.G, model.gate_bias);
  if (X.size() != static_cast<std::size_t>(samples) * d)
    throw InvalidInput("X does not have samples x features entries");
  // A block of rows at a time gets its ones: a copy of a large table may not fit beside it.
  constexpr std::size_t kBlockEntries = 1 << 22;
  const auto rows = static_cast<std::size_t>(samples);
  const auto c = static_cast<std::size_t>(model.network.outputs);
  const std::size_t block = std::max<std::size_t>(64, kBlockEntries / (d + 1));
  std::vector<double> out(rows * c), part;
  for (std::size_t first = 0; first < rows; first += block) {
    const std::size_t count = std::min(block, rows - first);
    part.assign(count * (d + 1), 1.0);
    for (std::size_t j = 0; j < d; ++j)
      std::copy_n(X.data() + first + j * rows, count, part.data() + j * count);
    const std::vector<double> f = predict(extended, part, static_cast<Index>(count));
    for (std::size_t k = 0; k < c; ++k)
      std::copy_n(f.data() + k * count, count, out.data() + first + k * rows);
  }
  return out;
}

}  // namespace relulift
