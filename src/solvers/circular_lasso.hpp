// SPDX-License-Identifier: Apache-2.0
// The group lasso over frequencies [eq:circular-lasso] to high accuracy, by the interior-point
// method of group_lasso.hpp on its dual
//     max <E,Y> - 1/2 ||E||^2   s.t.  ||A_k'E||_F <= 1,   A_k = (X Q)_k / g_k [eq:circular-dual]
// A frequency is two columns of A, and their coupling has rank one, which leaves two factors of
// orders r (rows) and K (frequencies) per step [eq:circular-newton], whatever the number of
// outputs: r^3/3 + 4 K r^2 + 4 K^2 r + K^3/3 flops in r^2 + 4 K r + 2 K^2 numbers. The host sees r
// x c and K x 2c of them.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/circular_convolution.hpp"
#include "kernels/group_lasso.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/group_lasso_step.hpp"

namespace relulift {

template <Backend B>
class CircularLasso {
 public:
  // A: r x 2K, the cosine columns of all frequencies and then the sine columns, prices divided out.
  CircularLasso(B& be, const Matrix& A, const Matrix& Y);

  // Until objective - bound <= tolerance * (objective + constant), the limit of `control`, or
  // rounding: the point of the smallest gap. Row k of W: the c cosine and then the c sine
  // coordinates of frequency k, times g_k. constant: of the loss, left out of A and Y.
  GroupLassoPoint solve(double tolerance, double constant, const Control& control);

 private:
  static constexpr int kMaxSteps = 60;
  // A gap this many times the smallest so far: rounding has taken over.
  static constexpr double kWorse = 100.0;

  Index c() const { return Y_.cols(); }
  // <A_k, E> of every frequency as a row, and sum_k A_k W_k of such rows; host in, host out.
  Matrix correlations(const Matrix& E);
  Matrix predictions(const Matrix& W);
  // Both factors; false where rounding has made one indefinite.
  bool factorise(const LassoIterate& at);
  void couple(Index p, Index q);
  Matrix solve_once(const LassoIterate& at, const Matrix& right);
  Matrix apply(const LassoIterate& at, const Matrix& E);
  Matrix solve_refined(const LassoIterate& at, const Matrix& right);
  LassoMove move(const LassoIterate& at, const Matrix& infeasible, const Vector& complement);
  // b <- (L L')^-1 b on the backend.
  void solve_with(const typename B::Matrix& factor, const typename B::Matrix& at, Matrix& b);

  B& be_;
  LassoScale scale_;
  Matrix Y_;  // scaled
  Index K_;
  typename B::Matrix A_, T_, M_, N_, C_, y_, rows_, columns_, multipliers_;
  typename B::Slots weight_, slack_, info_;
};

template <Backend B>
CircularLasso<B>::CircularLasso(B& be, const Matrix& A, const Matrix& Y)
    : be_(be),
      scale_(lasso_scale(Y, 1.0)),
      Y_(Y / scale_.targets),
      K_(A.cols() / 2),
      A_(be.matrix(A.rows(), A.cols())),
      T_(be.matrix(A.rows(), A.cols())),
      M_(be.matrix(A.rows(), A.rows())),
      N_(be.matrix(K_, K_)),
      C_(be.matrix(K_, K_)),
      y_(be.matrix(K_, 2 * Y.cols())),
      rows_(be.matrix(Y.rows(), Y.cols())),
      columns_(be.matrix(A.cols(), Y.cols())),
      multipliers_(be.matrix(K_, 1)),
      weight_(be.slots(A.cols())),
      slack_(be.slots(K_)),
      info_(be.slots(2)) {
  be_.reserve(Needs{}.potrf(std::max(A.rows(), K_)));
  upload(be_, Matrix(A * scale_.activations), A_.view());
}

template <Backend B>
Matrix CircularLasso<B>::correlations(const Matrix& E) {
  upload(be_, E, rows_.view());
  be_.gemm(Op::transpose, Op::none, 1.0, A_.view(), rows_.view(), 0.0, columns_.view());
  Matrix stacked(2 * K_, c());
  fetch(be_, columns_.view(), stacked);
  Matrix out(K_, 2 * c());
  out << stacked.topRows(K_), stacked.bottomRows(K_);
  return out;
}

template <Backend B>
Matrix CircularLasso<B>::predictions(const Matrix& W) {
  Matrix stacked(2 * K_, c());
  stacked << W.leftCols(c()), W.rightCols(c());
  upload(be_, stacked, columns_.view());
  be_.gemm(Op::none, Op::none, 1.0, A_.view(), columns_.view(), 0.0, rows_.view());
  Matrix out(Y_.rows(), c());
  fetch(be_, rows_.view(), out);
  return out;
}

// M = L L' = I + sum_k lambda_k A_k A_k', and C from T = L^-1 A diag(lambda)^(1/2), where T'T < I.
template <Backend B>
bool CircularLasso<B>::factorise(const LassoIterate& at) {
  const Vector roots = at.lambda.cwiseSqrt();
  upload(be_, roots, weight_[0]);
  upload(be_, roots, weight_[K_]);
  upload(be_, at.slack, slack_[0]);
  upload(be_, at.y, y_.view());
  be_.launch({Y_.rows(), 2 * K_}, kernels::ScaleColumns{A_.view(), weight_[0].address, T_.view()});
  be_.syrk(Op::none, 1.0, T_.view(), 0.0, M_.view());
  be_.launch({Y_.rows()}, kernels::AddIdentity{M_.view()});
  be_.potrf(M_.view(), info_[0]);
  be_.trsm(Side::left, Op::none, M_.view(), T_.view());
  be_.launch({K_, K_}, kernels::SlackDiagonal{slack_[0].address, C_.view()});
  couple(0, 0);
  couple(1, 1);
  couple(0, 1);
  be_.potrf(C_.view(), info_[1]);
  Vector info(2);
  fetch(be_, info_[0], info);
  return info.isZero(0.0);
}

template <Backend B>
void CircularLasso<B>::couple(Index p, Index q) {
  const MatrixView<double> T = T_.view(), N = N_.view();
  const auto left = T.block(0, p * K_, T.rows, K_), right = T.block(0, q * K_, T.rows, K_);
  if (p == q)
    be_.syrk(Op::transpose, 1.0, left, 0.0, N);
  else
    be_.gemm(Op::transpose, Op::none, 1.0, left, right, 0.0, N);
  be_.launch({K_, K_}, kernels::FrequencyCouplings{N, y_.view(), p, q, C_.view()});
}

template <Backend B>
void CircularLasso<B>::solve_with(const typename B::Matrix& factor, const typename B::Matrix& at,
                                  Matrix& b) {
  upload(be_, b, at.view());
  be_.potrs(factor.view(), at.view());
  fetch(be_, at.view(), b);
}

// (M + B diag(lambda/s) B')^-1 by the formula of Sherman, Morrison and Woodbury, B = (A_k y_k)_k.
template <Backend B>
Matrix CircularLasso<B>::solve_once(const LassoIterate& at, const Matrix& right) {
  const Vector roots = at.lambda.cwiseSqrt();
  Matrix first = right;
  solve_with(M_, rows_, first);
  Matrix along = roots.cwiseProduct(at.y.cwiseProduct(correlations(first)).rowwise().sum());
  solve_with(C_, multipliers_, along);
  Matrix second = predictions(roots.cwiseProduct(along.col(0)).asDiagonal() * at.y);
  solve_with(M_, rows_, second);
  return first - second;
}

template <Backend B>
Matrix CircularLasso<B>::apply(const LassoIterate& at, const Matrix& E) {
  const Matrix y = correlations(E);
  const Vector along = at.y.cwiseProduct(y).rowwise().sum().cwiseQuotient(at.slack);
  return E + predictions(at.lambda.asDiagonal() * (y + along.asDiagonal() * at.y));
}

template <Backend B>
Matrix CircularLasso<B>::solve_refined(const LassoIterate& at, const Matrix& right) {
  const Matrix E = solve_once(at, right);
  return E + solve_once(at, right - apply(at, E));
}

// As in group_lasso.hpp. complement: what is left of lambda_k s_k = mu at this point.
template <Backend B>
LassoMove CircularLasso<B>::move(const LassoIterate& at, const Matrix& infeasible,
                                 const Vector& complement) {
  const Vector ratio = complement.cwiseQuotient(at.slack);
  LassoMove move;
  move.E = solve_refined(at, -infeasible - predictions(ratio.asDiagonal() * at.y));
  move.y = correlations(move.E);
  const Vector along = at.y.cwiseProduct(move.y).rowwise().sum();
  move.lambda = ratio + at.lambda.cwiseProduct(along).cwiseQuotient(at.slack);
  return move;
}

template <Backend B>
GroupLassoPoint CircularLasso<B>::solve(double tolerance, double constant, const Control& control) {
  LassoIterate at =
      lasso_start({}, scale_, Y_, [this](const Matrix& E) { return correlations(E); });
  constant /= scale_.targets * scale_.targets;
  double smallest = std::numeric_limits<double>::infinity();
  GroupLassoPoint best;
  for (int step = 0;; ++step) {
    const Matrix infeasible = at.E - Y_ + predictions(at.weights());
    const LassoValues values = at.values(Y_, infeasible);
    const double gap = values.objective - values.bound;
    if (!values.finite() || gap > kWorse * smallest) return best;
    if (gap < smallest) {
      smallest = gap;
      best = at.point(values, scale_);
      best.steps = step;
    }
    const bool solved = gap <= tolerance * (values.objective + constant);
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
