// SPDX-License-Identifier: Apache-2.0
// The matrices of the Newton steps of the augmented Lagrangian [eq:lagrangian-newton], formed tile
// by tile on a backend: Q'Q of the order of its columns, or Q Q' of that of its rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "src/solvers/pattern_lagrangian_products.hpp"

namespace relulift {

// Columns T of the blocks that move, each of a pattern and an output; V: as they are, N: times -1.
struct MovingColumns {
  Matrix T;  // d x R
  std::vector<std::int32_t> pattern, output;
};

struct SystemSize {
  Index max_order;     // of a matrix that is factorised
  Index tile_entries;  // of Q at a time
};
// Of a product of 6,000 x 6,000: seconds; a tile that keeps it efficient.
inline constexpr SystemSize kSystemHost{6000, Index{1} << 22};
inline constexpr SystemSize kSystemDevice{20'000, Index{1} << 26};

template <Backend B>
class LagrangianSystem {
 public:
  // X and bits of products that outlive this. softmax: all outputs in one system, else one each.
  LagrangianSystem(B& be, MatrixView<const double> X, kernels::BitView bits, Index columns,
                   Index outputs, bool softmax, const SystemSize& size)
      : be_(be),
        x_(X),
        bits_(bits),
        outputs_(outputs),
        softmax_(softmax),
        size_(size),
        held_(held(X.cols, columns, size)),
        entries_(entries(X.rows, X.cols, columns, outputs, softmax, size)),
        h_(be.matrix(square(order(X.rows, X.cols, columns, outputs, softmax, size)), 1)),
        t_(be.matrix(X.cols * held_, 1)),
        s_(be.matrix(entries_, 1)),
        q_(be.matrix(entries_, 1)),
        right_(be.matrix(order(X.rows, X.cols, columns, outputs, softmax, size), 1)),
        root_(be.matrix(X.rows * outputs, 1)),
        pattern_(be.indices(held_)),
        output_(be.indices(held_)),
        scalars_(be.slots(kScalars)) {
    be_.reserve(Needs{}.potrf(right_.view().rows));
  }
  static void count(Needs& needs, Index n, Index d, Index columns, Index outputs, bool softmax,
                    const SystemSize& size) {
    const Index m = order(n, d, columns, outputs, softmax, size);
    const Index tile = entries(n, d, columns, outputs, softmax, size), t = held(d, columns, size);
    needs.matrix(square(m), 1).matrix(d * t, 1).matrix(tile, 1).matrix(tile, 1).matrix(m, 1);
    needs.matrix(n * outputs, 1).indices(t).indices(t).slots(kScalars).potrf(m);
  }

  bool fits(Index columns) const { return std::min(columns, rows()) <= size_.max_order; }
  bool holds(Index columns) const { return columns <= held_; }
  bool by_columns(Index columns) const { return columns <= rows(); }
  // The root of the curvature, n x c, of the solves that follow.
  void set_root(const Matrix& root) { upload(be_, root, shaped(root_, root.size(), 1)); }

  // (Q'Q + I/sigma)^-1 right, of the order of the columns; both are empty where rounding leaves no
  // factor.
  Vector solve_columns(const MovingColumns& at, double sigma, const Vector& right) {
    const Index count = at.T.cols();
    const Index down = std::min(std::max<Index>(entries_ / (count * group()) / 64 * 64, 64), n());
    place(at);
    for (Index row = 0; row < n(); row += down) {
      const MatrixView<double> Q = tile(row, std::min(down, n() - row), count);
      be_.syrk(Op::transpose, 1.0, Q, row == 0 ? 0.0 : 1.0, matrix(count));
    }
    return solve(1.0 / sigma, right);
  }
  // (I + sigma Q Q')^-1 right, of the order of the rows of Q, after sigma Q Q' of some columns at a
  // time, at most as many as are held.
  void add_rows(const MovingColumns& at, double sigma, bool first) {
    place(at);
    be_.syrk(Op::none, sigma, tile(0, n(), at.T.cols()), first ? 0.0 : 1.0, matrix(rows()));
  }
  Vector solve_rows(const Vector& right) { return solve(1.0, right); }
  Index columns_at_once() const {
    return std::clamp<Index>(entries_ / rows(), std::min(d(), held_), held_);
  }

 private:
  // Of the trace: what a factor loses to rounding.
  static constexpr double kRidge = 1e-15;
  enum Scalar { kTrace, kInfo, kScalars };

  static Index held(Index d, Index columns, const SystemSize& size) {
    return std::min(d * columns, size.max_order);
  }
  static Index order(Index n, Index d, Index columns, Index outputs, bool softmax,
                     const SystemSize& size) {
    return std::min({softmax ? n * outputs : n, d * columns, size.max_order});
  }
  // Enough for all columns in 64 samples, and for all rows and a block.
  static Index entries(Index n, Index d, Index columns, Index outputs, bool softmax,
                       const SystemSize& size) {
    const Index group = softmax ? outputs : 1, rows = group * n, t = held(d, columns, size);
    const Index least = std::max(64 * group * t, rows * std::min(d, t));
    return std::min(std::max(size.tile_entries, least), std::max<Index>(rows, 64) * t);
  }
  static Index square(Index order) { return order * order; }
  Index n() const { return x_.rows; }
  Index d() const { return x_.cols; }
  Index group() const { return softmax_ ? outputs_ : 1; }
  Index rows() const { return group() * n(); }
  static MatrixView<double> shaped(const typename B::Matrix& m, Index rows, Index cols) {
    return {m.view().data, rows, cols, rows};
  }
  MatrixView<double> matrix(Index order) const { return shaped(h_, order, order); }

  void place(const MovingColumns& at) {
    upload(be_, at.T, shaped(t_, at.T.size(), 1));
    be_.upload(at.pattern, pattern_);
    be_.upload(at.output, output_);
  }
  // Q of some samples and the columns placed.
  MatrixView<double> tile(Index row, Index rows, Index count) {
    const MatrixView<double> S = shaped(s_, rows, count), Q = shaped(q_, group() * rows, count);
    be_.gemm(Op::none, Op::none, 1.0, x_.block(row, 0, rows, d()),
             MatrixView<const double>(shaped(t_, d(), count)), 0.0, S);
    be_.launch({Q.rows, count},
               kernels::CurvedColumns{S, bits_, pattern_.view(), output_.view(), row,
                                      shaped(root_, n(), outputs_), softmax_, Q});
    return Q;
  }
  Vector solve(double shift, const Vector& right) {
    const MatrixView<double> H = matrix(right.size());
    const MatrixView<double> b = shaped(right_, right.size(), 1);
    be_.sum({H.rows}, kernels::DiagonalTerm{H}, scalars_[kTrace]);
    be_.launch({H.rows}, kernels::ShiftDiagonal{H, shift, kRidge, scalars_[kTrace]});
    be_.potrf(H, scalars_[kInfo]);
    double info = 0.0;
    be_.fetch(scalars_[kInfo], std::span(&info, 1));
    if (info != 0.0) return {};
    upload(be_, right, b);
    be_.potrs(MatrixView<const double>(H), b);
    Vector out(right.size());
    fetch(be_, MatrixView<const double>(b), out);
    return out;
  }

  B& be_;
  MatrixView<const double> x_;
  kernels::BitView bits_;
  Index outputs_;
  bool softmax_;
  SystemSize size_;
  Index held_, entries_;  // columns of T, entries of a tile
  typename B::Matrix h_, t_, s_, q_, right_, root_;
  typename B::Indices pattern_, output_;
  typename B::Slots scalars_;
};

}  // namespace relulift
