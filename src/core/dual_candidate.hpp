// SPDX-License-Identifier: Apache-2.0
// What a certificate is computed from: multipliers on the data as given, in the canonical form of
// docs/math.md, section 3. It is never trusted; see src/certificate/dual_bound.hpp.
#pragma once

#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

struct DualCandidate {
  // Per row of X the row that stands for its direction: itself, the first row of the direction,
  // or -1 for a row that counts as zero. Empty: the certificate merges exactly parallel rows.
  std::vector<Index> representative;
  // One row per direction, in order of first appearance; k = number of directions.
  Matrix G;  // k x c, pairs with A_i (alpha_i V' - Ya_i) of [eq:merged]
  Matrix H;  // k x c, pairs with B_i (beta_i V' - Yb_i); empty means zero
  // W of [eq:slack], 2k x 2k symmetric, alpha_i at i and beta_i at k + i. The sum of a dense part
  // (may be empty) and a list in which (i, j) and (j, i) both get the value, i == j once.
  Matrix dense;
  struct Entry {
    Index i, j;
    double value;
  };
  std::vector<Entry> entries;
};

// Multipliers for every cone of a partition of weight space [eq:split]: a binary tree in preorder,
// -1 for a leaf, a direction otherwise, its side x_i'u >= 0 first. One candidate per leaf in this
// order; G and H are the same in all, and no entry stands on a row that is zero in its cone.
struct SplitCandidate {
  std::vector<Index> nodes;
  std::vector<DualCandidate> leaves;
};

}  // namespace relulift
