// SPDX-License-Identifier: Apache-2.0
// Host side of the dense engine: options, policies, and the way in and out of the device.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/core/needs.hpp"
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
  double primal_residual() const { return relative(gap, point); }
  double dual_residual() const { return relative(rho * gap, multiplier); }

 private:
  // Where the zero network is optimal, x and y are zero, or on their way there. Blocks are scaled
  // to norms near one (BlockScaling), so the floor is far below any solution that is not.
  static double relative(double difference, double size) {
    constexpr double kFloor = 1e-9;
    return difference / std::max(size, kFloor);
  }
};

// The penalty that balances the residuals of [eq:stop], reached in steps.
double next_penalty(const DenseAdmmOptions& options, const DenseSums& sums);

// Columns of the eigenbasis to multiply until the next check: the positive ones and a margin, since
// their number drifts. Leaving out the smallest positive eigenvalues is an error of their size.
Index columns_to_keep(Index positive, Index order);

// Where the engine works: its matrices and the eigensolver (about 9 n^2 doubles on a GPU). On the
// host: multipliers and the certificate of one dual candidate (about 13 n^2).
EngineBytes dense_admm_bytes(const ReducedProblem& problem);

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

}  // namespace relulift
