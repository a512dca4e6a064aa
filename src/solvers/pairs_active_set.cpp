// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_active_set.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace relulift {
namespace {

LiftedPair ordered(Index i, Index j) {
  const auto [low, high] = std::minmax(i, j);
  return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high)};
}

void sort_unique(std::vector<LiftedPair>& pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
}

}  // namespace

PairsActiveSet::PairsActiveSet(const ReducedProblem& problem, Index neighbours, Index most)
    : n_(problem.n()), most_(most) {
  const Matrix rows = problem.X.rowwise().normalized();
  const Index count = std::min(neighbours, n_ - 1);
  std::vector<Index> order;
  for (Index i = 0; i < n_; ++i) {
    const Vector cosine = rows * rows.row(i).transpose();
    order.clear();
    for (Index j = 0; j < n_; ++j)
      if (j != i) order.push_back(j);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](Index a, Index b) {
      return cosine[a] != cosine[b] ? cosine[a] > cosine[b] : a < b;
    });
    for (Index k = 0; k < count; ++k) {
      const Index j = order[k];
      const bool acute = cosine[j] > 0.0;
      pairs_.push_back(ordered(i, acute ? n_ + j : j));
      pairs_.push_back(ordered(n_ + i, acute ? j : n_ + j));
    }
  }
  sort_unique(pairs_);
  if (static_cast<Index>(pairs_.size()) > most_) pairs_.resize(most_);
}

void PairsActiveSet::add(const std::vector<LiftedPair>& pairs) {
  std::vector<LiftedPair> fresh;
  std::set_difference(pairs.begin(), pairs.end(), pairs_.begin(), pairs_.end(),
                      std::back_inserter(fresh));
  const Index room = std::max<Index>(most_ - static_cast<Index>(pairs_.size()), 0);
  if (static_cast<Index>(fresh.size()) > room) fresh.resize(static_cast<std::size_t>(room));
  pairs_.insert(pairs_.end(), fresh.begin(), fresh.end());
  sort_unique(pairs_);
}

Index PairsActiveSet::add_violated(const Matrix& K, double depth, Index per_row) {
  struct Violation {
    double cosine;
    LiftedPair pair;
    bool operator<(const Violation& o) const {
      return cosine != o.cosine ? cosine < o.cosine : pair < o.pair;
    }
  };
  const Vector scale = K.diagonal().head(2 * n_).cwiseAbs().cwiseSqrt().cwiseInverse();
  std::vector<Violation> fresh, row;
  for (Index i = 0; i < 2 * n_; ++i) {
    row.clear();
    for (Index j = 0; j < 2 * n_; ++j) {
      if (j % n_ == i % n_) continue;
      const double cosine = K(j, i) * scale[i] * scale[j];
      if (cosine < -depth) row.push_back({cosine, ordered(i, j)});
    }
    const Index count = std::min<Index>(per_row, static_cast<Index>(row.size()));
    std::partial_sort(row.begin(), row.begin() + count, row.end());
    for (Index k = 0; k < count; ++k)
      if (!std::binary_search(pairs_.begin(), pairs_.end(), row[k].pair)) fresh.push_back(row[k]);
  }
  std::sort(fresh.begin(), fresh.end());
  fresh.erase(std::unique(fresh.begin(), fresh.end(),
                          [](const auto& a, const auto& b) { return a.pair == b.pair; }),
              fresh.end());
  const Index room = std::max<Index>(most_ - static_cast<Index>(pairs_.size()), 0);
  if (static_cast<Index>(fresh.size()) > room) fresh.resize(room);
  for (const Violation& v : fresh) pairs_.push_back(v.pair);
  sort_unique(pairs_);
  return static_cast<Index>(fresh.size());
}

}  // namespace relulift
