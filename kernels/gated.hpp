// SPDX-License-Identifier: Apache-2.0
// Entries of the products with A_i = D_i X [eq:pattern]: what stands between two matrix products
// and a tile of X W. Patterns are bits (src/patterns/pattern_set.hpp).
#pragma once

#include <array>
#include <cstdint>

#include "kernels/entries.hpp"
#include "src/core/view.hpp"

namespace relulift::kernels {

// Words of patterns, column-major.
struct BitView {
  const std::uint64_t* words = nullptr;
  Index per_column = 0;

  RELULIFT_HD std::uint64_t word(Index w, Index column) const {
    return words[w + column * per_column];
  }
  RELULIFT_HD bool operator()(Index row, Index column) const {
    return (word(row / 64, column) >> (row % 64) & 1U) != 0;
  }
  // Bits of the rows row .. row + 7, all of them there; the first is the lowest.
  std::uint64_t byte(Index row, Index column) const {
    const Index shift = row % 64;
    std::uint64_t bits = word(row / 64, column) >> shift;
    if (shift > 56) bits |= word(row / 64 + 1, column) << (64 - shift);
    return bits & 255U;
  }
};

// Eight bits as eight factors: a processor without variable shifts reads them from the cache.
template <class T>
struct ByteFactors {
  std::array<std::array<T, 8>, 256> of{};
  constexpr ByteFactors() {
    for (int byte = 0; byte < 256; ++byte)
      for (int bit = 0; bit < 8; ++bit) of[byte][bit] = static_cast<T>(byte >> bit & 1);
  }
};
template <class T>
inline constexpr ByteFactors<T> kByteFactors;

// F(r, k) += sum_p D_p(first + r) T(r, p c + k) over the patterns of a tile. Reads c per row and
// pattern, and a bit; extent {rows of the tile, c}.
template <class T>
struct AddMasked {
  MatrixView<const T> tile;
  BitView bits;     // first column: the tile's first pattern
  Index first = 0;  // row of the patterns of the tile's first row
  Index patterns = 0;
  MatrixView<T> F;  // of the tile's rows

  RELULIFT_HD Index work() const { return patterns; }
  RELULIFT_HD void operator()(Index r, Index k) const {
    T total = 0;
    for (Index p = 0; p < patterns; ++p)
      if (bits(first + r, p)) total += tile(r, p * F.cols + k);
    F(r, k) += total;
  }
  // begin: a multiple of 64.
  void column(Index k, Index begin, Index end) const {
    constexpr Index kRows = 512;  // sums stay in the nearest cache
    for (Index from = begin; from < end; from += kRows)
      some_rows(k, from, end - from < kRows ? end - from : kRows);
  }

 private:
  void some_rows(Index k, Index from, Index rows) const {
    std::array<T, 512> total{};
    for (Index p = 0; p < patterns; ++p) {
      const T* const t = &tile(from, p * F.cols + k);
      Index r = 0;
      for (; r + 8 <= rows; r += 8) {
        const auto& factor = kByteFactors<T>.of[bits.byte(first + from + r, p)];
        for (Index b = 0; b < 8; ++b) total[r + b] += factor[b] * t[r + b];
      }
      for (; r < rows; ++r)
        if (bits(first + from + r, p)) total[r] += t[r];
    }
    for (Index r = 0; r < rows; ++r) F(from + r, k) += total[r];
  }
};

// tile(r, p c + k) = D_p(first + r) R(r, k). Writes c per row and pattern; extent {rows of the
// tile, p c}.
template <class T>
struct SpreadMasked {
  MatrixView<const T> R;  // of the tile's rows
  BitView bits;           // first column: the tile's first pattern
  Index first = 0;        // row of the patterns of the tile's first row
  MatrixView<T> tile;

  RELULIFT_HD void operator()(Index r, Index j) const {
    tile(r, j) = bits(first + r, j / R.cols) ? R(r, j % R.cols) : T(0);
  }
  // begin: a multiple of 64.
  void column(Index j, Index begin, Index end) const {
    const Index p = j / R.cols;
    const T* const from = &R(0, j % R.cols);
    T* const to = &tile(0, j);
    Index r = begin;
    for (; r + 8 <= end; r += 8) {
      const auto& factor = kByteFactors<T>.of[bits.byte(first + r, p)];
      for (Index b = 0; b < 8; ++b) to[r + b] = factor[b] * from[r + b];
    }
    for (; r < end; ++r) to[r] = bits(first + r, p) ? from[r] : T(0);
  }
};

}  // namespace relulift::kernels
