// SPDX-License-Identifier: Apache-2.0
// Losses over rows on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "tests/support/loss_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

struct LossStrict {
  using Type = StrictBackend;
  static Type make() { return {}; }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Strict, LossConformance, LossStrict);

}  // namespace
}  // namespace relulift::testing
