// SPDX-License-Identifier: Apache-2.0
// Output weights of fixed unit directions to high accuracy: the group lasso [eq:refit] by a
// primal-dual interior-point method (Mehrotra's predictor and corrector) on its dual
//     max <E,Y> - 1/2 ||E||^2   s.t.  ||E'a_j|| <= g,   A = (XS)_+                  [eq:lasso-dual]
// which is the dual of [eq:train] restricted to these directions: E is a candidate for
// [eq:rescale]. Degenerate and nearly parallel directions, where coordinate descent crawls, do no
// harm.
// One step of k directions: c^2 n^2 k flops for the normal equations and (n c)^3 / 3 for their
// factor; 15 to 30 steps from anywhere. The host sees n x c and k x c numbers per step.
#pragma once

#include <algorithm>

#include "kernels/group_lasso.hpp"
#include "kernels/network_kernels.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/group_lasso_step.hpp"

namespace relulift {

template <Backend B>
class GroupLasso {
 public:
  // Finite data, g > 0; unit directions S.
  GroupLasso(B& be, const Matrix& X, const Matrix& Y, double g, const Matrix& S);

  // Until objective - bound <= tolerance * objective, the limit of `control`, or rounding.
  GroupLassoPoint solve(const GroupLassoPoint& start, double tolerance, const Control& control);

 private:
  static constexpr int kMaxSteps = 60;

  Index n() const { return Y_.rows(); }
  Index c() const { return Y_.cols(); }
  // A'E and A W; host in, host out.
  Matrix correlations(const Matrix& E);
  Matrix predictions(const Matrix& W);
  // H of [eq:lasso-newton] and its Cholesky factor; false where rounding has made it indefinite.
  bool factorise(const LassoIterate& at);
  Matrix solve_factored(const Matrix& right);
  LassoMove move(const LassoIterate& at, const Matrix& infeasible, const Vector& complement);

  B& be_;
  LassoScale scale_;
  Matrix Y_;  // scaled
  Index k_;
  typename B::Matrix A_, T_, H_, rows_, columns_;
  typename B::Slots weight_, info_;
};

template <Backend B>
GroupLasso<B>::GroupLasso(B& be, const Matrix& X, const Matrix& Y, double g, const Matrix& S)
    : be_(be),
      scale_(lasso_scale(Y, g)),
      Y_(Y / scale_.targets),
      k_(S.cols()),
      A_(be.matrix(Y.rows(), k_)),
      T_(be.matrix(Y.rows(), k_)),
      H_(be.matrix(Y.size(), Y.size())),
      rows_(be.matrix(Y.size(), 1)),
      columns_(be.matrix(k_, Y.cols())),
      weight_(be.slots(k_)),
      info_(be.slots(1)) {
  be_.reserve(Needs{}.potrf(Y.size()));
  upload(be_, Matrix((X * S).cwiseMax(0.0) * scale_.activations), A_.view());
}

template <Backend B>
Matrix GroupLasso<B>::correlations(const Matrix& E) {
  const MatrixView<double> rows{rows_.view().data, n(), c(), n()};
  upload(be_, E, rows);
  be_.gemm(Op::transpose, Op::none, 1.0, A_.view(), rows, 0.0, columns_.view());
  Matrix out(k_, c());
  fetch(be_, columns_.view(), out);
  return out;
}

template <Backend B>
Matrix GroupLasso<B>::predictions(const Matrix& W) {
  const MatrixView<double> rows{rows_.view().data, n(), c(), n()};
  upload(be_, W, columns_.view());
  be_.gemm(Op::none, Op::none, 1.0, A_.view(), columns_.view(), 0.0, rows);
  Matrix out(n(), c());
  fetch(be_, rows, out);
  return out;
}

template <Backend B>
bool GroupLasso<B>::factorise(const LassoIterate& at) {
  for (Index p = 0; p < c(); ++p) {
    for (Index q = 0; q <= p; ++q) {
      const Vector w = at.curvature(p, q);
      const auto block = H_.view().block(p * n(), q * n(), n(), n());
      // A square root where the block is a Gram matrix: half the flops.
      upload(be_, Vector(p == q ? w.cwiseSqrt() : w), weight_[0]);
      be_.launch({n(), k_}, kernels::ScaleColumns{A_.view(), weight_[0].address, T_.view()});
      if (p == q)
        be_.syrk(Op::none, 1.0, T_.view(), 0.0, block);
      else
        be_.gemm(Op::none, Op::transpose, 1.0, T_.view(), A_.view(), 0.0, block);
    }
  }
  be_.launch({Y_.size()}, kernels::AddIdentity{H_.view()});
  be_.potrf(H_.view(), info_[0]);
  Vector info(1);
  fetch(be_, info_[0], info);
  return info[0] == 0.0;
}

template <Backend B>
Matrix GroupLasso<B>::solve_factored(const Matrix& right) {
  upload(be_, right.reshaped(), rows_.view());
  be_.potrs(H_.view(), rows_.view());
  Matrix out(n(), c());
  fetch(be_, rows_.view(), out);
  return out;
}

// complement: what is left of lambda_j s_j = mu at this point.
template <Backend B>
LassoMove GroupLasso<B>::move(const LassoIterate& at, const Matrix& infeasible,
                              const Vector& complement) {
  const Vector ratio = complement.cwiseQuotient(at.slack);
  LassoMove move;
  move.E = solve_factored(-infeasible - predictions(ratio.asDiagonal() * at.y));
  move.y = correlations(move.E);
  const Vector along = at.y.cwiseProduct(move.y).rowwise().sum();
  move.lambda = ratio + at.lambda.cwiseProduct(along).cwiseQuotient(at.slack);
  return move;
}

template <Backend B>
GroupLassoPoint GroupLasso<B>::solve(const GroupLassoPoint& start, double tolerance,
                                     const Control& control) {
  LassoIterate at =
      lasso_start(start, scale_, Y_, [this](const Matrix& E) { return correlations(E); });
  GroupLassoPoint best;
  for (int step = 0;; ++step) {
    const Matrix infeasible = at.E - Y_ + predictions(at.weights());
    const LassoValues values = at.values(Y_, infeasible);
    if (!values.finite()) return best;
    best = at.point(values, scale_);
    best.steps = step;
    const bool solved = values.objective - values.bound <= tolerance * values.objective;
    if (solved || step == kMaxSteps || control.stop() || !factorise(at)) return best;
    const LassoMove predictor = move(at, infeasible, -at.complementarity());
    LassoMove corrector = move(at, infeasible, corrected_complement(at, predictor));
    double length = longest_step(at, corrector);
    if (length < kShortStep) {  // too bold: towards the centre
      corrector = move(at, infeasible, centred_complement(at));
      length = longest_step(at, corrector);
    }
    at.advance(corrector, length);
  }
}

}  // namespace relulift
