// SPDX-License-Identifier: Apache-2.0
// Points on partitions of weight space [eq:split] for tests, and an oracle in plain loops that says
// whether their multipliers are dual feasible.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <string>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "src/solvers/split_bound.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {

// Nearly optimal on the whole space.
inline PairsPoint root_point(const ReducedProblem& problem, double tolerance = 1e-4) {
  CpuBackend be(1);
  PairsInteriorPoint<CpuBackend> engine(be, problem, {.tolerance = tolerance});
  const EngineOutcome out = engine.run(Control(), {});
  return pairs_point(out.multipliers, out.S);
}

// Q(G, W) of [eq:slack] on all (s, u, v), from the definition.
inline Matrix plain_slack(const ReducedProblem& p, const Multipliers& dual) {
  const Index n = p.n(), d = p.d(), c = p.c(), u = n, v = n + d;
  Matrix Q = Matrix::Zero(v + c, v + c);
  const auto lifted = [&](Index row) {  // alpha_i or beta_i = half of s_i plus or minus x_i'u
    Vector l = Vector::Zero(v + c);
    l(row % n) = 0.5;
    for (Index k = 0; k < d; ++k) l(u + k) = (row < n ? 0.5 : -0.5) * p.X(row % n, k);
    return l;
  };
  for (const auto& [i, j, value] : dual.entries) {
    const Vector a = lifted(i), b = lifted(j);
    Q -= value * a * b.transpose();
    if (i != j) Q -= value * b * a.transpose();
  }
  for (Index k = u; k < v + c; ++k) Q(k, k) += 0.5 * p.weight_decay;
  const auto residual = [&](Index row, double weight, const auto& multipliers) {
    const Vector half = 0.5 * weight * lifted(row);
    Q.rightCols(c) += half * multipliers;
    Q.bottomRows(c) += (half * multipliers).transpose();
  };
  for (Index i = 0; i < n; ++i) residual(i, 1.0, dual.G.row(i));
  for (Index k = 0; k < p.p(); ++k)
    residual(n + p.beta_rows[static_cast<std::size_t>(k)], p.beta_weight[k], dual.H.row(k));
  return Q;
}

// The smallest eigenvalue of Q where s_i = |x_i'u| is known to be linear, its diagonal scaled to
// one. -1 where a multiplier has the wrong sign or stands at a row that is zero in the cone.
inline double least_eigenvalue(const ReducedProblem& p, const Cone& cone, const Multipliers& dual) {
  const Index n = p.n(), order = n + p.d() + p.c();
  Matrix N = Matrix::Identity(order, order);
  std::vector<Index> kept;
  for (const auto& [row, active] : cone) {
    N(row, row) = 0.0;
    for (Index k = 0; k < p.d(); ++k) N(row, n + k) = (active ? 1.0 : -1.0) * p.X(row, k);
  }
  for (Index k = 0; k < order; ++k)
    if (k >= n || N(k, k) == 1.0) kept.push_back(k);
  for (const auto& [i, j, value] : dual.entries) {
    if (std::abs(i - j) != n && !(value >= 0.0)) return -1.0;
    for (const auto& [row, active] : cone)
      for (const Index lifted : {i, j})
        if (lifted == (active ? n + row : row)) return -1.0;
  }
  const Matrix basis = N(Eigen::indexing::all, kept);
  Matrix Q = basis.transpose() * plain_slack(p, dual) * basis;
  if (!(Q.diagonal().minCoeff() > 0.0)) return -1.0;
  const Vector scale = Q.diagonal().cwiseSqrt().cwiseInverse();
  Q = scale.asDiagonal() * Q * scale.asDiagonal();
  return Eigen::SelfAdjointEigenSolver<Matrix>(Q, Eigen::EigenvaluesOnly).eigenvalues()(0);
}

// Over all cones; -1 where two of them disagree on the residual multipliers.
inline double least_eigenvalue(const ReducedProblem& p, const SplitPoint& point) {
  const std::vector<Cone> cones = point.tree.cones();
  double least = cones.size() == point.cones.size() ? 1.0 : -1.0;
  for (std::size_t k = 0; k < point.cones.size(); ++k) {
    const Multipliers dual = multipliers_of(point, static_cast<Index>(k));
    if (dual.G != point.cones[0].G || dual.H != point.cones[0].H) return -1.0;
    least = std::min(least, least_eigenvalue(p, cones[k], dual));
  }
  return least;
}

// D(G) of [eq:merged] by plain sums, constant included.
inline double plain_dual(const ReducedProblem& p, const SplitPoint& point) {
  double value = p.constant;
  for (Index o = 0; o < p.c(); ++o) {
    for (Index i = 0; i < p.n(); ++i) {
      const double g = point.cones[0].G(i, o);
      value -= g * p.Y(i, o) + 0.5 * g * g;
    }
    for (Index k = 0; k < p.p(); ++k) {
      const double h = point.cones[0].H(k, o);
      value -= h * p.Y_beta(k, o) + 0.5 * h * h;
    }
  }
  return value;
}

// What a session offers to have proved.
inline SplitCandidate candidate_of(const Presolved& presolved, const SplitPoint& point) {
  SplitCandidate out{point.tree.nodes(), {}};
  for (Index leaf = 0; leaf < static_cast<Index>(point.cones.size()); ++leaf)
    out.leaves.push_back(presolved.dual_candidate(multipliers_of(point, leaf)));
  return out;
}

// The best point of a run from `root`.
inline SplitPoint split_point(const ReducedProblem& problem, PairsPoint root, Index cones) {
  CpuBackend be(1);
  SplitBound<CpuBackend> split(be, problem, std::move(root), {.max_cones = cones});
  SplitPoint best;
  split.run(Control(), [&](const SplitStage&, const SplitPoint& point) {
    best = point;
    return true;
  });
  return best;
}

}  // namespace relulift::testing
