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
    : n_(problem.n()),
      most_(most),
      unit_(problem.X.rowwise().normalized()),
      norm_(problem.X.rowwise().norm()) {
  const Index count = std::min(neighbours, n_ - 1);
  if (count <= 0) return;
  std::vector<Index> order;
  for (Index i = 0; i < n_; ++i) {
    const Vector cosine = unit_ * unit_.row(i).transpose();
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
    double cost;
    LiftedPair pair;
    bool operator<(const Violation& o) const {
      return cost != o.cost ? cost > o.cost : pair < o.pair;
    }
  };
  std::vector<std::vector<Index>> partners(2 * n_);
  for (const LiftedPair& pair : pairs_) {
    partners[pair.i].push_back(pair.j);
    partners[pair.j].push_back(pair.i);
  }
  std::vector<char> skip(2 * n_);
  std::vector<Violation> fresh, row;
  for (Index k = 0; k < n_; ++k) {
    const Vector cosine = unit_ * unit_.row(k).transpose();
    for (const Index i : {k, n_ + k}) {
      row.clear();
      skip.assign(2 * n_, 0);
      skip[k] = skip[n_ + k] = 1;
      for (const Index j : partners[i]) skip[j] = 1;
      for (Index j = 0; j < 2 * n_; ++j) {
        if (skip[j] || !(K(j, i) < 0.0)) continue;
        const double sign = (i < n_) == (j < n_) ? 1.0 : -1.0;
        const double gain = 0.5 * norm_[k] * norm_[j % n_] * (1.0 + sign * cosine[j % n_]);
        const double cost = -K(j, i) / std::max(gain, 0.0);
        if (cost > depth) row.push_back({cost, ordered(i, j)});
      }
      const Index count = std::min<Index>(per_row, static_cast<Index>(row.size()));
      std::partial_sort(row.begin(), row.begin() + count, row.end());
      fresh.insert(fresh.end(), row.begin(), row.begin() + count);
    }
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
