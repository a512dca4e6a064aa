// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/repair.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace relulift {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Extended kEpsilon = std::numeric_limits<Extended>::epsilon();

}  // namespace

Repair::Repair(const MergedData& data, const DualCandidate& candidate, double objective_upper) {
  Extended upper = data.half_square;  // the zero network
  if (std::isfinite(objective_upper))
    upper = std::min(upper, Extended(objective_upper) * (1 + Extended(1e-9)));
  if (data.perturbation > 0) {  // [eq:perturb]
    const Extended move = data.perturbation * upper / Extended(data.weight_decay);
    cost_ = (move * std::sqrt(2 * upper) + move * move / 2) * (1 + Extended(1e-12));
  }
  constant_ = data.constant;
  const Extended fitted = data.half_square - constant_;  // 1/2 (||A Ya||^2 + ||B Yb||^2)
  penalty_ = std::max<Extended>(0, std::min(upper + cost_ - constant_, fitted / 2));
  penalty_ += Extended(1e-12) * upper;  // [eq:penalty]
  for (Index o = 0; o < data.outputs(); ++o)
    for (Index i = 0; i < data.directions(); ++i) {
      add(candidate.G(i, o), data.AYa(i, o));
      if (candidate.H.size() > 0 && data.B(i) > 0) add(candidate.H(i, o), data.BYb(i, o));
    }
  const auto terms = static_cast<Extended>(2 * data.directions() * data.outputs() + 64);
  rounding_ = 4 * terms * kEpsilon + 4 * Extended(data.weight_rounding);
}

double Repair::value(double kappa) const {
  if (!(square_ > 0) || !std::isfinite(square_) || !std::isfinite(kappa)) return at(0, 1);
  const Extended growth = 1 + Extended(kappa);
  const Extended t = std::clamp<Extended>(linear_ / square_, 0, 1 / growth);
  return at(std::max(t, (linear_ - growth * penalty_) / square_), growth);
}

void Repair::add(Extended multiplier, Extended target) {
  linear_ -= multiplier * target;
  size_ += std::abs(multiplier * target);
  square_ += multiplier * multiplier;
}

// Valid for every t >= 0, so the choice of t needs no rounding analysis of its own.
double Repair::at(Extended t, Extended growth) const {
  if (t == 0) return rounded_down(constant_ - cost_, constant_ + cost_);
  const Extended quadratic = t * t / 2 * square_;
  const Extended deficit = std::max<Extended>(0, t * growth - 1) * penalty_;
  const Extended bound = constant_ + t * linear_ - quadratic - deficit - cost_;
  const Extended size = constant_ + t * size_ + quadratic + (t * growth + 1) * penalty_ + cost_;
  return rounded_down(bound, size);
}

double Repair::rounded_down(Extended bound, Extended size) const {
  return std::nextafter(static_cast<double>(bound - rounding_ * size), -kInfinity);
}

}  // namespace relulift
