// SPDX-License-Identifier: Apache-2.0
// Products over patterns on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "tests/support/gated_products_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

struct GatedStrict {
  using Type = StrictBackend;
  static Type make() { return {}; }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Strict, GatedProductsConformance, GatedStrict);

TEST(GatedProductsDiscipline, BothProductsCanBeRecordedAndWaitForNothing) {
  StrictBackend be;
  Random random(3);
  const Matrix X = random_matrix(random, 130, 4);
  const PatternSet patterns = random_patterns(random, X, 30).patterns;
  GatedProducts<StrictBackend> products(be, X, patterns, 2, 512);
  const auto W = be.matrix(4 * products.columns(), 1), F = be.matrix(130 * 2, 1);
  const MatrixView<double> w{W.view().data, 4, products.columns(), 4};
  const MatrixView<double> f{F.view().data, 130, 2, 130};
  const StrictCounts before = be.counts();

  const auto both = be.record([&] {
    products.forward(w, f);
    products.adjoint(f, w);
  });
  both.replay();
  both.replay();

  EXPECT_EQ(be.counts().allocations, before.allocations);
  EXPECT_EQ(be.counts().fetches, before.fetches);
  EXPECT_EQ(be.counts().uploads, before.uploads);
  EXPECT_TRUE(be.fences_intact());
}

}  // namespace
}  // namespace relulift::testing
