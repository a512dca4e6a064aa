// SPDX-License-Identifier: Apache-2.0
// Entries of the alternating directions on the programs over patterns [eq:pattern-admm]. W and
// duals are d x columns, predictions n x c, the state of the cones n x columns.
#pragma once

#include <math.h>  // on host and device

#include "kernels/entries.hpp"
#include "kernels/gated.hpp"
#include "kernels/loss.hpp"
#include "src/core/view.hpp"

namespace relulift::kernels {

// The state z of a cone holds both s = max(z, 0) and the scaled dual, min(z, 0).
template <class T>
RELULIFT_HD T cone_slack(T z) {
  return z > T(0) ? z : T(0);
}
template <class T>
RELULIFT_HD T cone_dual(T z) {
  return z < T(0) ? z : T(0);
}

// tile(r, j) = sign D_i R + weight (2 D_i - I) p(z) of pattern i = j / c, whose product with X' is
// a column of F'R + weight K'p(z). magnitude: p = |z| = s - dual; multiplier: p = -min(z, 0).
enum class ConePart { magnitude, multiplier };
template <class T>
struct ConeSpread {
  MatrixView<const T> R, Z;  // of the tile's rows
  BitView bits;              // first column: the tile's first pattern
  Index first = 0;           // sample of the tile's first row
  T sign;
  Slot weight;
  ConePart part;
  MatrixView<T> tile;

  RELULIFT_HD void operator()(Index r, Index j) const {
    tile(r, j) =
        value(bits(first + r, j / R.cols), R(r, j % R.cols), Z(r, j), static_cast<T>(weight.get()));
  }
  void column(Index j, Index begin, Index end) const {
    const Index p = j / R.cols, k = j % R.cols;
    const T w = static_cast<T>(weight.get());
    for (Index r = begin; r < end; ++r) tile(r, j) = value(bits(first + r, p), R(r, k), Z(r, j), w);
  }

 private:
  RELULIFT_HD T value(bool on, T r, T z, T w) const {
    const T p = w * (part == ConePart::magnitude && z > T(0) ? z : -cone_dual(z));
    return on ? sign * r + p : -p;
  }
};

// z = a K u + (1 - a) max(z, 0) + min(z, 0), from a tile of X u.
template <class T>
struct ConeUpdate {
  MatrixView<const T> tile;
  BitView bits;
  Index first = 0, outputs = 1;
  T relaxation;
  MatrixView<T> Z;  // of the tile's rows

  RELULIFT_HD void operator()(Index r, Index j) const { Z(r, j) = value(r, j, j / outputs); }
  void column(Index j, Index begin, Index end) const {
    const Index p = j / outputs;
    for (Index r = begin; r < end; ++r) Z(r, j) = value(r, j, p);
  }
  RELULIFT_HD T value(Index r, Index j, Index p) const {
    const T z = Z(r, j), moved = relaxation * tile(r, j);
    return (bits(first + r, p) ? moved : -moved) + (T(1) - relaxation) * cone_slack(z) +
           cone_dual(z);
  }
};
// Terms of the residuals that ConeUpdate is about to leave: ||K u - s||^2, ||s - s before||^2, and
// the squared norms of s and of the dual.
enum class ConeSum { primal, change, size, dual };
template <class T>
struct ConeSumTerm {
  ConeUpdate<T> update;
  ConeSum which;
  RELULIFT_HD double operator()(Index r, Index j) const {
    const T z = update.Z(r, j), next = update.value(r, j, j / update.outputs);
    const T s = cone_slack(next), t = update.tile(r, j);
    double x = static_cast<double>(s);
    if (which == ConeSum::dual) x = static_cast<double>(cone_dual(next));
    if (which == ConeSum::change) x -= static_cast<double>(cone_slack(z));
    if (which == ConeSum::primal)
      x -= static_cast<double>(update.bits(update.first + r, j / update.outputs) ? t : -t);
    return x * x;
  }
};
// Sum k of all tiles, whose sums stand four by four; extent {tiles, 4}.
struct ConeTotal {
  const double* sums = nullptr;
  RELULIFT_HD double operator()(Index tile, Index k) const { return sums[4 * tile + k]; }
};
// The dual of a cone in units of another penalty.
template <class T>
struct ConeRescale {
  MatrixView<T> Z;
  Slot factor;
  RELULIFT_HD void operator()(Index i, Index j) const {
    Z(i, j) = cone_slack(Z(i, j)) + static_cast<T>(factor.get()) * cone_dual(Z(i, j));
  }
};

// The other splits keep their copy v and z = v + dual: z = a u + (1 - a) v + (z - v).
template <class T>
struct Relax {
  MatrixView<const T> U, V;
  T relaxation;
  MatrixView<T> Z;
  RELULIFT_HD void operator()(Index i, Index j) const {
    Z(i, j) += relaxation * (U(i, j) - V(i, j));
  }
};
template <class T>
struct Rescale {
  MatrixView<const T> V;
  Slot factor;
  MatrixView<T> Z;
  RELULIFT_HD void operator()(Index i, Index j) const {
    Z(i, j) = V(i, j) + static_cast<T>(factor.get()) * (Z(i, j) - V(i, j));
  }
};
// 2 v - z: the copy less the dual.
template <class T>
struct LessDual {
  MatrixView<const T> V, Z;
  MatrixView<T> R;
  RELULIFT_HD void operator()(Index i, Index j) const { R(i, j) = T(2) * V(i, j) - Z(i, j); }
};

// u = M^-1 (u + W (2 v - z)), u holding F'(..) + K'(..).
template <class T>
struct StartOfStep {
  MatrixView<const T> V, Z;
  const double* metric = nullptr;   // W
  const double* inverse = nullptr;  // of M
  MatrixView<T> U;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double pull = metric[i] * static_cast<double>(T(2) * V(i, j) - Z(i, j));
    U(i, j) = static_cast<T>(inverse[i] * (static_cast<double>(U(i, j)) + pull));
  }
};
// u -= M^-1 F't; G = A't, the second half of u has the other sign.
template <class T>
struct EndOfStep {
  MatrixView<const T> G;
  const double* inverse = nullptr;
  MatrixView<T> U;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const bool second = j >= G.cols;
    const double g = static_cast<double>(G(i, second ? j - G.cols : j));
    U(i, j) += static_cast<T>(inverse[i] * (second ? g : -g));
  }
};
// W = V - N.
template <class T>
struct Difference {
  MatrixView<const T> V, N;
  MatrixView<T> W;
  RELULIFT_HD void operator()(Index i, Index j) const { W(i, j) = V(i, j) - N(i, j); }
};
template <class T>
struct ScaleRows {
  MatrixView<T> W;
  const double* factor = nullptr;
  RELULIFT_HD void operator()(Index i, Index j) const {
    W(i, j) = static_cast<T>(factor[i] * static_cast<double>(W(i, j)));
  }
};
template <class T>
struct AddEntries {
  MatrixView<const T> A;
  MatrixView<T> B;
  RELULIFT_HD void operator()(Index i, Index j) const { B(i, j) += A(i, j); }
};
// A <- I + factor A o (sum_i d_i d_i') [eq:pattern-schur]. bits: a column per sample, a bit per
// pattern.
struct Overlap {
  MatrixView<double> A;
  BitView bits;
  double factor;
  // Bits that are set, by halves, quarters and bytes.
  RELULIFT_HD static std::uint64_t count(std::uint64_t x) {
    x -= x >> 1 & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
    return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL) * 0x0101010101010101ULL >> 56;
  }
  RELULIFT_HD Index work() const { return bits.per_column; }
  RELULIFT_HD void operator()(Index i, Index j) const {
    std::uint64_t both = 0;
    for (Index w = 0; w < bits.per_column; ++w) both += count(bits.word(w, i) & bits.word(w, j));
    A(i, j) = factor * static_cast<double>(both) * A(i, j) + (i == j ? 1.0 : 0.0);
  }
};

// Columns of A_i = S D_i X for some patterns i: panel(r, i d + j) = sum_k D_i(k n + r) X(k n + r,
// j), k < patches; bits: of the first of them. Extent of the panel.
struct PooledPanel {
  MatrixView<const double> X;
  BitView bits;
  MatrixView<double> panel;
  RELULIFT_HD Index work() const { return X.rows / panel.rows; }
  RELULIFT_HD void operator()(Index r, Index column) const {
    const Index i = column / X.cols, j = column % X.cols;
    double total = 0.0;
    for (Index row = r; row < X.rows; row += panel.rows)
      if (bits(row, i)) total += X(row, j);
    panel(r, column) = total;
  }
};

// E = -rho (z - f), the dual of f = F u, moved by rounding alone: the nearest point of the domain
// of L*(-E), entry by entry [eq:loss]; for the softmax q = y - E >= 0 and of sum one. E of a row.
template <class T>
struct DualOfScores {
  LossKind kind;
  T delta;  // of huber
  MatrixView<const T> F, Z, Y;
  Slot rho;
  MatrixView<T> E;

  RELULIFT_HD void operator()(Index i, Index) const {
    const T r = static_cast<T>(rho.get());
    for (Index k = 0; k < F.cols; ++k) E(i, k) = inside(r * (F(i, k) - Z(i, k)), Y(i, k));
    if (kind == LossKind::softmax) into_simplex(i);
  }

 private:
  RELULIFT_HD static T clamp(T x, T low, T high) { return x < low ? low : x > high ? high : x; }
  RELULIFT_HD T inside(T e, T y) const {
    if (kind == LossKind::logistic || kind == LossKind::hinge) {
      const T s = label(y);
      return s * clamp(s * e, T(0), T(1));
    }
    if (kind == LossKind::huber) return clamp(e, -delta, delta);
    if (kind == LossKind::absolute) return clamp(e, T(-1), T(1));
    return e;
  }
  RELULIFT_HD void into_simplex(Index i) const {
    T mass = T(0);
    for (Index k = 0; k < F.cols; ++k) mass += fmax(Y(i, k) - E(i, k), T(0));
    for (Index k = 0; k < F.cols; ++k) E(i, k) = Y(i, k) - fmax(Y(i, k) - E(i, k), T(0)) / mass;
  }
};

}  // namespace relulift::kernels
