// SPDX-License-Identifier: Apache-2.0
// The recipes of generate.hpp. Sums are plain loops in a fixed order: a matrix product of a library
// would round differently from machine to machine.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <relulift/error.hpp>
#include <relulift/generate.hpp>

#include "src/core/portable_normal.hpp"
#include "src/io/file.hpp"

namespace relulift {
namespace {

constexpr Index kMostArms = 11;  // 4 * 11 is seven turns but for 0.02

// The random stream that each array draws from.
enum Stream : std::uint64_t { kFeatures, kNoise, kHidden, kOutput };

struct Planted {
  Index neurons;
  double hidden_scale;
  double output_scale;
};

Planted planted_of(const Generation& g) {
  if (g.recipe == Recipe::random) return {100, 1.0, 1.0};
  return {10, 1.0 / std::sqrt(static_cast<double>(g.features)), 0.5};
}

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

void check(const Generation& g) {
  require(g.samples >= 1, fmt::format("samples must be at least 1, not {}", g.samples));
  require(g.features >= 1, fmt::format("features must be at least 1, not {}", g.features));
  require(g.outputs >= 1, fmt::format("outputs must be at least 1, not {}", g.outputs));
  require(g.noise >= 0.0 && g.noise <= 1e6,
          fmt::format("noise must be between 0 and 1e6, not {}", g.noise));
  if (g.recipe == Recipe::spiral) {
    require(g.features == 2, fmt::format("spiral needs 2 features, not {}", g.features));
    require(g.outputs >= 2 && g.outputs <= kMostArms,
            fmt::format("spiral needs 2 to {} outputs, one for each arm, not {}", kMostArms,
                        g.outputs));
    require(g.samples >= g.outputs,
            fmt::format("spiral needs a sample for each of its {} arms, not {} in all", g.outputs,
                        g.samples));
  }
  // In floating point, since the sums themselves may overflow.
  const double columns = static_cast<double>(g.features) + static_cast<double>(g.outputs);
  double rows = static_cast<double>(g.samples);
  if (g.recipe != Recipe::spiral) rows += static_cast<double>(planted_of(g).neurons);
  io::check_fits_memory(
      "generate",
      fmt::format("a table of {} x ({} + {}) numbers", g.samples, g.features, g.outputs),
      8.0 * rows * columns);
}

std::vector<double> normals(const Generation& g, Stream stream, Index count, double scale) {
  Random random(g.seed, stream);
  std::vector<double> entries(static_cast<std::size_t>(count));
  for (double& entry : entries) entry = scale * portable::normal(random);
  return entries;
}

Network planted_network(const Generation& g) {
  const Planted planted = planted_of(g);
  return {.features = g.features,
          .outputs = g.outputs,
          .neurons = planted.neurons,
          .U = normals(g, kHidden, g.features * planted.neurons, planted.hidden_scale),
          .V = normals(g, kOutput, g.outputs * planted.neurons, planted.output_scale)};
}

// y = V (U'x)_+
void forward(const Network& net, const std::vector<double>& x, std::vector<double>& y) {
  std::fill(y.begin(), y.end(), 0.0);
  for (Index j = 0; j < net.neurons; ++j) {
    const double* const u = net.U.data() + j * net.features;
    const double* const v = net.V.data() + j * net.outputs;
    double z = 0.0;
    for (Index l = 0; l < net.features; ++l) z += x[static_cast<std::size_t>(l)] * u[l];
    if (z <= 0.0) continue;
    for (Index k = 0; k < net.outputs; ++k) y[static_cast<std::size_t>(k)] += z * v[k];
  }
}

void fill_planted(const Generation& g, const Network& net, Problem& p) {
  Random features(g.seed, kFeatures), noise(g.seed, kNoise);
  std::vector<double> x(static_cast<std::size_t>(g.features));
  std::vector<double> y(static_cast<std::size_t>(g.outputs));
  const auto n = static_cast<std::size_t>(g.samples);
  for (std::size_t i = 0; i < n; ++i) {
    for (double& entry : x) entry = portable::normal(features);
    forward(net, x, y);
    for (double& entry : y) entry += g.noise * portable::normal(noise);
    for (std::size_t l = 0; l < x.size(); ++l) p.X[i + l * n] = x[l];
    for (std::size_t k = 0; k < y.size(); ++k) p.Y[i + k * n] = y[k];
  }
}

// First row of arm k: floor(k n / c) without overflow.
Index arm_begin(const Generation& g, Index k) {
  return k * (g.samples / g.outputs) + k * (g.samples % g.outputs) / g.outputs;
}

void fill_spiral(const Generation& g, Problem& p) {
  Random noise(g.seed, kNoise);
  for (Index k = 0; k < g.outputs; ++k) {
    const Index begin = arm_begin(g, k), end = arm_begin(g, k + 1);
    for (Index i = begin; i < end; ++i) {
      const double s = end - begin > 1
                           ? static_cast<double>(i - begin) / static_cast<double>(end - begin - 1)
                           : 0.0;
      const double t = 4.0 * (static_cast<double>(k) + s) + g.noise * portable::normal(noise);
      const portable::Direction at = portable::direction(t / (2.0 * std::numbers::pi));
      // + 0.0: no negative zero at the start of an arm.
      p.X[static_cast<std::size_t>(i)] = s / 2.0 * at.sin + 0.0;
      p.X[static_cast<std::size_t>(i + g.samples)] = s / 2.0 * at.cos + 0.0;
      p.Y[static_cast<std::size_t>(i + k * g.samples)] = 1.0;
    }
  }
}

}  // namespace

Generated generate(const Generation& generation) {
  check(generation);
  const Index n = generation.samples, d = generation.features, c = generation.outputs;
  Generated made{.problem = {.samples = n, .features = d, .outputs = c, .X = {}, .Y = {}},
                 .planted = {.features = d, .outputs = c, .neurons = 0, .U = {}, .V = {}}};
  made.problem.X.resize(static_cast<std::size_t>(n * d));
  made.problem.Y.resize(static_cast<std::size_t>(n * c));
  if (generation.recipe == Recipe::spiral) {
    fill_spiral(generation, made.problem);
  } else {
    made.planted = planted_network(generation);
    fill_planted(generation, made.planted, made.problem);
  }
  return made;
}

}  // namespace relulift
