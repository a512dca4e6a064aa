// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/block_scaling.hpp"

#include <cmath>

namespace relulift {

namespace {

// ||Z Z'||_F without forming it.
double gram_norm(const Matrix& Z) { return (Z.transpose() * Z).norm(); }

}  // namespace

BlockScaling block_scaling(const ReducedProblem& problem, const Weights& start,
                           const ScalingRule& rule) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  BlockScaling scaling;
  scaling.row = problem.X.rowwise().norm().cwiseInverse();
  // Without a network: isotropic neurons, and v as large as u.
  const Matrix U = start.neurons() > 0 ? start.U : Matrix(Matrix::Identity(d, d));
  const Matrix V =
      start.neurons() > 0 ? start.V : Matrix(Matrix::Identity(c, c) * std::sqrt(1.0 * d / c));
  Matrix K(2 * n, U.cols());
  K.topRows(n) = scaling.row.asDiagonal() * (problem.X * U).cwiseMax(0.0);
  K.bottomRows(n) = scaling.row.asDiagonal() * (-problem.X * U).cwiseMax(0.0);
  const double norm = gram_norm(K);
  scaling.u = std::sqrt(rule.u * norm / gram_norm(U));
  scaling.v = std::sqrt(rule.v * norm / gram_norm(V));
  return scaling;
}

}  // namespace relulift
