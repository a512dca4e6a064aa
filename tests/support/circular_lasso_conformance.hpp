// SPDX-License-Identifier: Apache-2.0
// The lasso over frequencies on any backend: the conditions of optimality by plain sums. One suite
// for all of them, with the factories of backend_conformance.hpp.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/solvers/circular_lasso.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {

struct CircularCase {
  Index rows, frequencies, outputs;
};
// One frequency, fewer rows than columns and more, sizes across the tiles of a launch.
inline const std::vector<CircularCase> kCircularCases = {
    {3, 1, 1}, {8, 9, 1}, {30, 5, 3}, {70, 67, 2}};

template <class Factory>
class CircularLassoConformance : public ConformanceTest<Factory> {};

TYPED_TEST_SUITE_P(CircularLassoConformance);

// ||A_k'E|| <= 1, and = 1 with W_k parallel to it where W_k is not zero; E = Y - A W. A gap of
// 1e-10 leaves residuals of its root.
TYPED_TEST_P(CircularLassoConformance, SolutionSatisfiesTheConditionsOfOptimality) {
  using B = typename TypeParam::Type;
  for (const auto& [r, K, c] : kCircularCases) {
    SCOPED_TRACE(std::to_string(r) + " rows, " + std::to_string(K) + " frequencies");
    Random random(static_cast<std::uint64_t>(r + 100 * K));
    Matrix A = random_matrix(random, r, 2 * K);
    const Matrix Y = random_matrix(random, r, c);
    A.col(K).setZero();  // a frequency without a sine
    B be = TypeParam::make();

    const GroupLassoPoint point = CircularLasso<B>(be, A, Y).solve(1e-10, 0.0, Control());

    ASSERT_EQ(point.W.rows(), K);
    EXPECT_LE(point.objective - point.bound, 1e-10 * point.objective);
    const Matrix f = A.leftCols(K) * point.W.leftCols(c) + A.rightCols(K) * point.W.rightCols(c);
    EXPECT_LT((Y - f - point.E).norm(), 1e-4 * Y.norm());
    double objective = 0.5 * (Y - f).squaredNorm();
    for (Index k = 0; k < K; ++k) {
      Vector pull(2 * c);
      pull << (A.col(k).transpose() * point.E).transpose(),
          (A.col(K + k).transpose() * point.E).transpose();
      const Vector W = point.W.row(k);
      objective += W.norm();
      EXPECT_LE(pull.norm(), 1 + 1e-9);
      EXPECT_LT((W - W.norm() * pull).norm(), 1e-4 * (1 + W.norm()));
    }
    EXPECT_NEAR(point.objective, objective, 1e-9 * objective);
  }
}

REGISTER_TYPED_TEST_SUITE_P(CircularLassoConformance, SolutionSatisfiesTheConditionsOfOptimality);

}  // namespace relulift::testing
