// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/polish.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "src/core/random.hpp"

namespace relulift {
namespace {

Weights selected(const Weights& w, const std::vector<Index>& keep) {
  Weights out{Matrix(w.U.rows(), keep.size()), Matrix(w.V.rows(), keep.size())};
  for (std::size_t k = 0; k < keep.size(); ++k) {
    out.U.col(static_cast<Index>(k)) = w.U.col(keep[k]);
    out.V.col(static_cast<Index>(k)) = w.V.col(keep[k]);
  }
  return out;
}

// Finds among directions that were added the first one close to another. Directions at a distance
// of at most `reach` are so on any axis too, and on a random one few others are.
class Neighbours {
 public:
  Neighbours(const Matrix& S, double tolerance)
      : S_(S), tolerance_(tolerance), reach_(std::sqrt(2.0 * tolerance) * (1.0 + 1e-6) + 1e-12) {
    Random random(1);
    Vector axis(S.rows());
    for (Index i = 0; i < axis.size(); ++i) axis[i] = random.normal();
    at_ = S.transpose() * (axis / std::max(axis.norm(), 1e-300));
  }
  void add(Index j) { seen_.emplace(at_[j], Found{count_++, j}); }
  // The direction added first with 1 - cosine <= tolerance; -1: none.
  Index twin(Index j) const {
    Found first{count_, -1};
    for (auto it = seen_.lower_bound(at_[j] - reach_);
         it != seen_.end() && it->first <= at_[j] + reach_; ++it) {
      const Found& other = it->second;
      if (other.turn < first.turn &&
          0.5 * (S_.col(j) - S_.col(other.direction)).squaredNorm() <= tolerance_)
        first = other;
    }
    return first.direction;
  }

 private:
  struct Found {
    Index turn, direction;
  };
  const Matrix& S_;
  double tolerance_, reach_;
  Vector at_;
  Index count_ = 0;
  std::multimap<double, Found> seen_;
};

}  // namespace

Weights balanced(const Weights& weights, double dead) {
  const Vector u = weights.U.colwise().norm(), v = weights.V.colwise().norm();
  const Vector size = u.cwiseProduct(v);
  const double limit = size.size() > 0 ? dead * size.maxCoeff() : 0.0;
  std::vector<Index> keep;
  for (Index j = 0; j < size.size(); ++j) {
    if (size[j] > limit && std::isfinite(size[j])) keep.push_back(j);
  }
  Weights out = selected(weights, keep);
  for (std::size_t k = 0; k < keep.size(); ++k) {
    const double factor = std::sqrt(v[keep[k]] / u[keep[k]]);
    out.U.col(static_cast<Index>(k)) *= factor;
    out.V.col(static_cast<Index>(k)) /= factor;
  }
  return out;
}

Weights merged_duplicates(const Weights& weights, double tolerance) {
  Weights w = balanced(weights);
  const Index m = w.neurons();
  const Vector norm = w.U.colwise().norm();
  const Matrix S = w.U.array().rowwise() / norm.transpose().array();
  std::vector<Index> order(static_cast<std::size_t>(m)), keep;
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return norm[a] > norm[b]; });
  Neighbours kept(S, tolerance);
  for (const Index j : order) {
    const Index twin = kept.twin(j);
    if (twin < 0) {
      kept.add(j);
      keep.push_back(j);
    } else {
      w.V.col(twin) += w.V.col(j) * (norm[j] / norm[twin]);
    }
  }
  return balanced(selected(w, keep));
}

Weights largest(const Weights& weights, Index count) {
  if (weights.neurons() <= count) return weights;
  const Vector size = weights.U.colwise().norm().cwiseProduct(weights.V.colwise().norm());
  std::vector<Index> order(static_cast<std::size_t>(weights.neurons()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return size[a] > size[b]; });
  order.resize(static_cast<std::size_t>(std::max<Index>(count, 0)));
  std::sort(order.begin(), order.end());
  return selected(weights, order);
}

Weights joined(const Weights& a, const Weights& b) {
  if (a.neurons() == 0) return b;
  if (b.neurons() == 0) return a;
  Weights out{Matrix(a.U.rows(), a.neurons() + b.neurons()),
              Matrix(a.V.rows(), a.neurons() + b.neurons())};
  out.U << a.U, b.U;
  out.V << a.V, b.V;
  return out;
}

}  // namespace relulift
