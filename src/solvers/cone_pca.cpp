// SPDX-License-Identifier: Apache-2.0
// h(v) = max { u'B v : K u >= 0, ||u|| <= 1 } is convex and positively homogeneous, and its largest
// value on the sphere is what is wanted. In a cell of directions, the cone of linearly independent
// unit v_1 .. v_c, it lies below the linear function w'v that meets it in the v_j: w = V^-T h. So
// ||w|| bounds the cell, and a cut through its longest edge makes two better ones.
#include "src/solvers/cone_pca.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <queue>
#include <utility>
#include <vector>

#include "src/solvers/cone_projection.hpp"

namespace relulift {
namespace {

struct Cell {
  Matrix v;      // c x c, unit columns
  Vector h;      // of the columns
  double bound;  // of the cell
  bool operator<(const Cell& other) const { return bound < other.bound; }
};

class Search {
 public:
  Search(const Matrix& K, const Matrix& B) : K_(K), B_(B) {}

  // An upper bound of h(v); what its neuron gains from all outputs counts as a value.
  double h(const Vector& v) {
    const ConeProjection at = project_on_cone(K_, B_ * v);
    if (at.value > 0.0) {
      const double gain = (B_.transpose() * at.direction).norm();
      if (gain > best.value) {
        best.value = gain;
        best.u = at.direction;
      }
    }
    return at.upper;
  }
  Cell cell(Matrix v, Vector h) const {
    const double bound = v.transpose().partialPivLu().solve(h).norm();
    return {std::move(v), std::move(h), bound};
  }

  ConePca best;

 private:
  const Matrix& K_;
  const Matrix& B_;
};

// The pair of columns that are furthest apart.
std::pair<Index, Index> longest_edge(const Matrix& v) {
  std::pair<Index, Index> longest{0, 1};
  double least = 2.0;
  for (Index q = 1; q < v.cols(); ++q)
    for (Index p = 0; p < q; ++p)
      if (const double cosine = v.col(p).dot(v.col(q)); cosine < least) {
        least = cosine;
        longest = {p, q};
      }
  return longest;
}

}  // namespace

ConePca cone_pca(const Matrix& K, const Matrix& B, const ConePcaOptions& options) {
  const Index c = B.cols();
  Search search(K, B);
  std::priority_queue<Cell> cells;
  for (Index orthant = 0; orthant < (Index{1} << c); ++orthant) {
    Matrix v = Matrix::Identity(c, c);
    Vector h(c);
    for (Index k = 0; k < c; ++k) {
      if ((orthant >> k & 1) != 0) v(k, k) = -1.0;
      h[k] = search.h(v.col(k));
    }
    cells.push(search.cell(std::move(v), std::move(h)));
  }
  const auto settled = [&](double bound) {
    return bound <= std::max(options.below, search.best.value * (1.0 + options.relative));
  };
  for (Index node = 0; c > 1 && node < options.nodes && !settled(cells.top().bound); ++node) {
    const Cell cell = cells.top();
    cells.pop();
    const auto [p, q] = longest_edge(cell.v);
    const Vector middle = (cell.v.col(p) + cell.v.col(q)).normalized();
    const double value = search.h(middle);
    for (const Index gone : {p, q}) {
      Matrix v = cell.v;
      Vector h = cell.h;
      v.col(gone) = middle;
      h[gone] = value;
      Cell part = search.cell(std::move(v), std::move(h));
      part.bound = std::min(part.bound, cell.bound);
      cells.push(std::move(part));
    }
  }
  search.best.upper = std::max(cells.top().bound, search.best.value);
  return std::move(search.best);
}

}  // namespace relulift
