// SPDX-License-Identifier: Apache-2.0
// Exact elimination of the residual multipliers from the Newton system of the interior point on
// active pairs [eq:eliminate]. Their block of the Schur matrix is
//     1/2 A_rr (x) H_vv + I + 1/2 B Pi B'      (Pi: transposition of c x c matrices)
// with A_rr the Gram matrix of the residual rows in H: diagonal in two small eigenbases up to a
// term of rank c^2, which Woodbury's identity takes back. What is left has order n + pairs instead
// of n + pairs + (n + p) c. Cost with R = n + p residual rows and m kept variables: 9 R^3
// (eigenbasis), 4 n^2 R c (weighted Gram matrices), 4 c m^2/2 gathers, c^2 m^2 (cross term).
// Memory in doubles: 4 n^2 + 4 n R + R^2 + c^2 (m + 2n) + c^4.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/entries.hpp"
#include "kernels/pairs_newton.hpp"
#include "kernels/pairs_residual.hpp"
#include "src/core/backend.hpp"
#include "src/solvers/pairs_point.hpp"

namespace relulift {

// body(first, extent) for panels of columns that cover the lower triangle of a square matrix.
template <class Body>
void for_each_panel(Index order, const Body& body) {
  constexpr Index kPanel = 512;
  for (Index first = 0; first < order; first += kPanel)
    body(first, Extent{order - first, std::min(kPanel, order - first)});
}

template <Backend B>
class PairsElimination {
  using View = MatrixView<double>;
  using ConstView = MatrixView<const double>;

 public:
  // variables: how many are kept. info: the first of kInfos consecutive slots.
  PairsElimination(B& be, const ReducedProblem& problem, Index variables, Slot info)
      : be_(be),
        n_(problem.n()),
        rows_(problem.n() + problem.p()),
        c_(problem.c()),
        symmetric_(c_ * (c_ + 1) / 2),
        lifted_(be.indices(rows_)),
        basis_t_(be.indices(c_ * c_)),
        basis_q_(be.indices(c_ * c_)),
        weight_(be.matrix(rows_, 1)),
        A_(be.matrix(rows_, 2 * n_)),
        weighted_(be.matrix(rows_, 2 * n_)),
        P_(be.matrix(rows_, rows_)),
        R_(be.matrix(c_, c_)),
        V_(be.matrix(2 * n_, c_)),
        thin_(be.matrix(2 * n_, c_)),
        B_(be.matrix(rows_, c_)),
        weighted_B_(be.matrix(rows_, c_)),
        shift_(be.matrix(rows_, c_)),
        direct_(be.matrix(rows_, c_)),
        roots_(be.matrix(rows_, c_)),
        Hq_(be.matrix(2 * n_, 2 * n_)),
        Y_(be.matrix(c_, 2 * n_ * c_)),
        N_(be.matrix(c_, c_ * c_)),
        core_(be.matrix(c_ * c_, c_ * c_)),
        E_(be.matrix(variables, c_ * c_)),
        C_(be.matrix(c_, c_)),
        x_(be.matrix(c_ * c_, 1)),
        lambda_(be.slots(rows_)),
        gamma_(be.slots(c_)),
        info_(info) {
    std::vector<std::int32_t> lifted(rows_), t, q;
    std::vector<double> weight(rows_, 1.0);
    for (Index i = 0; i < n_; ++i) lifted[i] = static_cast<std::int32_t>(i);
    for (Index k = 0; k < problem.p(); ++k) {
      lifted[n_ + k] = static_cast<std::int32_t>(n_ + problem.beta_rows[k]);
      weight[n_ + k] = problem.beta_weight[k];
    }
    for (const int skew : {0, 1})
      for (std::int32_t high = 0; high < c_; ++high)
        for (std::int32_t low = 0; low <= high - skew; ++low) t.push_back(low), q.push_back(high);
    be_.upload(std::span<const std::int32_t>(lifted), lifted_);
    be_.upload(std::span<const std::int32_t>(t), basis_t_);
    be_.upload(std::span<const std::int32_t>(q), basis_q_);
    be_.upload(std::span<const double>(weight), weight_.view());
  }

  // M: the kept block of the Schur matrix, lower triangle, becomes its Schur complement.
  // info[0 .. kInfos): nonzero when rounding made a factor fail; M is unspecified then.
  void reduce_matrix(ConstView H, IndexView row, IndexView col, ConstView factor, View M) {
    bases(H);
    for (Index q = 0; q < c_; ++q) subtract_output(q, row, col, factor, M);
    factor_cross_term();
    cross_rows(row, col, factor);
    be_.trsm(Side::right, Op::transpose, ConstView(core_.view()), E_.view());
    const View E = E_.view();
    be_.syrk(Op::none, 1.0, ConstView(E.block(0, 0, E.rows, symmetric_)), 1.0, M);
    if (skew() > 0)
      be_.syrk(Op::none, -1.0, ConstView(E.block(0, symmetric_, E.rows, skew())), 1.0, M);
  }

  // Right-hand side of the kept variables x given that of the residual ones, Z (R x c): x -=
  // M_rG M_GG^-1 Z. Keeps M_GG^-1 Z.
  void reduce_right(IndexView row, IndexView col, ConstView factor, ConstView Z, View x) {
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(P_.view()), Z, 0.0, shift_.view());
    be_.gemm(Op::none, Op::none, 1.0, ConstView(shift_.view()), ConstView(R_.view()), 0.0,
             direct_.view());
    invert(direct_.view());
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(A_.view()), ConstView(direct_.view()), 0.0,
             thin_.view());
    be_.launch({x.rows, 1},
               kernels::SubtractResidualPart{row, col, factor, thin_.view(), V_.view(), x});
  }

  // The residual variables from the kept ones: Z = M_GG^-1 (Z - M_Gr x).
  void expand(IndexView row, IndexView col, ConstView factor, ConstView x, View Z) {
    be_.launch({2 * n_, 2 * n_}, kernels::Fill{0.0, Hq_.view()});
    be_.launch({x.rows, 1}, kernels::ScatterWeighted{row, col, factor, x, Hq_.view()});
    be_.gemm(Op::none, Op::none, 1.0, ConstView(Hq_.view()), ConstView(V_.view()), 0.0,
             thin_.view());
    be_.gemm(Op::none, Op::none, 1.0, ConstView(A_.view()), ConstView(thin_.view()), 0.0,
             weighted_B_.view());
    invert(weighted_B_.view());
    be_.launch({rows_, c_},
               kernels::Subtract{direct_.view(), weighted_B_.view(), weighted_B_.view()});
    be_.gemm(Op::none, Op::none, 1.0, ConstView(P_.view()), ConstView(weighted_B_.view()), 0.0,
             shift_.view());
    be_.gemm(Op::none, Op::transpose, 1.0, ConstView(shift_.view()), ConstView(R_.view()), 0.0, Z);
  }

  static constexpr Index kInfos = 4;

 private:
  Slot info(Index k) const { return {info_.address + k}; }
  Index skew() const { return c_ * c_ - symmetric_; }
  kernels::SwapBasis basis() const { return {symmetric_, basis_t_.view(), basis_q_.view()}; }

  // A <- P'A, V = H_sv R, B = P'(residual rows of V).
  void bases(ConstView H) {
    be_.launch({rows_, 2 * n_},
               kernels::ResidualRows{lifted_.view(), weight_.view(), H, weighted_.view()});
    be_.launch({rows_, rows_},
               kernels::ResidualGram{lifted_.view(), weight_.view(), weighted_.view(), P_.view()});
    be_.launch({c_, c_}, kernels::CopyEntries<double>{H.block(2 * n_, 2 * n_, c_, c_), R_.view()});
    be_.syevd(P_.view(), lambda_[0], info(0));
    be_.syevd(R_.view(), gamma_[0], info(1));
    be_.launch({rows_, c_}, kernels::ResidualRoots{lambda_[0], gamma_[0], roots_.view()});
    const ConstView P = P_.view();
    be_.gemm(Op::transpose, Op::none, 1.0, P, ConstView(weighted_.view()), 0.0, A_.view());
    be_.gemm(Op::none, Op::none, 1.0, H.block(0, 2 * n_, 2 * n_, c_), ConstView(R_.view()), 0.0,
             V_.view());
    be_.launch({rows_, c_}, kernels::ResidualOutputs{lifted_.view(), weight_.view(), V_.view(),
                                                     weighted_B_.view()});
    be_.gemm(Op::transpose, Op::none, 1.0, P, ConstView(weighted_B_.view()), 0.0, B_.view());
  }

  void subtract_output(Index q, IndexView row, IndexView col, ConstView factor, View M) {
    be_.launch({rows_, 2 * n_},
               kernels::WeightResidualRows{roots_.view().col(q), A_.view(), weighted_.view()});
    be_.syrk(Op::transpose, 1.0, ConstView(weighted_.view()), 0.0, Hq_.view());
    for_each_panel(M.rows, [&](Index first, Extent extent) {
      be_.launch(extent, kernels::EliminateOutput{first, row, col, factor, Hq_.view(),
                                                  V_.view().col(q), M});
    });
    be_.launch({rows_, c_},
               kernels::WeightResidualRows{roots_.view().col(q), B_.view(), weighted_B_.view()});
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(weighted_B_.view()),
             ConstView(weighted_.view()), 0.0, Y_.view().block(0, q * 2 * n_, c_, 2 * n_));
    be_.syrk(Op::transpose, 1.0, ConstView(weighted_B_.view()), 0.0,
             N_.view().block(0, q * c_, c_, c_));
  }

  // 2 Pi + B'D^-1 B = L diag(I, -I) L', quasidefinite: symmetric part first.
  void factor_cross_term() {
    const View core = core_.view(), even = core.block(0, 0, symmetric_, symmetric_);
    be_.launch({c_ * c_, c_ * c_}, kernels::CrossCore{basis(), c_, N_.view(), core});
    be_.potrf(even, info(2));
    if (skew() == 0) return;
    const View between = core.block(symmetric_, 0, skew(), symmetric_);
    const View odd = core.block(symmetric_, symmetric_, skew(), skew());
    be_.trsm(Side::right, Op::transpose, ConstView(even), between);
    be_.syrk(Op::none, 1.0, ConstView(between), 1.0, odd);
    be_.potrf(odd, info(3));
  }

  void cross_rows(IndexView row, IndexView col, ConstView factor) {
    be_.launch({E_.view().rows, c_ * c_}, kernels::CrossRows{basis(), 2 * n_, row, col, factor,
                                                             Y_.view(), V_.view(), E_.view()});
  }

  // Z <- M_GG^-1 Z in the eigenbases.
  void invert(View Z) {
    const View x = x_.view();
    be_.launch({rows_, c_}, kernels::DivideBySpectrum{roots_.view(), Z});
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(B_.view()), ConstView(Z), 0.0, C_.view());
    be_.launch({c_ * c_, 1}, kernels::ToSwapBasis{basis(), C_.view(), x});
    be_.trsm(Side::left, Op::none, ConstView(core_.view()), x);
    be_.launch({skew(), 1}, kernels::Negate{x.block(symmetric_, 0, skew(), 1)});
    be_.trsm(Side::left, Op::transpose, ConstView(core_.view()), x);
    be_.launch({c_, c_}, kernels::FromSwapBasis{basis(), c_, x, C_.view()});
    be_.gemm(Op::none, Op::none, 1.0, ConstView(B_.view()), ConstView(C_.view()), 0.0,
             shift_.view());
    be_.launch({rows_, c_}, kernels::SubtractOverSpectrum{roots_.view(), shift_.view(), Z});
  }

  B& be_;
  Index n_, rows_, c_, symmetric_;
  typename B::Indices lifted_, basis_t_, basis_q_;
  typename B::Matrix weight_, A_, weighted_, P_, R_, V_, thin_, B_, weighted_B_, shift_, direct_,
      roots_;
  typename B::Matrix Hq_, Y_, N_, core_, E_, C_, x_;
  typename B::Slots lambda_, gamma_;
  Slot info_;
};

}  // namespace relulift
