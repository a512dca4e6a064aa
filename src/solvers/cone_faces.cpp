// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_faces.hpp"

#include <Eigen/Jacobi>
#include <Eigen/QR>
#include <algorithm>

namespace relulift {
namespace {

// What is left of a unit vector that lies in a span.
constexpr double kDependent = 1e-12;
// Of a vector, outside a span: rounding has spoiled no more than a digit.
constexpr double kMostlyOutside = 0.5;

// From multipliers mu >= 0 to those of least ||a + (rows) mu|| on a subset of the rows: as far
// towards the free ones as signs allow, and rows that reach zero leave.
void descend(const Vector& a, GrowingBasis& basis, ConeFaces::Rows& rows, Vector& mu) {
  while (!rows.empty()) {
    const Vector free = basis.multipliers(a);
    Index blocking = -1;
    double step = 1.0;
    for (Index k = 0; k < free.size(); ++k) {
      if (free[k] > 0.0) continue;
      const double reach = mu[k] > 0.0 ? mu[k] / (mu[k] - free[k]) : 0.0;
      if (reach <= step) {
        step = reach;
        blocking = k;
      }
    }
    if (blocking < 0) {
      mu = free;
      return;
    }
    const Vector moved = (mu + step * (free - mu)).cwiseMax(0.0);
    mu.resize(free.size() - 1);
    mu << moved.head(blocking), moved.tail(free.size() - 1 - blocking);
    rows.erase(rows.begin() + blocking);
    basis.remove(blocking);
  }
}

}  // namespace

// Again where much of v was inside, so that Q stays orthogonal to rounding.
bool GrowingBasis::append(const Vector& v) {
  if (size_ == Q_.rows()) return false;
  const auto Q = Q_.leftCols(size_);
  Vector inside = Q.transpose() * v;
  Vector rest = v - Q * inside;
  double length = rest.norm();
  if (!(length > kMostlyOutside * v.norm())) {
    const Vector again = Q.transpose() * rest;
    rest -= Q * again;
    inside += again;
    length = rest.norm();
  }
  if (!(length > kDependent * v.norm())) return false;
  R_.col(size_).head(size_) = inside;
  R_(size_, size_) = length;
  Q_.col(size_) = rest / length;
  ++size_;
  return true;
}

void GrowingBasis::remove(Index k) {
  for (Index j = k + 1; j < size_; ++j) R_.col(j - 1).head(j + 1) = R_.col(j).head(j + 1);
  --size_;
  for (Index j = k; j < size_; ++j) {
    Eigen::JacobiRotation<double> turn;
    turn.makeGivens(R_(j, j), R_(j + 1, j));
    R_.block(0, j, size_ + 1, size_ - j).applyOnTheLeft(j, j + 1, turn.adjoint());
    Q_.applyOnTheRight(j, j + 1, turn);
  }
}

Vector GrowingBasis::multipliers(const Vector& a) const {
  const Vector inside = -(Q_.leftCols(size_).transpose() * a);
  return R_.topLeftCorner(size_, size_).triangularView<Eigen::Upper>().solve(inside);
}

Vector GrowingBasis::rest(const Vector& a) const {
  const auto Q = Q_.leftCols(size_);
  const Vector once = a - Q * (Q.transpose() * a);
  return once - Q * (Q.transpose() * once);
}

ConeFaces::ConeFaces(const Matrix& X, const PatternSet& patterns, Index columns)
    : columns_(X.transpose()),
      inverse_norms_(
          X.rowwise().norm().unaryExpr([](double norm) { return norm > 0.0 ? 1.0 / norm : 0.0; })),
      patterns_(patterns),
      known_(static_cast<std::size_t>(patterns.size())),
      active_(static_cast<std::size_t>(columns)) {}

Index ConeFaces::most_violated(Index pattern, const Vector& u) const {
  Index worst = -1;
  double least = -kRounding * u.norm();
  for (const Index r : known_[static_cast<std::size_t>(pattern)]) {
    const double value = factor(pattern, r) * columns_.col(r).dot(u);
    if (value < least) {
      least = value;
      worst = r;
    }
  }
  return worst;
}

Vector ConeFaces::nearest(Index pattern, Index column, const Vector& a, double enough) {
  Rows& rows = active_[static_cast<std::size_t>(column)];
  GrowingBasis basis(a.size());
  std::erase_if(rows, [&](Index r) { return !basis.append(normal(pattern, r)); });
  Vector mu = Vector::Zero(basis.size());
  descend(a, basis, rows, mu);
  Vector u = basis.rest(a);
  for (Index step = 0; step < 3 * a.size() + 10 && u.norm() > enough; ++step) {
    const Index worst = most_violated(pattern, u);
    if (worst < 0 || !basis.append(normal(pattern, worst))) break;
    rows.push_back(worst);
    mu.conservativeResize(basis.size());
    mu[basis.size() - 1] = 0.0;
    descend(a, basis, rows, mu);
    u = basis.rest(a);
  }
  return u;
}

bool ConeFaces::learn(Index pattern, Index row) {
  Rows& rows = known_[static_cast<std::size_t>(pattern)];
  if (std::ranges::find(rows, row) != rows.end()) return false;
  rows.push_back(row);
  return true;
}

Matrix ConeFaces::tangent(Index pattern, Index column) const {
  const Rows& rows = active_[static_cast<std::size_t>(column)];
  const Index d = columns_.rows(), count = static_cast<Index>(rows.size());
  if (count == 0) return Matrix::Identity(d, d);
  Matrix normals(d, count);
  for (Index k = 0; k < count; ++k)
    normals.col(k) = normal(pattern, rows[static_cast<std::size_t>(k)]);
  const Matrix Q = Eigen::HouseholderQR<Matrix>(normals).householderQ();
  return Q.rightCols(d - count);
}

Vector ConeFaces::onto_tangent(Index pattern, Index column, const Vector& v) const {
  GrowingBasis basis(v.size());
  for (const Index r : active_[static_cast<std::size_t>(column)]) basis.append(normal(pattern, r));
  return basis.rest(v);
}

}  // namespace relulift
