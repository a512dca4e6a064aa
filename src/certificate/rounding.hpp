// SPDX-License-Identifier: Apache-2.0
// Sums that carry a bound on their own rounding error.
#pragma once

#include <cmath>
#include <limits>

#include "src/core/dense.hpp"

namespace relulift {

template <class T>
inline constexpr double kUnitRoundoff = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;

// Every addition errs by at most the unit roundoff times its result.
template <class T>
void accumulate(T& sum, double& error, T term) {
  sum += term;
  error += kUnitRoundoff<T> * static_cast<double>(std::abs(sum));
}

// alpha_i and beta_i of the same direction: K vanishes there, W is free.
inline bool is_free(Index p, Index q, Index k) { return p - q == k || q - p == k; }

}  // namespace relulift
