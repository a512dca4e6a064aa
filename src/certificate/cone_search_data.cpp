// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/cone_search_data.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace relulift {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// The exponent that brings the largest entry into [1, 2); scaling by it is exact.
int exponent(const Matrix& A) {
  const double largest = A.size() ? A.cwiseAbs().maxCoeff() : 0.0;
  return largest > 0.0 ? std::ilogb(largest) : 0;
}

// ldexp in two halves: 2^-e itself may overflow.
Matrix scaled(const Matrix& A, int e) {
  const double half = std::ldexp(1.0, -(e / 2)), rest = std::ldexp(1.0, -(e - e / 2));
  return (A * half) * rest;
}

double spectral_norm(const Matrix& A) {  // an upper bound: rounding of the Gram matrix included
  const Matrix gram = A.rows() < A.cols() ? Matrix(A * A.transpose()) : Matrix(A.transpose() * A);
  if (gram.size() == 0) return 0.0;
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(gram, Eigen::EigenvaluesOnly);
  const double slack = 8.0 * kEps * static_cast<double>(A.rows() + A.cols() + 8) * gram.trace();
  return std::sqrt(std::max(0.0, eig.eigenvalues().maxCoeff()) + slack);
}

}  // namespace

ConeData prepare(const Matrix& X, const Matrix& E) {
  ConeData data;
  std::vector<Index> rows;
  for (Index i = 0; i < X.rows(); ++i)
    if (!X.row(i).isZero(0.0) && !E.row(i).isZero(0.0)) rows.push_back(i);
  const int ex = exponent(X), ee = exponent(E);
  const Matrix Xs = scaled(X, ex)(rows, Eigen::all), Es = scaled(E, ee)(rows, Eigen::all);
  data.scale = std::ldexp(1.0, ex + ee);

  const Index r = X.cols();
  data.axes = Matrix::Identity(r, r);
  double tilt = 0.0;
  if (r > 1 && !rows.empty()) {
    data.axes = Eigen::SelfAdjointEigenSolver<Matrix>(Xs.transpose() * Xs).eigenvectors();
    tilt = (data.axes.transpose() * data.axes - Matrix::Identity(r, r)).norm();
  }
  data.X = Xs * data.axes;
  data.E = Es;
  data.norm = Es.rowwise().norm();
  const double columns = static_cast<double>(r + E.cols());
  data.mass = data.norm.dot(Xs.rowwise().norm()) * (1.0 + 4.0 * kEps * (columns + 2.0));
  data.mass *= 1.0 + kEps * static_cast<double>(data.n());
  // Axes off orthogonal, products of r terms, F at a root a sum of n terms.
  data.rounding = tilt + kEps * (static_cast<double>(data.n() + r * r) + 8.0 * columns + 32.0);
  data.stretch = data.X.colwise().norm();
  const double widest = r > 0 && data.stretch.size() ? data.stretch.maxCoeff() : 0.0;
  data.stretch = data.stretch.cwiseMax(std::max(1e-8 * widest, 1e-300));
  // (Xu)_+ = (Xu + |Xu|)/2.
  if (!rows.empty())
    data.ceiling =
        (spectral_norm(Es.transpose() * Xs) + spectral_norm(Es) * spectral_norm(Xs)) / 2.0 +
        data.rounding * data.mass;
  return data;
}

double cone_value(const ConeData& data, const Vector& u) {
  return (data.E.transpose() * (data.X * u).cwiseMax(0.0)).norm();
}

ConeDirection ascend(const ConeData& data, const Vector& start, int iterations) {
  ConeDirection best{0.0, start.normalized()};
  Vector u = best.u, target = u;
  double step = 1.0;
  for (int k = 0; k <= iterations && step > 1e-3; ++k) {
    const Vector a = (data.X * u).cwiseMax(0.0);
    const Vector F = data.E.transpose() * a;
    const double value = F.norm();
    if (value > best.value * (1.0 + 1e-10)) {
      best = {value, u};
      target = data.X.transpose() * ((a.array() > 0.0).select(data.E * F, 0.0).matrix());
      if (!(target.norm() > 0.0)) return best;
      target.normalize();
      step = std::min(1.0, 2.0 * step);
    } else {
      step *= 0.25;  // too far: samples changed sides
    }
    u = (best.u + step * (target - best.u)).normalized();
  }
  return best;
}

void keep_distinct(std::vector<ConeDirection>& found, Index limit) {
  // Ties are broken by the directions, so that the order of discovery cannot matter.
  std::sort(found.begin(), found.end(), [](const ConeDirection& a, const ConeDirection& b) {
    if (a.value != b.value) return a.value > b.value;
    return std::lexicographical_compare(a.u.begin(), a.u.end(), b.u.begin(), b.u.end());
  });
  std::vector<ConeDirection> kept;
  for (ConeDirection& d : found) {
    if (static_cast<Index>(kept.size()) >= limit) break;
    const auto close = [&](const ConeDirection& k) { return (k.u - d.u).squaredNorm() < 1e-6; };
    if (std::none_of(kept.begin(), kept.end(), close)) kept.push_back(std::move(d));
  }
  found = std::move(kept);
}

}  // namespace relulift
