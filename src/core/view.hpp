// SPDX-License-Identifier: Apache-2.0
// Non-owning views shared by host and device code.
#pragma once

#include <cstdint>
#include <type_traits>

#ifdef __CUDACC__
#define RELULIFT_HD __host__ __device__
#else
#define RELULIFT_HD
#endif

namespace relulift {

using Index = std::int64_t;

// Column-major view; entry (i, j) at data[i + j * ld]. Trivially copyable, so it travels into
// kernels by value. May point to device memory: only a Backend operation may dereference it.
template <class T>
struct MatrixView {
  T* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index ld = 0;

  RELULIFT_HD T& operator()(Index i, Index j) const { return data[i + j * ld]; }
  RELULIFT_HD T& operator[](Index i) const { return data[i]; }  // of a column vector

  // rows x cols block with top left entry (i, j).
  RELULIFT_HD MatrixView block(Index i, Index j, Index r, Index c) const {
    return {data + i + j * ld, r, c, ld};
  }
  RELULIFT_HD MatrixView col(Index j) const { return {data + j * ld, rows, 1, ld}; }

  // To a view of const entries. A template, because nvcc warns of a conversion to itself otherwise.
  template <class U>
  requires(std::is_same_v<U, const T> && !std::is_same_v<U, T>) RELULIFT_HD operator MatrixView<U>()
      const {  // NOLINT(google-explicit-constructor)
    return {data, rows, cols, ld};
  }
};

// Entries of a smaller type live in matrices of double: so many hold `count` of them.
template <class T>
constexpr Index doubles_for(Index count) {
  constexpr Index held = sizeof(double) / sizeof(T);
  return (count + held - 1) / held;
}

// A scalar that lives where the work is. A recording survives a change of its value.
struct Slot {
  double* address = nullptr;
  RELULIFT_HD double get() const { return *address; }
  RELULIFT_HD void set(double value) const { *address = value; }
};

// Integers on the device: gather indices.
struct IndexView {
  const std::int32_t* data = nullptr;
  Index size = 0;
  RELULIFT_HD Index operator[](Index k) const { return data[k]; }
};

// Iteration space of launch and sum: every (i, j) with 0 <= i < rows, 0 <= j < cols.
struct Extent {
  Index rows = 0;
  Index cols = 1;
};

enum class Op { none, transpose };
enum class Side { left, right };

}  // namespace relulift
