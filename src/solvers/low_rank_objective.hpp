// SPDX-License-Identifier: Apache-2.0
// The augmented Lagrangian with multipliers on listed pairs only [eq:sparse-alm], and its gradient,
// as an objective of src/solvers/lbfgs.hpp. The parameters are Z with scaled columns.
//
// One evaluation with e listed pairs, a of them with a multiplier, N = n + d + c, rank r:
// 2 e r + 4 a r flops for the pairs, 4 n r (d + 2 c) for the rest; about 16 e r bytes gathered, of
// columns that are 8 r bytes long, and 10 N r doubles read or written. No n x n array.
#pragma once

#include <algorithm>
#include <span>

#include "kernels/low_rank.hpp"
#include "kernels/slots.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/low_rank_host.hpp"

namespace relulift {

template <Backend B>
class LowRankObjective {
 public:
  LowRankObjective(B& be, const ReducedProblem& problem, const UnitRows& rows, Index max_rank,
                   Index max_pairs)
      : be_(be),
        n_(problem.n()),
        d_(problem.d()),
        c_(problem.c()),
        beta_(problem.p() > 0),
        weight_decay_(problem.weight_decay),
        X_(be.matrix(n_, d_)),
        factor_(be.matrix(max_rank * order(), 1)),
        Z_(be.matrix(max_rank * order(), 1)),
        t_(be.matrix(max_rank * n_, 1)),
        K_(be.matrix(max_rank * 2 * n_, 1)),
        gradient_(be.matrix(max_rank * 2 * n_, 1)),
        alpha_(be, n_, c_),
        beta_side_(be, beta_ ? n_ : 0, c_),
        w_(be.matrix(max_pairs, 1)),
        m_(be.matrix(max_pairs, 1)),
        y_(be.matrix(n_, 1)),
        free_(be.matrix(n_, 1)),
        norms_(be.matrix(2 * n_, 1)),
        first_(be.indices(max_pairs)),
        second_(be.indices(max_pairs)),
        begin_(be.indices(2 * n_ + 1)),
        other_(be.indices(2 * max_pairs)),
        pair_(be.indices(2 * max_pairs)),
        slots_(be.slots(kSlots)) {
    upload(be_, rows.X, X_.view());
    upload(be_, rows.length, alpha_.weight.view());
    upload(be_, problem.Y, alpha_.target.view());
    if (!beta_) return;
    Vector weight = Vector::Zero(n_);
    Matrix target = Matrix::Zero(n_, c_);
    for (Index k = 0; k < problem.p(); ++k) {
      const Index i = problem.beta_rows[k];
      weight[i] = problem.beta_weight[k] * rows.length[i];
      target.row(i) = problem.Y_beta.row(k);
    }
    upload(be_, weight, beta_side_.weight.view());
    upload(be_, target, beta_side_.target.view());
  }

  static void count(Needs& needs, const ReducedProblem& problem, Index r, Index pairs) {
    const Index n = problem.n(), d = problem.d(), c = problem.c(), order = n + d + c;
    needs.matrix(n, d).matrix(r * order, 1).matrix(r * order, 1).matrix(r * n, 1);
    needs.matrix(r * 2 * n, 1).matrix(r * 2 * n, 1).matrix(pairs, 1).matrix(pairs, 1);
    for (const Index rows : {n, problem.p() > 0 ? n : 0})
      needs.matrix(rows, c).matrix(rows, c).matrix(rows, c).matrix(rows, 1);
    needs.matrix(n, 1).matrix(n, 1).matrix(2 * n, 1).slots(kSlots);
    needs.indices(pairs).indices(pairs).indices(2 * pairs).indices(2 * pairs).indices(2 * n + 1);
  }

  // Between runs of the optimiser: pairs, multipliers and penalty; the scaling of the columns.
  void set_pairs(const LowRankState& state) {
    pairs_ = static_cast<Index>(state.pairs.size());
    const PairLists lists(state.pairs, n_);
    be_.upload(std::span<const std::int32_t>(lists.first), first_);
    be_.upload(std::span<const std::int32_t>(lists.second), second_);
    be_.upload(std::span<const std::int32_t>(lists.begin), begin_);
    be_.upload(std::span<const std::int32_t>(lists.other), other_);
    be_.upload(std::span<const std::int32_t>(lists.pair), pair_);
    upload(be_, state.w, column(w_, pairs_));
    upload(be_, state.y, y_.view());
    be_.upload(std::span<const double>(&state.sigma, 1), slots_[kSigma]);
  }
  void set_scaling(const Matrix& factor) {
    upload(be_, factor,
           MatrixView<double>{factor_.view().data, factor.rows(), order(), factor.rows()});
  }

  // For the optimiser a point is a block of N x r numbers; they are the columns of Z.
  Index rows() const { return order(); }
  void shape(Index rank, Index) { r_ = rank; }

  void evaluate(MatrixView<const double> P, MatrixView<double> G, Slot value) {
    using namespace kernels;
    const MatrixView<const double> x{P.data, r_, order(), r_};
    const MatrixView<double> g{G.data, r_, order(), r_};
    const auto Z = Z_view(), t = ranked(t_, n_), K = lifted(K_), gradient = lifted(gradient_);
    const auto V = Z.block(0, n_ + d_, r_, c_);
    const auto factor = ranked(factor_, order());
    be_.launch({r_, order()}, ScaleEntries{x, factor, Z});
    lift();
    residual(alpha_, K.block(0, 0, r_, n_), kAlpha);
    if (beta_) residual(beta_side_, K.block(0, n_, r_, n_), kBeta);
    be_.launch({pairs_}, PairMultiplier{K, column(w_, pairs_), first_.view(), second_.view(),
                                        slots_[kSigma], column(m_, pairs_)});
    be_.launch({n_}, FreeMultiplier{K, y_.view(), slots_[kSigma], free_.view()});
    be_.sum({r_, d_ + c_}, SquareOf{Z.block(0, n_, r_, d_ + c_)}, slots_[kDecay]);
    be_.sum({pairs_}, SquareOf{column(m_, pairs_)}, slots_[kPairs]);
    be_.sum({n_}, SquareOf{free_.view()}, slots_[kFree]);
    be_.launch({1}, LagrangianValue{slots_[kAlpha], slots_[kSigma], weight_decay_, value});

    be_.launch({r_, 2 * n_}, GatherPairs{K, column(m_, pairs_), free_.view(), begin_.view(),
                                         other_.view(), pair_.view(), gradient});
    const auto gv = g.block(0, n_ + d_, r_, c_), gu = g.block(0, n_, r_, d_);
    pull(alpha_, 0, V, 0.0, gv);
    if (beta_) pull(beta_side_, n_, V, 1.0, gv);
    be_.launch({r_, n_},
               FoldColumns{gradient, factor.block(0, 0, r_, n_), g.block(0, 0, r_, n_), t});
    be_.gemm(Op::none, Op::none, 1.0, t, X_.view(), 0.0, gu);
    be_.launch({r_, d_ + c_},
               AddDecay{Z.block(0, n_, r_, d_ + c_), factor.block(0, n_, r_, d_ + c_),
                        weight_decay_, g.block(0, n_, r_, d_ + c_)});
  }

  // K of the point last evaluated, or of Z put here.
  MatrixView<const double> K() const { return lifted(K_); }
  // K of that point on the host, r x 2n; waits.
  Matrix read_K() {
    Matrix K(r_, 2 * n_);
    fetch(be_, lifted(K_), K);
    return K;
  }
  void lift(const Matrix& Z) {
    r_ = Z.rows();
    upload(be_, Z, Z_view());
    lift();
  }

  // Of the point last evaluated; waits.
  LowRankPoint read() {
    LowRankPoint at{Matrix(n_, c_), Matrix::Zero(beta_ ? n_ : 0, c_), Vector(pairs_), Vector(n_),
                    Vector(2 * n_)};
    const auto K = lifted(K_);
    be_.sum_columns({r_, 2 * n_}, kernels::SquareOf{K}, Slot{norms_.view().data});
    const auto V = Z_view().block(0, n_ + d_, r_, c_);
    be_.sum({r_, c_}, kernels::SquareOf{V}, slots_[kOutput]);
    fetch(be_, alpha_.residual.view(), at.G);
    if (beta_) fetch(be_, beta_side_.residual.view(), at.H);
    fetch(be_, column(m_, pairs_), at.m);
    fetch(be_, free_.view(), at.free);
    fetch(be_, norms_.view(), at.norms);
    Vector parts(kSlots);
    fetch(be_, slots_[0], parts);
    at.output = parts[kOutput];
    at.objective = 0.5 * (parts[kAlpha] + parts[kBeta] + weight_decay_ * parts[kDecay]);
    return at;
  }

 private:
  using View = MatrixView<double>;
  // kernels::LagrangianValue reads the first five in this order.
  enum SlotName : Index { kAlpha, kBeta, kDecay, kPairs, kFree, kSigma, kOutput, kSlots };

  // One loss term of [eq:merged]: of alpha, or of beta.
  struct Side {
    Side(B& be, Index n, Index c)
        : target(be.matrix(n, c)),
          weight(be.matrix(n, 1)),
          residual(be.matrix(n, c)),
          scaled(be.matrix(n, c)) {}
    typename B::Matrix target, weight, residual, scaled;
  };

  Index order() const { return n_ + d_ + c_; }
  // Allocated as one column, so that columns of r_ entries lie side by side whatever the rank.
  View ranked(const typename B::Matrix& a, Index cols) const {
    return {a.view().data, r_, cols, r_};
  }
  View Z_view() const { return ranked(Z_, order()); }
  View lifted(const typename B::Matrix& a) const { return ranked(a, 2 * n_); }
  static View column(const typename B::Matrix& a, Index size) {
    return {a.view().data, size, 1, std::max<Index>(size, 1)};
  }

  // K from Z.
  void lift() {
    const auto Z = Z_view();
    be_.gemm(Op::none, Op::transpose, 1.0, Z.block(0, n_, r_, d_), X_.view(), 0.0, ranked(t_, n_));
    be_.launch({r_, n_}, kernels::LiftColumns{Z.block(0, 0, r_, n_), ranked(t_, n_), lifted(K_)});
  }
  void residual(const Side& side, View K, Index slot) {
    const auto V = Z_view().block(0, n_ + d_, r_, c_);
    be_.gemm(Op::transpose, Op::none, 1.0, K, V, 0.0, side.residual.view());
    be_.launch({n_, c_}, kernels::WeightedResidual{side.target.view(), side.weight.view(),
                                                   side.residual.view(), side.scaled.view()});
    be_.sum({n_, c_}, kernels::SquareOf{side.residual.view()}, slots_[slot]);
  }
  // What the residuals add to the gradient in K (from column `first` on) and in V.
  void pull(const Side& side, Index first, View V, double beta, View gv) {
    const auto K = lifted(K_).block(0, first, r_, n_);
    be_.gemm(Op::none, Op::transpose, 1.0, V, side.scaled.view(), 1.0,
             lifted(gradient_).block(0, first, r_, n_));
    be_.gemm(Op::none, Op::none, 1.0, K, side.scaled.view(), beta, gv);
  }

  B& be_;
  Index n_, d_, c_, r_ = 0, pairs_ = 0;
  bool beta_;
  double weight_decay_;
  typename B::Matrix X_, factor_, Z_, t_, K_, gradient_;
  Side alpha_, beta_side_;
  typename B::Matrix w_, m_, y_, free_, norms_;
  typename B::Indices first_, second_, begin_, other_, pair_;
  typename B::Slots slots_;
};

}  // namespace relulift
