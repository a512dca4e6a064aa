// SPDX-License-Identifier: Apache-2.0
// Entries of the interior-point method on convex programs over activation patterns [eq:gated]
// [eq:relu-cones]. Block b stands on pattern b % P. docs/math.md, section 12.
#pragma once

#include <cmath>
#include <cstdint>

#include "src/core/view.hpp"

namespace relulift::kernels {

// Bits of D_i, 32 to a word, the words of one pattern after those of another [eq:pattern].
struct PatternBits {
  IndexView words;
  Index words_per_pattern = 0, patterns = 0;
  RELULIFT_HD bool active(Index r, Index block) const {
    const Index word = words[block % patterns * words_per_pattern + r / 32];
    return (static_cast<std::uint32_t>(word) >> (r % 32) & 1U) != 0;
  }
  RELULIFT_HD double sign(Index r, Index block) const { return active(r, block) ? 1.0 : -1.0; }
};

// The products x_k x_l of a sample, k >= l, a column each; extent {n, d (d + 1) / 2}.
struct ColumnProducts {
  MatrixView<const double> X;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index r, Index pair) const {
    Index k = 0, l = pair;
    while (l > k) l -= ++k;
    to(r, pair) = X(r, k) * X(r, l);
  }
};

// Z = D_i e, for X'Z = A_i'e. Z = D_i Z, whose row sums are the prediction; `first`: the block of
// the first column, `width`: columns of a block.
struct MaskedColumn {
  PatternBits bits;
  MatrixView<const double> e;
  MatrixView<double> Z;
  RELULIFT_HD void operator()(Index r, Index i) const { Z(r, i) = bits.active(r, i) ? e[r] : 0.0; }
};
struct PatternMask {
  PatternBits bits;
  MatrixView<double> Z;
  Index first = 0, width = 1;
  RELULIFT_HD void operator()(Index r, Index j) const {
    if (!bits.active(r, first + j / width)) Z(r, j) = 0.0;
  }
};

// to = S D_i Z: a sample is the sum of its rows, from first[r] on [eq:pooled]. block, width: as of
// PatternMask; extent of `to`.
struct PooledMask {
  PatternBits bits;
  IndexView first;  // one more than samples
  MatrixView<const double> Z;
  Index block = 0, width = 1;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index r, Index j) const {
    double total = 0.0;
    for (Index q = first[r]; q < first[r + 1]; ++q)
      if (bits.active(q, block + j / width)) total += Z(q, j);
    to(r, j) = total;
  }
};

// What the multipliers mu of K v >= 0 and the slacks s = K v are made of, rows x blocks each.
struct ConeViews {
  PatternBits bits;
  MatrixView<double> mu, s, dmu, ds, residual, work;
};

// A start on the central path of the rows: s = K v, not below a share of its mean, mu s = product.
struct ConeStart {
  ConeViews at;  // work = X v
  double product = 0.0;
  static constexpr double kLeastShare = 1e-6;
  RELULIFT_HD void operator()(Index, Index b) const {
    double mean = 0.0;
    for (Index r = 0; r < at.s.rows; ++r) mean += fabs(at.work(r, b));
    mean /= static_cast<double>(at.s.rows);
    for (Index r = 0; r < at.s.rows; ++r) {
      const double inside = at.bits.sign(r, b) * at.work(r, b);
      at.s(r, b) = inside > kLeastShare * mean ? inside : kLeastShare * mean;
      at.mu(r, b) = product / at.s(r, b);
    }
  }
};

// residual = K v - s from work = X v; then work = mu with the signs of K, for X'work = K'mu.
struct ConeResidual {
  ConeViews at;
  RELULIFT_HD void operator()(Index r, Index b) const {
    const double sign = at.bits.sign(r, b);
    at.residual(r, b) = sign * at.work(r, b) - at.s(r, b);
    at.work(r, b) = sign * at.mu(r, b);
  }
};

// Weights of C = X' diag(mu / s) X.
struct ConeWeight {
  ConeViews at;
  RELULIFT_HD void operator()(Index r, Index b) const { at.work(r, b) = at.mu(r, b) / at.s(r, b); }
};

// work = (target - mu s - second dmu ds - keep mu residual) / s with the signs of K.
struct ConeRight {
  ConeViews at;
  double target = 0.0, second = 0.0, keep = 1.0;
  RELULIFT_HD void operator()(Index r, Index b) const {
    const double mu = at.mu(r, b), s = at.s(r, b);
    const double change = second == 0.0 ? 0.0 : second * at.dmu(r, b) * at.ds(r, b);
    const double right = target - mu * s - change - keep * mu * at.residual(r, b);
    at.work(r, b) = at.bits.sign(r, b) * right / s;
  }
};

// The move of mu and s from ds = X dv and the work of ConeRight.
struct ConeMove {
  ConeViews at;
  double keep = 1.0;
  RELULIFT_HD void operator()(Index r, Index b) const {
    const double sign = at.bits.sign(r, b), along = sign * at.ds(r, b);
    at.dmu(r, b) = sign * at.work(r, b) - at.mu(r, b) / at.s(r, b) * along;
    at.ds(r, b) = along + keep * at.residual(r, b);
  }
};

// 1 / the step at which the first mu or s of a block is zero; extent {1, blocks}.
struct ConeReach {
  ConeViews at;
  double* inverse = nullptr;
  RELULIFT_HD void operator()(Index, Index b) const {
    double worst = 0.0;
    for (Index r = 0; r < at.s.rows; ++r) {
      const double of_mu = -at.dmu(r, b) / at.mu(r, b), of_s = -at.ds(r, b) / at.s(r, b);
      worst = of_mu > worst ? of_mu : worst;
      worst = of_s > worst ? of_s : worst;
    }
    inverse[b] = worst;
  }
};

// Terms of mu's after a step.
struct ConeProduct {
  ConeViews at;
  double length = 0.0;
  RELULIFT_HD double operator()(Index r, Index b) const {
    return (at.mu(r, b) + length * at.dmu(r, b)) * (at.s(r, b) + length * at.ds(r, b));
  }
};

struct ConeAdvance {
  ConeViews at;
  double length = 0.0;
  RELULIFT_HD void operator()(Index r, Index b) const {
    at.mu(r, b) += length * at.dmu(r, b);
    at.s(r, b) += length * at.ds(r, b);
  }
};

// The least theta with K (v + theta h) >= 0, from work = X v and ds = X h; extent {1, blocks}.
struct ConeRepair {
  ConeViews at;
  double* theta = nullptr;
  RELULIFT_HD void operator()(Index, Index b) const {
    double worst = 0.0;
    for (Index r = 0; r < at.s.rows; ++r) {
      const double sign = at.bits.sign(r, b), short_of = -sign * at.work(r, b);
      if (!(short_of > 0.0)) continue;
      const double ratio = short_of / (sign * at.ds(r, b));
      worst = ratio > worst ? ratio : (ratio >= 0.0 ? worst : HUGE_VAL);
    }
    theta[b] = worst;
  }
};

// Q with Q Q' = M, the scaling alone: M = eta^2 (I + 2 w w') [eq:pattern-scaling]; extent {d, d
// blocks}.
struct ScalingRoot {
  MatrixView<const double> w;    // d x blocks
  MatrixView<const double> eta;  // blocks
  MatrixView<double> Q;          // d x (d blocks)
  RELULIFT_HD void operator()(Index k, Index column) const {
    const Index d = w.rows, b = column / d, l = column % d;
    double square = 0.0;
    for (Index i = 0; i < d; ++i) square += w(i, b) * w(i, b);
    // (sqrt(1 + 2 w'w) - 1) / w'w without cancellation.
    const double factor = 2.0 / (sqrt(1.0 + 2.0 * square) + 1.0);
    Q(k, column) = eta[b] * ((k == l ? 1.0 : 0.0) + factor * w(k, b) * w(l, b));
  }
};

// Q with Q Q' = (M^-1 + C)^-1, C = X' diag(mu / s) X. Near a solution a neuron lies on an edge of
// its cone: C is huge across v and next to nothing along it, and no factor of C would show the
// latter. In the basis of v and all unit vectors but the one where v is largest, C v = K'mu and
// v'C v = mu's have no cancellation.
struct BlockRoot {
  MatrixView<const double> products;    // d (d + 1) / 2 x blocks, the lower triangle of C by rows
  MatrixView<const double> v, w, pull;  // d x blocks; pull = K'mu
  MatrixView<const double> eta;         // blocks
  const double* along = nullptr;        // mu's
  MatrixView<double> Q;                 // d x (d blocks)
  static constexpr double kLeastPivot = 1e-15;  // of what it was: a direction without information

  RELULIFT_HD void operator()(Index, Index b) const {
    const Index d = v.rows;
    const MatrixView<double> L = Q.block(0, b * d, d, d);
    const Index replaced = largest(b);
    fill(L, b, replaced);
    factor(L);
    invert(L);
    to_block(L, b, replaced);
  }

 private:
  RELULIFT_HD Index largest(Index b) const {
    Index best = 0;
    double most = -1.0;
    for (Index k = 0; k < v.rows; ++k) {
      const double size = v(k, b) * v(k, b) * products(k * (k + 3) / 2, b);
      if (size > most) most = size, best = k;
    }
    return best;
  }
  RELULIFT_HD void fill(const MatrixView<double>& L, Index b, Index replaced) const {
    const Index last = v.rows - 1;
    double square = 0.0, wv = 0.0;
    for (Index k = 0; k <= last; ++k) square += w(k, b) * w(k, b), wv += w(k, b) * v(k, b);
    const double scale = 1.0 / (eta[b] * eta[b]), share = 2.0 / (1.0 + 2.0 * square);
    const double parallel = square > 0.0 ? wv / square : 0.0;  // v = parallel w + across
    double across = 0.0;
    for (Index i = 0; i < last; ++i) {
      const Index k = i < replaced ? i : i + 1;
      for (Index j = 0; j <= i; ++j) {
        const Index l = j < replaced ? j : j + 1;
        L(i, j) = scale * ((k == l ? 1.0 : 0.0) - share * w(k, b) * w(l, b)) +
                  products(k * (k + 1) / 2 + l, b);
      }
    }
    for (Index k = 0; k <= last; ++k) {
      const double off = v(k, b) - parallel * w(k, b);
      across += off * off;
      if (k == replaced) continue;
      L(last, k < replaced ? k : k - 1) =
          scale * (off + parallel * w(k, b) / (1.0 + 2.0 * square)) + pull(k, b);
    }
    L(last, last) =
        scale * (across + parallel * parallel * square / (1.0 + 2.0 * square)) + along[b];
  }
  // Lower Cholesky factor; the reciprocal of its diagonal is kept, 0 where a pivot is lost.
  RELULIFT_HD void factor(const MatrixView<double>& L) const {
    for (Index j = 0; j < L.cols; ++j) {
      double pivot = L(j, j);
      const double least = kLeastPivot * pivot;
      for (Index k = 0; k < j; ++k) pivot -= L(j, k) * L(j, k);
      const double inverse = pivot > least ? 1.0 / sqrt(pivot) : 0.0;
      for (Index i = j + 1; i < L.rows; ++i) {
        double entry = L(i, j);
        for (Index k = 0; k < j; ++k) entry -= L(i, k) * L(j, k);
        L(i, j) = entry * inverse;
      }
      L(j, j) = inverse;
    }
  }
  RELULIFT_HD void invert(const MatrixView<double>& L) const {
    for (Index j = 0; j < L.cols; ++j) {
      for (Index i = j + 1; i < L.rows; ++i) {
        double entry = 0.0;
        for (Index k = j; k < i; ++k) entry -= L(i, k) * L(k, j);
        L(i, j) = entry * L(i, i);
      }
    }
  }
  // Q = basis L^-T in place.
  RELULIFT_HD void to_block(const MatrixView<double>& L, Index b, Index replaced) const {
    const Index d = L.rows;
    for (Index j = 0; j < d; ++j) {
      for (Index i = j + 1; i < d; ++i) {
        L(j, i) = L(i, j);
        L(i, j) = 0.0;
      }
    }
    for (Index j = 0; j < d; ++j) {
      const double of_v = L(d - 1, j);
      for (Index k = d - 1; k > replaced; --k) L(k, j) = L(k - 1, j);
      L(replaced, j) = 0.0;
      if (j < d - 1) continue;
      for (Index k = 0; k < d; ++k) L(k, j) += v(k, b) * of_v;
    }
  }
};

// Z = Q'R and U = Q Z, block by block; extent {d, blocks}.
struct BlockTransposed {
  MatrixView<const double> Q, R;
  MatrixView<double> Z;
  RELULIFT_HD void operator()(Index j, Index b) const {
    double total = 0.0;
    for (Index k = 0; k < R.rows; ++k) total += Q(k, b * R.rows + j) * R(k, b);
    Z(j, b) = total;
  }
};
struct BlockProduct {
  MatrixView<const double> Q, Z;
  MatrixView<double> U;
  RELULIFT_HD void operator()(Index k, Index b) const {
    double total = 0.0;
    for (Index j = 0; j < Z.rows; ++j) total += Q(k, b * Z.rows + j) * Z(j, b);
    U(k, b) = total;
  }
};

}  // namespace relulift::kernels
