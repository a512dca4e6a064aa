// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/residual_bound.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace relulift {

using Extended = long double;

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
  const double frobenius = A.stableNorm() * (1.0 + 1e-9);
  const double scale = A.size() > 0 ? A.cwiseAbs().maxCoeff() : 0.0;
  if (!(scale > 0.0) || !std::isfinite(scale)) return frobenius;
  const Matrix B = A / scale;
  const Matrix gram = B.rows() < B.cols() ? Matrix(B * B.transpose()) : Matrix(B.transpose() * B);
  // Forming the Gram matrix and the backward stable eigensolver err by a modest multiple of the
  // order times the unit roundoff times the trace: a billionth of the trace covers both.
  const double largest =
      Eigen::SelfAdjointEigenSolver<Matrix>(gram, Eigen::EigenvaluesOnly).eigenvalues().maxCoeff();
  const double bound = scale * std::sqrt(largest + 1e-9 * gram.trace());
  return std::isfinite(bound) ? std::min(frobenius, bound) : frobenius;
}

double solver_free_floor(const Problem& problem) {
  const Eigen::Map<const Matrix> X(problem.X.data(), problem.samples, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  // One part in 1e12 covers the rounding of the product.
  const double kappa = spectral_norm_bound(X) * spectral_norm_bound(Y) * (1.0 + 1e-12);
  return rescaled_bound(problem, Y, kappa);
}

}  // namespace relulift
