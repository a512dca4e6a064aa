// SPDX-License-Identifier: Apache-2.0
// The heavy term of the low-rank engine, [eq:alm] [eq:gram]: one pass over the upper triangle of
// tiles of K K' per call. A panel of tiles is formed by a product, combined entry by entry with the
// panel of W, and multiplied back to the block of its rows and to the blocks of its columns, while
// it is in the cache. Nothing of size 2n x 2n is stored but the triangle of W, if there is one.
//
// With K of size 2n x r, up to the lower halves of the diagonal tiles (a share height/2n more):
//   call                    flops               bytes of W
//   objective               4 n^2 r             16 n^2
//   gradient                12 n^2 r            16 n^2
//   Hessian product         28 n^2 r            16 n^2
//   multiplier update       4 n^2 r             32 n^2
//   apply (k columns)       4 n^2 r + 8 n^2 k   16 n^2
//   product (k columns)     8 n^2 k             16 n^2
// K, its direction and the output are read and written once per block row: 2n/height * 2n r / 2.
#pragma once

#include <algorithm>

#include "kernels/gram_pass.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"
#include "src/solvers/gram_tiles.hpp"

namespace relulift {

// Tiles of rows x rows, as many in a panel as fit into cols columns. A panel should stay in the
// cache that all its readers share.
struct GramShape {
  Index rows = 256;
  Index cols = 1024;
};
inline constexpr GramShape kGramShapeHost{256, 1024};     // 2 MB
inline constexpr GramShape kGramShapeDevice{1024, 4096};  // 32 MB

// Where the term is evaluated. K: rows alpha, then beta. W: packed as in GramTiles, symmetric,
// nonnegative; no data: W = 0.
struct GramPoint {
  MatrixView<const double> K;
  Slot sigma;  // positive
  MatrixView<const double> W{};
};

// Outputs never alias inputs. Every call is a sequence of loop operations of the backend in an
// order that depends on sizes alone: it may be recorded, and where products of the backend do not
// depend on the number of threads, neither does the result.
template <Backend B>
class GramPass {
 public:
  GramPass(B& be, Index samples, GramShape shape = {})
      : be_(be),
        samples_(samples),
        tiles_(2 * samples, shape.rows),
        width_(std::min(std::max(shape.cols, tiles_.height()), tiles_.order())),
        gram_(be.matrix(tiles_.height(), width_)),
        mixed_(be.matrix(tiles_.height(), width_)),
        parts_(be.slots(panels(tiles_, width_))) {}

  // Of this object; W is tiles().height() x tiles().columns(), the caller's.
  static void count(Needs& needs, Index samples, GramShape shape = {}) {
    const GramTiles tiles(2 * samples, shape.rows);
    const Index width = std::min(std::max(shape.cols, tiles.height()), tiles.order());
    needs.matrix(tiles.height(), width).matrix(tiles.height(), width).slots(panels(tiles, width));
  }
  const GramTiles& tiles() const { return tiles_; }

  // value = 1/(2 sigma) ||M||^2.
  void objective(const GramPoint& at, Slot value) {
    for_each_panel([&](const GramPanel& p) {
      form(p, at.K);
      with_multipliers(p, at.W, [&](auto w) {
        be_.sum({p.rows, p.cols},
                kernels::GramSquare<decltype(w)>{w, at.sigma, gram(p), p.diagonal},
                parts_[p.number]);
      });
    });
    add_parts(at.sigma, value);
  }

  // out = M K; the gradient of the objective is -2 M K.
  void gradient(const GramPoint& at, MatrixView<double> out) { apply(at, at.K, out); }

  // out = M V for V of 2n rows, M never stored.
  void apply(const GramPoint& at, MatrixView<const double> V, MatrixView<double> out) {
    for_each_panel([&](const GramPanel& p) {
      form(p, at.K);
      with_multipliers(p, at.W, [&](auto w) {
        be_.launch({p.rows, p.cols}, kernels::GramMultiplier<decltype(w)>{w, at.sigma, gram(p)});
      });
      multiply_back(p, gram(p), V, Into::first, out);
    });
  }

  void objective_and_gradient(const GramPoint& at, Slot value, MatrixView<double> out) {
    for_each_panel([&](const GramPanel& p) {
      form(p, at.K);
      with_multipliers(p, at.W, [&](auto w) {
        be_.sum({p.rows, p.cols},
                kernels::GramMultiplierSquare<decltype(w)>{w, at.sigma, gram(p), p.diagonal},
                parts_[p.number]);
      });
      multiply_back(p, gram(p), at.K, Into::first, out);
    });
    add_parts(at.sigma, value);
  }

  // out = M D - sigma (1[M > 0] o (K D' + D K')) K, the derivative of M K in the direction D.
  void hessian(const GramPoint& at, MatrixView<const double> D, MatrixView<double> out) {
    for_each_panel([&](const GramPanel& p) {
      form(p, at.K);
      be_.gemm(Op::none, Op::transpose, 1.0, rows(at.K, p), columns(D, p), 0.0, mixed(p));
      be_.gemm(Op::none, Op::transpose, 1.0, rows(D, p), columns(at.K, p), 1.0, mixed(p));
      with_multipliers(p, at.W, [&](auto w) {
        be_.launch({p.rows, p.cols},
                   kernels::GramDerivative<decltype(w)>{w, at.sigma, gram(p), mixed(p)});
      });
      multiply_back(p, gram(p), D, Into::first, out);
      multiply_back(p, mixed(p), at.K, Into::more, out);
    });
  }

  // W <- M, in place.
  void update(MatrixView<const double> K, Slot sigma, MatrixView<double> W) {
    for_each_panel([&](const GramPanel& p) {
      form(p, K);
      be_.launch({p.rows, p.cols}, kernels::GramUpdate{gram(p), sigma, tiles_.part(W, p)});
    });
  }

  // out = W V for V of 2n rows.
  void product(MatrixView<const double> W, MatrixView<const double> V, MatrixView<double> out) {
    for_each_panel(
        [&](const GramPanel& p) { multiply_back(p, tiles_.part(W, p), V, Into::first, out); });
  }

 private:
  // Whether a product is the first that an output sees in a pass.
  enum class Into { first, more };

  static Index panels(const GramTiles& tiles, Index width) {
    Index count = 0;
    tiles.for_each_panel(width, [&](const GramPanel&) { ++count; });
    return count;
  }
  template <class Body>
  void for_each_panel(const Body& body) const {
    tiles_.for_each_panel(width_, body);
  }
  MatrixView<double> gram(const GramPanel& p) const {
    return gram_.view().block(0, 0, p.rows, p.cols);
  }
  MatrixView<double> mixed(const GramPanel& p) const {
    return mixed_.view().block(0, 0, p.rows, p.cols);
  }
  template <class T>
  static MatrixView<T> rows(MatrixView<T> a, const GramPanel& p) {
    return a.block(p.row, 0, p.rows, a.cols);
  }
  template <class T>
  static MatrixView<T> columns(MatrixView<T> a, const GramPanel& p) {
    return a.block(p.col, 0, p.cols, a.cols);
  }
  template <class Body>
  void with_multipliers(const GramPanel& p, MatrixView<const double> W, const Body& body) const {
    if (W.data == nullptr) {
      body(kernels::NoMultipliers{});
    } else {
      body(kernels::PanelMultipliers{tiles_.part(W, p)});
    }
  }

  // The panel of K K', its pairs (alpha_i, beta_i) excluded.
  void form(const GramPanel& p, MatrixView<const double> K) {
    be_.gemm(Op::none, Op::transpose, 1.0, rows(K, p), columns(K, p), 0.0, gram(p));
    exclude(p, samples_);
    exclude(p, -samples_);
  }
  // The entries (q, q + distance) in the panel.
  void exclude(const GramPanel& p, Index distance) {
    const Index shift = p.row + distance - p.col;  // row i of the panel meets column i + shift
    const Index begin = std::max<Index>(0, -shift), end = std::min(p.rows, p.cols - shift);
    if (begin >= end) return;
    be_.launch({end - begin, 1}, kernels::ExcludeDiagonal{gram(p).block(begin, begin + shift,
                                                                        end - begin, end - begin)});
  }

  // out_rows += m V_columns, out_columns += m' V_rows; the diagonal tile holds both its halves.
  void multiply_back(const GramPanel& p, MatrixView<const double> m, MatrixView<const double> V,
                     Into into, MatrixView<double> out) {
    const auto beta = [&](bool untouched) { return into == Into::first && untouched ? 0.0 : 1.0; };
    be_.gemm(Op::none, Op::none, 1.0, m, columns(V, p), beta(p.row == 0 && p.col == 0),
             rows(out, p));
    const Index right = p.cols - p.diagonal;
    if (right == 0) return;
    be_.gemm(Op::transpose, Op::none, 1.0, m.block(0, p.diagonal, p.rows, right), rows(V, p),
             beta(p.row == 0), out.block(p.col + p.diagonal, 0, right, out.cols));
  }
  void add_parts(Slot sigma, Slot value) {
    be_.sum({parts_.size(), 1}, kernels::GramObjective{parts_[0], sigma}, value);
  }

  B& be_;
  Index samples_;
  GramTiles tiles_;
  Index width_;
  typename B::Matrix gram_, mixed_;
  typename B::Slots parts_;
};

}  // namespace relulift
