// SPDX-License-Identifier: Apache-2.0
// Entrywise part of the fused Gram pass [eq:gram]: what a panel of K K' becomes between the product
// that forms it and the products that use it. M = (W - sigma K K')_+, without the entries
// (alpha_i, beta_i).
#pragma once

#include <limits>

#include "src/core/view.hpp"

namespace relulift::kernels {

// Instead of an entry of K K': W - sigma K K' is then not positive in any variant.
inline constexpr double kExcluded = std::numeric_limits<double>::infinity();

// A NaN stays one.
RELULIFT_HD inline double positive_part(double a) { return 0.0 > a ? 0.0 : a; }

// The multipliers of a panel; the second: W = 0, a penalty alone.
struct PanelMultipliers {
  MatrixView<const double> W;
  RELULIFT_HD double operator()(Index i, Index j) const { return W(i, j); }
};
struct NoMultipliers {
  RELULIFT_HD double operator()(Index, Index) const { return 0.0; }
};

// The pairs (alpha_i, beta_i) of a panel, as the diagonal of a block.
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

// M^2, an entry right of the diagonal tile twice, because its mirror image is not visited.
template <class Multipliers>
struct GramSquare {
  Multipliers w;
  Slot sigma;
  MatrixView<const double> gram;
  Index diagonal;  // columns of the diagonal tile
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double m = positive_part(w(i, j) - sigma.get() * gram(i, j));
    return (j < diagonal ? 1.0 : 2.0) * m * m;
  }
};

// Both: K K' <- M, and M^2 as above.
template <class Multipliers>
struct GramMultiplierSquare {
  Multipliers w;
  Slot sigma;
  MatrixView<double> gram;
  Index diagonal;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double m = positive_part(w(i, j) - sigma.get() * gram(i, j));
    gram(i, j) = m;
    return (j < diagonal ? 1.0 : 2.0) * m * m;
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
    mixed(i, j) = m > 0.0 ? -s * mixed(i, j) : 0.0;
    gram(i, j) = positive_part(m);
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

}  // namespace relulift::kernels
