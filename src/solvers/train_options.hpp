// SPDX-License-Identifier: Apache-2.0
// Options and report of network training.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

struct TrainOptions {
  // Width limit while searching and of the result (a wider start that is better stays); 0: from the
  // sizes, default_width.
  Index max_neurons = 0;
  // Independent random networks at the beginning; their union is refitted. 0: from the sizes.
  Index starts = 0;
  // Neurons of each start; 0: from the sizes.
  Index start_neurons = 0;
  std::uint64_t seed = 0;
  // Column generation stops when no direction above g (1 + tolerance) is found.
  double tolerance = 1e-3;
  // ... or when `patience` rounds in a row improve J by less than `stall` relative in all.
  double stall = 1e-4;
  Index patience = 4;
  // ... and after this many rounds at the latest.
  Index max_rounds = std::numeric_limits<Index>::max();
  // Directions tried by each round of the ascent, and iterations of each.
  Index ascents = 2000;
  Index ascent_iterations = 30;
  // New directions per round, at most.
  Index new_directions = 200;
  // Share of the old sizes that directions keep when the refit would drop them. In [0, 1].
  double keep = 0.2;
  // Exponent of the singular values in u = D u': 0 leaves the features, 1 whitens them.
  double whitening = 0.5;
  // Roundings eps of [eq:smooth], and the evaluations at each, of the starts and of a round.
  std::vector<double> first_smoothing = {0.1, 0.03, 0.01, 0.003, 0.001, 1e-4};
  std::vector<double> smoothing = {0.01, 0.003, 0.001, 1e-4};
  Index evaluations = 200;
};

enum class TrainSource { network, column_generation };

struct TrainReport {
  Weights weights;
  double objective = std::numeric_limits<double>::infinity();  // J, constant included
  Index iteration = 0;                                         // evaluations of J so far
  Index rounds = 0;                                            // of column generation
  TrainSource source = TrainSource::network;
  // Largest ||E'(Xu)_+|| / g met at the last residual E; an estimate from below.
  double kappa_found = std::numeric_limits<double>::quiet_NaN();
};

// Optional oracle over the whole sphere: up to k unit directions (d x k) with ||E'(Xu)_+|| above
// the threshold, best first; empty when there is none.
using Scanner = std::function<Matrix(const Matrix& E, double threshold)>;

// Called when the best network improved; false stops.
using OnTrainCheck = std::function<bool(const TrainReport&)>;

}  // namespace relulift
