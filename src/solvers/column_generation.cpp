// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/column_generation.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace relulift {

Directions distinct(const Directions& all, Index k, double threshold, double closest) {
  std::vector<Index> order(static_cast<std::size_t>(all.value.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return all.value[a] > all.value[b]; });
  Directions out{Matrix(all.S.rows(), k), Vector(k)};
  Index found = 0;
  for (const Index j : order) {
    if (found == k || !(all.value[j] > threshold)) break;
    const auto taken = out.S.leftCols(found);
    if (found > 0 && (taken.transpose() * all.S.col(j)).maxCoeff() >= closest) continue;
    out.S.col(found) = all.S.col(j);
    out.value[found++] = all.value[j];
  }
  out.S.conservativeResize(Eigen::NoChange, found);
  out.value.conservativeResize(found);
  return out;
}

}  // namespace relulift
