// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/pattern_set.hpp"

#include <algorithm>
#include <bit>

namespace relulift {
namespace {

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t hash_of(std::span<const std::uint64_t> column) {
  std::uint64_t hash = column.size();
  for (const std::uint64_t word : column) hash = mixed(hash + 0x9e3779b97f4a7c15ULL + word);
  return hash;
}

}  // namespace

Index PatternSet::find(std::span<const std::uint64_t> column, std::uint64_t hash) const {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto at = first; at != last; ++at)
    if (std::ranges::equal(pattern(at->second), column)) return at->second;
  return -1;
}

bool PatternSet::contains(std::span<const std::uint64_t> column) const {
  return find(column, hash_of(column)) >= 0;
}

bool PatternSet::add(std::span<const std::uint64_t> column) {
  const std::uint64_t hash = hash_of(column);
  if (find(column, hash) >= 0) return false;
  bits_.insert(bits_.end(), column.begin(), column.end());
  by_hash_.emplace(hash, size_++);
  return true;
}

Index PatternSet::count(Index i) const {
  Index total = 0;
  for (const std::uint64_t word : pattern(i)) total += std::popcount(word);
  return total;
}

GatedPatterns subset(const GatedPatterns& all, std::span<const Index> indices) {
  GatedPatterns out(all.patterns.samples());
  for (const Index i : indices) out.patterns.add(all.patterns.pattern(i));
  out.gates = all.gates(Eigen::all, indices);
  return out;
}

void append(GatedPatterns& to, const GatedPatterns& from) {
  std::vector<Index> fresh;
  for (Index i = 0; i < from.patterns.size(); ++i)
    if (to.patterns.add(from.patterns.pattern(i))) fresh.push_back(i);
  Matrix gates(from.gates.rows(), to.gates.cols() + static_cast<Index>(fresh.size()));
  gates.leftCols(to.gates.cols()) = to.gates;
  gates.rightCols(static_cast<Index>(fresh.size())) = from.gates(Eigen::all, fresh);
  to.gates = std::move(gates);
}

std::vector<std::uint64_t> packed_signs(const Eigen::Ref<const Vector>& s) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>((s.size() + 63) / 64));
  for (Index r = 0; r < s.size(); ++r)
    if (s[r] >= 0.0) words[static_cast<std::size_t>(r / 64)] |= std::uint64_t{1} << (r % 64);
  return words;
}

GatedPatterns patterns_of(const Matrix& X, const Matrix& gates) {
  constexpr Index kBlock = 256;  // columns at once, so that n x P is never formed
  GatedPatterns out(X.rows());
  std::vector<Index> kept;
  for (Index first = 0; first < gates.cols(); first += kBlock) {
    const Index count = std::min(kBlock, gates.cols() - first);
    const Matrix S = X * gates.middleCols(first, count);
    for (Index k = 0; k < count; ++k) {
      const std::vector<std::uint64_t> column = packed_signs(S.col(k));
      const bool active = std::ranges::any_of(column, [](std::uint64_t word) { return word != 0; });
      if (active && out.patterns.add(column)) kept.push_back(first + k);
    }
  }
  out.gates = gates(Eigen::all, kept);
  return out;
}

bool gates_inside(const Matrix& X, const Matrix& gates) {
  constexpr double kBorder = 1e-12;
  const Vector rows = X.rowwise().norm(), columns = gates.colwise().norm().transpose();
  for (Index j = 0; j < gates.cols(); ++j) {
    const Vector s = (X * gates.col(j)).cwiseAbs();
    for (Index r = 0; r < X.rows(); ++r)
      if (rows[r] > 0.0 && !(s[r] > kBorder * rows[r] * columns[j])) return false;
  }
  return true;
}

}  // namespace relulift
