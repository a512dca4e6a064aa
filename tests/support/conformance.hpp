// SPDX-License-Identifier: Apache-2.0
// A suite that every backend passes: Factory has Type, make(), unavailable() (empty when there is
// one) and required() (a missing device is a failure, not a skip).
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace relulift::testing {

template <class Factory>
class ConformanceTest : public ::testing::Test {
 protected:
  using B = typename Factory::Type;

  void SetUp() override {
    const std::string missing = Factory::unavailable();
    if (missing.empty()) return;
    if (Factory::required()) {
      FAIL() << missing;
    } else {
      GTEST_SKIP() << missing;
    }
  }
};

}  // namespace relulift::testing
