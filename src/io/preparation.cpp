// SPDX-License-Identifier: Apache-2.0
// Standardization and bias: forward on data, and folded into the weights of a network.
//   u'((x - mean) / scale) + b = (u / scale)'x + (b - sum_j u_j mean_j / scale_j)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/io.hpp>

#include "src/io/file.hpp"
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

Model make_model(const Network& network, const Preparation& preparation, const Schema& schema) {
  Model model;
  model.preparation = preparation;
  model.schema = schema;
  const auto rows = static_cast<std::size_t>(network.features);
  const std::size_t d = rows - (preparation.bias ? 1 : 0);
  const auto m = static_cast<std::size_t>(network.neurons);
  model.network = {.features = static_cast<Index>(d),
                   .outputs = network.outputs,
                   .neurons = network.neurons,
                   .U = std::vector<double>(d * m),
                   .V = network.V};
  if (preparation.bias || preparation.standardized()) model.hidden_bias.assign(m, 0.0);
  for (std::size_t j = 0; j < m; ++j) {
    if (preparation.bias) model.hidden_bias[j] = network.U[d + j * rows];
    for (std::size_t i = 0; i < d; ++i) {
      double weight = network.U[i + j * rows];
      if (preparation.standardized()) {
        weight /= preparation.scale[i];
        model.hidden_bias[j] -= weight * preparation.mean[i];
      }
      model.network.U[i + j * d] = weight;
    }
  }
  return model;
}

Network prepared_network(const Model& model) {
  const Preparation& preparation = model.preparation;
  const auto d = static_cast<std::size_t>(model.network.features);
  const auto m = static_cast<std::size_t>(model.network.neurons);
  const std::size_t rows = d + (preparation.bias ? 1 : 0);
  Network network{.features = static_cast<Index>(rows),
                  .outputs = model.network.outputs,
                  .neurons = model.network.neurons,
                  .U = std::vector<double>(rows * m),
                  .V = model.network.V};
  for (std::size_t j = 0; j < m; ++j) {
    double bias = model.hidden_bias.empty() ? 0.0 : model.hidden_bias[j];
    double size = std::abs(bias);
    for (std::size_t i = 0; i < d; ++i) {
      const double weight = model.network.U[i + j * d];
      const double moved = preparation.standardized() ? weight * preparation.mean[i] : 0.0;
      bias += moved;
      size += std::abs(moved);
      network.U[i + j * rows] = preparation.standardized() ? weight * preparation.scale[i] : weight;
    }
    if (preparation.bias)
      network.U[d + j * rows] = bias;
    else if (std::abs(bias) > 1e-5 * size)  // what float32 weights leave of the cancellation
      throw InvalidInput(fmt::format(
          "model: the bias of neuron {} contradicts the metadata, which say that there is none",
          j));
  }
  return network;
}

std::vector<double> predict(const Model& model, std::span<const double> X, Index samples) {
  if (model.hidden_bias.empty()) return predict(model.network, X, samples);
  const auto d = static_cast<std::size_t>(model.network.features);
  const auto m = static_cast<std::size_t>(model.network.neurons);
  Network extended = model.network;
  extended.features += 1;
  extended.U.resize((d + 1) * m);
  for (std::size_t j = 0; j < m; ++j) {
    std::copy_n(model.network.U.data() + j * d, d, extended.U.data() + j * (d + 1));
    extended.U[d + j * (d + 1)] = model.hidden_bias[j];
  }
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
