// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/cone_search_data.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace relulift {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

// The exponent that brings the largest entry into [1, 2).
int exponent(const auto& A) {
  const double largest = A.size() ? A.cwiseAbs().maxCoeff() : 0.0;
  return largest > 0.0 ? std::ilogb(largest) : 0;
}

// 2^shift_i times row i: exact but for entries that become denormal.
Matrix shifted(Matrix A, const std::vector<int>& shift) {
  for (Index j = 0; j < A.cols(); ++j)
    for (Index i = 0; i < A.rows(); ++i) A(i, j) = std::ldexp(A(i, j), shift[i]);
  return A;
}

Matrix shifted(const Matrix& A, int shift) {
  return shifted(A, std::vector<int>(static_cast<std::size_t>(A.rows()), shift));
}

double spectral_norm(const Matrix& A) {  // an upper bound: rounding of the Gram matrix included
  const Matrix gram = A.rows() < A.cols() ? Matrix(A * A.transpose()) : Matrix(A.transpose() * A);
  if (gram.size() == 0) return 0.0;
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(gram, Eigen::EigenvaluesOnly);
  const double slack = 8.0 * kEps * static_cast<double>(A.rows() + A.cols() + 8) * gram.trace();
  const bool converged = eig.info() == Eigen::Success;
  const double largest = converged ? std::max(0.0, eig.eigenvalues().maxCoeff()) : gram.trace();
  return std::sqrt(largest + slack);
}

// Of X as given, scaled by one power of two.
void choose_axes(const Matrix& X, ConeData& data) {
  const Index r = X.cols();
  data.axes = Matrix::Identity(r, r);
  if (r > 1 && X.rows() > 0) {
    const Eigen::SelfAdjointEigenSolver<Matrix> eig(X.transpose() * X);
    if (eig.info() == Eigen::Success) data.axes = eig.eigenvectors();
  }
  data.stretch = (X * data.axes).colwise().norm();
  const double widest = r > 0 ? data.stretch.maxCoeff() : 0.0;
  data.stretch = data.stretch.cwiseMax(std::max(1e-8 * widest, 1e-300));
}

}  // namespace

ConeData prepare(const Matrix& X, const Matrix& E) {
  ConeData data;
  std::vector<Index> rows;
  for (Index i = 0; i < X.rows(); ++i)
    if (!X.row(i).isZero(0.0) && !E.row(i).isZero(0.0)) rows.push_back(i);
  const Matrix Xk = X(rows, Eigen::all), Ek = E(rows, Eigen::all);
  // (2^k x_i, 2^-k e_i) is the same term of E'(Xu)_+ for every k. Entries of x_i are brought near
  // one, and so is the largest e_i: then mass >= 1, and what underflows in squares and products
  // (1e-154 per row at most) is nothing beside rounding * mass, which every bound pays.
  std::vector<int> of_X(rows.size()), of_E(rows.size());
  int top = std::numeric_limits<int>::min();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    of_X[i] = -exponent(Xk.row(i));
    top = std::max(top, exponent(Ek.row(i)) - of_X[i]);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) of_E[i] = -of_X[i] - top;
  const Matrix Xs = shifted(Xk, of_X);
  data.E = shifted(Ek, of_E);
  if (!rows.empty())  // where 2^top is no double, a larger scale is still a bound
    data.scale = std::max(std::ldexp(1.0, top), std::numeric_limits<double>::denorm_min());

  const int ex = exponent(Xk), ee = exponent(Ek);
  const Matrix Xu = shifted(Xk, -ex), Eu = shifted(Ek, -ee);
  choose_axes(Xu, data);
  const Index r = X.cols();
  const double tilt = (data.axes.transpose() * data.axes - Matrix::Identity(r, r)).norm();
  data.X = Xs * data.axes;
  data.norm = data.E.rowwise().norm();
  const double columns = static_cast<double>(r + E.cols());
  data.mass = data.norm.dot(Xs.rowwise().norm()) * (1.0 + 4.0 * kEps * (columns + 2.0));
  data.mass *= 1.0 + kEps * static_cast<double>(data.n());
  // Axes off orthogonal, products of r terms, F at a root a sum of n terms.
  data.rounding = tilt + kEps * (static_cast<double>(data.n() + r * r) + 8.0 * columns + 32.0);
  if (rows.empty()) return data;
  // (Xu)_+ = (Xu + |Xu|)/2. The product of norms depends on how rows share their scale.
  const double shared = spectral_norm(data.E) * spectral_norm(Xs);
  const double as_given = std::ldexp(spectral_norm(Eu) * spectral_norm(Xu), ex + ee - top);
  data.ceiling = (spectral_norm(data.E.transpose() * Xs) + std::min(shared, as_given)) / 2.0 +
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
