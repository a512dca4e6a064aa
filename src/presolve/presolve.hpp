// SPDX-License-Identifier: Apache-2.0
// Exact reductions of [eq:train] and the exact way back. docs/math.md, section 3.
#pragma once

#include <relulift/network.hpp>

#include "src/core/dual_candidate.hpp"
#include "src/presolve/reduced_problem.hpp"

namespace relulift {

struct PresolveOptions {
  // Rows closer than this in relative angle are merged and pay [eq:perturb]. 0: exact only. The
  // default covers rows that were parallel before their columns were rescaled.
  double merge_tolerance = 1e-13;
  // Singular values of X, its rows scaled to length one, below this times the largest count as
  // zero.
  double rank_tolerance = 1e-12;
  // Where merging or cutting could change the objective by more than this share [eq:perturb], rows
  // and columns stay: tiny ones matter where the weight decay is tinier.
  double max_cost = 1e-6;
};

struct Presolved {
  ReducedProblem reduced;  // n() == 0: no row is left and the zero network is optimal
  Index removed_rows = 0;  // zero and merged rows
  // Only exactly parallel and exactly zero rows were merged: nothing to pay.
  bool exact = true;
  // Estimate of ||Delta||_F of [eq:perturb]. The certificate measures it itself.
  double perturbation = 0.0;

  Index features = 0;  // of the data as given
  double sigma = 1.0;  // scale of X
  Matrix basis;        // features x d, orthonormal columns; empty when X has full column rank
  std::vector<Index> representative;  // as in DualCandidate
  Vector weight;                      // A_i of [eq:merged]

  // The same objective on both sides up to rounding; weights() drops what X does not see.
  Network network(const Weights& weights) const;
  Weights weights(const Network& network) const;
  // Multipliers of the reduced problem on the data as given, in canonical form.
  DualCandidate dual_candidate(const Multipliers& multipliers) const;
};

// O(n d^2 + n log n). `problem` is valid (see validate).
Presolved presolve(const Problem& problem, const PresolveOptions& options = {});

}  // namespace relulift
