// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/residual_bound.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace relulift {

using Extended = long double;

namespace {

constexpr double kSmallest = std::numeric_limits<double>::min();  // of those that are no denormals

}  // namespace

double rescaled_bound(const Problem& problem, const Matrix& E, double kappa) {
  if (E.rows() != problem.samples || E.cols() != problem.outputs)
    throw std::logic_error("the residual does not have the shape of Y");
  if (!E.allFinite() || !(kappa >= 0.0)) return -std::numeric_limits<double>::infinity();
  Extended inner = 0, square = 0, size = 0;
  for (Index k = 0; k < E.size(); ++k) {
    const Extended e = E(k), y = problem.Y[k];
    inner += e * y;
    size += std::abs(e * y);
    square += e * e;
  }
  // No t beyond the unconstrained best one is useful, so kappa = 0 allows every t that is.
  const Extended best = square > 0 ? std::max<Extended>(0, inner / square) : 0;
  const Extended limit = kappa > 0.0 ? Extended(problem.weight_decay) / kappa : best;
  const Extended epsilon = std::numeric_limits<Extended>::epsilon();
  const Extended t = std::min(best, limit) * (1 - 4 * epsilon);
  const Extended rounding = 4 * static_cast<Extended>(E.size() + 16) * epsilon;
  const Extended bound = t * inner - t * t / 2 * square;
  const Extended margin = rounding * (t * size + t * t / 2 * square);
  return std::nextafter(static_cast<double>(bound - margin),
                        -std::numeric_limits<double>::infinity());
}

double spectral_norm_bound(const Matrix& A) {
  const double scale = A.size() > 0 ? A.cwiseAbs().maxCoeff() : 0.0;
  if (scale == 0.0) return 0.0;
  if (!A.allFinite()) return std::numeric_limits<double>::infinity();
  const Matrix B = A / scale;
  // Sums of squares, the Gram matrix and the backward stable eigensolver err by a modest multiple
  // of the number of terms times the unit roundoff, relative to the trace.
  const double margin =
      1e-9 + std::numeric_limits<double>::epsilon() * static_cast<double>(A.size());
  double norm = B.norm() * (1.0 + margin);
  const Matrix gram = B.rows() < B.cols() ? Matrix(B * B.transpose()) : Matrix(B.transpose() * B);
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(gram, Eigen::EigenvaluesOnly);
  if (eig.info() == Eigen::Success)
    norm = std::min(norm, std::sqrt(eig.eigenvalues().maxCoeff() + margin * gram.trace()));
  // Products that are denormal round by more than any relative margin.
  return std::max(scale * norm, kSmallest);
}

double solver_free_floor(const Problem& problem) {
  const Eigen::Map<const Matrix> X(problem.X.data(), problem.samples, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  const double norm_X = spectral_norm_bound(X), norm_Y = spectral_norm_bound(Y);
  if (norm_X == 0.0 || norm_Y == 0.0) return rescaled_bound(problem, Y, 0.0);
  // One part in 1e12 covers the rounding of a product that is no denormal.
  return rescaled_bound(problem, Y, std::max(norm_X * norm_Y * (1.0 + 1e-12), kSmallest));
}

}  // namespace relulift
