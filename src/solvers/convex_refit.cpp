// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/convex_refit.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <vector>

namespace relulift {
namespace {

constexpr Index kExtrapolation = 5;  // sweeps between Anderson steps

double penalty(const Matrix& W) { return W.rowwise().norm().sum(); }

// The refit on the listed blocks, the others zero. Q = A'(Y - A W) is kept up to date.
class Blocks {
 public:
  Blocks(const RefitProblem& problem, const std::vector<Index>& list, const Matrix& W)
      : g_(problem.weight_decay), square_(problem.target_square) {
    const Index k = static_cast<Index>(list.size());
    gram_.resize(k, k);
    C_.resize(k, W.cols());
    W_.resize(k, W.cols());
    for (Index j = 0; j < k; ++j) {
      for (Index i = 0; i < k; ++i) gram_(i, j) = problem.gram(list[i], list[j]);
      C_.row(j) = problem.correlation.row(list[j]);
      W_.row(j) = W.row(list[j]);
    }
    refresh();
  }

  void sweep() {
    for (Index j = 0; j < W_.rows(); ++j) {
      const double a = gram_(j, j);
      if (!(a > 0.0)) continue;
      Eigen::RowVectorXd r = Q_.row(j) + a * W_.row(j);
      const double size = r.norm();
      r *= size > g_ ? (1.0 - g_ / size) / a : 0.0;
      const Eigen::RowVectorXd change = r - W_.row(j);
      if (change.squaredNorm() == 0.0) continue;
      W_.row(j) = r;
      Q_.noalias() -= gram_.col(j) * change;
    }
  }

  void refresh() {
    Q_ = C_;
    Q_.noalias() -= gram_ * W_;
  }
  // 1/2 ||AW - Y||^2 + g sum ||W_j|| from Q.
  double objective() const {
    return 0.5 * (square_ - (W_.cwiseProduct(C_ + Q_)).sum()) + g_ * penalty(W_);
  }
  // D(t R) = t <Y,R> - t^2/2 ||R||^2 with ||A_j'tR|| <= g: [eq:rescale] on these directions.
  double bound() const {
    const double worst = std::sqrt(Q_.rowwise().squaredNorm().maxCoeff());
    const double yr = square_ - W_.cwiseProduct(C_).sum();
    const double rr = yr - W_.cwiseProduct(Q_).sum();
    if (!(rr > 0.0)) return 0.0;
    const double t = std::max(0.0, std::min(g_ / std::max(worst, 1e-300), yr / rr));
    return t * yr - 0.5 * t * t * rr;
  }
  const Matrix& weights() const { return W_; }
  void set_weights(const Matrix& W) {
    W_ = W;
    refresh();
  }

 private:
  double g_, square_;
  Matrix gram_, C_, W_, Q_;
};

// The affine combination of the last iterates with the smallest combined step.
bool extrapolate(const std::vector<Matrix>& iterates, Matrix& out) {
  const Index k = static_cast<Index>(iterates.size()) - 1;
  Matrix steps(iterates[0].size(), k);
  for (Index i = 0; i < k; ++i) {
    steps.col(i) = Eigen::Map<const Vector>(iterates[i + 1].data(), iterates[i + 1].size()) -
                   Eigen::Map<const Vector>(iterates[i].data(), iterates[i].size());
  }
  Matrix gram = steps.transpose() * steps;
  gram.diagonal().array() += 1e-12 * gram.trace() + 1e-300;
  const Vector z = gram.ldlt().solve(Vector::Ones(k));
  if (!z.allFinite() || std::abs(z.sum()) < 1e-300) return false;
  out.setZero(iterates[0].rows(), iterates[0].cols());
  for (Index i = 0; i < k; ++i) out += (z[i] / z.sum()) * iterates[i + 1];
  return out.allFinite();
}

// Block coordinate descent on the active blocks. Returns the sweeps used.
Index solve_active(Blocks& blocks, double tolerance, Index max_sweeps, const Control& control) {
  std::vector<Matrix> iterates{blocks.weights()};
  Index sweeps = 0;
  while (sweeps < max_sweeps) {
    blocks.sweep();
    ++sweeps;
    iterates.push_back(blocks.weights());
    if (static_cast<Index>(iterates.size()) <= kExtrapolation) continue;
    const double before = blocks.objective();
    const Matrix plain = blocks.weights();
    Matrix guess;
    if (extrapolate(iterates, guess)) {
      blocks.set_weights(guess);
      if (!(blocks.objective() < before)) blocks.set_weights(plain);
    }
    iterates.assign(1, blocks.weights());
    const double objective = blocks.objective();
    if (objective - blocks.bound() <= tolerance * objective || control.stop()) break;
  }
  return sweeps;
}

}  // namespace

RefitResult convex_refit(const RefitProblem& problem, Matrix W, double tolerance, Index max_sweeps,
                         const Control& control) {
  const Index k = problem.gram.rows();
  RefitResult result;
  result.W = std::move(W);
  std::vector<Index> everything(static_cast<std::size_t>(k));
  for (Index j = 0; j < k; ++j) everything[j] = j;
  if (k == 0) {
    result.objective = result.bound = 0.5 * problem.target_square;
    return result;
  }
  for (int round = 0; round < 50; ++round) {
    // One sweep over everything finds the blocks that want to be active.
    Blocks all(problem, everything, result.W);
    all.sweep();
    ++result.sweeps;
    all.refresh();
    result.W = all.weights();
    result.objective = all.objective();
    result.bound = all.bound();
    const bool solved = result.objective - result.bound <= tolerance * result.objective;
    if (solved || result.sweeps >= max_sweeps || control.stop()) break;
    std::vector<Index> active;
    for (Index j = 0; j < k; ++j) {
      if (result.W.row(j).squaredNorm() > 0.0) active.push_back(j);
    }
    if (active.empty()) break;
    Blocks some(problem, active, result.W);
    result.sweeps += solve_active(some, 0.3 * tolerance, max_sweeps - result.sweeps, control);
    for (std::size_t i = 0; i < active.size(); ++i) {
      result.W.row(active[i]) = some.weights().row(static_cast<Index>(i));
    }
  }
  return result;
}

}  // namespace relulift
