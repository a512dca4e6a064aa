// SPDX-License-Identifier: Apache-2.0
#include "src/api/proofs.hpp"

#include <algorithm>
#include <cmath>

#include "src/certificate/merged_data.hpp"
#include "src/certificate/residual_bound.hpp"
#include "src/certificate/rounding.hpp"

namespace relulift {
namespace {

struct Scales {
  double t;      // of the candidate
  double shift;  // of C
  double sigma;  // of the penalty
};

// The best t of [eq:repair], and t Q + shift C with sigma g/2 on u and v.
Scales choose_scales(const MergedData& data, const DualCandidate& candidate, double kappa,
                     double objective_upper) {
  Extended linear = 0, square = 0;
  const auto add = [&](Extended multiplier, Extended target) {
    linear -= multiplier * target;
    square += multiplier * multiplier;
  };
  for (Index o = 0; o < data.outputs(); ++o)
    for (Index i = 0; i < data.directions(); ++i) {
      add(candidate.G(i, o), data.AYa(i, o));
      if (candidate.H.size() > 0 && data.B(i) > 0) add(candidate.H(i, o), data.BYb(i, o));
    }
  if (!(square > 0) || !std::isfinite(kappa)) return {0.0, 1.0, 1.0};
  const Extended growth = 1 + Extended(kappa);
  const Extended penalty = std::min<Extended>(data.half_square / 2, objective_upper);
  const Extended most = (linear - growth * penalty) / square;
  const Extended t = std::max(std::clamp<Extended>(linear / square, 0, 1 / growth), most);
  if (t * growth <= 1 + 1e-15L) return {static_cast<double>(t), static_cast<double>(1 - t), 1.0};
  return {static_cast<double>(t), static_cast<double>(t * kappa), static_cast<double>(t * growth)};
}

// The multipliers of a residual per row of the data as given: t times the candidate's share, and
// whole what no network can change.
Matrix residual_multipliers(const Problem& problem, const MergedData& data,
                            const std::vector<Index>& position, const DualCandidate& candidate,
                            double t) {
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  Matrix G = -Y;
  for (Index j = 0; j < problem.samples; ++j) {
    const Index i = position[j];
    if (i < 0) continue;
    const bool alpha = data.ratio[j] > 0.0;
    const Extended weight = alpha ? data.A(i) : data.B(i);
    const Extended share = std::abs(Extended(data.ratio[j])) / weight;
    for (Index o = 0; o < problem.outputs; ++o) {
      const Extended mean = alpha ? data.AYa(i, o) : data.BYb(i, o);
      Extended own = 0;
      if (t > 0.0 && alpha) own = candidate.G(i, o);
      if (t > 0.0 && !alpha && candidate.H.size() > 0) own = candidate.H(i, o);
      G(j, o) = static_cast<double>(t * share * own - (Extended(Y(j, o)) - share * mean));
    }
  }
  return G;
}

}  // namespace

Proof multiplier_proof(const Problem& problem, const DualCandidate& candidate, double kappa,
                       const Vector& shift, double objective_upper) {
  const MergedData data = merge_data(problem, candidate.representative);
  const Index n = problem.samples, k = data.directions();
  std::vector<Index> rows, position(static_cast<std::size_t>(n), -1);
  for (Index j = 0; j < n; ++j) {
    const Index i = data.representative[j];
    if (i == j) rows.push_back(j);
    if (i >= 0) position[j] = i == j ? static_cast<Index>(rows.size()) - 1 : position[i];
  }
  const Scales scales =
      shift.size() > 0 ? choose_scales(data, candidate, kappa, objective_upper) : Scales{0, 1, 1};

  Proof proof;
  proof.kind = "cholesky";
  proof.sigma = scales.sigma;
  const Matrix G = residual_multipliers(problem, data, position, candidate, scales.t);
  proof.G.assign(G.data(), G.data() + G.size());
  if (static_cast<Index>(rows.size()) < n) {
    proof.representative = data.representative;
    proof.ratio = data.ratio;
  }
  const auto add = [&](Index p, Index q, double value) {
    const auto row = [&](Index lifted) { return rows[lifted % k] + (lifted < k ? 0 : n); };
    if (!is_free(p, q, k)) value = std::max(0.0, value);
    if (value != 0.0) proof.entries.push_back({row(p), row(q), value});
  };
  if (scales.t > 0.0) {
    for (const auto& [p, q, value] : candidate.entries) add(p, q, scales.t * value);
    for (Index q = 0; q < candidate.dense.cols(); ++q)
      for (Index p = q; p < candidate.dense.rows(); ++p)
        add(p, q, scales.t * 0.5 * (candidate.dense(p, q) + candidate.dense(q, p)));
  }
  // C = Q(0, 0, W0); without a candidate any shift serves that leaves C positive definite.
  const double plain = problem.weight_decay / std::max(data.X.squaredNorm(), 1e-300);
  for (Index i = 0; i < k; ++i)
    add(i, k + i, -0.5 * scales.shift * (shift.size() > 0 ? shift(i) : plain));
  return proof;
}

Proof split_proof(const Problem& problem, const SplitCandidate& candidate, double kappa,
                  double objective_upper) {
  const MergedData data = merge_data(problem, candidate.leaves.front().representative);
  // C of [eq:shift] is positive definite for half of what the norm of the rows allows.
  const Vector squares = data.X.rowwise().squaredNorm();
  const double norm = spectral_norm_bound(squares.cwiseSqrt().cwiseInverse().asDiagonal() * data.X);
  const Vector shift = (problem.weight_decay / (norm * norm)) * squares.cwiseInverse();
  Proof proof;
  std::vector<Proof::Entry> entries;
  std::vector<Index> counts;
  for (const DualCandidate& leaf : candidate.leaves) {
    proof = multiplier_proof(problem, leaf, kappa, shift, objective_upper);
    entries.insert(entries.end(), proof.entries.begin(), proof.entries.end());
    counts.push_back(static_cast<Index>(proof.entries.size()));
  }
  proof.kind = "split";
  proof.entries = std::move(entries);
  proof.leaf_entries = std::move(counts);
  std::vector<Index> rows;
  for (Index j = 0; j < problem.samples; ++j)
    if (data.representative[j] == j) rows.push_back(j);
  for (const Index node : candidate.nodes) proof.splits.push_back(node < 0 ? -1 : rows[node]);
  return proof;
}

Proof floor_proof(const Problem& problem) {
  const Eigen::Map<const Matrix> X(problem.X.data(), problem.samples, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  // The verifier's roundings are not those of the bound.
  constexpr double kRoom = 1.0 + 1e-11;
  const double norm_X = kRoom * spectral_norm_bound(X), norm_Y = kRoom * spectral_norm_bound(Y);
  const double product = norm_X * norm_Y;
  const double t =
      product > 0.0 ? std::min(1.0, problem.weight_decay / product * (1.0 - 1e-12)) : 1.0;
  Proof proof;
  proof.kind = "floor";
  for (const double y : problem.Y) proof.G.push_back(-t * y);
  proof.norms = {norm_X, t * norm_Y * (1.0 + 1e-13)};
  return proof;
}

}  // namespace relulift
