// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_primal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace relulift {
namespace {

// What it costs to lift violated pairs to zero: neurons u ~ N(0, tau S_uu) for the pairs that need
// no more than tau, a neuron of its own for each of the rest. tau is chosen on a grid: whatever it
// is, the value is that of a feasible point.
class Cover {
 public:
  // scale: the tau that a pair needs; own: ||u||^2 of a neuron halfway between its rows.
  void add(double scale, double own) {
    const double at = std::ceil(kPerOctave * (std::log2(scale) - kLowest));
    // NaN and infinity need a neuron of their own at every tau.
    const double step = at < kSteps ? std::max(at, 0.0) : static_cast<double>(kSteps);
    own_[static_cast<std::size_t>(at == at ? step : kSteps)] += own;
  }
  // The least tr dS_uu, of a tr S_uu = trace.
  double least(double trace) const {
    double own = own_[kSteps], best = std::numeric_limits<double>::infinity();
    for (Index k = kSteps; k-- > 0;) {
      best = std::min(best, std::exp2(static_cast<double>(k) / kPerOctave + kLowest) * trace + own);
      own += own_[static_cast<std::size_t>(k)];
    }
    return std::min(best, own);
  }

 private:
  // Powers of 2^(1/8) from 2^-64 to 2^32.
  static constexpr Index kPerOctave = 8, kSteps = 96 * kPerOctave;
  static constexpr double kLowest = -64.0;
  std::vector<double> own_ = std::vector<double>(kSteps + 1);
};

// Columns j, j + 1, .. of the Gram matrices of s and t, t = X u.
struct GramColumns {
  Matrix ss, ts, st, tt;  // ts: <t_i, s_j>, st: <s_i, t_j>
  const Vector& length2;  // ||t_i||^2 of all i
};

// The violated pairs i < j of these columns.
void add_deficits(const Matrix& X, const Vector& norm, Index first, const GramColumns& gram,
                  Cover& out) {
  const auto entry = [&](double k, double kernel, double reach) {
    if (k < 0.0) out.add(-k / std::max(kernel, 0.0), -k / std::max(reach, 0.0));
  };
  for (Index b = 0; b < gram.ss.cols(); ++b) {
    const Index j = first + b;
    for (Index i = 0; i < j; ++i) {
      const double s = gram.ss(i, b), t = gram.tt(i, b);
      const double even = gram.st(i, b) + gram.ts(i, b), odd = gram.ts(i, b) - gram.st(i, b);
      const double lowest = std::min(s + t - std::abs(even), s - t - std::abs(odd));
      if (!(lowest < 0.0)) continue;
      const double kernel = absolute_kernel(gram.length2[i], gram.length2[j], t);
      const double norms = norm[i] * norm[j], product = X.row(i).dot(X.row(j));
      const double like = 0.25 * (kernel + t), near = 0.5 * (norms + product);
      const double mixed = 0.25 * (kernel - t), far = 0.5 * (norms - product);
      entry(0.25 * (s + t + even), like, near);
      entry(0.25 * (s + t - even), like, near);
      entry(0.25 * (s - t + odd), mixed, far);
      entry(0.25 * (s - t - odd), mixed, far);
    }
  }
}

double loss(const ReducedProblem& problem, const Matrix& sv, const Matrix& tv) {
  double value = 0.5 * (0.5 * (sv + tv) - problem.Y).squaredNorm();
  for (Index k = 0; k < problem.p(); ++k) {
    const Index i = problem.beta_rows[k];
    value += 0.5 * (0.5 * problem.beta_weight[k] * (sv.row(i) - tv.row(i)) - problem.Y_beta.row(k))
                       .squaredNorm();
  }
  return value;
}

}  // namespace

double absolute_kernel(double aa, double bb, double ab) {
  const double norms = std::sqrt(aa * bb);
  const double cosine = std::clamp(ab / norms, -1.0, 1.0);
  const double angle = std::acos(cosine);
  return norms * (2.0 * std::numbers::inv_pi) *
         (std::sqrt(1.0 - cosine * cosine) + (0.5 * std::numbers::pi - angle) * cosine);
}

Matrix lifted_gram(const ReducedProblem& problem, const Matrix& S) {
  const Index n = problem.n(), d = problem.d();
  Matrix L = Matrix::Zero(2 * n, n + d);
  L.topLeftCorner(n, n).diagonal().setConstant(0.5);
  L.bottomLeftCorner(n, n).diagonal().setConstant(0.5);
  L.topRightCorner(n, d) = 0.5 * problem.X;
  L.bottomRightCorner(n, d) = -0.5 * problem.X;
  const Matrix left = L * S.topLeftCorner(n + d, n + d);
  return left * L.transpose();
}

double feasible_primal(const ReducedProblem& problem, const Matrix& S) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const Matrix& X = problem.X;
  const Matrix tt = X * S.block(n, n, d, d) * X.transpose();
  const Vector length2 = tt.diagonal(), norm = X.rowwise().norm();
  const Vector row = (length2.array() / S.diagonal().head(n).array()).sqrt();
  if (!row.allFinite()) return std::numeric_limits<double>::infinity();
  const Matrix ss = row.asDiagonal() * S.topLeftCorner(n, n) * row.asDiagonal();
  const Matrix st = row.asDiagonal() * S.block(0, n, n, d) * X.transpose();
  const double u = S.diagonal().segment(n, d).sum(), v = S.diagonal().tail(c).sum();
  Cover cover;
  add_deficits(X, norm, 0, {ss, st.transpose(), st, tt, length2}, cover);
  return loss(problem, row.asDiagonal() * S.block(0, n + d, n, c), X * S.block(n, n + d, d, c)) +
         0.5 * problem.weight_decay * (u + cover.least(u) + v);
}

double feasible_primal_of_factor(const ReducedProblem& problem, const Matrix& Z) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const Matrix& X = problem.X;
  const Matrix t = Z.middleCols(n, d) * X.transpose();
  const Vector length2 = t.colwise().squaredNorm(), norm = X.rowwise().norm();
  const Vector row =
      (length2.array() / Z.leftCols(n).colwise().squaredNorm().transpose().array()).sqrt();
  if (!row.allFinite()) return std::numeric_limits<double>::infinity();
  const Matrix s = Z.leftCols(n) * row.asDiagonal();
  const auto V = Z.rightCols(c);
  // Four matrices of n x block doubles.
  const Index block = std::clamp<Index>((Index{1} << 21) / std::max<Index>(n, 1), 8, 256);
  Cover cover;
  for (Index j = 0; j < n; j += block) {
    const Index cols = std::min(block, n - j), rows = j + cols;
    const auto sj = s.middleCols(j, cols), tj = t.middleCols(j, cols);
    const auto upper = [&](const Matrix& a, const auto& b) -> Matrix {
      return a.leftCols(rows).transpose() * b;
    };
    add_deficits(X, norm, j, {upper(s, sj), upper(t, sj), upper(s, tj), upper(t, tj), length2},
                 cover);
  }
  const double u = Z.middleCols(n, d).squaredNorm(), v = V.squaredNorm();
  return loss(problem, s.transpose() * V, t.transpose() * V) +
         0.5 * problem.weight_decay * (u + cover.least(u) + v);
}

}  // namespace relulift
