// SPDX-License-Identifier: Apache-2.0
// The augmented Lagrangian [eq:alm] over a factor Z with multipliers on listed pairs only
// [eq:sparse-alm]. All factors are stored transposed, one column of r entries per lifted row, so
// that an inner product K_pq reads two contiguous columns. Rows have unit length: x_i / ||x_i||.
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

// In four partial sums, whatever the compiler may reorder.
RELULIFT_HD inline double column_product(MatrixView<const double> a, Index p, Index q) {
  const double *x = a.data + p * a.ld, *y = a.data + q * a.ld;
  double s[4] = {};
  Index k = 0;
  for (; k + 4 <= a.rows; k += 4) {
    for (Index l = 0; l < 4; ++l) s[l] += x[k + l] * y[k + l];
  }
  for (; k < a.rows; ++k) s[0] += x[k] * y[k];
  return (s[0] + s[1]) + (s[2] + s[3]);
}

// b = a o factor.
struct ScaleEntries {
  MatrixView<const double> a, factor;
  MatrixView<double> b;
  RELULIFT_HD void operator()(Index k, Index j) const { b(k, j) = a(k, j) * factor(k, j); }
};

// Columns alpha_i and beta_i of K from s_i and t_i.
struct LiftColumns {
  MatrixView<const double> s, t;
  MatrixView<double> K;  // r x 2n
  RELULIFT_HD void operator()(Index k, Index i) const {
    K(k, i) = 0.5 * (s(k, i) + t(k, i));
    K(k, s.cols + i) = 0.5 * (s(k, i) - t(k, i));
  }
};

// r = weight fit - target; scaled = weight r, what the gradient needs.
struct WeightedResidual {
  MatrixView<const double> target, weight;
  MatrixView<double> r, scaled;  // r holds the fit before
  RELULIFT_HD void operator()(Index i, Index j) const {
    r(i, j) = weight[i] * r(i, j) - target(i, j);
    scaled(i, j) = weight[i] * r(i, j);
  }
};

// m = (w - sigma K_p K_q')_+ of every listed pair.
struct PairMultiplier {
  MatrixView<const double> K, w;
  IndexView first, second;
  Slot sigma;
  MatrixView<double> m;
  RELULIFT_HD void operator()(Index e, Index) const {
    const double value = w[e] - sigma.get() * column_product(K, first[e], second[e]);
    m[e] = value > 0.0 ? value : 0.0;
  }
};

// m_i = y_i - sigma K(alpha_i, beta_i).
struct FreeMultiplier {
  MatrixView<const double> K, y;
  Slot sigma;
  MatrixView<double> m;
  RELULIFT_HD void operator()(Index i, Index) const {
    m[i] = y[i] - sigma.get() * column_product(K, i, y.rows + i);
  }
};

// Column p of the gradient in K: - sum over the pairs (p, q) of m K_q, its alpha-beta pair included
// [eq:sparse-alm]. begin, other, pair: the pairs of every lifted row, in compressed rows.
struct GatherPairs {
  MatrixView<const double> K, m, free;
  IndexView begin, other, pair;
  MatrixView<double> out;  // r x 2n
  RELULIFT_HD void operator()(Index k, Index p) const {
    double value = -free[p % free.rows] * K(k, partner(p));
    for (Index a = begin[p]; a < begin[p + 1]; ++a) value -= m[pair[a]] * K(k, other[a]);
    out(k, p) = value;
  }
  // The same for a stretch of a column: a pair without a multiplier is passed over once.
  void column(Index p, Index first, Index last) const {
    double* to = out.data + p * out.ld;
    const double* from = K.data + partner(p) * K.ld;
    const double own = free[p % free.rows];
    for (Index k = first; k < last; ++k) to[k] = -own * from[k];
    for (Index a = begin[p]; a < begin[p + 1]; ++a) {
      const double value = m[pair[a]];
      if (value == 0.0) continue;
      from = K.data + other[a] * K.ld;
      for (Index k = first; k < last; ++k) to[k] -= value * from[k];
    }
  }

 private:
  RELULIFT_HD Index partner(Index p) const { return p < free.rows ? p + free.rows : p - free.rows; }
};

// The gradient in s_i, and in t_i: in place of t.
struct FoldColumns {
  MatrixView<const double> gradient, factor;  // r x 2n; r x n
  MatrixView<double> s, t;
  RELULIFT_HD void operator()(Index k, Index i) const {
    const double a = gradient(k, i), b = gradient(k, t.cols + i);
    s(k, i) = 0.5 * (a + b) * factor(k, i);
    t(k, i) = 0.5 * (a - b);
  }
};

// The gradient in u and v: what the residuals gave, and the weight decay.
struct AddDecay {
  MatrixView<const double> Z, factor;  // columns u and v
  double weight_decay;
  MatrixView<double> gradient;
  RELULIFT_HD void operator()(Index k, Index j) const {
    gradient(k, j) = (gradient(k, j) + weight_decay * Z(k, j)) * factor(k, j);
  }
};

struct SquareOf {
  MatrixView<const double> a;
  RELULIFT_HD double operator()(Index i, Index j) const { return a(i, j) * a(i, j); }
};

// Parts: ||R||^2, ||H||^2, ||U||^2 + ||V||^2, sum m^2 over pairs, sum m^2 of the alpha-beta pairs.
struct LagrangianValue {
  Slot parts;
  Slot sigma;
  double weight_decay;
  Slot value;
  RELULIFT_HD void operator()(Index, Index) const {
    const double* p = parts.address;
    value.set(0.5 * (p[0] + p[1] + weight_decay * p[2] + (p[3] + p[4]) / sigma.get()));
  }
};

// Which of kMaskRows entries of a tile of K K' lie below margin ||K_p|| ||K_q||: bit b of the mask
// is row 32 a + b. Only pairs p < q, not those of one sample.
inline constexpr Index kMaskRows = 32;
template <class T>
struct NearlyViolated {
  MatrixView<const T> gram;       // the tile
  MatrixView<const double> norm;  // 2n
  Index row, col, samples;        // of the tile's corner
  double margin;
  MatrixView<double> mask;
  RELULIFT_HD void operator()(Index a, Index j) const {
    const Index q = col + j, end = gram.rows - kMaskRows * a;
    const double limit = margin * norm[q];
    double bits = 0.0, bit = 1.0;
    for (Index b = 0; b < kMaskRows && b < end; ++b) {
      const Index p = row + kMaskRows * a + b;
      const bool counts = p < q && q - p != samples;
      if (counts && static_cast<double>(gram(kMaskRows * a + b, j)) < limit * norm[p]) bits += bit;
      bit *= 2.0;
    }
    mask(a, j) = bits;
  }
};

// Euclidean norms of columns from their squares.
struct RootOf {
  MatrixView<double> a;
  RELULIFT_HD void operator()(Index i, Index) const { a[i] = sqrt(a[i]); }
};

}  // namespace relulift::kernels
