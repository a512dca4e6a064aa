// SPDX-License-Identifier: Apache-2.0
// Normal draws with the same bits on every machine: Random::normal() asks the mathematics library
// for log and cos, whose last bits differ between versions. Here both are series of + - * /;
// sqrt, floor and frexp are exact or correctly rounded everywhere. Contraction must be off.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "src/core/random.hpp"

namespace relulift::portable {

// ln x for a normal x > 0, to a few units in the last place: x = 2^e m with m in about
// [sqrt(1/2), sqrt(2)], ln m = 2 artanh((m - 1) / (m + 1)).
inline double log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.7071067811865476) {
    m *= 2.0;
    --exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);  // |s| <= 0.1716: the first term left out is below 1e-17
  double sum = 0.0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * (s * s) + 1.0 / k;
  return exponent * std::numbers::ln2 + 2.0 * s * sum;
}

struct Direction {
  double cos;
  double sin;
};

// Cosine and sine of 2 pi `turns`, |turns| < 2^50: the nearest quarter is taken off, which is
// exact, and Taylor series give the rest, an angle of at most pi / 4.
inline Direction direction(double turns) {
  const double quarters = std::floor(4.0 * turns + 0.5);
  const double angle = 2.0 * std::numbers::pi * (turns - 0.25 * quarters);
  const double square = angle * angle;
  double c = 1.0, s = 1.0;
  for (int k = 18; k >= 2; k -= 2) {
    c = 1.0 - c * square / (k * (k - 1));
    s = 1.0 - s * square / (k * (k + 1));
  }
  s *= angle;
  switch (static_cast<std::int64_t>(quarters) & 3) {
    case 0:
      return {c, s};
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    default:
      return {s, -c};
  }
}

// Random::normal() up to rounding.
inline double normal(Random& random) {
  const double radius = std::sqrt(-2.0 * log(random.uniform()));
  return radius * direction(random.uniform()).cos;
}

}  // namespace relulift::portable
