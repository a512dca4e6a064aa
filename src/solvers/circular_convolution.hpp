// SPDX-License-Identifier: Apache-2.0
// Linear networks of circular convolutions as a group lasso over frequencies [eq:circular-lasso]
// (Pilanci & Ergen 2020), and the way back to a filter and its weights [eq:circular-filter].
// Host side; circular_lasso.hpp solves the program.
//
// Real coordinates: with K = d/2 + 1 frequencies (rounded down), column k of a row's 2K coordinates
// is its cosine part at frequency k, column K + k its sine part, 0 where there is none (k = 0 and
// k = d/2). From R^d they preserve lengths.
#pragma once

#include <relulift/convolution.hpp>

#include "src/core/dense.hpp"

namespace relulift {

inline Index frequencies(Index d) { return d / 2 + 1; }

// X Q of every row by FFT: rows x 2K. Cost: rows d log d.
Matrix fourier_rows(const Matrix& X);
// V = Q Z, d x c, of 2K x c coordinates.
Matrix from_fourier(const Matrix& Z, Index d);
// g_k of [eq:circular-lasso], K of them.
Vector frequency_prices(Index d, double g);

// The one filter, and its weights, of coordinates Z (2K x c); no filter where Z is zero.
CircularNetwork circular_network(const Matrix& Z, Index d);

// The best multiple of E (n x c) as a dual point: a lower bound of [eq:circular], up to rounding.
double circular_bound(const Matrix& X, const Matrix& Y, double g, const Matrix& E);

// The same least squares in at most d rows: X = Q (R, 0), so that 1/2 ||XV - Y||^2 is
// 1/2 ||RV - (Q'Y)_top||^2 and a constant.
class RotatedRows {
 public:
  RotatedRows(const Matrix& X, const Matrix& Y);
  const Matrix& X() const { return X_; }
  const Matrix& Y() const { return Y_; }
  double constant() const { return 0.5 * beyond_.squaredNorm(); }
  // A dual point of these rows, E = Y - XV, as one of the data as given.
  Matrix restored(const Matrix& E) const;

 private:
  Matrix X_, Y_;
  Matrix reflectors_, beyond_;  // n x d and (n - d) x c; empty where n <= d
  Vector coefficients_;
};

}  // namespace relulift
