// SPDX-License-Identifier: Apache-2.0
// Pair blocks of the dense engine: the entries of Lambda at a pair of samples i <= j, handled by
// one thread, so that both triangles are bitwise equal and nothing is stored twice. [eq:prox]
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

inline constexpr double kHalfSqrt2 = 0.70710678118654752440;

// Gram entries alpha_i alpha_j, beta_i beta_j, alpha_i beta_j, beta_i alpha_j.
struct Pair {
  double aa, bb, ab, ba;
  RELULIFT_HD double squares() const { return aa * aa + bb * bb + ab * ab + ba * ba; }
};

RELULIFT_HD inline Pair operator+(const Pair& a, const Pair& b) {
  return {a.aa + b.aa, a.bb + b.bb, a.ab + b.ab, a.ba + b.ba};
}
RELULIFT_HD inline Pair operator-(const Pair& a, const Pair& b) {
  return {a.aa - b.aa, a.bb - b.bb, a.ab - b.ab, a.ba - b.ba};
}
RELULIFT_HD inline Pair operator*(double t, const Pair& a) {
  return {t * a.aa, t * a.bb, t * a.ab, t * a.ba};
}

// All i <= j as an (n + 1) x ceil(n / 2) rectangle: column k holds columns k and n - 1 - k of the
// triangle one above the other, so that every column is equally long.
struct Triangle {
  Index n;
  RELULIFT_HD Extent extent() const { return {n + 1, (n + 1) / 2}; }
  // False for the one doubled column of odd n.
  RELULIFT_HD bool at(Index r, Index k, Index& i, Index& j) const {
    j = r <= k ? k : n - 1 - k;
    i = r <= k ? r : r - k - 1;
    return r <= k || j != k;
  }
};

// The 2n x 2n symmetric (alpha, beta) block in 2n^2 + n doubles.
struct PackedPairs {
  MatrixView<double> like;   // n x n: upper triangle with diagonal aa, strict lower bb
  MatrixView<double> mixed;  // n x n: (i, j) is alpha_i beta_j
  MatrixView<double> beta;   // n: beta_i beta_i
  RELULIFT_HD Pair load(Index i, Index j) const {
    return {like(i, j), i == j ? beta[i] : like(j, i), mixed(i, j), mixed(j, i)};
  }
  RELULIFT_HD void store(Index i, Index j, const Pair& p) const {
    like(i, j) = p.aa;
    (i == j ? beta[i] : like(j, i)) = p.bb;
    mixed(i, j) = p.ab;
    mixed(j, i) = p.ba;
  }
};

// N P N' on the pairs: alpha = s^/sqrt 2 + t^, beta = s^/sqrt 2 - t^ with t^ = half_X u^.
struct FacePairs {
  MatrixView<const double> P;  // s^ s^ block
  MatrixView<const double> R;  // t^ s^
  MatrixView<const double> T;  // t^ t^, upper triangle read
  RELULIFT_HD Pair load(Index i, Index j) const {
    const double s = 0.5 * P(j, i), t = T(i, j);
    const double c = kHalfSqrt2 * R(i, j), r = kHalfSqrt2 * R(j, i);
    const double even = s + t, odd = s - t, sum = c + r, difference = c - r;
    return {even + sum, even - sum, odd + difference, odd - difference};
  }
};

// N' W N on the pairs, up to the products with half_X that follow:
// M = s^ s^ block, E: M_(s^ u^) = E half_X / sqrt 2, F: M_(u^ u^) = half_X' F half_X.
struct FoldPairs {
  MatrixView<double> M;  // lower triangle written
  MatrixView<double> E, F;
  RELULIFT_HD void store(Index i, Index j, const Pair& w) const {
    M(j, i) = 0.5 * ((w.aa + w.bb) + (w.ab + w.ba));
    const double same = w.aa - w.bb, cross = w.ab - w.ba;
    E(i, j) = same - cross;
    if (i != j) E(j, i) = same + cross;
    const double f = (w.aa + w.bb) - (w.ab + w.ba);
    F(i, j) = f;
    if (i != j) F(j, i) = f;
  }
};

// Projection on K >= 0 with alpha_i beta_i = 0.
RELULIFT_HD inline Pair nonnegative(Index i, Index j, const Pair& p) {
  const auto plus = [](double a) { return a > 0.0 ? a : 0.0; };
  return {plus(p.aa), plus(p.bb), i == j ? 0.0 : plus(p.ab), i == j ? 0.0 : plus(p.ba)};
}

// [eq:prox] [eq:dual]: y = prox(2 x - w), w <- x + rho/rho' (w + relax (y - x) - x), and the fold
// of the new w. rho' is the penalty from now on. Reads 8, writes 9 doubles per pair i < j; E may be
// R and F may be T: a pair is read before it is written, by one thread.
struct PairStep {
  Triangle triangle;
  FacePairs x;
  PackedPairs w;
  FoldPairs fold;
  Slot rho, next_rho;
  double relax;
  RELULIFT_HD void operator()(Index r, Index k) const {
    Index i, j;
    if (!triangle.at(r, k, i, j)) return;
    const Pair at = x.load(i, j), off = w.load(i, j) - at;
    const Pair y = nonnegative(i, j, at - off);
    const double ratio = rho.get() / next_rho.get();
    const Pair next = at + ratio * (off + relax * (y - at));
    w.store(i, j, next);
    fold.store(i, j, next);
  }
};

// w <- x + (multiplier of W = 0 is zero): the start from a given P.
struct PairStart {
  Triangle triangle;
  FacePairs x;
  PackedPairs w;
  FoldPairs fold;
  RELULIFT_HD void operator()(Index r, Index k) const {
    Index i, j;
    if (!triangle.at(r, k, i, j)) return;
    const Pair at = x.load(i, j);
    w.store(i, j, at);
    fold.store(i, j, at);
  }
};

// Terms of [eq:stop]: ||y - x||^2, ||x||^2 and ||2 x - w - y||^2 over the whole 2n x 2n block.
enum class PairNorm { gap, point, multiplier };
struct PairSquares {
  Triangle triangle;
  FacePairs x;
  PackedPairs w;
  PairNorm what;
  RELULIFT_HD double operator()(Index r, Index k) const {
    Index i, j;
    if (!triangle.at(r, k, i, j)) return 0.0;
    const double weight = i == j ? 1.0 : 2.0;
    const Pair at = x.load(i, j);
    if (what == PairNorm::point) return weight * at.squares();
    const Pair mirror = 2.0 * at - w.load(i, j), y = nonnegative(i, j, mirror);
    return weight * (what == PairNorm::gap ? (y - at).squares() : (mirror - y).squares());
  }
};

// W = -rho (2 x - w - y) of [eq:dual] for a read-back: `like` packed as in PackedPairs with the
// diagonal of bb in `beta`, or `mixed`.
struct PairMultipliers {
  Triangle triangle;
  FacePairs x;
  PackedPairs w;
  PackedPairs out;  // like and mixed may be the same storage: only `part` is written
  bool mixed;
  Slot rho;
  RELULIFT_HD void operator()(Index r, Index k) const {
    Index i, j;
    if (!triangle.at(r, k, i, j)) return;
    const Pair mirror = 2.0 * x.load(i, j) - w.load(i, j);
    const Pair W = rho.get() * (nonnegative(i, j, mirror) - mirror);
    if (mixed) {
      out.mixed(i, j) = W.ab;
      out.mixed(j, i) = W.ba;
    } else {
      out.like(i, j) = W.aa;
      (i == j ? out.beta[i] : out.like(j, i)) = W.bb;
    }
  }
};

}  // namespace relulift::kernels
