// SPDX-License-Identifier: Apache-2.0
// The Nystrom preconditioner on matrices of known spectrum [eq:nystrom].
#include "src/solvers/nystrom.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

Matrix with_spectrum(const Vector& spectrum) {
  Random random(5);
  const Eigen::HouseholderQR<Matrix> qr(random_matrix(random, spectrum.size(), spectrum.size()));
  const Matrix Q = qr.householderQ();
  return Q * spectrum.asDiagonal() * Q.transpose();
}

struct Built {
  Matrix inverse;  // of the preconditioner
  Vector values;   // ascending
};

Built build(const Matrix& H, Index rank, double shift) {
  CpuBackend be;
  const Index n = H.rows();
  const auto h = be.matrix(n, n), in = be.matrix(n, n), out = be.matrix(n, n);
  upload(be, H, h.view());
  upload(be, Matrix(Matrix::Identity(n, n)), in.view());
  Nystrom<CpuBackend> nystrom(be, n, rank, n);
  nystrom.build(1, [&](MatrixView<const double> S, MatrixView<double> Y) {
    be.gemm(Op::none, Op::none, 1.0, MatrixView<const double>(h.view()), S, 0.0, Y);
  });
  nystrom.precondition(shift, in.view(), out.view());
  Built built{Matrix(n, n), nystrom.values()};
  fetch(be, out.view(), built.inverse);
  return built;
}

// Of P^-1/2 (H + shift) P^-1/2.
double condition(const Matrix& H, const Built& built, double shift) {
  const Matrix P = built.inverse.inverse();
  const Matrix A = H + shift * Matrix::Identity(H.rows(), H.cols());
  const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> eigen(A, Matrix(0.5 * (P + P.transpose())),
                                                               Eigen::EigenvaluesOnly);
  return eigen.eigenvalues().maxCoeff() / eigen.eigenvalues().minCoeff();
}

TEST(Nystrom, OfAMatrixOfSmallerRankIsExact) {
  Vector spectrum = Vector::Zero(60);
  for (Index i = 0; i < 12; ++i) spectrum(i) = std::pow(10.0, 4.0 - 0.5 * static_cast<double>(i));
  const Matrix H = with_spectrum(spectrum);
  const double shift = 1.0;

  const Built built = build(H, 20, shift);

  EXPECT_NEAR(condition(H, built, shift), 1.0, 1e-5);
  EXPECT_NEAR(built.values(19), 1e4, 1e-6 * 1e4);
}

// Frangella, Tropp & Udell 2021, proposition 5.3: at most (least + shift + ||H - approximation||) /
// shift, whatever was drawn.
TEST(Nystrom, ConditionIsWhatTheTheorySays) {
  const Index n = 80;
  Vector spectrum(n);
  for (Index i = 0; i < n; ++i) spectrum(i) = 1e3 * std::pow(0.8, static_cast<double>(i));
  const Matrix H = with_spectrum(spectrum);
  for (const Index rank : {5, 15, 40}) {
    for (const double shift : {1.0, 1e-2}) {
      const Built built = build(H, rank, shift);
      // P^-1 has eigenvalues (least + shift) / (w + shift), and one on the complement.
      const Eigen::SelfAdjointEigenSolver<Matrix> eigen(
          Matrix(0.5 * (built.inverse + built.inverse.transpose())));
      const double least = built.values(0);
      Vector w = ((least + shift) * eigen.eigenvalues().cwiseInverse()).array() - shift;
      w.tail(n - rank + 1).setZero();
      const Matrix Q = eigen.eigenvectors(), missing = H - Q * w.asDiagonal() * Q.transpose();
      const double error =
          Eigen::SelfAdjointEigenSolver<Matrix>(missing).eigenvalues().cwiseAbs().maxCoeff();

      const double found = condition(H, built, shift);

      EXPECT_LE(found, (least + shift + error) / shift * (1 + 1e-6)) << rank << " " << shift;
      EXPECT_LT(found, 0.5 * (spectrum(0) + shift) / shift) << rank << " " << shift;
    }
  }
}

}  // namespace
}  // namespace relulift::testing
