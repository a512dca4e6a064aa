// SPDX-License-Identifier: Apache-2.0
// A smooth loss on the host as Newton's method needs it: sums over all rows, and a root B of the
// curvature, B B' = L''(f), row by row: diagonal but for the softmax, whose diag(p) - p p' is
// diag(s) (I - s s') diag(s) with s = sqrt(p).
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/any_loss.hpp"
#include "src/core/dense.hpp"
#include "src/model/loss.hpp"
#include "src/solvers/program_request.hpp"

namespace relulift {

class LagrangianLoss {
 public:
  explicit LagrangianLoss(const ProgramRequest& request)
      : Y_(request.Y),
        loss_{loss_kind(request.options.loss, request.Y.cols()), request.options.huber_delta} {}

  bool softmax() const { return loss_.kind == kernels::LossKind::softmax; }
  double value(const Matrix& F) const {
    return sum(kernels::LossValue<Loss>{loss_, view(F), view(Y_)});
  }
  // -grad L(F).
  Matrix residual(const Matrix& F) const {
    Matrix E(F.rows(), F.cols());
    const kernels::LossGradient<Loss> row{
        loss_, view(F), view(Y_), {E.data(), E.rows(), E.cols(), E.rows()}};
    for (Index i = 0; i < F.rows(); ++i) row(i, 0);
    return -E;
  }
  // -L*(-t E).
  double bound(const Matrix& E, double t) const {
    return sum(kernels::LossBound<Loss>{loss_, view(E), view(Y_), Slot{&t}});
  }

  // The diagonal of B, or s.
  Matrix root(const Matrix& F) const {
    using kernels::LossKind;
    if (softmax()) return probabilities(F).cwiseSqrt();
    if (loss_.kind == LossKind::logistic)
      return F.unaryExpr([](double f) { return 1.0 / (2.0 * std::cosh(0.5 * f)); });
    if (loss_.kind == LossKind::huber)
      return ((F - Y_).array().abs() <= loss_.delta).cast<double>().matrix();
    return Matrix::Ones(F.rows(), F.cols());
  }
  // B v and B'v.
  Matrix curved(const Matrix& root, const Matrix& v) const {
    if (!softmax()) return root.cwiseProduct(v);
    return root.cwiseProduct(off(root, v));
  }
  Matrix curved_back(const Matrix& root, const Matrix& v) const {
    if (!softmax()) return root.cwiseProduct(v);
    return off(root, root.cwiseProduct(v));
  }

 private:
  using Loss = kernels::AnyLoss<double>;
  static MatrixView<const double> view(const Matrix& A) {
    return {A.data(), A.rows(), A.cols(), A.rows()};
  }
  template <class Term>
  double sum(const Term& term) const {
    double total = 0.0;
    for (Index i = 0; i < Y_.rows(); ++i) total += term(i, 0);
    return total;
  }
  // (I - s s') v of every row.
  static Matrix off(const Matrix& s, const Matrix& v) {
    const Vector along = s.cwiseProduct(v).rowwise().sum();
    return v - along.asDiagonal() * s;
  }
  static Matrix probabilities(const Matrix& F) {
    const Vector top = F.rowwise().maxCoeff();
    Matrix p = (F.colwise() - top).array().exp();
    const Vector mass = p.rowwise().sum();
    return mass.cwiseInverse().asDiagonal() * p;
  }

  const Matrix& Y_;
  Loss loss_;
};

}  // namespace relulift
