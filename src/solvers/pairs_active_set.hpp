// SPDX-License-Identifier: Apache-2.0
// Which pairs of lifted rows the interior point carries [eq:pairs]: neighbours by angle first,
// then the worst violated pair of every row.
#pragma once

#include <vector>

#include "src/solvers/pairs_start.hpp"

namespace relulift {

class PairsActiveSet {
 public:
  // The `neighbours` nearest samples of each sample by angle, as alpha-beta pairs if the angle is
  // acute, as alpha-alpha and beta-beta pairs otherwise. `most` caps the number of pairs for good.
  PairsActiveSet(const ReducedProblem& problem, Index neighbours, Index most);

  const std::vector<LiftedPair>& pairs() const { return pairs_; }
  // There is no room for pairs that are missing.
  bool full() const {
    const Index size = static_cast<Index>(pairs_.size());
    return size >= most_ && size < 2 * n_ * (n_ - 1);
  }

  // Adds these, as far as there is room.
  void add(const std::vector<LiftedPair>& pairs);

  // Adds for every lifted row its `per_row` worst pairs with K_ij < 0. How bad a pair is says the
  // neuron halfway between its rows that would lift it to zero, with ||u||^2 > depth
  // [eq:violation]: the multipliers of nearly parallel rows are large, and so is what their pairs
  // cost. Returns how many.
  Index add_violated(const Matrix& K, double depth, Index per_row);

 private:
  Index n_, most_;
  Matrix unit_;                    // n x d, rows of unit length
  Vector norm_;                    // n, of the rows
  std::vector<LiftedPair> pairs_;  // ascending
};

}  // namespace relulift
