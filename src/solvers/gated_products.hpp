// SPDX-License-Identifier: Apache-2.0
// Products with A_i = D_i X of all patterns at once [eq:pattern]: f = sum_i A_i W_i and A_i'R. X W
// is formed tile by tile, so no array of n x P x c is ever there; patterns are a bit per entry.
// Either product takes 2 n d P c flops, reads X once per block of patterns (about 256 columns of W)
// and writes and reads each tile once, which a cache holds. T: float halves the bytes. Where a
// sample is a sum of patches [eq:pooled], its rows of X lie n apart, A_i = S D_i X with S = (I ..
// I), and a tile lies within one patch: S costs nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/gated.hpp"
#include "src/core/backend.hpp"
#include "src/core/dense.hpp"
#include "src/core/needs.hpp"
#include "src/core/transfer.hpp"
#include "src/patterns/pattern_set.hpp"

namespace relulift {

// How a product is cut: rows a multiple of 64.
struct GatedTile {
  Index rows, patterns;
};
inline GatedTile gated_tile(Index n, Index patterns, Index outputs, Index entries) {
  constexpr Index kColumns = 256;  // beyond them a product gains nothing more
  const Index across = std::clamp<Index>(kColumns / outputs, 1, std::max<Index>(patterns, 1));
  const Index down = std::max<Index>(entries / (across * outputs) / 64 * 64, 64);
  return {std::min(down, (n + 63) / 64 * 64), across};
}
// Entries of a tile: of a host's cache, of a device.
inline constexpr Index kTileHost = Index{1} << 19, kTileDevice = Index{1} << 24;

template <Backend B, class T = double>
class GatedProducts {
 public:
  // Finite X of n x patches rows. tile_entries: kTileHost or kTileDevice.
  GatedProducts(B& be, const Matrix& X, const PatternSet& patterns, Index outputs,
                Index tile_entries = kTileHost, Index patches = 1)
      : be_(be),
        rows_(X.rows()),
        n_(rows_ / patches),
        d_(X.cols()),
        c_(outputs),
        patterns_(patterns.size()),
        cut_(gated_tile(n_, patterns_, c_, tile_entries)),
        x_(be.matrix(doubles_for<T>(rows_ * d_), 1)),
        bits_(be.matrix(patterns.words() * patterns_, 1)),
        words_(patterns.words()),
        tile_(be.matrix(doubles_for<T>(cut_.rows * cut_.patterns * c_), 1)) {
    upload_as<T>(be_, X, x_.view());
    std::vector<double> words(patterns.bits().size());
    std::ranges::transform(patterns.bits(), words.begin(),
                           [](std::uint64_t word) { return std::bit_cast<double>(word); });
    be_.upload(words, {bits_.view().data, static_cast<Index>(words.size()), 1, bits_.view().ld});
  }

  static void count(Needs& needs, Index n, Index d, Index patterns, Index outputs,
                    Index tile_entries, Index patches = 1) {
    const GatedTile cut = gated_tile(n, patterns, outputs, tile_entries);
    const Index rows = n * patches;
    needs.matrix(doubles_for<T>(rows * d), 1).matrix((rows + 63) / 64 * patterns, 1);
    needs.matrix(doubles_for<T>(cut.rows * cut.patterns * outputs), 1);
  }

  Index samples() const { return n_; }
  Index rows() const { return rows_; }  // of X
  Index features() const { return d_; }
  Index outputs() const { return c_; }
  Index patterns() const { return patterns_; }
  Index columns() const { return patterns_ * c_; }  // of W: W_i e_k is column i c + k

  // F = S sum_i D_i X W_i.  W: d x columns(), F: n x c.
  void forward(MatrixView<const T> W, MatrixView<T> F) {
    be_.launch({n_, c_}, kernels::ZeroEntries<T>{F});
    for_each_tile([&](const Tile& t) {
      const MatrixView<T> out = tile(t);
      be_.gemm(Op::none, Op::none, 1.0, rows_of_x(t), columns_of(W, t), 0.0, out);
      be_.launch({t.rows, c_}, kernels::AddMasked<T>{out, bits(t), t.row, t.patterns,
                                                     F.block(t.sample, 0, t.rows, c_)});
    });
  }

  // G_i = X' D_i S'R.  R: n x c, G: d x columns().
  void adjoint(MatrixView<const T> R, MatrixView<T> G) {
    for_each_tile([&](const Tile& t) {
      const MatrixView<T> out = tile(t);
      be_.launch({t.rows, t.patterns * c_},
                 kernels::SpreadMasked<T>{R.block(t.sample, 0, t.rows, c_), bits(t), t.row, out});
      be_.gemm(Op::transpose, Op::none, 1.0, rows_of_x(t), MatrixView<const T>(out),
               t.row == 0 ? 0.0 : 1.0, columns_of(G, t));
    });
  }

  // Tiles, for products with other masks. row: of X, the patch of `sample`.
  struct Tile {
    Index row, rows, pattern, patterns, sample;
  };

  // Rows innermost: the columns of W stay where they are.
  template <class Body>
  void for_each_tile(const Body& body) {
    for (Index p = 0; p < patterns_; p += cut_.patterns) {
      const Index across = std::min(cut_.patterns, patterns_ - p);
      for (Index patch = 0; patch < rows_; patch += n_)
        for (Index r = 0; r < n_; r += cut_.rows)
          body(Tile{patch + r, std::min(cut_.rows, n_ - r), p, across, r});
    }
  }
  MatrixView<T> X_() const { return {reinterpret_cast<T*>(x_.view().data), rows_, d_, rows_}; }
  MatrixView<const T> rows_of_x(const Tile& t) const { return X_().block(t.row, 0, t.rows, d_); }
  template <class U>
  MatrixView<U> columns_of(MatrixView<U> W, const Tile& t) const {
    return W.block(0, t.pattern * c_, d_, t.patterns * c_);
  }
  MatrixView<T> tile(const Tile& t) const {
    return {reinterpret_cast<T*>(tile_.view().data), t.rows, t.patterns * c_, t.rows};
  }
  kernels::BitView bits(const Tile& t) const { return bits_from(t.pattern); }
  kernels::BitView bits_from(Index pattern) const {
    const auto* const words = reinterpret_cast<const std::uint64_t*>(bits_.view().data);
    return {words + pattern * words_, words_};
  }

 private:
  B& be_;
  Index rows_, n_, d_, c_, patterns_;
  GatedTile cut_;
  typename B::Matrix x_, bits_;
  Index words_;
  typename B::Matrix tile_;
};

}  // namespace relulift
