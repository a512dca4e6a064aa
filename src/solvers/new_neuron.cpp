// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/new_neuron.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "src/certificate/cone_search.hpp"
#include "src/core/random.hpp"
#include "src/solvers/column_generation.hpp"

namespace relulift {
namespace {

constexpr double kSearchSeconds = 5.0;
// The whole sphere is searched up to this many features, and within this many nodes.
constexpr Index kSphereFeatures = 5, kSearchNodes = 200'000;
// Starts of ascents: the largest neurons and random directions; steps of each, and the entries of
// an array of those that go at once.
constexpr Index kLargest = 64, kRandom = 128, kAtOnce = Index{1} << 22;
constexpr int kAscentSteps = 30;
// Directions that climb, each at a smaller cosine from the others, and steps of each.
constexpr Index kClimbers = 8;
constexpr double kTwin = 0.999;
constexpr int kSteps = 100;
// Directions with ||E'(Xu)_+|| below g (1 + this) are worth less than its square.
constexpr double kAboveDecay = 1e-4;
// A smaller gain, relative, is no advice.
constexpr double kWorthSaying = 1e-6;

// Columns of length one; zero columns stay.
void normalize(Eigen::Ref<Matrix> S) {
  for (Index k = 0; k < S.cols(); ++k) S.col(k).stableNormalize();
}

Matrix starts_of(const Network& network) {
  const Eigen::Map<const Matrix> U(network.U.data(), network.features, network.neurons);
  const Eigen::Map<const Matrix> V(network.V.data(), network.outputs, network.neurons);
  const Vector size = U.colwise().norm().cwiseProduct(V.colwise().norm());
  std::vector<Index> order(static_cast<std::size_t>(network.neurons));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return size[a] > size[b]; });
  const Index largest = std::min(network.neurons, kLargest);
  Matrix starts(network.features, largest + kRandom);
  Random random(0);
  for (Index k = 0; k < starts.cols(); ++k)
    for (Index i = 0; i < network.features; ++i)
      starts(i, k) = k < largest ? U(i, order[static_cast<std::size_t>(k)]) : random.normal();
  normalize(starts);
  return starts;
}

// [eq:ascent] from each column.
void ascend(const Matrix& X, const Matrix& E, Eigen::Ref<Matrix> S, const Control& control) {
  for (int step = 0; step < kAscentSteps && !control.stop(); ++step) {
    const Matrix Z = X * S;
    const Matrix EF = E * (E.transpose() * Z.cwiseMax(0.0));
    S.noalias() = X.transpose() * (Z.array() > 0.0).select(EF, 0.0).matrix();
    normalize(S);
  }
}

// Directions that may be worth a neuron. Short searches, polled between steps: none proves
// anything.
Matrix candidates(const Matrix& X, const Matrix& E, const Network& network, double threshold,
                  int threads, const Control& control) {
  Matrix S = starts_of(network);
  const Index block = std::clamp<Index>(kAtOnce / std::max<Index>(X.rows(), 1), 1, S.cols());
  for (Index k = 0; k < S.cols(); k += block)
    ascend(X, E, S.middleCols(k, std::min(block, S.cols() - k)), control);
  if (X.cols() > kSphereFeatures || control.stop()) return S;
  ConeSearchOptions search;
  search.mode = ConeSearchOptions::Mode::prune;
  search.threshold = threshold;
  search.max_nodes = kSearchNodes;
  search.threads = threads;
  search.control = control;
  const Matrix found = search_cones(X, E, search).violators;
  Matrix all(S.rows(), S.cols() + found.cols());
  all << S, found;
  return all;
}

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

  const Control moment = control.within(std::min(kSearchSeconds, 0.1 * control.remaining()));
  const Matrix found = candidates(X, E, network, g * (1.0 + kAboveDecay), threads, moment);
  Directions gains{found, Vector::Zero(found.cols())};
  for (Index k = 0; k < found.cols() && !moment.stop(); ++k)
    gains.value[k] = neuron_gain(X, E, g, found.col(k)).ratio;
  const Matrix climbers = distinct(gains, kClimbers, 0.0, kTwin).S;
  Vector best;
  double best_ratio = 0.0;
  for (Index k = 0; k < climbers.cols(); ++k) {
    Vector u = climb(X, E, g, climbers.col(k), moment);
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
  if (!(neuron.reduction > kWorthSaying * before)) return std::nullopt;
  neuron.u.assign(enlarged.U.end() - network.features, enlarged.U.end());
  neuron.v.assign(enlarged.V.end() - network.outputs, enlarged.V.end());
  return neuron;
}

}  // namespace relulift
