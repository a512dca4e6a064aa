// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_interior_centre.hpp"

#include <Eigen/Cholesky>
#include <cmath>

#include "src/patterns/pattern_rows.hpp"

namespace relulift {
namespace {

constexpr int kMaxSteps = 60;
constexpr double kNearEnough = 0.1;  // Newton decrement

// From u, which is returned where K u > 0 does not hold.
Vector centre(const Matrix& K, Vector u) {
  if (K.rows() == 0) return u;  // the cone is the whole space: every sample is zero
  const double n = static_cast<double>(K.rows());
  Vector z = K * u;
  if (!(z.minCoeff() > 0.0)) return u;
  Matrix scaled(K.rows(), K.cols()), hessian(K.cols(), K.cols());
  for (int step = 0; step < kMaxSteps; ++step) {
    scaled = z.cwiseInverse().asDiagonal() * K;
    hessian.setIdentity();
    hessian *= n;
    hessian.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
    const Vector descent = scaled.colwise().sum().transpose() - n * u;
    const Vector move = hessian.selfadjointView<Eigen::Lower>().llt().solve(descent);
    const double decrement = std::sqrt(std::max(0.0, descent.dot(move)));
    const Vector next = u + move / (1.0 + decrement);  // self-concordance keeps it inside
    z = K * next;
    if (!(z.minCoeff() > 0.0)) return u;  // but for rounding
    u = next;
    if (decrement < kNearEnough) return u;
  }
  return u;
}

}  // namespace

Matrix cone_centres(const Matrix& X, std::span<const Index> rows, const GatedPatterns& given) {
  Matrix out = given.gates;
  for (auto h : out.colwise()) h.stableNormalize();  // the square of an entry may be no double
#pragma omp parallel for schedule(dynamic)
  for (Index i = 0; i < out.cols(); ++i) {
    const Vector signs = pattern_signs(given.patterns, i);
    const Matrix K = signs(rows).asDiagonal() * X;
    out.col(i) = centre(K, out.col(i)).normalized();
  }
  return out;
}

}  // namespace relulift
