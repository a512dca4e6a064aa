// SPDX-License-Identifier: Apache-2.0
// The one place where sizes are narrowed to the 32-bit integers of BLAS and LAPACK.
#pragma once

#include <limits>
#include <relulift/error.hpp>
#include <string>

#include "src/core/view.hpp"

namespace relulift {

inline int blas_int(Index size) {
  if (size < 0 || size > std::numeric_limits<int>::max()) {
    throw InvalidInput("a matrix side of " + std::to_string(size) +
                       " is outside the 32-bit range of BLAS");
  }
  return static_cast<int>(size);
}

}  // namespace relulift
