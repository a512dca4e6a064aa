// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_projection.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

namespace relulift {
namespace {

// A row is violated beyond this share of ||row|| ||a||.
constexpr double kViolated = 1e-13;
constexpr Index kChangesPerColumn = 20;

// min ||a + K'mu||, mu >= 0, by rows of K that carry a positive mu.
class ActiveSet {
 public:
  ActiveSet(const Matrix& K, const Vector& a)
      : K_(K), a_(a), residual_(a), norms_(K.rowwise().norm()), mu_(Vector::Zero(K.rows())) {}

  const Vector& residual() const { return residual_; }

  // Lets the worst violated row join; false when there is none, or none that helps.
  bool join() {
    const Vector along = K_ * residual_;
    Index worst = -1;
    double most = kViolated * a_.norm();
    for (Index r = 0; r < K_.rows(); ++r) {
      if (norms_[r] == 0.0 || std::ranges::find(rows_, r) != rows_.end()) continue;
      const double violation = -along[r] / norms_[r];
      if (violation > most) most = violation, worst = r;
    }
    if (worst < 0 || static_cast<Index>(rows_.size()) >= K_.cols()) return false;
    const double before = residual_.squaredNorm();
    rows_.push_back(worst);
    settle();
    return residual_.squaredNorm() < before;
  }

 private:
  // Least squares on the active rows, without those it would make negative.
  void settle() {
    while (true) {
      const Matrix active = K_(rows_, Eigen::all).transpose();
      const Vector wanted = active.colPivHouseholderQr().solve(-a_);
      double length = 1.0;
      for (std::size_t k = 0; k < rows_.size(); ++k)
        if (const double now = mu_[rows_[k]], to = wanted[static_cast<Index>(k)]; to <= 0.0)
          length = std::min(length, now > to ? now / (now - to) : 0.0);
      for (std::size_t k = 0; k < rows_.size(); ++k)
        mu_[rows_[k]] += length * (wanted[static_cast<Index>(k)] - mu_[rows_[k]]);
      residual_ = a_ + active * mu_(rows_);
      if (length == 1.0) return;
      drop(wanted);
      if (rows_.empty()) return;
    }
  }
  // Those that are not wanted and have arrived at zero.
  void drop(const Vector& wanted) {
    const double small = 1e-14 * mu_.maxCoeff();
    std::vector<Index> kept;
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      if (mu_[rows_[k]] > small || wanted[static_cast<Index>(k)] > 0.0)
        kept.push_back(rows_[k]);
      else
        mu_[rows_[k]] = 0.0;
    }
    rows_ = std::move(kept);
    residual_ = a_ + K_.transpose() * mu_;
  }

  const Matrix& K_;
  const Vector& a_;
  Vector residual_, norms_, mu_;
  std::vector<Index> rows_;
};

}  // namespace

ConeProjection project_on_cone(const Matrix& K, const Vector& a) {
  ActiveSet set(K, a);
  for (Index k = 0; k < kChangesPerColumn * K.cols() && set.join(); ++k) {
  }
  ConeProjection out{.upper = set.residual().norm(), .direction = Vector::Zero(a.size())};
  // Rounding leaves a residual of this size where the projection is zero.
  if (out.upper <= 1e-14 * static_cast<double>(a.size()) * a.norm()) return out;
  out.direction = set.residual() / out.upper;
  out.value = a.dot(out.direction);
  return out;
}

ConeGains cone_gains(const Matrix& X, const PatternSet& patterns, const Matrix& E) {
  const Index P = patterns.size(), c = E.cols();
  ConeGains out{Matrix(P, 2 * c), Matrix(P, 2 * c),
                std::vector<Matrix>(static_cast<std::size_t>(P), Matrix(X.cols(), 2 * c))};
#pragma omp parallel for schedule(dynamic)
  for (Index i = 0; i < P; ++i) {
    Matrix K = X, masked = E;
    for (Index r = 0; r < X.rows(); ++r) {
      if (patterns.active(r, i)) continue;
      K.row(r) *= -1.0;
      masked.row(r).setZero();
    }
    const Matrix a = X.transpose() * masked;
    for (Index k = 0; k < 2 * c; ++k) {
      const Vector signed_a = k % 2 == 0 ? Vector(a.col(k / 2)) : Vector(-a.col(k / 2));
      const ConeProjection found = project_on_cone(K, signed_a);
      out.upper(i, k) = found.upper;
      out.value(i, k) = found.value;
      out.directions[static_cast<std::size_t>(i)].col(k) = found.direction;
    }
  }
  return out;
}

}  // namespace relulift
