// SPDX-License-Identifier: Apache-2.0
// Numbers with a bound on their error. All inputs are doubles and no product has more than eight
// factors, so that nothing underflows in the range of Real.
#pragma once

#include <cmath>
#include <limits>
#include <relulift/problem.hpp>

namespace relulift::verifier {

using Real = long double;
static_assert(std::numeric_limits<Real>::digits >= 64 &&
              std::numeric_limits<Real>::max_exponent >= 16384);

inline constexpr Real kUnit = std::numeric_limits<Real>::epsilon() / 2;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Above the exact value of an expression in at most `terms` additions of nonnegative numbers.
inline Real above(Real computed, Index terms = 8) {
  return computed * (1 + 4 * kUnit * static_cast<Real>(terms + 16));
}

struct Ball {
  Real mid = 0, rad = 0;

  Real magnitude() const { return above(std::abs(mid) + rad); }
  Real low() const { return mid - rad - kUnit * 4 * (std::abs(mid) + rad); }
  Real high() const { return mid + rad + kUnit * 4 * (std::abs(mid) + rad); }
};

inline Ball operator+(const Ball& a, const Ball& b) {
  const Real mid = a.mid + b.mid;
  return {mid, above(a.rad + b.rad + kUnit * std::abs(mid))};
}
inline Ball operator-(const Ball& a) { return {-a.mid, a.rad}; }
inline Ball operator-(const Ball& a, const Ball& b) { return a + -b; }
inline Ball operator*(const Ball& a, const Ball& b) {
  const Real mid = a.mid * b.mid;
  const Real rad = std::abs(a.mid) * b.rad + a.rad * (std::abs(b.mid) + b.rad);
  return {mid, above(rad + kUnit * std::abs(mid))};
}
// Times a power of two.
inline Ball scaled(const Ball& a, Real power) { return {a.mid * power, a.rad * std::abs(power)}; }

// A sum of many balls: one bound for all its roundings.
class Sum {
 public:
  void add(const Ball& term) {
    mid_ += term.mid;
    rad_ += term.rad;
    size_ += std::abs(term.mid);
    ++terms_;
  }
  void add_product(double a, double b) {
    const Real term = static_cast<Real>(a) * b;  // errs by a unit of its size: in `ball`
    mid_ += term;
    size_ += std::abs(term);
    ++terms_;
  }
  Ball ball() const {
    const Real rounding = kUnit * static_cast<Real>(terms_ + 2) * size_;
    return {mid_, above(rad_ + above(rounding, terms_), terms_)};
  }

 private:
  Real mid_ = 0, rad_ = 0, size_ = 0;
  Index terms_ = 0;
};

inline double rounded_down(Real value) {
  const auto nearest = static_cast<double>(value);
  return static_cast<Real>(nearest) <= value ? nearest : std::nextafter(nearest, -kInfinity);
}
inline double rounded_up(Real value) { return -rounded_down(-value); }

// An upper bound of the Frobenius norm of what get(k), k < count, returns.
template <class Get>
Real norm_above(Index count, const Get& get) {
  Real squares = 0;
  for (Index k = 0; k < count; ++k) {
    const Real entry = get(k);
    squares += entry * entry;
  }
  return above(std::sqrt(above(squares, count)));
}

}  // namespace relulift::verifier
