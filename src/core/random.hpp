// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers (SplitMix64 finaliser, Steele, Lea & Flood 2014): the draw at
// (seed, stream, k) does not depend on the draws before it, so CPU and GPU runs start alike.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace relulift {

class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0)
      : key_(mix(seed + 0x9e3779b97f4a7c15ULL * (2 * stream + 1))) {}

  std::uint64_t bits() { return mix(key_ + 0x9e3779b97f4a7c15ULL * ++counter_); }
  // In (0, 1).
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1.0p-53; }
  // Standard normal, Box-Muller, one value per two draws.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace relulift
