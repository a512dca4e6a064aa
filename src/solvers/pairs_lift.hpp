// SPDX-License-Identifier: Apache-2.0
// The two linear maps of the interior point on active pairs between the space of S and Q, order
// N = n + d + c, and the lifted rows Lbar = (alpha, beta, v), 2n + c of them [eq:slack]:
//     gram   K = Lbar P Lbar'                     4 n^2 d flops and 4 n^2 entries
//     slack  Q(z) = diagonal on u and v + sum_k z_k A_k, the adjoint, through -L'W L
#pragma once

#include "kernels/pairs_lift.hpp"
#include "kernels/pairs_newton.hpp"
#include "src/core/backend.hpp"
#include "src/solvers/pairs_point.hpp"

namespace relulift {

template <Backend B>
class PairsLift {
  using View = MatrixView<double>;
  using ConstView = MatrixView<const double>;

 public:
  PairsLift(B& be, const ReducedProblem& problem)
      : be_(be),
        n_(problem.n()),
        d_(problem.d()),
        c_(problem.c()),
        p_(problem.p()),
        weight_decay_(problem.weight_decay),
        X_(be.matrix(n_, d_)),
        beta_weight_(be.matrix(p_, 1)),
        beta_rows_(be.indices(p_)),
        W_(be.matrix(2 * n_, 2 * n_)),
        st_(be.matrix(n_, n_)),
        tt_(be.matrix(n_, n_)),
        thin_(be.matrix(n_, d_)),
        uu_(be.matrix(d_, d_)),
        plus_(be.matrix(n_, c_)),
        minus_(be.matrix(n_, c_)),
        uv_(be.matrix(d_, c_)) {
    be_.upload(std::span<const double>(problem.X.data(), problem.X.size()), X_.view());
    if (p_ == 0) return;
    be_.upload(std::span<const double>(problem.beta_weight.data(), p_), beta_weight_.view());
    const std::vector<std::int32_t> rows(problem.beta_rows.begin(), problem.beta_rows.end());
    be_.upload(std::span<const std::int32_t>(rows), beta_rows_);
  }

  Index order() const { return n_ + d_ + c_; }
  Index lifted() const { return 2 * n_ + c_; }

  // K = Lbar P Lbar' for symmetric P.
  void gram(ConstView P, View K) {
    const Index v = n_ + d_;
    const ConstView X = X_.view(), st = st_.view(), tt = tt_.view(), tv = plus_.view();
    be_.gemm(Op::none, Op::transpose, 1.0, P.block(0, n_, n_, d_), X, 0.0, st_.view());
    be_.gemm(Op::none, Op::none, 1.0, X, P.block(n_, n_, d_, d_), 0.0, thin_.view());
    be_.gemm(Op::none, Op::transpose, 1.0, ConstView(thin_.view()), X, 0.0, tt_.view());
    be_.gemm(Op::none, Op::none, 1.0, X, P.block(n_, v, d_, c_), 0.0, plus_.view());
    be_.launch({n_, n_}, kernels::LiftSampleGram{n_, P, st, tt, K});
    be_.launch({n_, c_}, kernels::LiftOutputGram{n_, v, P, tv, K});
    be_.launch({c_, c_}, kernels::LiftOutputBlock{n_, v, P, K});
  }

  // Which constant part of Q to add: the penalty g/2 on u and v for Q(z), nothing for Q(dz) - Q(0).
  enum class Part { affine, linear };

  // Q = Q(z); row, col as in PairsVariables.
  void slack(Part part, const PairsVariables& at, IndexView row, IndexView col, ConstView z,
             View Q) {
    const Index w = at.residuals - at.pairs;
    const View W = W_.view();
    const ConstView X = X_.view();
    be_.launch({2 * n_, 2 * n_}, kernels::Fill{0.0, W});
    be_.launch({at.pairs, 1}, kernels::ScatterMultipliers{row, col, z, W});
    if (w > 0) {
      be_.launch({w, 1}, kernels::ScatterMultipliers{tail(row, at.pairs), tail(col, at.pairs),
                                                     z.block(at.pairs, 0, w, 1), W});
    }
    be_.launch({n_, n_}, kernels::FoldMultipliers{n_, W, Q});
    const View su = thin_.view();
    be_.gemm(Op::none, Op::none, 1.0, ConstView(W.block(0, n_, n_, n_)), X, 0.0, su);
    be_.gemm(Op::transpose, Op::none, 1.0, X, ConstView(su), 0.0, uu_.view());
    be_.gemm(Op::none, Op::none, 1.0, ConstView(W.block(0, 0, n_, n_)), X, 0.0, su);
    residual_part({z.data + at.residuals, n_ + p_, c_, n_ + p_});
    const double diagonal = part == Part::affine ? 0.5 * weight_decay_ : 0.0;
    be_.launch({order(), order()},
               kernels::FinishSlack{n_, d_, diagonal, su, uu_.view(), plus_.view(), uv_.view(), Q});
  }

 private:
  static IndexView tail(IndexView view, Index first) {
    return {view.data + first, view.size - first};
  }

  // sv = 1/4 (G + b H), uv = 1/4 X'(G - b H) [eq:merged]; z = [G; H].
  void residual_part(ConstView z) {
    const ConstView G = z.block(0, 0, n_, c_);
    be_.launch({n_, c_}, kernels::SpreadAlphaResidual{G, plus_.view(), minus_.view()});
    if (p_ > 0) {
      const ConstView H = z.block(n_, 0, p_, c_);
      be_.launch({p_, c_}, kernels::SpreadBetaResidual{beta_rows_.view(), beta_weight_.view(), H,
                                                       plus_.view(), minus_.view()});
    }
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(X_.view()), ConstView(minus_.view()), 0.0,
             uv_.view());
  }

  B& be_;
  Index n_, d_, c_, p_;
  double weight_decay_;
  typename B::Matrix X_, beta_weight_;
  typename B::Indices beta_rows_;
  typename B::Matrix W_, st_, tt_, thin_, uu_, plus_, minus_, uv_;
};

}  // namespace relulift
