// SPDX-License-Identifier: Apache-2.0
#include "src/presolve/presolve.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/presolve/parallel_rows.hpp"

namespace relulift {
namespace {

using ConstMap = Eigen::Map<const Matrix>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One side (alpha or beta) of every direction in [eq:merged].
struct Side {
  Vector squares;  // sum of tau^2
  Matrix moments;  // sum of |tau| y
  Side(Index directions, Index outputs)
      : squares(Vector::Zero(directions)), moments(Matrix::Zero(directions, outputs)) {}

  void add(Index i, double size, const Eigen::RowVectorXd& y) {
    squares(i) += size * size;
    moments.row(i) += size * y;
  }
  // Weight times target: what a row scaled by its weight has to predict.
  Eigen::RowVectorXd weighted_target(Index i) const {
    return moments.row(i) / std::sqrt(squares(i));
  }
};

std::vector<Index> direction_of_row(const RowGroups& groups) {
  std::vector<Index> position(groups.representative.size(), -1);
  for (std::size_t i = 0; i < groups.directions.size(); ++i)
    position[groups.directions[i]] = static_cast<Index>(i);
  std::vector<Index> direction(groups.representative.size(), -1);
  for (std::size_t j = 0; j < direction.size(); ++j)
    if (groups.representative[j] >= 0) direction[j] = position[groups.representative[j]];
  return direction;
}

// [eq:merged] in reduced form, on the columns and in the scale of the data.
void merge_rows(const ConstMap& X, const ConstMap& Y, const RowGroups& groups, Presolved& out) {
  const auto n = static_cast<Index>(groups.directions.size());
  const std::vector<Index> direction = direction_of_row(groups);
  Side alpha(n, Y.cols()), beta(n, Y.cols());
  for (Index j = 0; j < X.rows(); ++j) {
    if (direction[j] < 0) continue;
    const double tau = groups.ratio[j];
    (tau > 0.0 ? alpha : beta).add(direction[j], std::abs(tau), Y.row(j));
  }
  // The constant as a sum of squares: what no network can change, without cancellation.
  double constant = 0.0;
  for (Index j = 0; j < X.rows(); ++j) {
    const Index i = direction[j];
    Eigen::RowVectorXd fixed = Y.row(j);
    if (i >= 0) {
      const Side& side = groups.ratio[j] > 0.0 ? alpha : beta;
      fixed -= std::abs(groups.ratio[j]) / side.squares(i) * side.moments.row(i);
    }
    const bool alone = i >= 0 && groups.ratio[j] == 1.0 && alpha.squares(i) == 1.0;
    if (!alone) constant += 0.5 * fixed.squaredNorm();
  }

  ReducedProblem& reduced = out.reduced;
  out.weight = alpha.squares.cwiseSqrt();
  reduced.constant = constant;
  reduced.X.resize(n, X.cols());
  reduced.Y.resize(n, Y.cols());
  for (Index i = 0; i < n; ++i) {
    reduced.X.row(i) = out.weight(i) * X.row(groups.directions[i]);
    reduced.Y.row(i) = alpha.weighted_target(i);
    if (beta.squares(i) > 0.0) reduced.beta_rows.push_back(i);
  }
  reduced.beta_weight.resize(reduced.p());
  reduced.Y_beta.resize(reduced.p(), Y.cols());
  for (Index k = 0; k < reduced.p(); ++k) {
    const Index i = reduced.beta_rows[k];
    reduced.beta_weight(k) = std::sqrt(beta.squares(i)) / out.weight(i);
    reduced.Y_beta.row(k) = beta.weighted_target(i);
  }
}

// Rows of length one: the space they span is the same, and short rows are not lost in it.
Matrix unit_rows(const Matrix& X) {
  Matrix unit = X;
  for (Index i = 0; i < X.rows(); ++i) {
    unit.row(i) /= X.row(i).cwiseAbs().maxCoeff();  // squares of denormals are zero
    unit.row(i).normalize();
  }
  return unit;
}

// Orthonormal basis (d x r) of the numerical row space of X; empty when r = d. Directions below
// the tolerance are cut as long as that moves X by at most max_move, those at the level of rounding
// always.
Matrix row_space(const Matrix& X, double tolerance, double max_move) {
  const Index d = X.cols(), k = std::min(X.rows(), d);
  const bool tall = X.rows() >= d;
  // X = Q R (tall) or X' = Q R (wide): the SVD is taken of the small square factor.
  const Matrix unit = unit_rows(X);
  const Eigen::HouseholderQR<Matrix> qr(tall ? unit : Matrix(unit.transpose()));
  const Matrix R = qr.matrixQR().topRows(k).triangularView<Eigen::Upper>();
  const Eigen::BDCSVD<Matrix> svd(R, tall ? Eigen::ComputeFullV : Eigen::ComputeFullU);
  const auto rank_above = [&](double relative) {
    Index rank = 0;
    while (rank < k && svd.singularValues()(rank) > relative * svd.singularValues()(0)) ++rank;
    return rank;
  };
  const auto basis_of = [&](Index rank) -> Matrix {
    if (tall) return svd.matrixV().leftCols(rank);
    Matrix basis = Matrix::Zero(d, rank);
    basis.topRows(k) = svd.matrixU().leftCols(rank);
    return qr.householderQ() * basis;
  };
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const Index most = rank_above(kEpsilon * static_cast<double>(std::max(X.rows(), d)));
  Index rank = std::min(most, rank_above(tolerance));
  const auto moved = [&] {
    const Matrix Q = basis_of(rank);
    return (X - X * Q * Q.transpose()).norm();
  };
  while (rank < most && moved() > max_move) ++rank;
  return rank == d ? Matrix() : basis_of(rank);
}

// Root mean square row norm, safe for entries whose squares leave the range of a double.
double row_scale(const Matrix& X) {
  const double sigma = X.stableNorm() / std::sqrt(static_cast<double>(X.rows()));
  return sigma > 0.0 && std::isfinite(sigma) ? sigma : 1.0;
}

}  // namespace

Presolved presolve(const Problem& problem, const PresolveOptions& options) {
  const ConstMap X(problem.X.data(), problem.samples, problem.features);
  const ConstMap Y(problem.Y.data(), problem.samples, problem.outputs);
  // [eq:perturb] is at most ||Delta|| ||Y||/g times the objective, and a little more.
  const double size = Y.stableNorm();
  const double max_move = size > 0.0 ? options.max_cost * problem.weight_decay / size : kInfinity;
  RowGroups groups = group_parallel_rows(
      X, {.relative = options.merge_tolerance,
          .absolute = max_move / std::sqrt(static_cast<double>(problem.samples))});

  Presolved out;
  out.features = problem.features;
  out.removed_rows = problem.samples - static_cast<Index>(groups.directions.size());
  out.exact = groups.exact;
  out.perturbation = groups.perturbation;
  merge_rows(X, Y, groups, out);
  out.representative = std::move(groups.representative);
  ReducedProblem& reduced = out.reduced;
  reduced.weight_decay = problem.weight_decay;
  if (reduced.n() == 0) {
    reduced.X.resize(0, 0);
    out.basis.resize(problem.features, 0);
    return out;
  }
  out.sigma = row_scale(reduced.X);
  reduced.X /= out.sigma;
  reduced.weight_decay /= out.sigma;
  out.basis = row_space(reduced.X, options.rank_tolerance, max_move / out.sigma);
  if (out.basis.size() > 0) reduced.X = reduced.X * out.basis;
  return out;
}

Network Presolved::network(const Weights& weights) const {
  const double scale = 1.0 / std::sqrt(sigma);
  const bool rotated = basis.rows() > 0;
  const Matrix U = scale * (rotated ? Matrix(basis * weights.U) : weights.U);
  const Matrix V = scale * weights.V;
  return {.features = features,
          .outputs = reduced.c(),
          .neurons = weights.neurons(),
          .U = {U.data(), U.data() + U.size()},
          .V = {V.data(), V.data() + V.size()}};
}

Weights Presolved::weights(const Network& network) const {
  const double scale = std::sqrt(sigma);
  const ConstMap U(network.U.data(), network.features, network.neurons);
  const ConstMap V(network.V.data(), network.outputs, network.neurons);
  const bool rotated = basis.rows() > 0;
  return {scale * (rotated ? Matrix(basis.transpose() * U) : Matrix(U)), scale * V};
}

DualCandidate Presolved::dual_candidate(const Multipliers& multipliers) const {
  const Index n = reduced.n();
  DualCandidate candidate;
  // Exact merging is redone by the certificate; only a perturbed one has to be told.
  if (!exact) candidate.representative = representative;
  candidate.G = multipliers.G;
  candidate.H = Matrix::Zero(n, reduced.c());
  for (Index k = 0; k < reduced.p(); ++k)
    candidate.H.row(reduced.beta_rows[k]) = multipliers.H.row(k);
  Vector factor(2 * n);  // alpha_i(reduced) = factor_i alpha_i(canonical), and so for beta
  factor << weight / std::sqrt(sigma), weight / std::sqrt(sigma);
  if (multipliers.dense.size() > 0)
    candidate.dense = factor.asDiagonal() * multipliers.dense * factor.asDiagonal();
  candidate.entries.reserve(multipliers.entries.size());
  for (const auto& [i, j, value] : multipliers.entries)
    candidate.entries.push_back({i, j, factor(i) * value * factor(j)});
  return candidate;
}

}  // namespace relulift
