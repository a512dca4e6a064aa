// SPDX-License-Identifier: Apache-2.0
// The term of [eq:alm] in all pairs, [eq:gram]: one pass over the upper triangle of tiles of K K'
// per call. No engine uses it: src/solvers/low_rank_alm.hpp lists the pairs that count. A tile is
// formed by a product, combined entry by entry with the tile of W, and multiplied back to the block
// of its rows and to that of its columns while it is in the cache. Nothing of size 2n x 2n is
// stored but the triangle of W, if there is one.
//
// With K of size 2n x r, up to the lower halves of the diagonal tiles (a share of about
// height/6n more):
//   call                    flops               bytes of W
//   objective               4 n^2 r             16 n^2
//   gradient                12 n^2 r            16 n^2
//   Hessian product         28 n^2 r            16 n^2
//   multiplier update       4 n^2 r             32 n^2
//   apply (k columns)       4 n^2 r + 8 n^2 k   16 n^2
//   product (k columns)     8 n^2 k             16 n^2
// K, the direction and the output, 16 n r bytes each, are packed by block at the start of a call
// and then read and written once per tile: 16 n/height times 16 n r bytes, from the cache.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/gram_pass.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"
#include "src/solvers/gram_tiles.hpp"

namespace relulift {

// Tiles are height x height, columns of K are taken at most `columns` at a time.
//
// Host: products of 64 x 64 x 64 run on the thread that asks for them, whatever the BLAS, and so
// tiles run concurrently. OpenBLAS packs no operands at this size (AVX-512), which makes them as
// fast as its product of large matrices. Panels of 256 x 1024 reached 0.60 of that rate where these
// tiles reach 0.70 to 0.76 (gradient, r = 64, one core; bench/gram_pass_benchmark).
// Device: a tile of 32 MB for an L2 cache of 40 MB or more. Its speed is not measured.
struct GramShape {
  Index height = 64;
  Index columns = 64;
};
inline constexpr GramShape kGramShapeHost{};
inline constexpr GramShape kGramShapeDevice{2048, 1024};

// Where the term is evaluated. K: rows alpha, then beta. W: packed as in GramTiles, symmetric,
// nonnegative; no data: W = 0.
struct GramPoint {
  MatrixView<const double> K;
  Slot sigma;  // positive
  MatrixView<const double> W{};
};

// Outputs never alias inputs. Every call is a sequence of loop operations of the backend that
// depends on sizes alone: it may be recorded. A block of the output is met by one task per round,
// and rounds follow each other, so the result does not depend on the number of threads.
template <Backend B>
class GramPass {
 public:
  // max_columns: of K, directions and outputs.
  GramPass(B& be, Index samples, Index max_columns, GramShape shape = {})
      : be_(be),
        samples_(samples),
        chunk_(std::max<Index>(shape.columns, 1)),
        tiles_(2 * samples, shape.height),
        gram_(be.matrix(tiles_.height(), tiles_.height() * be.lanes())),
        mixed_(be.matrix(tiles_.height(), tiles_.height() * be.lanes())),
        K_blocks_(be.matrix(tiles_.height(), tiles_.blocks() * max_columns)),
        D_blocks_(be.matrix(tiles_.height(), tiles_.blocks() * max_columns)),
        K_transposed_(be.matrix(max_columns, tiles_.order())),
        V_transposed_(be.matrix(max_columns, tiles_.order())),
        out_transposed_(be.matrix(max_columns, tiles_.order())),
        parts_(be.slots(tiles_.count())) {}

  // Of this object on a backend with that many lanes. W is tiles().height() x tiles().columns(),
  // the caller's.
  static void count(Needs& needs, Index samples, Index max_columns, Index lanes,
                    GramShape shape = {}) {
    const GramTiles tiles(2 * samples, shape.height);
    for (int k = 0; k < 2; ++k) {
      needs.matrix(tiles.height(), tiles.height() * lanes)
          .matrix(tiles.height(), tiles.blocks() * max_columns);
    }
    for (int k = 0; k < 3; ++k) needs.matrix(max_columns, tiles.order());
    needs.slots(tiles.count());
  }
  const GramTiles& tiles() const { return tiles_; }

  // value = 1/(2 sigma) ||M||^2.
  void objective(const GramPoint& at, Slot value) {
    const MatrixView<double> K = pack(at.K, K_blocks_);
    for_each_tile([&](const auto& t) {
      form_multipliers(t, at, K);
      square(t);
    });
    add_parts(at.sigma, value);
  }

  // out = M K; the gradient of the objective is -2 M K.
  void gradient(const GramPoint& at, MatrixView<double> out) { apply(at, at.K, out); }

  // out = M V for V of 2n rows, M never stored.
  void apply(const GramPoint& at, MatrixView<const double> V, MatrixView<double> out) {
    const MatrixView<double> K = pack(at.K, K_blocks_), v = transpose(V, V_transposed_);
    clear(out.cols);
    for_each_tile([&](const auto& t) {
      form_multipliers(t, at, K);
      multiply_back(t, gram(t), v);
    });
    take(out);
  }

  void objective_and_gradient(const GramPoint& at, Slot value, MatrixView<double> out) {
    const MatrixView<double> K = pack(at.K, K_blocks_), v = transpose(at.K, V_transposed_);
    clear(out.cols);
    for_each_tile([&](const auto& t) {
      form_multipliers(t, at, K);
      square(t);
      multiply_back(t, gram(t), v);
    });
    add_parts(at.sigma, value);
    take(out);
  }

  // out = M D - sigma (1[M > 0] o (K D' + D K')) K, the derivative of M K in the direction D.
  void hessian(const GramPoint& at, MatrixView<const double> D, MatrixView<double> out) {
    const MatrixView<double> K = pack(at.K, K_blocks_), d = pack(D, D_blocks_);
    const MatrixView<double> k = transpose(at.K, K_transposed_), v = transpose(D, V_transposed_);
    clear(out.cols);
    for_each_tile([&](const auto& t) {
      form(t, K, at.K.cols);
      multiply(t, K, d, D.cols, 0.0, mixed(t));
      multiply(t, d, K, D.cols, 1.0, mixed(t));
      with_multipliers(t, at.W, [&](auto w) {
        t.be.launch(t.extent(),
                    kernels::GramDerivative<decltype(w)>{w, at.sigma, gram(t), mixed(t)});
      });
      multiply_back(t, gram(t), v);
      multiply_back(t, mixed(t), k);
    });
    take(out);
  }

  // W <- M, in place.
  void update(MatrixView<const double> K, Slot sigma, MatrixView<double> W) {
    const MatrixView<double> blocks = pack(K, K_blocks_);
    for_each_tile([&](const auto& t) {
      form(t, blocks, K.cols);
      t.be.launch(t.extent(), kernels::GramUpdate{gram(t), sigma, tiles_.part(W, t)});
    });
  }

  // out = W V for V of 2n rows.
  void product(MatrixView<const double> W, MatrixView<const double> V, MatrixView<double> out) {
    const MatrixView<double> v = transpose(V, V_transposed_);
    clear(out.cols);
    for_each_tile([&](const auto& t) { multiply_back(t, tiles_.part(W, t), v); });
    take(out);
  }

 private:
  using In = MatrixView<const double>;
  using Out = MatrixView<double>;

  // A tile, and who works on it.
  template <class Lane>
  struct Work : GramTile {
    Index lane;
    Lane& be;
    Extent extent() const { return {rows, cols}; }
  };

  template <class Body>
  void for_each_tile(const Body& body) {
    for (Index round = 0; round < tiles_.groups(); ++round) {
      be_.concurrently(tiles_.groups(), [&](Index k, Index lane, auto& be) {
        using Lane = std::remove_reference_t<decltype(be)>;
        tiles_.for_each_tile(round, k, [&](const GramTile& t) { body(Work<Lane>{t, lane, be}); });
      });
    }
  }
  template <class T>
  Out gram(const T& t) const {
    return gram_.view().block(0, t.lane * tiles_.height(), t.rows, t.cols);
  }
  template <class T>
  Out mixed(const T& t) const {
    return mixed_.view().block(0, t.lane * tiles_.height(), t.rows, t.cols);
  }
  template <class T, class Body>
  void with_multipliers(const T& t, In W, const Body& body) const {
    if (W.data == nullptr) {
      body(kernels::NoMultipliers{});
    } else {
      body(kernels::TileMultipliers{tiles_.part(W, t)});
    }
  }

  Out pack(In a, const typename B::Matrix& into) {
    const Out blocks = into.view().block(0, 0, tiles_.height(), tiles_.blocks() * a.cols);
    be_.launch({blocks.rows, blocks.cols}, kernels::PackBlocks{a, blocks, tiles_.height()});
    return blocks;
  }
  Out transpose(In a, const typename B::Matrix& into) {
    const Out to = into.view().block(0, 0, a.cols, a.rows);
    be_.launch({a.rows, a.cols}, kernels::Transpose{a, to});
    return to;
  }
  void clear(Index cols) {
    be_.launch({cols, tiles_.order()}, kernels::Clear{out_transposed_.view()});
  }
  void take(Out out) {
    const In from = out_transposed_.view().block(0, 0, out.cols, out.rows);
    be_.launch({from.rows, from.cols}, kernels::Transpose{from, out});
  }

  // to = beta to + A_rows B_columns', from packed blocks of `cols` columns.
  template <class T>
  void multiply(const T& t, In a, In b, Index cols, double beta, Out to) {
    const In left = a.block(0, t.row_block * cols, t.rows, cols);
    const In right = b.block(0, t.col_block * cols, t.cols, cols);
    for (Index k = 0; k == 0 || k < cols; k += chunk_) {
      const Index width = std::min(chunk_, cols - k);
      t.be.gemm(Op::none, Op::transpose, 1.0, left.block(0, k, t.rows, width),
                right.block(0, k, t.cols, width), k == 0 ? beta : 1.0, to);
    }
  }
  // The tile of K K', its pairs (alpha_i, beta_i) excluded.
  template <class T>
  void form(const T& t, In K, Index cols) {
    multiply(t, K, K, cols, 0.0, gram(t));
    exclude(t, samples_);
    exclude(t, -samples_);
  }
  // The tile of M.
  template <class T>
  void form_multipliers(const T& t, const GramPoint& at, In K) {
    form(t, K, at.K.cols);
    with_multipliers(t, at.W, [&](auto w) {
      t.be.launch(t.extent(), kernels::GramMultiplier<decltype(w)>{w, at.sigma, gram(t)});
    });
  }
  template <class T>
  void square(const T& t) {
    t.be.sum(t.extent(), kernels::GramSquare{gram(t), t.diagonal() ? 1.0 : 2.0}, parts_[t.number]);
  }
  // The entries (q, q + distance) in the tile.
  template <class T>
  void exclude(const T& t, Index distance) {
    const Index shift = t.row + distance - t.col;  // row i of the tile meets column i + shift
    const Index begin = std::max<Index>(0, -shift), end = std::min(t.rows, t.cols - shift);
    if (begin >= end) return;
    const Index size = end - begin;
    t.be.launch({size, 1},
                kernels::ExcludeDiagonal{gram(t).block(begin, begin + shift, size, size)});
  }
  // Transposed: out_rows += V_columns' m', out_columns += V_rows' m; a diagonal tile holds both its
  // halves.
  template <class T>
  void multiply_back(const T& t, In m, In v) {
    const Out out = out_transposed_.view();
    for (Index k = 0; k < v.rows; k += chunk_) {
      const Index width = std::min(chunk_, v.rows - k);
      t.be.gemm(Op::none, Op::transpose, 1.0, v.block(k, t.col, width, t.cols), m, 1.0,
                out.block(k, t.row, width, t.rows));
      if (t.diagonal()) continue;
      t.be.gemm(Op::none, Op::none, 1.0, v.block(k, t.row, width, t.rows), m, 1.0,
                out.block(k, t.col, width, t.cols));
    }
  }
  void add_parts(Slot sigma, Slot value) {
    be_.sum({parts_.size(), 1}, kernels::GramObjective{parts_[0], sigma}, value);
  }

  B& be_;
  Index samples_, chunk_;
  GramTiles tiles_;
  typename B::Matrix gram_, mixed_;  // a tile per lane
  typename B::Matrix K_blocks_, D_blocks_, K_transposed_, V_transposed_, out_transposed_;
  typename B::Slots parts_;  // of the objective, one per tile
};

}  // namespace relulift
