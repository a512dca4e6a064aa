// SPDX-License-Identifier: Apache-2.0
// What a solver will ask of a backend, stated before anything is allocated. The same numbers give
// the memory estimate of the plan and, through Backend::reserve, the library workspaces.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/core/view.hpp"

namespace relulift {

struct Needs {
  // Matrices, slots and indices.
  std::int64_t storage_bytes = 0;
  // Largest orders passed to the operations of these names; 0 = never called.
  Index syevd_order = 0;
  Index eigenvalues_order = 0;
  Index potrf_order = 0;

  Needs& matrix(Index rows, Index cols) { return add(rows * cols, 8); }
  Needs& slots(Index count) { return add(count, 8); }
  Needs& indices(Index count) { return add(count, 4); }
  Needs& syevd(Index order) { return raise(syevd_order, order); }
  Needs& eigenvalues(Index order) { return raise(eigenvalues_order, order); }
  Needs& potrf(Index order) { return raise(potrf_order, order); }

 private:
  // Every allocation is rounded up to the coarser alignment of the two backends.
  Needs& add(Index count, std::int64_t size) {
    storage_bytes += (count * size + 255) / 256 * 256;
    return *this;
  }
  Needs& raise(Index& field, Index value) {
    field = std::max(field, value);
    return *this;
  }
};

}  // namespace relulift
