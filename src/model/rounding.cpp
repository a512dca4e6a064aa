// SPDX-License-Identifier: Apache-2.0
#include "src/model/rounding.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <cmath>
#include <optional>

#include "src/lift/face.hpp"

namespace relulift {
namespace {

// op(A) B; the library's product, as this is most of the work.
Matrix product(CBLAS_TRANSPOSE op, const Matrix& A, const Matrix& B) {
  const auto rows = static_cast<int>(op == CblasNoTrans ? A.rows() : A.cols());
  const auto inner = static_cast<int>(op == CblasNoTrans ? A.cols() : A.rows());
  const auto cols = static_cast<int>(B.cols());
  Matrix result = Matrix::Zero(rows, cols);
  if (rows == 0 || cols == 0 || inner == 0) return result;
  cblas_dgemm(CblasColMajor, op, CblasNoTrans, rows, cols, inner, 1.0, A.data(),
              static_cast<int>(A.rows()), B.data(), inner, 0.0, result.data(), rows);
  return result;
}

// Columns q_1, q_2, .. of descending size with sum q q' = S up to the columns left out; empty if
// the eigensolver fails. Of the two signs the one with the larger |Xu| is taken: alpha, beta >= 0.
Matrix leading_factor(const Matrix& S, Index n, Index columns) {
  Matrix vectors = 0.5 * (S + S.transpose());
  Vector values(S.rows());
  const auto order = static_cast<lapack_int>(S.rows());
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', order, vectors.data(), order, values.data()) != 0)
    return {};
  const double cutoff = 1e-9 * std::max(0.0, values(order - 1));
  Index rank = 0;
  while (rank < std::min<Index>(columns, order) && values(order - 1 - rank) > cutoff) ++rank;
  Matrix factor(S.rows(), rank);
  for (Index k = 0; k < rank; ++k) {
    const auto q = vectors.col(order - 1 - k);
    const double sign = q.head(n).sum() < 0.0 ? -1.0 : 1.0;
    factor.col(k) = sign * std::sqrt(values(order - 1 - k)) * q;
  }
  return factor;
}

// Pi_orth of [eq:splitting]: the nearest point with alpha, beta >= 0 and alpha o beta = 0.
void project_orthogonal(Matrix& Z, Index n) {
  for (Index j = 0; j < Z.cols(); ++j)
    for (Index i = 0; i < n; ++i) {
      double& alpha = Z(i, j);
      double& beta = Z(n + i, j);
      const bool keeps_alpha = alpha >= beta;
      alpha = keeps_alpha ? std::max(0.0, alpha) : 0.0;
      beta = keeps_alpha ? 0.0 : std::max(0.0, beta);
    }
}

// ||u_j|| = ||v_j|| with the same predictions; what predicts nothing becomes zero.
void balance(Weights& weights) {
  for (Index j = 0; j < weights.neurons(); ++j) {
    const double u = weights.U.col(j).norm(), v = weights.V.col(j).norm();
    weights.U.col(j) *= u > 0.0 ? std::sqrt(v / u) : 0.0;
    weights.V.col(j) *= v > 0.0 ? std::sqrt(u / v) : 0.0;
  }
}

class BestNetwork {
 public:
  BestNetwork(const ReducedProblem& problem, const Face& face) : problem_(problem), face_(face) {}

  void offer(const Matrix& lifted) {
    const Index n = problem_.n(), d = problem_.d(), c = problem_.c();
    if (!lifted.allFinite()) return;
    Weights weights{face_.right * lifted.middleRows(2 * n, d), lifted.bottomRows(c)};
    balance(weights);
    const double value = objective(problem_, weights);
    if (best_ && !(value < value_)) return;
    best_ = std::move(weights);
    value_ = value;
  }
  Weights take() {
    if (!best_) best_ = Weights{Matrix(problem_.d(), 0), Matrix(problem_.c(), 0)};
    return *std::move(best_);
  }

 private:
  const ReducedProblem& problem_;
  const Face& face_;
  std::optional<Weights> best_;
  double value_ = 0.0;
};

}  // namespace

Weights round_relaxation(const ReducedProblem& problem, const Matrix& S,
                         const RoundingOptions& options, const Control& control) {
  const Index n = problem.n();
  if (n == 0 || S.rows() != n + problem.d() + problem.c() || !S.allFinite())
    return {Matrix(problem.d(), 0), Matrix(problem.c(), 0)};
  const Face face = make_face(problem, {.row = Vector::Ones(n), .u = 1.0, .v = 1.0});
  BestNetwork best(problem, face);
  const Matrix Q = leading_factor(face.to_face(S), n, options.columns);  // S_N = Q Q'
  if (Q.cols() == 0) return best.take();
  const Vector eigenvalues = Q.colwise().squaredNorm();  // nonzero ones of Lambda: Q'Q is diagonal
  // The radial curvature of the objective at a solution is 4 lambda_max, so steps of 2/4 and more
  // over lambda_max diverge; the paper's rule exceeds that when one eigenvalue dominates.
  const double eta = std::min(options.step / eigenvalues.norm(), 0.45 / eigenvalues.maxCoeff());

  Matrix Z = face.lift(Q);
  best.offer(Z);
  for (Index k = 1; k <= options.iterations; ++k) {
    const Matrix B = face.coordinates(Z);
    const Matrix gradient = product(CblasNoTrans, B, product(CblasTrans, B, B)) -
                            product(CblasNoTrans, Q, product(CblasTrans, Q, B));
    const Matrix W = face.lift(B);
    Matrix T = 2.0 * W - Z - 2.0 * eta * face.lift(gradient);
    project_orthogonal(T, n);
    Z += T - W;
    if (k % options.check_every != 0 && k != options.iterations) continue;
    best.offer(W);
    best.offer(T);
    if ((T - W).norm() <= 1e-7 * W.norm() || !Z.allFinite() || control.stop()) break;
  }
  return best.take();
}

}  // namespace relulift
