// SPDX-License-Identifier: Apache-2.0
// How an iteration space is cut into tiles. The cut depends on the extent alone, never on the
// number of threads, so a reduction over tiles in index order is reproducible.
#pragma once

#include <algorithm>

#include "src/core/view.hpp"

namespace relulift::cpu {

struct Tile {
  Index row, row_end, col, col_end;
};

class Tiling {
 public:
  static constexpr Index kMaxTiles = 256;
  // Below this many entries waking the other threads costs more than they take over.
  static constexpr Index kSerialEntries = 65536;

  // work: of an entry, in units of a plain one.
  explicit Tiling(Extent e, Index work = 1)
      : Tiling(e, std::max<Index>(kRowBlock / work / kAligned * kAligned, kAligned), work) {}
  static Tiling whole_columns(Extent e, Index work = 1) {
    return Tiling(e, std::max<Index>(e.rows, 1), work);
  }

  Index count() const { return row_tiles_ * col_tiles_; }
  bool parallel() const {
    return count() > 1 && extent_.rows * extent_.cols * work_ >= kSerialEntries;
  }
  Tile tile(Index k) const {
    const Index row = k % row_tiles_ * row_block_, col = k / row_tiles_ * col_block_;
    return {row, std::min(row + row_block_, extent_.rows), col,
            std::min(col + col_block_, extent_.cols)};
  }

 private:
  static constexpr Index kRowBlock = 4096;
  // Tiles begin at multiples of it: words of bits are not cut.
  static constexpr Index kAligned = 64;
  static Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

  Tiling(Extent e, Index row_block, Index work) : extent_(e), work_(work) {
    if (e.cols <= 0) return;
    col_block_ = ceil_div(e.cols, kMaxTiles);
    col_tiles_ = ceil_div(e.cols, col_block_);
    const Index most_rows = kMaxTiles / col_tiles_;
    row_block_ = std::max(row_block, ceil_div(ceil_div(e.rows, most_rows), kAligned) * kAligned);
    row_tiles_ = std::max<Index>(ceil_div(e.rows, row_block_), 1);  // a sum of no rows is zero
  }

  Extent extent_;
  Index work_;
  Index row_block_ = 0, col_block_ = 0, row_tiles_ = 0, col_tiles_ = 0;
};

}  // namespace relulift::cpu
