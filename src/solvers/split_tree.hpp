// SPDX-License-Identifier: Apache-2.0
// Partitions of weight space into cones by rows of the data [eq:split]: in every cone the sign of
// x_i'u is known for some rows i. docs/math.md, section 11.
#pragma once

#include <vector>

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

// x_row'u >= 0 in the cone (active: beta_row = 0), or <= 0 (alpha_row = 0).
struct FixedRow {
  Index row;
  bool active;
};
using Cone = std::vector<FixedRow>;

// A binary tree whose inner nodes are rows.
class SplitTree {
 public:
  // In preorder, the active side of a row first; a leaf is kLeaf. The whole space to begin with.
  static constexpr Index kLeaf = -1;
  const std::vector<Index>& nodes() const { return nodes_; }

  // The leaves, in the order of `nodes`.
  std::vector<Cone> cones() const;
  // Cuts the leaf of that number by a row that it does not fix yet: it becomes two.
  void cut(Index leaf, Index row);

 private:
  std::vector<Index> nodes_{kLeaf};
};

// The face of the lifted space (s, u, v) on which s_i = x_i'u where row i is active and s_i =
// -x_i'u where it is not: (s, u, v) = T z, z what is left after these s_i. T has order n + d + c
// rows and as many columns less those of the cone.
Matrix face_of_cone(const ReducedProblem& problem, const Cone& cone);

// Which of the 2n lifted rows are zero in the cone, and which rows are not fixed (ascending).
std::vector<bool> zero_rows(Index samples, const Cone& cone);
std::vector<Index> open_rows(Index samples, const Cone& cone);

}  // namespace relulift
