// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/dense_admm_host.hpp"

#include <cmath>

namespace relulift {

DenseSums DenseSums::from(const double* sums, double rho) {
  DenseSums out;
  out.rho = rho;
  out.gap = std::sqrt(sums[0] + sums[3] + sums[8]);
  out.point = std::sqrt(sums[1] + sums[4] + sums[9]);
  out.multiplier = rho * std::sqrt(sums[2] + sums[5]);
  out.primal = sums[6] + sums[10];
  out.dual = sums[7];
  return out;
}

double next_penalty(const DenseAdmmOptions& options, const DenseSums& sums) {
  const double target = options.balance * sums.multiplier / sums.point;
  if (!(target > 0.0) || !std::isfinite(target)) return sums.rho;
  return std::clamp(target, sums.rho / options.adapt_factor, sums.rho * options.adapt_factor);
}

Index columns_to_keep(Index positive, Index order) {
  const Index wanted = positive + positive / 4 + 32;
  return std::min(order, (wanted + 31) / 32 * 32);
}

EngineBytes dense_admm_bytes(const ReducedProblem& problem) {
  const Index n = problem.n(), order = n + problem.d() + problem.c();
  const Index engine = 2 * order * order + n * order + 3 * n * n;
  const Index eigensolver = 3 * order * order;                  // cuSOLVER's; LAPACK's is 2
  const Index certificate = 5 * order * order + 2 * 4 * n * n;  // Q, and W here and there
  return {.engine = 8 * (engine + eigensolver), .host = 8 * certificate};
}

LossData loss_data(const ReducedProblem& problem, const Face& face) {
  LossData loss;
  loss.weight = Vector::Ones(face.n);
  loss.beta_weight = Vector::Zero(face.n);
  loss.beta_target = Matrix::Zero(face.n, face.c);
  loss.scale = face.v * face.row;
  for (Index k = 0; k < problem.p(); ++k) {
    const Index i = problem.beta_rows[static_cast<std::size_t>(k)];
    loss.beta_weight[i] = problem.beta_weight[k];
    loss.beta_target.row(i) = problem.Y_beta.row(k);
  }
  return loss;
}

Multipliers unpack(const ReducedProblem& problem, const Face& face,
                   const PackedMultipliers& packed) {
  const Index n = face.n;
  Multipliers out;
  out.G = packed.G;
  out.H.resize(problem.p(), face.c);
  for (Index k = 0; k < problem.p(); ++k) {
    out.H.row(k) = packed.H.row(problem.beta_rows[static_cast<std::size_t>(k)]);
  }
  out.dense.resize(2 * n, 2 * n);
  out.dense.topRightCorner(n, n) = face.row.asDiagonal() * packed.mixed * face.row.asDiagonal();
  out.dense.bottomLeftCorner(n, n) = out.dense.topRightCorner(n, n).transpose();
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i <= j; ++i) {
      const double scale = face.row[i] * face.row[j];
      out.dense(i, j) = out.dense(j, i) = scale * packed.like(i, j);
      const double beta = i == j ? packed.beta(i, 0) : packed.like(j, i);
      out.dense(n + i, n + j) = out.dense(n + j, n + i) = scale * beta;
    }
  }
  return out;
}

}  // namespace relulift
