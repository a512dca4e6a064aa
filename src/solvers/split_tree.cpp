// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/split_tree.hpp"

#include <algorithm>

namespace relulift {
namespace {

// Reads the subtree at `node`; returns where the next one begins.
std::size_t collect(const std::vector<Index>& nodes, std::size_t node, Cone& path,
                    std::vector<Cone>& out) {
  const Index row = nodes[node++];
  if (row == SplitTree::kLeaf) {
    out.push_back(path);
    return node;
  }
  for (const bool active : {true, false}) {
    path.push_back({row, active});
    node = collect(nodes, node, path, out);
    path.pop_back();
  }
  return node;
}

}  // namespace

std::vector<Cone> SplitTree::cones() const {
  std::vector<Cone> out;
  Cone path;
  collect(nodes_, 0, path, out);
  return out;
}

void SplitTree::cut(Index leaf, Index row) {
  auto at = nodes_.begin();
  for (Index seen = 0;; ++at)
    if (*at == kLeaf && seen++ == leaf) break;
  *at = row;
  nodes_.insert(at + 1, 2, kLeaf);
}

Matrix face_of_cone(const ReducedProblem& problem, const Cone& cone) {
  const Index n = problem.n(), rest = problem.d() + problem.c();
  const std::vector<Index> open = open_rows(n, cone);
  const Index s = static_cast<Index>(open.size());
  Matrix T = Matrix::Zero(n + rest, s + rest);
  for (Index k = 0; k < s; ++k) T(open[static_cast<std::size_t>(k)], k) = 1.0;
  T.bottomRightCorner(rest, rest).setIdentity();
  for (const auto& [row, active] : cone)
    T.row(row).segment(s, problem.d()) = (active ? 1.0 : -1.0) * problem.X.row(row);
  return T;
}

std::vector<bool> zero_rows(Index samples, const Cone& cone) {
  std::vector<bool> zero(static_cast<std::size_t>(2 * samples), false);
  for (const auto& [row, active] : cone)
    zero[static_cast<std::size_t>(active ? samples + row : row)] = true;
  return zero;
}

std::vector<Index> open_rows(Index samples, const Cone& cone) {
  std::vector<Index> open;
  for (Index i = 0; i < samples; ++i) {
    const auto fixes = [i](const FixedRow& fixed) { return fixed.row == i; };
    if (std::none_of(cone.begin(), cone.end(), fixes)) open.push_back(i);
  }
  return open;
}

}  // namespace relulift
