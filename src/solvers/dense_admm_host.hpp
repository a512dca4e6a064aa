// SPDX-License-Identifier: Apache-2.0
// Host side of the dense engine: options, policies, and the way in and out of the device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "src/lift/face.hpp"
#include "src/solvers/termination.hpp"

namespace relulift {

struct DenseAdmmOptions {
  Limits limits;
  // The host waits for the device only at multiples of this, and at the last iteration. >= 1.
  Index check_every = 25;
  // In (0, 2).
  double relaxation = 1.6;
  // First penalty, > 0; the checks steer it.
  double rho = 1.0;
  // The penalty changes by at most this factor at a check. >= 1; 1 = never.
  double adapt_factor = 2.0;
  // rho is steered to `balance` ||multipliers|| / ||x||. > 0.
  double balance = 1.0;

  bool due(Index k) const { return k % check_every == 0 || k == limits.max_iterations; }
};

// What one check reads back, combined.
struct DenseSums {
  double gap = 0.0;         // ||y - x||
  double point = 0.0;       // ||x||
  double multiplier = 0.0;  // rho ||2 x - w - y||
  double rho = 0.0;
  double primal = 0.0, dual = 0.0;  // objective at x, D(G) at y

  // In the order of DenseAdmm::measure.
  static DenseSums from(const double* sums, double rho);
  // [eq:stop]: x in the face, y in the orthant; their multipliers differ by rho (y - x).
  double primal_residual() const { return gap / point; }
  double dual_residual() const { return rho * gap / multiplier; }
};

// The penalty that balances the residuals of [eq:stop], reached in steps.
double next_penalty(const DenseAdmmOptions& options, const DenseSums& sums);

// Columns of the eigenbasis to multiply until the next check: the positive ones and a margin, since
// their number drifts. Leaving out the smallest positive eigenvalues is an error of their size.
Index columns_to_keep(Index positive, Index order);

// Of the engine, the eigensolver and the certificate of one dual candidate: about 21 n^2 doubles.
std::int64_t dense_admm_bytes(const ReducedProblem& problem);

struct LossData {
  Vector weight, beta_weight, scale;  // n
  Matrix beta_target;                 // n x c
};
LossData loss_data(const ReducedProblem& problem, const Face& face);

// Multipliers as the device stores them, of the scaled rows.
struct PackedMultipliers {
  Matrix like, mixed, beta;  // n x n, n x n, n x 1: PackedPairs
  Matrix G, H;               // n x c
};
Multipliers unpack(const ReducedProblem& problem, const Face& face,
                   const PackedMultipliers& packed);

template <class B, class Derived, class View>
void upload(B& backend, const Eigen::MatrixBase<Derived>& from, const View& to) {
  const Matrix packed = from;
  backend.upload(std::span<const double>(packed.data(), static_cast<std::size_t>(packed.size())),
                 to);
}

template <class B, class View>
void fetch(B& backend, const View& from, Matrix& to) {
  backend.fetch(from, std::span<double>(to.data(), static_cast<std::size_t>(to.size())));
}

}  // namespace relulift
