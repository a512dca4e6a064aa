// SPDX-License-Identifier: Apache-2.0
// When a first-order method has come as far as rounding lets it.
#pragma once

#include <limits>

#include "src/core/view.hpp"

namespace relulift {

class GapWatch {
 public:
  // Whether the gap has hardly shrunk over the last part of the run; asked with growing k.
  bool idle(Index k, double gap) {
    if (k < next_) return false;
    const bool stuck = gap > kShrinks * before_;
    before_ = gap;
    next_ = k + kLeastWindow + k / 4;
    return stuck;
  }

 private:
  // The gap must shrink to this share within so many iterations and a quarter of those before.
  static constexpr double kShrinks = 0.98;
  static constexpr Index kLeastWindow = 500;
  Index next_ = kLeastWindow;
  double before_ = std::numeric_limits<double>::infinity();
};

}  // namespace relulift
