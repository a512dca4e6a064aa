// SPDX-License-Identifier: Apache-2.0
// The lasso over frequencies on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "tests/support/circular_lasso_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

struct CircularStrict {
  using Type = StrictBackend;
  static Type make() { return {}; }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Strict, CircularLassoConformance, CircularStrict);

TEST(CircularLassoDiscipline, AllMemoryIsTakenAtConstruction) {
  Random random(1);
  const Matrix A = random_matrix(random, 12, 14), Y = random_matrix(random, 12, 2);
  StrictBackend be;
  CircularLasso<StrictBackend> lasso(be, A, Y);
  const StrictCounts before = be.counts();

  lasso.solve(1e-8, 0.0, Control());

  EXPECT_EQ(be.counts().allocations, before.allocations);
  EXPECT_TRUE(be.fences_intact());
}

}  // namespace
}  // namespace relulift::testing
