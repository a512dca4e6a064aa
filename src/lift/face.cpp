// SPDX-License-Identifier: Apache-2.0
#include "src/lift/face.hpp"

#include <Eigen/Dense>
#include <numbers>
#include <relulift/error.hpp>

namespace relulift {

Face make_face(const ReducedProblem& problem, const BlockScaling& scaling) {
  Face face;
  face.n = problem.n();
  face.d = problem.d();
  face.c = problem.c();
  face.row = scaling.row;
  face.v = scaling.v;
  const Matrix X = scaling.row.asDiagonal() * problem.X;
  // R from X'X would square the condition number; n >= d here, so the thin factor is d x d.
  const Eigen::JacobiSVD<Matrix> svd(X, Eigen::ComputeThinU | Eigen::ComputeThinV);
  Vector sigma = Vector::Zero(face.d);
  sigma.head(svd.singularValues().size()) = svd.singularValues();
  face.right = svd.matrixV();
  face.length = (0.5 * sigma.array().square() + scaling.u * scaling.u).sqrt();
  if (!(face.length.minCoeff() > 0.0)) {
    throw InvalidInput("X: not of full column rank, and the scale of u is zero");
  }
  face.half_X = X * face.right * (0.5 * face.length.cwiseInverse()).asDiagonal();
  face.share = Vector::Ones(face.d + face.c);
  face.share.head(face.d) = scaling.u * face.length.cwiseInverse();
  face.cost = Vector::Constant(face.d + face.c, 0.5 * problem.weight_decay / (face.v * face.v));
  face.cost.head(face.d) = 0.5 * problem.weight_decay * face.length.array().square().inverse();
  return face;
}

namespace {

// A -> M A M' for M = blkdiag(diag(s), U, v I).
Matrix congruence(const Matrix& A, const Vector& s, const Matrix& U, double v) {
  const Index n = s.size(), d = U.rows(), c = A.rows() - n - d;
  Matrix left(A.rows(), A.cols());
  left.topRows(n) = s.asDiagonal() * A.topRows(n);
  left.middleRows(n, d) = U * A.middleRows(n, d);
  left.bottomRows(c) = v * A.bottomRows(c);
  Matrix out(A.rows(), A.cols());
  out.leftCols(n) = left.leftCols(n) * s.asDiagonal();
  out.middleCols(n, d) = left.middleCols(n, d) * U.transpose();
  out.rightCols(c) = v * left.rightCols(c);
  return 0.5 * (out + out.transpose());
}

}  // namespace

Matrix Face::lift(const Matrix& B) const {
  Matrix Z(2 * n + d + c, B.cols());
  const Matrix half = half_X * B.middleRows(n, d);
  Z.topRows(n) = B.topRows(n) / std::numbers::sqrt2 + half;
  Z.middleRows(n, n) = B.topRows(n) / std::numbers::sqrt2 - half;
  Z.bottomRows(d + c) = share.asDiagonal() * B.bottomRows(d + c);
  return Z;
}

Matrix Face::coordinates(const Matrix& Z) const {
  Matrix B(n + d + c, Z.cols());
  const auto alpha = Z.topRows(n), beta = Z.middleRows(n, n);
  B.topRows(n) = (alpha + beta) / std::numbers::sqrt2;
  B.bottomRows(d + c) = share.asDiagonal() * Z.bottomRows(d + c);
  B.middleRows(n, d) += half_X.transpose() * (alpha - beta);
  return B;
}

Matrix Face::to_face(const Matrix& S) const {
  return congruence(S, row / std::numbers::sqrt2, length.asDiagonal() * right.transpose(), v);
}

Matrix Face::from_face(const Matrix& P) const {
  return congruence(P, std::numbers::sqrt2 * row.cwiseInverse(),
                    right * length.cwiseInverse().asDiagonal(), 1.0 / v);
}

Matrix gram(const ReducedProblem& problem, const Weights& weights) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  Matrix Z(n + d + c, weights.neurons());
  Z.topRows(n) = (problem.X * weights.U).cwiseAbs();
  Z.middleRows(n, d) = weights.U;
  Z.bottomRows(c) = weights.V;
  return Z * Z.transpose();
}

}  // namespace relulift
