// SPDX-License-Identifier: Apache-2.0
// How the upper triangle of a symmetric 2n x 2n matrix is cut and stored. Block row b holds
// `height` rows and all columns from its diagonal tile on, so its tiles lie side by side and any
// run of columns is one matrix view. Packed: the block rows one after the other in a height x
// columns() matrix, 2n^2 + n height doubles. Diagonal tiles are stored in full, both triangles
// alike.
#pragma once

#include <algorithm>

#include "src/core/view.hpp"

namespace relulift {

// A part of one block row: the columns col .. col + cols.
struct GramPanel {
  Index block = 0;  // block row
  Index row = 0, rows = 0, col = 0, cols = 0;
  Index diagonal = 0;  // its first so many columns are the diagonal tile; 0: none are
  Index number = 0;    // in the order of the pass
};

class GramTiles {
 public:
  GramTiles(Index order, Index height)
      : order_(order), height_(std::clamp<Index>(height, 1, std::max<Index>(order, 1))) {}

  Index order() const { return order_; }
  Index height() const { return height_; }
  Index blocks() const { return (order_ + height_ - 1) / height_; }
  Index first(Index block) const { return block * height_; }
  Index rows(Index block) const { return std::min(height_, order_ - first(block)); }
  // Columns of the packed matrix, and where those of a block row begin.
  Index columns() const { return offset(blocks()); }
  Index offset(Index block) const { return block * order_ - height_ * (block * (block - 1) / 2); }

  // Where entry (p, q) is stored, q not before the diagonal tile of p.
  struct Place {
    Index row, col;
  };
  Place place(Index p, Index q) const {
    const Index block = p / height_;
    return {p - first(block), offset(block) + q - first(block)};
  }
  // The panel's part of a packed matrix.
  template <class T>
  MatrixView<T> part(MatrixView<T> packed, const GramPanel& p) const {
    return packed.block(0, offset(p.block) + p.col - p.row, p.rows, p.cols);
  }

  // body(panel) for panels of at most `width` columns, width at least the height, block row by
  // block row and from the diagonal to the right.
  template <class Body>
  void for_each_panel(Index width, const Body& body) const {
    GramPanel p;
    for (p.block = 0; p.block < blocks(); ++p.block) {
      p.row = first(p.block);
      p.rows = rows(p.block);
      for (p.col = p.row; p.col < order_; p.col += p.cols, ++p.number) {
        p.cols = std::min(width, order_ - p.col);
        p.diagonal = p.col == p.row ? p.rows : 0;
        body(p);
      }
    }
  }

 private:
  Index order_, height_;
};

}  // namespace relulift
