// SPDX-License-Identifier: Apache-2.0
// Coordinates, starting points and host-side evaluation for network training.
#pragma once

#include "src/core/needs.hpp"
#include "src/core/random.hpp"
#include "src/solvers/train_objective.hpp"
#include "src/solvers/train_options.hpp"

namespace relulift {

// u = to_features * u' with to_features = V diag(scale), X = W diag(sigma) V' and
// scale_i ~ sigma_i^-whitening: the penalty becomes g/2 ||scale o u'||^2, exactly.
struct TrainCoordinates {
  ScaledSamples samples;  // X rotated and scaled
  Matrix rotation;        // V, d x d orthonormal
  Vector sigma;           // descending

  Matrix parameters(const Weights& weights) const;  // (d + c) x m
  Weights weights(const Matrix& parameters) const;
};
TrainCoordinates train_coordinates(const ReducedProblem& problem, double whitening);

// Between 2n (large n) and 4n, at least 300, less where the work arrays would pass about 4 GB.
Index default_width(Index samples);
Index default_starts(Index samples);
// Samples whose activations the refit holds at a time.
Index refit_slice(Index directions);
// What a trainer of so many neurons takes, saturated at 4e18: n (3 neurons + 2 directions) doubles
// where it works, and three Gram matrices of the refit on the host.
EngineBytes train_bytes(Index samples, Index features, Index outputs, Index neurons,
                        const TrainOptions& options = {});

// Random directions of equal size with outputs near Y'(Xs)_+, the size from a line search: J is
// below that of the zero network, so a descent cannot end at that saddle.
Weights random_weights(const TrainCoordinates& at, const Matrix& X, Index neurons, Random& random);

// Unit directions to start ascents from: isotropic, whitened and rows of X (both signs), in turn.
Matrix random_directions(const TrainCoordinates& at, const Matrix& X, Index count, Random& random);

// Y - (XU)_+ V' on stacked rows; holds 2^20 activations at a time.
Matrix residual(const Matrix& X, const Matrix& Y, const Weights& weights);
// J on stacked rows without the constant, given the residual.
double objective_of(const Matrix& E, const Weights& weights, double weight_decay);

}  // namespace relulift
