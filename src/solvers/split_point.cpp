// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/split_point.hpp"

#include <algorithm>
#include <cmath>

#include "src/solvers/pairs_primal.hpp"

namespace relulift {
namespace {

// What the cone with one more fixed row takes over from `parent`.
PairsPoint side_of(Index samples, const PairsPoint& parent, const Cone& cone, FixedRow fixed) {
  const std::vector<Index> open = open_rows(samples, cone);
  const auto at =
      static_cast<Index>(std::lower_bound(open.begin(), open.end(), fixed.row) - open.begin());
  const auto zero = static_cast<std::int32_t>(fixed.active ? samples + fixed.row : fixed.row);
  const auto without = [at](Index size) {
    std::vector<Index> kept;
    for (Index k = 0; k < size; ++k)
      if (k != at) kept.push_back(k);
    return kept;
  };
  PairsPoint side{.y = parent.y(without(parent.y.size())),
                  .G = parent.G,
                  .H = parent.H,
                  .pairs = {},
                  .w = {},
                  .kap = {},
                  .S = {}};
  std::vector<Index> kept;
  for (std::size_t p = 0; p < parent.pairs.size(); ++p) {
    const LiftedPair pair = parent.pairs[p];
    if (pair.i == zero || pair.j == zero) continue;
    side.pairs.push_back(pair);
    kept.push_back(static_cast<Index>(p));
  }
  side.w = parent.w(kept);
  const std::vector<Index> rows = without(parent.S.rows());
  side.S = 0.5 * parent.S(rows, rows);
  return side;
}

}  // namespace

SplitPoint whole_space(PairsPoint point) {
  SplitPoint out;
  out.cones.push_back(std::move(point));
  return out;
}

void cut(const ReducedProblem& problem, SplitPoint& point, Index leaf, Index row) {
  const Cone cone = point.tree.cones()[static_cast<std::size_t>(leaf)];
  const PairsPoint parent = std::move(point.cones[static_cast<std::size_t>(leaf)]);
  point.cones[static_cast<std::size_t>(leaf)] = side_of(problem.n(), parent, cone, {row, true});
  point.cones.insert(point.cones.begin() + leaf + 1,
                     side_of(problem.n(), parent, cone, {row, false}));
  point.tree.cut(leaf, row);
}

Vector cut_scores(const ReducedProblem& problem, const SplitPoint& point, Index leaf) {
  const Index n = problem.n();
  const Cone cone = point.tree.cones()[static_cast<std::size_t>(leaf)];
  const PairsPoint& at = point.cones[static_cast<std::size_t>(leaf)];
  const Vector norms = gram_of_cone(problem, cone, at.S).diagonal().cwiseMax(0.0).cwiseSqrt();
  Vector residual = at.G.rowwise().squaredNorm();
  for (Index k = 0; k < problem.p(); ++k)
    residual[problem.beta_rows[static_cast<std::size_t>(k)]] += at.H.row(k).squaredNorm();
  Vector scores = Vector::Zero(n);
  for (const Index i : open_rows(n, cone))
    scores[i] = std::sqrt(residual[i]) * std::min(norms[i], norms[n + i]);
  return scores;
}

Multipliers multipliers_of(const SplitPoint& point, Index leaf) {
  const PairsPoint& at = point.cones[static_cast<std::size_t>(leaf)];
  const Index n = at.G.rows();
  const std::vector<Index> open = open_rows(n, point.tree.cones()[static_cast<std::size_t>(leaf)]);
  Multipliers out{.G = at.G, .H = at.H, .dense = {}, .entries = {}};
  out.entries.reserve(open.size() + at.pairs.size());
  for (std::size_t k = 0; k < open.size(); ++k)
    out.entries.push_back({open[k], n + open[k], at.y[static_cast<Index>(k)]});
  for (std::size_t p = 0; p < at.pairs.size(); ++p)
    out.entries.push_back({at.pairs[p].i, at.pairs[p].j, at.w[static_cast<Index>(p)]});
  return out;
}

Matrix gram_of_cone(const ReducedProblem& problem, const Cone& cone, const Matrix& S) {
  const Matrix T = face_of_cone(problem, cone);
  Matrix K = lifted_gram(problem, T * S * T.transpose());
  const std::vector<bool> zero = zero_rows(problem.n(), cone);
  for (Index i = 0; i < K.rows(); ++i) {
    if (!zero[static_cast<std::size_t>(i)]) continue;
    K.row(i).setZero();
    K.col(i).setZero();
    K(i, i) = 1.0;
  }
  return K;
}

}  // namespace relulift
