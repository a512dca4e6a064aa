// SPDX-License-Identifier: Apache-2.0
// Activation patterns D_i = diag(1[X h_i >= 0]) of samples by gates, a bit per entry [eq:pattern]
// (Pilanci & Ergen 2020), each pattern once.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

// Columns of bits, packed into 64-bit words: bit r % 64 of word r / 64 is sample r. Bits beyond the
// samples are zero, so equal columns are equal words. n P / 8 bytes.
class PatternSet {
 public:
  explicit PatternSet(Index samples) : samples_(samples), words_((samples + 63) / 64) {}

  Index samples() const { return samples_; }
  Index size() const { return size_; }
  Index words() const { return words_; }  // of one pattern

  // Takes the pattern unless it is there; whether it was new. `column` has words() words.
  bool add(std::span<const std::uint64_t> column);
  bool contains(std::span<const std::uint64_t> column) const;

  bool active(Index sample, Index pattern) const {
    const auto word = bits_[static_cast<std::size_t>(pattern * words_ + sample / 64)];
    return (word >> (sample % 64) & 1U) != 0;
  }
  Index count(Index pattern) const;  // of active samples
  std::span<const std::uint64_t> pattern(Index i) const {
    return std::span(bits_).subspan(static_cast<std::size_t>(i * words_),
                                    static_cast<std::size_t>(words_));
  }
  // words() x size(), column-major.
  std::span<const std::uint64_t> bits() const { return bits_; }

 private:
  Index find(std::span<const std::uint64_t> column, std::uint64_t hash) const;

  Index samples_, words_, size_ = 0;
  std::vector<std::uint64_t> bits_;
  std::unordered_multimap<std::uint64_t, Index> by_hash_;  // 64-bit hash of the words
};

// Patterns and a gate for each: pattern i is 1[X h_i >= 0] with h_i column i of `gates`.
struct GatedPatterns {
  explicit GatedPatterns(Index samples) : patterns(samples) {}
  PatternSet patterns;
  Matrix gates;  // d x P
};

// Those of these indices, in their order.
GatedPatterns subset(const GatedPatterns& all, std::span<const Index> indices);

// `to` takes those of `from` that it has not.
void append(GatedPatterns& to, const GatedPatterns& from);

// Bits of 1[s >= 0].
std::vector<std::uint64_t> packed_signs(const Eigen::Ref<const Vector>& s);

// The patterns of the columns of `gates` (d x P), in their order; those met before and those
// without an active sample are left out. Cost: 2 n d P flops.
GatedPatterns patterns_of(const Matrix& X, const Matrix& gates);

// Whether every gate lies off the hyperplanes of all samples but zero ones: inside its cone.
bool gates_inside(const Matrix& X, const Matrix& gates);

}  // namespace relulift
