// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/kappa_estimate.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <utility>

#include "src/core/random.hpp"

namespace relulift {
namespace {

// y = Q x.
void multiply(const ListSlack<double>& slack, const Vector& x, Vector& y) {
  const Index k = slack.directions, rows = slack.border.rows();
  const auto below = slack.border.leftCols(k);
  y.head(k).noalias() = below.transpose() * x.tail(rows);
  y.tail(rows).noalias() = below * x.head(k);
  y.tail(rows).noalias() +=
      slack.border.rightCols(rows).selfadjointView<Eigen::Lower>() * x.tail(rows);
  for (const auto& [row, column, value, error] : slack.sparse) {
    y(row) += value * x(column);
    if (row != column) y(column) += value * x(row);
  }
}

}  // namespace

Product product_with(const ListSlack<double>& slack) {
  return [&slack](const Vector& x, Vector& y) { multiply(slack, x, y); };
}

Product product_with(const Slack<double>& slack) {
  return [&slack](const Vector& x, Vector& y) {
    const auto order = static_cast<int>(x.size());
    cblas_dsymv(CblasColMajor, CblasLower, order, 1.0, slack.Q.data(), order, x.data(), 1, 0.0,
                y.data(), 1);
  };
}

KappaLanczos::KappaLanczos(Product q, Index order, const Shift<double>& shift)
    : q_(std::move(q)), directions_(shift.e.size()), root_(order), scaled_(order) {
  const Index k = directions_, d = shift.u_block.rows();
  root_.head(k) = (shift.e / 4).cwiseSqrt().cwiseInverse();
  root_.segment(k, d).setOnes();
  root_.tail(order - k - d).setConstant(1.0 / std::sqrt(shift.output));
  const Eigen::LLT<Matrix> factor(shift.u_block);
  u_factor_ = factor.matrixL();
  usable_ = factor.info() == Eigen::Success && root_.allFinite() && u_factor_.allFinite();
}

void KappaLanczos::unscale(const Vector& x, Vector& y) const {
  y = root_.cwiseProduct(x);
  auto u = y.segment(directions_, u_factor_.rows());
  u_factor_.triangularView<Eigen::Lower>().transpose().solveInPlace(u);
}

void KappaLanczos::apply(const Vector& x, Vector& y) const {
  unscale(x, scaled_);
  q_(scaled_, y);
  auto u = y.segment(directions_, u_factor_.rows());
  u_factor_.triangularView<Eigen::Lower>().solveInPlace(u);
  y = root_.cwiseProduct(y);
}

KappaLanczos::Ritz KappaLanczos::smallest(Index steps, Index count) const {
  const auto size = static_cast<lapack_int>(steps);
  const auto wanted = std::min(static_cast<lapack_int>(count), size);
  // Bisection squares the entries: scaled, it cannot overflow and find more than was asked for.
  std::vector<double> diagonal(diagonal_.begin(), diagonal_.begin() + steps);
  std::vector<double> off_diagonal(off_diagonal_.begin(), off_diagonal_.begin() + steps);
  double largest = 0.0;
  for (const double x : diagonal) largest = std::max(largest, std::abs(x));
  for (const double x : off_diagonal) largest = std::max(largest, x);
  if (!(largest > 0.0)) largest = 1.0;
  for (double& x : diagonal) x /= largest;
  for (double& x : off_diagonal) x /= largest;
  Ritz ritz{Vector(size), Matrix(size, wanted)};
  std::vector<lapack_int> failed(static_cast<std::size_t>(size));
  lapack_int found = 0;
  const lapack_int info = LAPACKE_dstevx(
      LAPACK_COL_MAJOR, 'V', 'I', size, diagonal.data(), off_diagonal.data(), 0.0, 0.0, 1, wanted,
      0.0, &found, ritz.values.data(), ritz.vectors.data(), size, failed.data());
  if (info != 0) found = 0;
  ritz.values.conservativeResize(found);
  ritz.values *= largest;
  ritz.vectors.conservativeResize(size, found);
  return ritz;
}

KappaEstimate KappaLanczos::run(const LanczosOptions& options) {
  diagonal_.clear();
  off_diagonal_.clear();
  if (!usable_) return {};
  const Index order = root_.size();
  const Index most = order <= kKept ? std::min(options.max_products, order) : options.max_products;
  basis_.resize(order, std::min(most, kKept));
  // Any start with a component along the smallest eigenvector; the same one every time.
  Random random(1);
  Vector v(order), w(order), before = Vector::Zero(order);
  for (double& x : v) x = random.normal();
  v.normalize();
  double beta = 0.0, size = 0.0;
  for (Index products = 1, check = 10;; ++products) {
    if (options.stop && options.stop()) return {};
    apply(v, w);
    w -= beta * before;
    const double alpha = w.dot(v);
    w -= alpha * v;
    if (products <= basis_.cols()) basis_.col(products - 1) = v;
    const auto kept = basis_.leftCols(std::min(products, basis_.cols()));
    w -= kept * (kept.transpose() * w).eval();
    beta = w.norm();
    if (!std::isfinite(alpha) || !std::isfinite(beta)) {
      diagonal_.clear();
      return {};
    }
    diagonal_.push_back(alpha);
    off_diagonal_.push_back(beta);
    size = std::max(size, std::abs(alpha) + beta);
    const bool last = products >= most || !(beta > 1e-14 * size);
    if (last || products >= check) {
      check = products + std::max<Index>(10, products / 8);
      const Ritz ritz = smallest(products, 1);
      if (ritz.values.size() == 0 || !std::isfinite(ritz.values(0))) return {};
      const double low = -ritz.values(0);
      const double error = std::abs(beta * ritz.vectors(products - 1, 0));
      const bool settled = low > 0.0 ? error <= 0.3 * low && options.settled(low, low + error)
                                     : options.settled(0.0, error);
      if (last || settled || low > options.give_up_above || error <= 1e-12 * size)
        return {std::max(0.0, low), error};
    }
    before.swap(v);
    v = w / beta;
  }
}

Vector KappaLanczos::negative_weight(Index count) const {
  const Index steps = std::min(static_cast<Index>(diagonal_.size()), basis_.cols());
  Vector weight = Vector::Zero(directions_), v(root_.size());
  if (steps == 0) return weight;
  const Ritz ritz = smallest(steps, count);
  const Matrix vectors = basis_.leftCols(steps) * ritz.vectors;
  for (Index j = 0; j < vectors.cols() && ritz.values(j) < 0.0; ++j) {
    unscale(vectors.col(j), v);
    weight -= ritz.values(j) * v.head(directions_).cwiseAbs2();
  }
  return weight;
}

}  // namespace relulift
