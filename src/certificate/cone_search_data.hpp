// SPDX-License-Identifier: Apache-2.0
// Data of a cone search in the coordinates it works in: principal axes of X, entries near one.
// kappa is invariant under orthogonal maps of u; what rounding spoils is counted in `rounding`.
#pragma once

#include <cstdint>
#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct ConeData {
  // Rows scaled by powers of two: (Xu)_i by 2^k_i, e_i by 2^-k_i / scale. Without rows that have no
  // say (x_i = 0 or e_i = 0).
  RowMajor X;             // n x r, principal axes, rows of length near one
  RowMajor E;             // n x c, the largest row of length near one
  Vector norm;            // ||e_i||
  Vector stretch;         // ||X(:, k)||, floored: metric of the whitened edge lengths
  Matrix axes;            // u as given = axes * u here
  double scale = 1.0;     // value as given = scale * value here (a power of two)
  double mass = 0.0;      // >= sum_i ||e_i|| ||x_i|| >= 1: what relative rounding errors multiply
  double rounding = 0.0;  // relative error of the data and of F at the roots, of `mass`
  double ceiling = 0.0;   // kappa <= ceiling by norms alone

  Index n() const { return X.rows(); }
  int r() const { return static_cast<int>(X.cols()); }
  int c() const { return static_cast<int>(E.cols()); }
};

// X and E are finite.
ConeData prepare(const Matrix& X, const Matrix& E);

// ||E'(Xu)_+||
double cone_value(const ConeData& data, const Vector& u);

// Ascent towards X'((E E'a) o 1[Xu > 0]) / ||.||, a = (Xu)_+, in shorter steps where the value
// falls. May stop at a kink that is no maximum.
struct ConeDirection {
  double value = 0.0;
  Vector u;  // unit
};
ConeDirection ascend(const ConeData& data, const Vector& start, int iterations);

// Sorts by value and drops near copies of a better one; at most `limit` stay.
void keep_distinct(std::vector<ConeDirection>& found, Index limit);

}  // namespace relulift
