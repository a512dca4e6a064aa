// SPDX-License-Identifier: Apache-2.0
// What the augmented Lagrangian of pattern_lagrangian.hpp asks of a backend beside its Newton
// system: f = sum_i A_i W_i, A_i'R, and the rows where points leave their cones. Blocks are on the
// host, everything of n x many on the backend.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/pattern_lagrangian.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/gated_products.hpp"

namespace relulift {

template <Backend B>
class LagrangianProducts {
 public:
  LagrangianProducts(B& be, const Matrix& X, const PatternSet& patterns, Index outputs,
                     const Vector& inverse_norms, Index tile_entries)
      : be_(be),
        products_(be, X, patterns, outputs, tile_entries),
        weights_(be.matrix(X.cols() * products_.columns(), 1)),
        scores_(be.matrix(X.rows() * outputs, 1)),
        stretch_(stretch(X.rows())),
        tile_rows_(tile_rows(X.rows(), tile_entries)),
        units_(be.matrix(X.cols() * kColumns, 1)),
        tile_(be.matrix(tile_rows_ * kColumns, 1)),
        worst_(be.matrix(stretches() * kColumns, 1)),
        pattern_(be.indices(kColumns)),
        inverse_norms_(be.slots(X.rows())) {
    upload(be_, inverse_norms, inverse_norms_[0]);
  }
  static void count(Needs& needs, Index n, Index d, Index patterns, Index outputs,
                    Index tile_entries) {
    GatedProducts<B>::count(needs, n, d, patterns, outputs, tile_entries);
    needs.matrix(d * patterns * outputs, 1).matrix(n * outputs, 1).matrix(d * kColumns, 1);
    needs.matrix(tile_rows(n, tile_entries) * kColumns, 1).matrix(2 * kStretches * kColumns, 1);
    needs.indices(kColumns).slots(n);
  }

  MatrixView<const double> X_() const { return products_.X_(); }
  kernels::BitView bits() const { return products_.bits({}); }
  // W: d x (P c), n x c.
  Matrix forward(const Matrix& W) {
    upload(be_, W, flat(weights_, W.size()));
    const MatrixView<double> F = shaped(scores_, n(), products_.outputs());
    products_.forward(shaped(weights_, d(), products_.columns()), F);
    return fetched(F);
  }
  // R: n x c, d x (P c).
  Matrix adjoint(const Matrix& R) {
    upload(be_, R, flat(scores_, R.size()));
    const MatrixView<double> G = shaped(weights_, d(), products_.columns());
    products_.adjoint(shaped(scores_, n(), products_.outputs()), G);
    return fetched(G);
  }
  // Of each column of W, of unit length and of the pattern beside it: the rows, by stretches of the
  // samples, where it is furthest outside its cone; -1 where it is not. A few rows per column.
  Matrix violated(const Matrix& W, std::span<const std::int32_t> patterns, double rounding) {
    Matrix out(stretches(), W.cols());
    for (Index first = 0; first < W.cols(); first += kColumns) {
      const Index wide = std::min(kColumns, W.cols() - first);
      upload(be_, W.middleCols(first, wide), flat(units_, d() * wide));
      be_.upload(patterns.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(wide)),
                 pattern_);
      out.middleCols(first, wide) = violated_of_some(wide, rounding);
    }
    return out;
  }

 private:
  // Columns at once; stretches of samples, about.
  static constexpr Index kColumns = 256, kStretches = 32;

  static Index stretch(Index n) { return (n + 64 * kStretches - 1) / (64 * kStretches) * 64; }
  static Index tile_rows(Index n, Index entries) {
    return stretch(n) * std::clamp<Index>(entries / kColumns / stretch(n), 1, kStretches);
  }
  Index n() const { return products_.samples(); }
  Index d() const { return products_.features(); }
  Index stretches() const { return (n() + stretch_ - 1) / stretch_; }
  static MatrixView<double> shaped(const typename B::Matrix& m, Index rows, Index cols) {
    return {m.view().data, rows, cols, rows};
  }
  static MatrixView<double> flat(const typename B::Matrix& m, Index size) {
    return shaped(m, size, 1);
  }
  Matrix fetched(MatrixView<double> A) {
    Matrix out(A.rows, A.cols);
    fetch(be_, MatrixView<const double>(A), out);
    return out;
  }
  Matrix violated_of_some(Index wide, double rounding) {
    const MatrixView<double> all = shaped(worst_, stretches(), wide);
    for (Index row = 0; row < n(); row += tile_rows_) {
      const Index rows = std::min(tile_rows_, n() - row);
      const Index parts = (rows + stretch_ - 1) / stretch_;
      const MatrixView<double> tile = shaped(tile_, rows, wide);
      be_.gemm(Op::none, Op::none, 1.0, X_().block(row, 0, rows, d()),
               MatrixView<const double>(shaped(units_, d(), wide)), 0.0, tile);
      be_.launch({parts, wide},
                 kernels::WorstRows{tile, bits(), pattern_.view(), inverse_norms_[0].address, row,
                                    stretch_, rounding, all.block(row / stretch_, 0, parts, wide)});
    }
    return fetched(all);
  }

  B& be_;
  GatedProducts<B> products_;
  typename B::Matrix weights_, scores_;
  Index stretch_, tile_rows_;
  typename B::Matrix units_, tile_, worst_;
  typename B::Indices pattern_;
  typename B::Slots inverse_norms_;
};

}  // namespace relulift
