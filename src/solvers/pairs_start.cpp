// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_start.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "src/core/random.hpp"
#include "src/solvers/pairs_primal.hpp"

namespace relulift {
namespace {

// Of the mean eigenvalue of X'X/n for rows of unit length.
constexpr double kDamping = 1e-4;

}  // namespace

PairsStart::PairsStart(const ReducedProblem& problem) : problem_(problem) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const double g = problem.weight_decay;
  // Whitened neurons, u ~ N(0, (X'X/n + damping)^-1) for rows of unit length: all directions count
  // alike, but for those that the data hardly have. S Q would spread over their squares there.
  const Matrix unit = problem.X.rowwise().normalized();
  const Eigen::SelfAdjointEigenSolver<Matrix> second(unit.transpose() * unit /
                                                     static_cast<double>(n));
  const Vector spread =
      second.eigenvalues().cwiseMax(0.0).array() + kDamping / static_cast<double>(d);
  const Matrix root = second.eigenvectors() * spread.cwiseSqrt().cwiseInverse().asDiagonal();
  const Matrix Suu = root * root.transpose();
  const Matrix rows = problem.X * root;
  tt_ = rows * rows.transpose();
  S_ = Matrix::Zero(n + d + c, n + d + c);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < j; ++i)
      S_(i, j) = S_(j, i) = absolute_kernel(tt_(i, i), tt_(j, j), tt_(i, j));
    S_(j, j) = 2.0 * tt_(j, j);
  }
  S_.block(n, n, d, d) = Suu;
  S_.bottomRightCorner(c, c).diagonal().setConstant(Suu.trace() / static_cast<double>(c));
  // The trace bound of [eq:bound] at zero: tr S_uu <= ||Y||^2/(4g).
  const double norm = problem.Y.squaredNorm() + problem.Y_beta.squaredNorm();
  const double scale = std::max(norm, 1e-300) / (4.0 * g * Suu.trace());
  S_ *= scale;
  tt_ *= scale;
  trace_ = S_.trace();

  // diag(sqrt(eta)) X is sqrt(g) times the unit rows over their norm: data of uneven scale would
  // spread the eigenvalues of S Q like the squares of their lengths otherwise.
  const Matrix XX = unit.transpose() * unit;
  const double largest =
      Eigen::SelfAdjointEigenSolver<Matrix>(XX, Eigen::EigenvaluesOnly).eigenvalues().maxCoeff();
  eta_ = (g / largest) * problem.X.rowwise().squaredNorm().cwiseInverse();
  root_ = (0.5 * g * Matrix::Identity(d, d) - (0.25 * g / largest) * XX).llt().matrixL();
}

double PairsStart::gram(Index i, Index j) const {
  const Index n = problem_.n();
  const double sign = (i < n) == (j < n) ? 1.0 : -1.0;
  return 0.25 * (S_(i % n, j % n) + sign * tt_(i % n, j % n));
}

PairsPoint PairsStart::point(const std::vector<LiftedPair>& pairs) const {
  const Index n = problem_.n(), c = problem_.c(), size = static_cast<Index>(pairs.size());
  PairsPoint out{.y = -0.5 * eta_,
                 .G = Matrix::Zero(n, c),
                 .H = Matrix::Zero(problem_.p(), c),
                 .pairs = pairs,
                 .w = Vector(size),
                 .kap = Vector(size),
                 .S = S_};
  for (Index p = 0; p < size; ++p) {
    const auto [i, j] = pairs[p];
    const double norms = std::sqrt(gram(i, i) * gram(j, j));
    out.w[p] = 1.0 / (gram(i, j) + 0.01 * norms);
    out.kap[p] = std::max(2.0 * gram(i, j), 1e-3 * norms);
  }
  if (size > 0) out.w *= half_step(pairs, out.w);
  return out;
}

// Power iteration on C^-1/2 (L'WL) C^-1/2, C = blkdiag(diag(eta)/4, g/2 I - X'diag(eta)X/4) =
// Q(w = 0).
double PairsStart::half_step(const std::vector<LiftedPair>& pairs, const Vector& w) const {
  const Index n = problem_.n(), d = problem_.d();
  const Matrix& X = problem_.X;
  const auto lower = root_.triangularView<Eigen::Lower>();
  const Vector ss = 2.0 * eta_.cwiseSqrt().cwiseInverse();
  Random random(0);
  Vector s(n), u(d);
  for (double& value : s) value = random.normal();
  for (double& value : u) value = random.normal();
  double norm = std::sqrt(s.squaredNorm() + u.squaredNorm());
  for (int k = 0; k < 60; ++k) {
    s = ss.cwiseProduct(s) / norm;
    u /= norm;
    const Vector t = X * root_.transpose().triangularView<Eigen::Upper>().solve(u);
    Vector alpha = Vector::Zero(n), beta = Vector::Zero(n);
    const auto value = [&](Index i) { return i < n ? s[i] + t[i] : s[i - n] - t[i - n]; };
    const auto add = [&](Index i, double x) { (i < n ? alpha[i] : beta[i - n]) += x; };
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const auto [i, j] = pairs[p];
      add(i, 0.25 * w[p] * value(j));
      add(j, 0.25 * w[p] * value(i));
    }
    s = ss.cwiseProduct(alpha + beta);
    u = lower.solve(X.transpose() * (alpha - beta));
    norm = std::sqrt(s.squaredNorm() + u.squaredNorm());
  }
  return 0.5 / (1.1 * norm);
}

}  // namespace relulift
