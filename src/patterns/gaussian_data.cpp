// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/gaussian_data.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace relulift {
namespace {

constexpr double kDeviations = 4.0;
constexpr Index kLeastSamples = 30;

}  // namespace

bool looks_gaussian(const Matrix& X) {
  const Index n = X.rows(), d = X.cols();
  if (n < d || n < kLeastSamples || d == 0) return false;
  const double entries = static_cast<double>(n * d);
  const double scale = X.norm() / std::sqrt(entries);
  if (!(scale > 0.0)) return false;
  const Matrix Z = X / scale;
  const auto within = [entries](double moment, double expected, double variance) {
    return std::abs(moment - expected) <= kDeviations * std::sqrt(variance / entries);
  };
  // Variances of x, x^3 and of the sample kurtosis of a normal x.
  if (!within(Z.mean(), 0.0, 1.0) || !within(Z.array().cube().mean(), 0.0, 15.0) ||
      !within(Z.array().square().square().mean(), 3.0, 24.0))
    return false;
  const Matrix gram = Z.transpose() * Z;
  const Vector squares =
      Eigen::SelfAdjointEigenSolver<Matrix>(gram, Eigen::EigenvaluesOnly).eigenvalues();
  const double middle = std::sqrt(static_cast<double>(n));
  const double reach = std::sqrt(static_cast<double>(d)) + kDeviations;
  return std::sqrt(std::max(squares[0], 0.0)) >= middle - reach &&
         std::sqrt(squares[d - 1]) <= middle + reach;
}

double sampling_rate(Index samples) {
  return std::sqrt(std::log(2.0 * static_cast<double>(samples)));
}

}  // namespace relulift
