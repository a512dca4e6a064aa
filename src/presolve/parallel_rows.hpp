// SPDX-License-Identifier: Apache-2.0
// Groups the rows of X into directions: x_j = tau_j x_i. docs/math.md, section 3.
#pragma once

#include <limits>
#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

struct RowGroups {
  std::vector<Index> representative;  // first row of the direction; -1 for a zero row
  std::vector<double> ratio;          // tau_j; 0 for a zero row
  std::vector<Index> directions;      // the representatives, ascending
  bool exact = true;          // every merged row is exactly parallel, every dropped row is zero
  double perturbation = 0.0;  // ||Delta||_F of [eq:perturb], an estimate in double
};

// What may be treated as equal though it is not.
struct MergeLimits {
  // Rows within this relative angle of an earlier direction join it, and rows shorter than this
  // times the longest count as zero; both add to the perturbation.
  double relative = 0.0;
  // A row that would have to move by more stays as it is.
  double absolute = std::numeric_limits<double>::infinity();
};

// Exactly parallel rows (either sign) and zero rows are always found. O(n d + n log n) but for
// crowds of rows that share a projection.
RowGroups group_parallel_rows(const Matrix& X, const MergeLimits& limits);

}  // namespace relulift
