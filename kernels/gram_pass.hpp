// SPDX-License-Identifier: Apache-2.0
// Entrywise part of the fused Gram pass [eq:gram]: what a tile of K K' becomes between the product
// that forms it and the products that use it. M = (W - sigma K K')_+, without the entries
// (alpha_i, beta_i).
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

// Instead of an entry of K K': W - sigma K K' is then negative in every variant, and finite.
inline constexpr double kExcluded = 1e200;

// A NaN stays one.
RELULIFT_HD inline double positive_part(double a) { return 0.0 > a ? 0.0 : a; }

// The multipliers of a tile; the second: W = 0, a penalty alone.
struct TileMultipliers {
  MatrixView<const double> W;
  RELULIFT_HD double operator()(Index i, Index j) const { return W(i, j); }
};
struct NoMultipliers {
  RELULIFT_HD double operator()(Index, Index) const { return 0.0; }
};

// The pairs (alpha_i, beta_i) of a tile, as the diagonal of a block.
struct ExcludeDiagonal {
  MatrixView<double> gram;
  RELULIFT_HD void operator()(Index k, Index) const { gram(k, k) = kExcluded; }
};

// K K' <- M. Reads 2, writes 1 double per entry, or reads 1 without multipliers.
template <class Multipliers>
struct GramMultiplier {
  Multipliers w;
  Slot sigma;
  MatrixView<double> gram;
  RELULIFT_HD void operator()(Index i, Index j) const {
    gram(i, j) = positive_part(w(i, j) - sigma.get() * gram(i, j));
  }
};

// weight M^2, of a tile of M. weight: 2 off the diagonal tiles, whose mirror images are not
// visited, and 1 on them.
struct GramSquare {
  MatrixView<const double> multiplier;
  double weight;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return weight * multiplier(i, j) * multiplier(i, j);
  }
};

// K K' <- M, and K D' + D K' <- its part of the derivative of M. Reads 3, writes 2 doubles.
template <class Multipliers>
struct GramDerivative {
  Multipliers w;
  Slot sigma;
  MatrixView<double> gram, mixed;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double s = sigma.get(), m = w(i, j) - s * gram(i, j);
    const double slope = m > 0.0 ? -s : 0.0;
    mixed(i, j) = slope * mixed(i, j);
    gram(i, j) = 0.5 * (m + fabs(m));  // exact; GCC vectorises no second choice by the same sign
  }
};

// W <- M. Reads 2, writes 1 double.
struct GramUpdate {
  MatrixView<const double> gram;
  Slot sigma;
  MatrixView<double> W;
  RELULIFT_HD void operator()(Index i, Index j) const {
    W(i, j) = positive_part(W(i, j) - sigma.get() * gram(i, j));
  }
};

// ||M||^2 / (2 sigma), from its parts.
struct GramObjective {
  Slot parts, sigma;
  RELULIFT_HD double operator()(Index k, Index) const {
    return parts.address[k] / (2.0 * sigma.get());
  }
};

// Blocks of `height` rows of A side by side, each contiguous: entry (i, k) of block b at
// (i, k + b A.cols). Launched over {height, blocks A.cols}.
struct PackBlocks {
  MatrixView<const double> A;
  MatrixView<double> blocks;
  Index height;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const Index block = j / A.cols, p = block * height + i;
    if (p < A.rows) blocks(i, j) = A(p, j - block * A.cols);
  }
};

struct Clear {
  MatrixView<double> a;
  RELULIFT_HD void operator()(Index i, Index j) const { a(i, j) = 0.0; }
};

// to = from', launched over the extent of `from`.
struct Transpose {
  MatrixView<const double> from;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index i, Index j) const { to(j, i) = from(i, j); }
};

}  // namespace relulift::kernels
