// SPDX-License-Identifier: Apache-2.0
// What the interior-point method of pattern_interior.hpp asks of a backend: products with the
// blocks A_b = +-S D_i X and K_b = (2 D_i - I) X, the multipliers mu and slacks s of the cones
// K_b v >= 0 (rows x blocks, they stay on the device), and the normal equations
// [eq:pattern-newton]. S sums the rows of a sample [eq:pooled]; without patches it is I.
// The first P blocks are those of the sign +, the others, ReLU only, of the sign -.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/group_lasso.hpp"
#include "kernels/pattern_interior.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"
#include "src/core/transfer.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_interior_centre.hpp"
#include "src/solvers/pattern_interior_step.hpp"

namespace relulift {

template <Backend B>
class PatternBlocks {
 public:
  // X of these rows of the patterns, none of them zero.
  PatternBlocks(B& be, const Matrix& X, const RowsInUse& rows, const GatedPatterns& patterns,
                PatternProgram program);

  Index n() const { return n_; }  // samples
  Index d() const { return d_; }
  Index blocks() const { return blocks_; }
  bool cones() const { return cones_; }
  double rows_of_cones() const { return cones_ ? static_cast<double>(rows_ * blocks_) : 0.0; }

  Vector predictions(const Matrix& v);   // sum_b A_b v_b
  Matrix correlations(const Vector& e);  // A_b'e, d x blocks
  // Unit directions well inside the cones; zero for gated programs.
  const Matrix& inner() const { return inner_; }

  // Of the cones; nothing happens for gated programs.
  void start(const Matrix& v, double product);
  // The pull K'mu at this v, of which the slacks' residual is kept, and mu's per block.
  struct Pull {
    Matrix of;  // d x blocks
    Vector product;
  };
  Pull pull(const Matrix& v);
  // The least theta_b with K_b (v_b + theta_b inner_b) >= 0.
  Vector repair(const Matrix& v);

  // [eq:pattern-newton] at this scaling, with the numbers of the last pull(). False where rounding
  // has made it indefinite.
  bool factorise(const NormScaling& scaling, const Matrix& v, const Pull& pull);
  // (M_b^-1 + C_b)^-1 u_b.
  Matrix block_solve(const Matrix& u);
  Vector solve_factored(const Vector& right);

  // What mu s = target asks: K'(right / s), after which finish() completes the move of mu and s.
  struct Target {
    double product = 0.0, second = 0.0, keep = 1.0;
  };
  Matrix right(const Target& target);
  void finish(const Target& target, const Matrix& dv);
  double reach();  // the largest step, at most 1, with mu, s >= 0
  double product_after(double length);
  void advance(double length);

 private:
  using View = MatrixView<double>;

  kernels::ConeViews cone() const {
    return {bits_, mu_.view(), s_.view(), dmu_.view(), ds_.view(), residual_.view(), work_.view()};
  }
  void products(const Matrix& v, View to);  // X v_b without signs
  Matrix transposed(View from, View to);    // X' from
  void roots(const NormScaling& scaling, const Matrix& v, const Pull& pull);
  bool pooled() const { return rows_ > n_; }
  Index first_of(Index sample) const { return first_[static_cast<std::size_t>(sample)]; }
  // A_b Q_b of the blocks from `first` on, a panel of them.
  void fill(Index first, View panel);

  B& be_;
  bool cones_;
  Index rows_, n_, d_, blocks_, panel_blocks_, pooled_blocks_;
  std::vector<std::int32_t> first_;
  Matrix inner_;
  typename B::Matrix X_, Z_, ones_, of_rows_, of_samples_, panel_, unpooled_, Q_, H_;
  typename B::Matrix a_, b_, v_, w_, eta_, inner_device_;   // d x blocks
  typename B::Matrix pairs_, C_;                            // of X, for C_b
  typename B::Matrix mu_, s_, dmu_, ds_, residual_, work_;  // rows x blocks
  typename B::Indices words_, first_device_;
  typename B::Slots slots_, info_;
  kernels::PatternBits bits_;
};

template <Backend B>
PatternBlocks<B>::PatternBlocks(B& be, const Matrix& X, const RowsInUse& rows,
                                const GatedPatterns& given, PatternProgram program)
    : be_(be),
      cones_(program == PatternProgram::relu),
      rows_(X.rows()),
      n_(static_cast<Index>(rows.samples.size())),
      d_(X.cols()),
      blocks_(cones_ ? 2 * given.patterns.size() : given.patterns.size()),
      panel_blocks_(pattern_panel_blocks(d_, blocks_)),
      pooled_blocks_(pattern_pooled_blocks(n_, rows_, d_, blocks_)),
      first_(rows.first),
      inner_(Matrix::Zero(d_, blocks_)),
      X_(be.matrix(rows_, d_)),
      Z_(be.matrix(rows_, given.patterns.size())),
      ones_(be.matrix(given.patterns.size(), 1)),
      of_rows_(be.matrix(rows_, 1)),
      of_samples_(be.matrix(n_, 1)),
      panel_(be.matrix(n_, d_ * panel_blocks_)),
      unpooled_(be.matrix(pooled() ? rows_ : 0, d_ * pooled_blocks_)),
      Q_(be.matrix(d_, d_ * blocks_)),
      H_(be.matrix(n_, n_)),
      a_(be.matrix(d_, blocks_)),
      b_(be.matrix(d_, blocks_)),
      v_(be.matrix(d_, blocks_)),
      w_(be.matrix(d_, blocks_)),
      eta_(be.matrix(blocks_, 1)),
      inner_device_(be.matrix(d_, blocks_)),
      pairs_(be.matrix(cones_ ? rows_ : 0, d_ * (d_ + 1) / 2)),
      C_(be.matrix(d_ * (d_ + 1) / 2, cones_ ? blocks_ : 0)),
      mu_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      s_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      dmu_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      ds_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      residual_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      work_(be.matrix(rows_, cones_ ? blocks_ : 0)),
      words_(be.indices((rows_ + 31) / 32 * given.patterns.size())),
      first_device_(be.indices(n_ + 1)),
      slots_(be.slots(std::max<Index>(blocks_, 1))),
      info_(be.slots(1)) {
  be_.reserve(Needs{}.potrf(n_));
  be_.upload(std::span<const std::int32_t>(packed_words(given.patterns, rows.rows)), words_);
  be_.upload(std::span<const std::int32_t>(first_), first_device_);
  bits_ = {words_.view(), (rows_ + 31) / 32, given.patterns.size()};
  if (cones_) {
    inner_.leftCols(given.gates.cols()) = cone_centres(X, rows.rows, given);
    inner_.rightCols(given.gates.cols()) = inner_.leftCols(given.gates.cols());
  }
  upload(be_, X, X_.view());
  upload(be_, inner_, inner_device_.view());
  upload(be_, Vector(Vector::Ones(given.patterns.size())), ones_.view());
  if (cones_)
    be_.launch({rows_, d_ * (d_ + 1) / 2}, kernels::ColumnProducts{X_.view(), pairs_.view()});
}

// What it allocates.
inline void count_pattern_blocks(Needs& needs, Index n, Index rows, Index d, Index patterns,
                                 PatternProgram program) {
  const bool cones = program == PatternProgram::relu;
  const Index blocks = cones ? 2 * patterns : patterns, pairs = d * (d + 1) / 2;
  needs.matrix(rows, d).matrix(rows, patterns).matrix(patterns, 1).matrix(rows, 1).matrix(n, 1);
  needs.matrix(n, d * pattern_panel_blocks(d, blocks)).matrix(d, d * blocks).matrix(n, n);
  if (rows > n) needs.matrix(rows, d * pattern_pooled_blocks(n, rows, d, blocks));
  for (int k = 0; k < 5; ++k) needs.matrix(d, blocks);
  needs.matrix(blocks, 1).indices((rows + 31) / 32 * patterns).indices(n + 1).potrf(n);
  needs.slots(std::max<Index>(blocks, 1)).slots(1);
  if (!cones) return;
  needs.matrix(rows, pairs).matrix(pairs, blocks);
  for (int k = 0; k < 6; ++k) needs.matrix(rows, blocks);
}

template <Backend B>
Vector PatternBlocks<B>::predictions(const Matrix& v) {
  const Index P = Z_.cols();
  const View net = a_.view().block(0, 0, d_, P);
  upload(be_, cones_ ? Matrix(v.leftCols(P) - v.rightCols(P)) : v, net);
  be_.gemm(Op::none, Op::none, 1.0, X_.view(), net, 0.0, Z_.view());
  be_.launch({rows_, P}, kernels::PatternMask{.bits = bits_, .Z = Z_.view()});
  be_.gemm(Op::none, Op::none, 1.0, Z_.view(), ones_.view(), 0.0, of_rows_.view());
  Vector of_rows(rows_), out(n_);
  fetch(be_, of_rows_.view(), of_rows);
  for (Index r = 0; r < n_; ++r)
    out[r] = of_rows.segment(first_of(r), first_of(r + 1) - first_of(r)).sum();
  return out;
}

template <Backend B>
Matrix PatternBlocks<B>::correlations(const Vector& e) {
  Vector of_rows(rows_);
  for (Index r = 0; r < n_; ++r)
    of_rows.segment(first_of(r), first_of(r + 1) - first_of(r)).setConstant(e[r]);
  upload(be_, of_rows, of_rows_.view());
  be_.launch({rows_, Z_.cols()}, kernels::MaskedColumn{bits_, of_rows_.view(), Z_.view()});
  const Matrix of_plus = transposed(Z_.view(), a_.view().block(0, 0, d_, Z_.cols()));
  if (!cones_) return of_plus;
  Matrix out(d_, blocks_);
  out << of_plus, -of_plus;
  return out;
}

template <Backend B>
void PatternBlocks<B>::products(const Matrix& v, View to) {
  upload(be_, v, a_.view());
  be_.gemm(Op::none, Op::none, 1.0, X_.view(), a_.view(), 0.0, to);
}

template <Backend B>
Matrix PatternBlocks<B>::transposed(View from, View to) {
  be_.gemm(Op::transpose, Op::none, 1.0, X_.view(), from, 0.0, to);
  Matrix out(to.rows, to.cols);
  fetch(be_, to, out);
  return out;
}

template <Backend B>
void PatternBlocks<B>::start(const Matrix& v, double product) {
  if (!cones_) return;
  products(v, work_.view());
  be_.launch({1, blocks_}, kernels::ConeStart{cone(), product});
}

template <Backend B>
typename PatternBlocks<B>::Pull PatternBlocks<B>::pull(const Matrix& v) {
  Pull out{Matrix::Zero(d_, blocks_), Vector::Zero(blocks_)};
  if (!cones_) return out;
  products(v, work_.view());
  be_.launch({rows_, blocks_}, kernels::ConeResidual{cone()});
  out.of = transposed(work_.view(), a_.view());
  be_.sum_columns({rows_, blocks_}, kernels::ConeProduct{cone(), 0.0}, slots_[0]);
  fetch(be_, slots_[0], out.product);
  return out;
}

template <Backend B>
Vector PatternBlocks<B>::repair(const Matrix& v) {
  Vector theta = Vector::Zero(blocks_);
  if (!cones_) return theta;
  products(v, work_.view());
  be_.gemm(Op::none, Op::none, 1.0, X_.view(), inner_device_.view(), 0.0, ds_.view());
  be_.launch({1, blocks_}, kernels::ConeRepair{cone(), slots_[0].address});
  fetch(be_, slots_[0], theta);
  return theta;
}

template <Backend B>
void PatternBlocks<B>::roots(const NormScaling& scaling, const Matrix& v, const Pull& pull) {
  upload(be_, scaling.w(), w_.view());
  upload(be_, scaling.eta(), eta_.view());
  if (!cones_) {
    be_.launch({d_, d_ * blocks_}, kernels::ScalingRoot{w_.view(), eta_.view(), Q_.view()});
    return;
  }
  be_.launch({rows_, blocks_}, kernels::ConeWeight{cone()});
  be_.gemm(Op::transpose, Op::none, 1.0, pairs_.view(), work_.view(), 0.0, C_.view());
  upload(be_, v, v_.view());
  upload(be_, pull.of, b_.view());
  upload(be_, pull.product, slots_[0]);
  be_.launch({1, blocks_}, kernels::BlockRoot{C_.view(), v_.view(), w_.view(), b_.view(),
                                              eta_.view(), slots_[0].address, Q_.view()});
}

template <Backend B>
void PatternBlocks<B>::fill(Index first, View panel) {
  const View Q = Q_.view().block(0, d_ * first, d_, panel.cols);
  if (!pooled()) {
    be_.gemm(Op::none, Op::none, 1.0, X_.view(), Q, 0.0, panel);
    be_.launch({n_, panel.cols}, kernels::PatternMask{bits_, panel, first, d_});
    return;
  }
  for (Index from = 0; from < panel.cols; from += d_ * pooled_blocks_) {
    const Index columns = std::min(d_ * pooled_blocks_, panel.cols - from);
    const View all = unpooled_.view().block(0, 0, rows_, columns);
    be_.gemm(Op::none, Op::none, 1.0, X_.view(), Q.block(0, from, d_, columns), 0.0, all);
    be_.launch({n_, columns},
               kernels::PooledMask{bits_, first_device_.view(), all, first + from / d_, d_,
                                   panel.block(0, from, n_, columns)});
  }
}

template <Backend B>
bool PatternBlocks<B>::factorise(const NormScaling& scaling, const Matrix& v, const Pull& pull) {
  roots(scaling, v, pull);
  for (Index first = 0; first < blocks_; first += panel_blocks_) {
    const Index columns = d_ * std::min(panel_blocks_, blocks_ - first);
    const View panel = panel_.view().block(0, 0, n_, columns);
    fill(first, panel);
    be_.syrk(Op::none, 1.0, panel, first == 0 ? 0.0 : 1.0, H_.view());
  }
  be_.launch({n_}, kernels::AddIdentity{H_.view()});
  be_.potrf(H_.view(), info_[0]);
  Vector info(1);
  fetch(be_, info_[0], info);
  return info[0] == 0.0;
}

template <Backend B>
Matrix PatternBlocks<B>::block_solve(const Matrix& u) {
  upload(be_, u, a_.view());
  be_.launch({d_, blocks_}, kernels::BlockTransposed{Q_.view(), a_.view(), b_.view()});
  be_.launch({d_, blocks_}, kernels::BlockProduct{Q_.view(), b_.view(), a_.view()});
  Matrix out(d_, blocks_);
  fetch(be_, a_.view(), out);
  return out;
}

template <Backend B>
Vector PatternBlocks<B>::solve_factored(const Vector& right) {
  upload(be_, right, of_samples_.view());
  be_.potrs(H_.view(), of_samples_.view());
  Vector out(n_);
  fetch(be_, of_samples_.view(), out);
  return out;
}

template <Backend B>
Matrix PatternBlocks<B>::right(const Target& target) {
  if (!cones_) return Matrix::Zero(d_, blocks_);
  be_.launch({rows_, blocks_},
             kernels::ConeRight{cone(), target.product, target.second, target.keep});
  return transposed(work_.view(), a_.view());
}

template <Backend B>
void PatternBlocks<B>::finish(const Target& target, const Matrix& dv) {
  if (!cones_) return;
  products(dv, ds_.view());
  be_.launch({rows_, blocks_}, kernels::ConeMove{cone(), target.keep});
}

template <Backend B>
double PatternBlocks<B>::reach() {
  if (!cones_) return 1.0;
  be_.launch({1, blocks_}, kernels::ConeReach{cone(), slots_[0].address});
  Vector inverse(blocks_);
  fetch(be_, slots_[0], inverse);
  return 1.0 / std::max(1.0, inverse.maxCoeff());
}

template <Backend B>
double PatternBlocks<B>::product_after(double length) {
  if (!cones_) return 0.0;
  be_.sum({rows_, blocks_}, kernels::ConeProduct{cone(), length}, info_[0]);
  Vector out(1);
  fetch(be_, info_[0], out);
  return out[0];
}

template <Backend B>
void PatternBlocks<B>::advance(double length) {
  if (cones_) be_.launch({rows_, blocks_}, kernels::ConeAdvance{cone(), length});
}

}  // namespace relulift
