// SPDX-License-Identifier: Apache-2.0
#include "src/presolve/parallel_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "src/core/random.hpp"

namespace relulift {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Index first_nonzero(const double* row, Index d) {
  Index k = 0;
  while (k < d && row[k] == 0.0) ++k;
  return k;
}

// The quotients by the first nonzero entry are correctly rounded functions of real ratios, so
// exactly parallel rows agree in every bit of them.
std::uint64_t direction_hash(const double* row, Index d) {
  const Index pivot = first_nonzero(row, d);
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL ^ static_cast<std::uint64_t>(pivot);
  for (Index l = pivot + 1; l < d; ++l) {
    const double quotient = row[l] / row[pivot] + 0.0;  // -0 becomes +0
    hash = (hash ^ std::bit_cast<std::uint64_t>(quotient)) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  }
  return hash;
}

// a b == p q in exact arithmetic, by error-free products (Dekker 1971). False where a product
// leaves the range in which its rounding error is representable.
bool equal_products(double a, double b, double p, double q) {
  const double x = a * b;
  const double y = p * q;
  if (x != y) return false;
  if (x == 0.0) return (a == 0.0 || b == 0.0) && (p == 0.0 || q == 0.0);
  if (!(std::abs(x) > 1e-280 && std::abs(x) < 1e300)) return false;
  return std::fma(a, b, -x) == std::fma(p, q, -y);
}

bool exactly_parallel(const double* a, const double* b, Index d) {
  const Index pivot = first_nonzero(a, d);
  if (b[pivot] == 0.0) return false;
  for (Index l = 0; l < d; ++l)
    if (!equal_products(a[l], b[pivot], b[l], a[pivot])) return false;
  return true;
}

struct Fit {
  double ratio;     // least-squares tau
  double distance;  // ||x_j - tau x_i||
};

Fit fit_to(const RowMajor& X, Index j, Index i) {
  const double scale = X.row(i).lpNorm<Eigen::Infinity>();
  const Eigen::RowVectorXd base = X.row(i) / scale;
  const double ratio = X.row(j).dot(base) / base.squaredNorm();
  return {ratio / scale, (X.row(j) - ratio * base).stableNorm()};
}

// Rows that are parallel in exact arithmetic get the same representative.
void merge_exactly(const RowMajor& X, std::vector<Index>& representative) {
  std::unordered_multimap<std::uint64_t, Index> seen;
  seen.reserve(static_cast<std::size_t>(X.rows()));
  for (Index j = 0; j < X.rows(); ++j) {
    if (representative[j] < 0) continue;
    const std::uint64_t hash = direction_hash(X.row(j).data(), X.cols());
    const auto [begin, end] = seen.equal_range(hash);
    Index found = j;
    for (auto it = begin; it != end; ++it)
      if (exactly_parallel(X.row(it->second).data(), X.row(j).data(), X.cols()))
        found = std::min(found, it->second);
    representative[j] = found;
    if (found == j) seen.emplace(hash, j);
  }
}

// Directions within the relative angle `limits.relative` of an earlier one join it. Candidates
// share, up to the tolerance, the absolute value of one projection of the unit row.
void merge_nearly(const RowMajor& X, const MergeLimits& limits,
                  std::vector<Index>& representative) {
  const Index n = X.rows(), d = X.cols();
  Random random(0x70726f6a);
  Eigen::VectorXd axis(d);
  for (Index l = 0; l < d; ++l) axis(l) = random.normal();
  axis.normalize();
  std::vector<double> key(static_cast<std::size_t>(n), 0.0);
  std::vector<Index> order;
  for (Index j = 0; j < n; ++j) {
    if (representative[j] != j) continue;
    key[j] = std::abs(X.row(j).stableNormalized().dot(axis));
    order.push_back(j);
  }
  std::sort(order.begin(), order.end(),
            [&](Index a, Index b) { return key[a] != key[b] ? key[a] < key[b] : a < b; });
  const double window = limits.relative + 4e-16 * static_cast<double>(d + 4);
  std::vector<std::pair<Index, Index>> close;  // (later row, earlier row)
  for (std::size_t a = 0; a < order.size(); ++a)
    for (std::size_t b = a + 1; b < order.size() && key[order[b]] - key[order[a]] <= window; ++b)
      close.emplace_back(std::max(order[a], order[b]), std::min(order[a], order[b]));
  std::sort(close.begin(), close.end());
  for (const auto& [j, i] : close) {
    if (representative[j] != j || representative[i] != i) continue;
    const double limit = std::min(limits.relative * X.row(j).stableNorm(), limits.absolute);
    if (fit_to(X, j, i).distance <= limit) representative[j] = i;
  }
}

}  // namespace

RowGroups group_parallel_rows(const Matrix& columns, const MergeLimits& limits) {
  const RowMajor X = columns;
  const Index n = X.rows(), d = X.cols();
  Eigen::VectorXd norm(n);
  for (Index j = 0; j < n; ++j) norm(j) = X.row(j).stableNorm();
  const double zero_below =
      n > 0 ? std::min(limits.relative * norm.maxCoeff(), limits.absolute) : 0.0;

  RowGroups groups;
  groups.representative.resize(static_cast<std::size_t>(n));
  groups.ratio.assign(static_cast<std::size_t>(n), 0.0);
  for (Index j = 0; j < n; ++j) {
    const bool zero = X.row(j).isZero(0.0) || norm(j) <= zero_below;
    groups.representative[j] = zero ? -1 : j;
  }
  merge_exactly(X, groups.representative);
  std::vector<Index> nearest = groups.representative;
  if (limits.relative > 0.0) merge_nearly(X, limits, nearest);

  double perturbation = 0.0;
  const auto moved_by = [&](double distance) { perturbation = std::hypot(perturbation, distance); };
  for (Index j = 0; j < n; ++j) {
    const Index exact = groups.representative[j];
    if (exact < 0) {
      moved_by(norm(j));
      groups.exact = groups.exact && X.row(j).isZero(0.0);
      continue;
    }
    const Index i = nearest[exact];
    groups.representative[j] = i;
    if (i == j) groups.directions.push_back(j);
    if (i == exact) {
      const Index pivot = first_nonzero(X.row(i).data(), d);
      groups.ratio[j] = X(j, pivot) / X(i, pivot);
    } else {
      const Fit fit = fit_to(X, j, i);
      groups.ratio[j] = fit.ratio;
      moved_by(fit.distance);
      groups.exact = false;
    }
  }
  groups.perturbation = perturbation;
  return groups;
}

}  // namespace relulift
