// SPDX-License-Identifier: Apache-2.0
// What a solver will ask of a backend, stated before anything is allocated. The same numbers give
// the memory estimate of the plan and, through Backend::reserve, the library workspaces.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/core/view.hpp"

namespace relulift {

// Of one engine: where its backend works, and beside that on the host. On a CPU both come from the
// same memory.
struct EngineBytes {
  std::int64_t engine = 0, host = 0;
};
// What is free there.
struct FreeMemory {
  std::int64_t engine = 0, host = 0;
  bool shared = true;  // one memory: `engine` is all of it

  bool holds(const EngineBytes& needed) const {
    if (shared) return needed.engine + needed.host <= engine;
    return needed.engine <= engine && needed.host <= host;
  }
};

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

// Of two that do not live at the same time.
inline Needs most_of(Needs a, const Needs& b) {
  a.storage_bytes = std::max(a.storage_bytes, b.storage_bytes);
  return a.syevd(b.syevd_order).eigenvalues(b.eigenvalues_order).potrf(b.potrf_order);
}

}  // namespace relulift
