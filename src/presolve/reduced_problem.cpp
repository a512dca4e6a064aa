// SPDX-License-Identifier: Apache-2.0
#include "src/presolve/reduced_problem.hpp"

namespace relulift {

Matrix ReducedProblem::stacked_X() const {
  Matrix stacked(n() + p(), d());
  stacked.topRows(n()) = X;
  for (Index k = 0; k < p(); ++k) stacked.row(n() + k) = -beta_weight(k) * X.row(beta_rows[k]);
  return stacked;
}

Matrix ReducedProblem::stacked_Y() const {
  Matrix stacked(n() + p(), c());
  stacked.topRows(n()) = Y;
  stacked.bottomRows(p()) = Y_beta;
  return stacked;
}

double objective(const ReducedProblem& problem, const Weights& weights) {
  const Matrix hidden = (problem.stacked_X() * weights.U).cwiseMax(0.0);
  const Matrix residual = hidden * weights.V.transpose() - problem.stacked_Y();
  const double penalty = weights.U.squaredNorm() + weights.V.squaredNorm();
  return problem.constant + 0.5 * residual.squaredNorm() + 0.5 * problem.weight_decay * penalty;
}

}  // namespace relulift
