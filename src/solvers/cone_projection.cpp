// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_projection.hpp"

#include <Eigen/QR>
#include <utility>

#include "src/patterns/pattern_rows.hpp"

namespace relulift {
namespace {

constexpr Index kChangesPerColumn = 20;

// min ||a + K'mu||, mu >= 0, by rows of K that carry a positive mu.
class ActiveSet {
 public:
  ActiveSet(const SignedRows& K, const Vector& a, std::vector<Index> rows)
      : K_(K), a_(a), rows_(std::move(rows)), mu_(Vector::Zero(count())), u_(a) {
    settle();
  }

  // Lets the worst violated row join; false when there is none, or none that helps.
  bool join() {
    if (count() >= a_.size()) return false;
    Vector along = K_.signs.cwiseProduct(K_.columns.transpose() * u_);
    along(rows_).setZero();
    Index worst = -1;
    double least = -kConeRounding * a_.norm();
    for (Index r = 0; r < along.size(); ++r) {
      if (!(along[r] < least * K_.norms[r])) continue;
      least = along[r] / K_.norms[r];
      worst = r;
    }
    if (worst < 0) return false;
    const double before = u_.squaredNorm();
    rows_.push_back(worst);
    mu_.conservativeResize(count());
    mu_[count() - 1] = 0.0;
    settle();
    return u_.squaredNorm() < before;
  }

  NearestPoint take() { return {std::move(u_), std::move(rows_)}; }

 private:
  Index count() const { return static_cast<Index>(rows_.size()); }

  // To the multipliers of least norm on a subset of the rows: as far towards those of any sign as
  // theirs allow, and rows that reach zero leave.
  void settle() {
    while (!rows_.empty()) {
      const Matrix active = K_.columns(Eigen::all, rows_) * K_.signs(rows_).asDiagonal();
      const Vector wanted = active.colPivHouseholderQr().solve(-a_);
      Index blocking = -1;
      double length = 1.0;
      for (Index k = 0; k < count(); ++k) {
        if (wanted[k] > 0.0) continue;
        const double reach = mu_[k] > 0.0 ? mu_[k] / (mu_[k] - wanted[k]) : 0.0;
        if (reach <= length) length = reach, blocking = k;
      }
      if (blocking < 0) {
        mu_ = wanted;
        u_ = a_ + active * mu_;
        return;
      }
      mu_ += length * (wanted - mu_);
      Vector kept(count() - 1);
      kept << mu_.head(blocking), mu_.tail(count() - 1 - blocking);
      mu_ = kept.cwiseMax(0.0);
      rows_.erase(rows_.begin() + blocking);
    }
    u_ = a_;
  }

  const SignedRows& K_;
  const Vector& a_;
  std::vector<Index> rows_;
  Vector mu_, u_;
};

ConeProjection project(const SignedRows& K, const Vector& a) {
  const Vector nearest = nearest_in_cone(K, a).u;
  ConeProjection out{.upper = nearest.norm(), .direction = Vector::Zero(a.size())};
  // Rounding leaves a residual of this size where the projection is zero.
  if (out.upper <= 1e-14 * static_cast<double>(a.size()) * a.norm()) return out;
  out.direction = nearest / out.upper;
  out.value = a.dot(out.direction);
  return out;
}

}  // namespace

NearestPoint nearest_in_cone(const SignedRows& K, const Vector& a, std::vector<Index> rows) {
  ActiveSet set(K, a, std::move(rows));
  for (Index k = 0; k < kChangesPerColumn * a.size() && set.join(); ++k) {
  }
  return set.take();
}

ConeProjection project_on_cone(const Matrix& K, const Vector& a) {
  const Matrix columns = K.transpose();
  const Vector norms = K.rowwise().norm();
  return project({columns, norms, Vector::Ones(K.rows())}, a);
}

ConeGains cone_gains(const Matrix& X, const PatternSet& patterns, const Matrix& E) {
  const Index P = patterns.size(), c = E.cols();
  ConeGains out{Matrix(P, 2 * c), Matrix(P, 2 * c),
                std::vector<Matrix>(static_cast<std::size_t>(P), Matrix(X.cols(), 2 * c))};
  const Matrix columns = X.transpose();
  const Vector norms = X.rowwise().norm();
#pragma omp parallel for schedule(dynamic)
  for (Index i = 0; i < P; ++i) {
    const SignedRows K{columns, norms, pattern_signs(patterns, i)};
    const Matrix a = pattern_correlations(X, patterns, i, E);
    for (Index k = 0; k < 2 * c; ++k) {
      const Vector signed_a = k % 2 == 0 ? Vector(a.col(k / 2)) : Vector(-a.col(k / 2));
      const ConeProjection found = project(K, signed_a);
      out.upper(i, k) = found.upper;
      out.value(i, k) = found.value;
      out.directions[static_cast<std::size_t>(i)].col(k) = found.direction;
    }
  }
  return out;
}

}  // namespace relulift
