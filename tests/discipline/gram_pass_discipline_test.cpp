// SPDX-License-Identifier: Apache-2.0
// The Gram pass on a backend that behaves like a device: recorded, it allocates nothing, reads
// nothing back, and never looks at a value on the host.
#include <gtest/gtest.h>

#include "tests/support/gram_pass_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

struct GramStrict {
  using Type = StrictBackend;
  static Type make() { return {}; }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Strict, GramPassConformance, GramStrict);

TEST(GramPassDiscipline, EveryVariantCanBeRecordedAndWaitsForNothing) {
  StrictBackend be;
  GramFixture<StrictBackend> f(be, {37, 5, {13, 30}}, true);
  const StrictCounts before = be.counts();

  const auto all = be.record([&] {
    f.pass.objective(f.at(), f.slots[1]);
    f.pass.gradient(f.at(), f.out.view());
    f.pass.objective_and_gradient(f.at(), f.slots[1], f.out.view());
    f.pass.hessian(f.at(), f.D.view(), f.out.view());
    f.pass.update(f.K.view(), f.slots[0], f.W.view());
    f.pass.product(f.W.view(), f.D.view(), f.out.view());
  });
  all.replay();
  all.replay();

  EXPECT_EQ(be.counts().allocations, before.allocations);
  EXPECT_EQ(be.counts().fetches, before.fetches);
  EXPECT_EQ(be.counts().uploads, before.uploads);
  EXPECT_TRUE(be.fences_intact());
}

}  // namespace
}  // namespace relulift::testing
