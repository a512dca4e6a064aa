// SPDX-License-Identifier: Apache-2.0
// Host matrices nobody chose.
#pragma once

#include "src/core/dense.hpp"
#include "src/core/random.hpp"

namespace relulift::testing {

inline Matrix random_matrix(Random& random, Index rows, Index cols) {
  Matrix m(rows, cols);
  for (Index j = 0; j < cols; ++j)
    for (Index i = 0; i < rows; ++i) m(i, j) = random.normal();
  return m;
}

}  // namespace relulift::testing
