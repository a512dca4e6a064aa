// SPDX-License-Identifier: Apache-2.0
// How the upper triangle of a symmetric matrix is cut into square tiles, stored, and visited in
// rounds. Packed: the tiles side by side in a height x columns() matrix, block column by block
// column; for the order 2n that is 2n^2 + O(n height) doubles. Diagonal tiles are stored in full,
// both triangles alike.
#pragma once

#include <algorithm>

#include "src/core/view.hpp"

namespace relulift {

struct GramTile {
  Index row_block = 0, col_block = 0;  // row_block <= col_block
  Index row = 0, rows = 0, col = 0, cols = 0;
  Index number = 0;  // in the packed order
  bool diagonal() const { return row_block == col_block; }
};

class GramTiles {
 public:
  static constexpr Index kGroup = 4;

  GramTiles(Index order, Index height)
      : order_(order), height_(std::clamp<Index>(height, 1, std::max<Index>(order, 1))) {}

  Index order() const { return order_; }
  Index height() const { return height_; }
  Index blocks() const { return (order_ + height_ - 1) / height_; }
  Index count() const { return number(0, blocks()); }
  Index columns() const { return count() * height_; }

  GramTile tile(Index row_block, Index col_block) const {
    const Index row = row_block * height_, col = col_block * height_;
    return {row_block,
            col_block,
            row,
            std::min(height_, order_ - row),
            col,
            std::min(height_, order_ - col),
            number(row_block, col_block)};
  }
  // Groups of kGroup blocks. Round s takes the pairs of groups k <= l with k + l = s modulo
  // groups(): every group is in one of them, so the pairs of a round meet different rows and
  // columns, and rounds 0 .. groups() - 1 visit every tile once.
  Index groups() const { return (blocks() + kGroup - 1) / kGroup; }
  // body(tile) for the tiles of group k and its partner in the round, none if the partner comes
  // first. What a group needs of K and of the output is read from memory once for kGroup^2 tiles.
  template <class Body>
  void for_each_tile(Index round, Index k, const Body& body) const {
    const Index partner = (round - k + groups()) % groups();
    if (k > partner) return;
    for (Index j = partner * kGroup; j < std::min((partner + 1) * kGroup, blocks()); ++j) {
      for (Index i = k * kGroup; i < std::min({(k + 1) * kGroup, blocks(), j + 1}); ++i) {
        body(tile(i, j));
      }
    }
  }

  // Where entry (p, q) is stored, the block of p not after that of q.
  struct Place {
    Index row, col;
  };
  Place place(Index p, Index q) const {
    return {p % height_, number(p / height_, q / height_) * height_ + q % height_};
  }
  // The tile of a packed matrix.
  template <class T>
  MatrixView<T> part(MatrixView<T> packed, const GramTile& t) const {
    return packed.block(0, t.number * height_, t.rows, t.cols);
  }

 private:
  static Index number(Index row_block, Index col_block) {
    return col_block * (col_block + 1) / 2 + row_block;
  }

  Index order_, height_;
};

}  // namespace relulift
