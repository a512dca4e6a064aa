// SPDX-License-Identifier: Apache-2.0
// The iterate of the interior point on a partition [eq:split] on the host, between rounds.
#pragma once

#include "src/solvers/pairs_start.hpp"
#include "src/solvers/split_tree.hpp"

namespace relulift {

struct SplitPoint {
  SplitTree tree;
  // One per cone: y of the rows it does not fix, ascending; pairs, w and kap of lifted rows that
  // are not zero there; S on the face. G and H are the same in all.
  std::vector<PairsPoint> cones;
};

// The whole space as one cone.
SplitPoint whole_space(PairsPoint point);

// The point after the cut of a leaf by a row: each side keeps the multipliers that are left, which
// are feasible there, and half of S.
void cut(const ReducedProblem& problem, SplitPoint& point, Index leaf, Index row);

// ||residual_i|| min(||alpha_i||, ||beta_i||) of every row that the cone does not fix: what the row
// carries on both sides at once, times what it costs there. Zero for the others.
Vector cut_scores(const ReducedProblem& problem, const SplitPoint& point, Index leaf);

// Multipliers of one cone in the terms of [eq:slack].
Multipliers multipliers_of(const SplitPoint& point, Index leaf);

// K(S) of a cone on all lifted rows; those that are zero there have a diagonal of one.
Matrix gram_of_cone(const ReducedProblem& problem, const Cone& cone, const Matrix& S);

}  // namespace relulift
