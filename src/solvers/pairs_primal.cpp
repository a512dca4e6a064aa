// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_primal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace relulift {
namespace {

// A violated pair: what infinitely many neurons or one neuron of its own would cost to lift it to
// zero.
struct Deficit {
  double scale;  // tau of N(0, tau S_uu)
  double own;    // ||u||^2 of the neuron halfway between the two rows
};

std::vector<Deficit> deficits(const Matrix& X, const Matrix& ss, const Matrix& st,
                              const Matrix& tt) {
  std::vector<Deficit> out;
  const Vector norm = X.rowwise().norm();
  const auto entry = [&](double k, double kernel, double reach) {
    if (k < 0.0) out.push_back({-k / std::max(kernel, 0.0), -k / std::max(reach, 0.0)});
  };
  for (Index j = 0; j < ss.cols(); ++j) {
    for (Index i = 0; i < j; ++i) {
      const double s = ss(i, j), t = 0.5 * (tt(i, j) + tt(j, i));
      const double even = st(i, j) + st(j, i), odd = st(j, i) - st(i, j);
      const double kernel = absolute_kernel(tt(i, i), tt(j, j), t);
      const double norms = norm[i] * norm[j], product = X.row(i).dot(X.row(j));
      const double like = 0.25 * (kernel + t), near = 0.5 * (norms + product);
      const double mixed = 0.25 * (kernel - t), far = 0.5 * (norms - product);
      entry(0.25 * (s + t + even), like, near);
      entry(0.25 * (s + t - even), like, near);
      entry(0.25 * (s - t + odd), mixed, far);
      entry(0.25 * (s - t - odd), mixed, far);
    }
  }
  return out;
}

// The least tr dS_uu that lifts every pair to zero: scale by tau, the pairs beyond it one by one.
double cover(std::vector<Deficit> list, double trace) {
  std::sort(list.begin(), list.end(),
            [](const Deficit& a, const Deficit& b) { return a.scale > b.scale; });
  double own = 0.0, least = std::numeric_limits<double>::infinity();
  for (const Deficit& next : list) {
    least = std::min(least, next.scale * trace + own);
    own += next.own;
  }
  return std::min(least, own);
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

double feasible_primal(const ReducedProblem& problem, const Matrix& S) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const Matrix& X = problem.X;
  const Matrix tt = X * S.block(n, n, d, d) * X.transpose();
  const Vector row = (tt.diagonal().array() / S.diagonal().head(n).array()).sqrt();
  if (!row.allFinite()) return std::numeric_limits<double>::infinity();
  const Matrix ss = row.asDiagonal() * S.topLeftCorner(n, n) * row.asDiagonal();
  const Matrix st = row.asDiagonal() * S.block(0, n, n, d) * X.transpose();
  const double u = S.diagonal().segment(n, d).sum(), v = S.diagonal().tail(c).sum();
  const double added = cover(deficits(X, ss, st, tt), u);
  return loss(problem, row.asDiagonal() * S.block(0, n + d, n, c), X * S.block(n, n + d, d, c)) +
         0.5 * problem.weight_decay * (u + added + v);
}

}  // namespace relulift
