// SPDX-License-Identifier: Apache-2.0
// Entries of the augmented Lagrangian of the programs over patterns [eq:pattern-lagrangian]: rows
// that points leave their cones at, and columns of its Newton system.
#pragma once

#include "kernels/gated.hpp"
#include "src/core/view.hpp"

namespace relulift::kernels {

// Of every column of a tile of X W, column j of a pattern of its own, and of every stretch of so
// many rows, the row where (2 D - I) X w is furthest below -rounding, x of unit length; -1 where
// none is. Extent {stretches, columns}; reads a number per entry.
struct WorstRows {
  MatrixView<const double> tile;
  BitView bits;  // of all patterns
  IndexView pattern;
  const double* inverse_norm = nullptr;  // of all samples
  Index first = 0;                       // sample of the tile's first row
  Index stretch = 64;
  double rounding;
  MatrixView<double> worst;

  RELULIFT_HD Index work() const { return stretch; }
  RELULIFT_HD void operator()(Index s, Index j) const {
    const Index end = (s + 1) * stretch < tile.rows ? (s + 1) * stretch : tile.rows;
    double least = -rounding, row = -1.0;
    for (Index r = s * stretch; r < end; ++r) {
      const double x = inverse_norm[first + r] * tile(r, j);
      const double below = bits(first + r, pattern[j]) ? x : -x;
      if (!(below < least)) continue;
      least = below;
      row = static_cast<double>(first + r);
    }
    worst(s, j) = row;
  }
};

// Q = B'D S from a tile S = X T, column j of a pattern and an output of its own; B B' the curvature
// of the loss, rows of it. Entrywise losses, diagonal B = root: Q has the rows of S, of the output
// of its columns. Softmax, root = s: B' = (I - s s') diag(s), and Q has the rows of S once for each
// output. Extent {rows of Q, columns}.
struct CurvedColumns {
  MatrixView<const double> S;
  BitView bits;  // of all patterns
  IndexView pattern, output;
  Index first = 0;                // sample of the tile's first row
  MatrixView<const double> root;  // n x c
  bool softmax = false;
  MatrixView<double> Q;

  RELULIFT_HD void operator()(Index q, Index j) const {
    const Index r = q % S.rows, k = output[j];
    const double own = root(first + r, k);
    double factor = own;
    if (softmax) {
      const Index row = q / S.rows;
      factor *= (row == k ? 1.0 : 0.0) - root(first + r, row) * own;
    }
    Q(q, j) = bits(first + r, pattern[j]) ? factor * S(r, j) : 0.0;
  }
};

struct DiagonalTerm {
  MatrixView<const double> H;
  RELULIFT_HD double operator()(Index i, Index) const { return H(i, i); }
};
// H += shift I, and a share of the trace, which rounding may take. Extent {order}.
struct ShiftDiagonal {
  MatrixView<double> H;
  double shift, share;
  Slot trace;
  RELULIFT_HD void operator()(Index i, Index) const { H(i, i) += shift + share * trace.get(); }
};

}  // namespace relulift::kernels
