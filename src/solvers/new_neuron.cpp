// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/new_neuron.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "src/certificate/cone_search.hpp"

namespace relulift {
namespace {

constexpr double kSearchSeconds = 5.0;
constexpr Index kSearchNodes = 200'000;
// Directions that climb, and steps of each.
constexpr std::size_t kClimbers = 8;
constexpr int kSteps = 100;
// Directions with ||E'(Xu)_+|| below g (1 + this) are worth less than its square.
constexpr double kAboveDecay = 1e-4;
// Two objectives closer than this, relative, may be one up to rounding.
constexpr double kRounding = 1e-9;

// The balanced neuron along u: size s = ||w|| of the best w = E'a (1 - g/||E'a||) / ||a||^2.
void append_best(Network& network, const Matrix& X, const Matrix& E, double g, const Vector& u) {
  const Vector a = (X * u).cwiseMax(0.0);
  const Vector F = E.transpose() * a;
  const double size = (F.norm() - g) / a.squaredNorm();
  const Vector in = std::sqrt(size) * u, out = std::sqrt(size) * F.normalized();
  network.U.insert(network.U.end(), in.begin(), in.end());
  network.V.insert(network.V.end(), out.begin(), out.end());
  ++network.neurons;
}

}  // namespace

NeuronGain neuron_gain(const Matrix& X, const Matrix& E, double g, const Vector& u) {
  const Vector a = (X * u).cwiseMax(0.0);
  const Vector F = E.transpose() * a;
  const double p = F.norm(), q = a.norm();
  NeuronGain gain{.ratio = 0.0, .gradient = Vector::Zero(u.size())};
  if (!(p > 0.0) || !(q > 0.0)) return gain;
  gain.ratio = (p - g) / q;
  const Vector rows = ((E * F) / p - (gain.ratio / q) * a) / q;
  gain.gradient = X.transpose() * (a.array() > 0.0).select(rows, 0.0);
  gain.gradient -= u.dot(gain.gradient) * u;
  return gain;
}

Vector climb(const Matrix& X, const Matrix& E, double g, Vector u, const Control& control) {
  NeuronGain here = neuron_gain(X, E, g, u);
  double step = 0.1;
  for (int k = 0; k < kSteps && step > 1e-9 && !control.stop(); ++k) {
    const double slope = here.gradient.norm();
    if (!(slope > 0.0)) break;
    Vector next = (u + (step / slope) * here.gradient).normalized();
    NeuronGain there = neuron_gain(X, E, g, next);
    if (there.ratio > here.ratio) {
      u = std::move(next);
      here = std::move(there);
      step *= 1.5;
    } else {
      step *= 0.3;
    }
  }
  return u;
}

std::optional<NewNeuron> suggest_neuron(const Problem& problem, const Network& network, int threads,
                                        const Control& control) {
  const Matrix X = Eigen::Map<const Matrix>(problem.X.data(), problem.samples, problem.features);
  const std::vector<double> fit = predict(network, problem.X, problem.samples);
  const Matrix E = Eigen::Map<const Matrix>(problem.Y.data(), problem.samples, problem.outputs) -
                   Eigen::Map<const Matrix>(fit.data(), problem.samples, problem.outputs);
  const double g = problem.weight_decay, before = objective(problem, network);
  if (!E.allFinite() || !std::isfinite(before)) return std::nullopt;

  ConeSearchOptions search;
  search.mode = ConeSearchOptions::Mode::prune;
  search.threshold = g * (1.0 + kAboveDecay);
  search.starts = Eigen::Map<const Matrix>(network.U.data(), network.features, network.neurons);
  search.max_nodes = kSearchNodes;
  search.threads = threads;
  search.control = control.within(std::min(kSearchSeconds, 0.1 * control.remaining()));
  const Matrix found = search_cones(X, E, search).violators;

  std::vector<std::pair<double, Index>> order;  // the search orders by ||E'a|| alone
  for (Index k = 0; k < found.cols(); ++k)
    order.emplace_back(-neuron_gain(X, E, g, found.col(k)).ratio, k);
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), kClimbers));
  Vector best;
  double best_ratio = 0.0;
  for (const auto& [ratio, k] : order) {
    Vector u = climb(X, E, g, found.col(k), search.control);
    if (const double reached = neuron_gain(X, E, g, u).ratio; reached > best_ratio) {
      best_ratio = reached;
      best = std::move(u);
    }
  }
  if (!(best_ratio > 0.0)) return std::nullopt;

  Network enlarged = network;
  append_best(enlarged, X, E, g, best);
  NewNeuron neuron;
  neuron.objective = objective(problem, enlarged);
  neuron.reduction = before - neuron.objective;
  if (!(neuron.reduction > kRounding * before)) return std::nullopt;
  neuron.u.assign(enlarged.U.end() - network.features, enlarged.U.end());
  neuron.v.assign(enlarged.V.end() - network.outputs, enlarged.V.end());
  return neuron;
}

}  // namespace relulift
