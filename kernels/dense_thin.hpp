// SPDX-License-Identifier: Apache-2.0
// Thin blocks of the dense engine: sample rows against h = (u', v'), and h against h. [eq:prox]
#pragma once

#include <math.h>  // sqrt on host and device

#include "kernels/dense_pairs.hpp"

namespace relulift::kernels {

struct ThinEntry {
  double a, b;  // alpha_i h_k and beta_i h_k
};

// N P N' on sample rows against h.
struct FaceThin {
  Index n;
  MatrixView<const double> P, R;  // as in FacePairs, all columns
  MatrixView<const double> share;
  RELULIFT_HD ThinEntry load(Index i, Index k) const {
    const double s = kHalfSqrt2 * P(n + k, i), t = R(i, n + k);
    return {share[k] * (s + t), share[k] * (s - t)};
  }
};

// One side of the loss: 1/2 sum (weight_i z / scale_i - target)^2 for the entry z of alpha' v'.
struct Loss {
  MatrixView<const double> target;  // n x c
  MatrixView<const double> weight;  // n; 0 where the row carries no loss
  MatrixView<const double> scale;   // n: tau_i e
  // The entry and its mirror image count, hence 2 rho.
  RELULIFT_HD double prox(Index i, Index k, double w, double rho) const {
    const double q = weight[i], e = scale[i];
    return (e * q * target(i, k) + 2.0 * rho * e * e * w) / (q * q + 2.0 * rho * e * e);
  }
  RELULIFT_HD double residual(Index i, Index k, double z) const {
    return weight[i] == 0.0 ? 0.0 : weight[i] * z / scale[i] - target(i, k);
  }
};

struct ThinProx {
  Index d;
  Loss alpha, beta;
  RELULIFT_HD ThinEntry operator()(Index i, Index k, const ThinEntry& w, double rho) const {
    if (k < d) return w;
    return {alpha.prox(i, k - d, w.a, rho), beta.prox(i, k - d, w.b, rho)};
  }
};

// As PairStep. `difference` <- share o (w_a - w_b), which the products with half_X complete.
struct ThinStep {
  FaceThin x;
  MatrixView<double> wa, wb;  // n x (d + c)
  MatrixView<double> difference;
  ThinProx prox;
  Slot rho, next_rho;
  double relax;
  RELULIFT_HD void operator()(Index i, Index k) const {
    const ThinEntry at = x.load(i, k), off{wa(i, k) - at.a, wb(i, k) - at.b};
    const ThinEntry y = prox(i, k, {at.a - off.a, at.b - off.b}, rho.get());
    const double ratio = rho.get() / next_rho.get();
    const double a = at.a + ratio * (off.a + relax * (y.a - at.a));
    const double b = at.b + ratio * (off.b + relax * (y.b - at.b));
    wa(i, k) = a;
    wb(i, k) = b;
    difference(i, k) = x.share[k] * (a - b);
  }
};

// w <- x - multiplier / rho with G and H the residuals at x [eq:dual].
struct ThinStart {
  FaceThin x;
  MatrixView<double> wa, wb;
  MatrixView<double> difference;
  ThinProx prox;
  Slot rho;
  RELULIFT_HD double start(const Loss& loss, Index i, Index k, double z) const {
    const double slope = loss.weight[i] / (2.0 * loss.scale[i]);
    return z - slope * loss.residual(i, k, z) / rho.get();
  }
  RELULIFT_HD void operator()(Index i, Index k) const {
    ThinEntry at = x.load(i, k);
    if (k >= prox.d) {
      at.a = start(prox.alpha, i, k - prox.d, at.a);
      at.b = start(prox.beta, i, k - prox.d, at.b);
    }
    wa(i, k) = at.a;
    wb(i, k) = at.b;
    difference(i, k) = x.share[k] * (at.a - at.b);
  }
};

// The identity block h h': y - x = x - w.
struct HeadStep {
  Index n;
  MatrixView<const double> P, share;
  MatrixView<double> w;  // (d + c) x (d + c)
  Slot rho, next_rho;
  double relax;  // 0: start, w <- x
  RELULIFT_HD void operator()(Index k, Index l) const {
    const double at = share[k] * P(n + k, n + l) * share[l];
    const double ratio = relax == 0.0 ? 0.0 : rho.get() / next_rho.get();
    w(k, l) = at + ratio * (1.0 - relax) * (w(k, l) - at);
  }
};

// Rows of h in M = N' w N: M_(h s^). product = E half_X.
struct FoldThin {
  Index n, d;
  MatrixView<const double> product, wa, wb, share;
  MatrixView<double> M;
  RELULIFT_HD void operator()(Index k, Index i) const {
    const double sum = share[k] * (wa(i, k) + wb(i, k));
    M(n + k, i) = kHalfSqrt2 * (k < d ? product(i, k) + sum : sum);
  }
};

// M_(h h), less the linear cost of the trace terms over rho [eq:psd]. product = half_X' of
// (1/2 F half_X + share o (w_a - w_b)): d x (d + c).
struct FoldHead {
  Index n, d;
  MatrixView<const double> product, w, share, cost;
  MatrixView<double> M;
  Slot rho;
  RELULIFT_HD void operator()(Index k, Index l) const {
    if (k < l) return;  // the lower triangle is read
    double m = share[k] * w(k, l) * share[l];
    if (k < d) m += product(k, l);
    if (l < d) m += product(l, k);
    if (k == l) m -= cost[k] / rho.get();
    M(n + k, n + l) = m;
  }
};

// Columns of the eigenvectors times the root of the positive part of the spectrum.
struct RootSpectrum {
  MatrixView<double> V;
  Slot values;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double value = values.address[j];
    V(i, j) = value > 0.0 ? V(i, j) * sqrt(value) : 0.0;
  }
};

// Sums of [eq:stop] and the objectives, over n x (d + c); weight 2 for the mirror image.
enum class ThinNorm { gap, point, multiplier, loss, dual };
struct ThinSums {
  FaceThin x;
  MatrixView<const double> wa, wb;
  ThinProx prox;
  Slot rho;
  ThinNorm what;
  RELULIFT_HD static double square(const ThinEntry& p, const ThinEntry& q) {
    return 2.0 * ((p.a - q.a) * (p.a - q.a) + (p.b - q.b) * (p.b - q.b));
  }
  // -G Y - G^2 / 2 for G = the residual at z.
  RELULIFT_HD static double conjugate(const Loss& loss, Index i, Index k, double z) {
    if (loss.weight[i] == 0.0) return 0.0;
    const double G = loss.residual(i, k, z);
    return -G * (loss.target(i, k) + 0.5 * G);
  }
  RELULIFT_HD double operator()(Index i, Index k) const {
    const ThinEntry at = x.load(i, k);
    if (what == ThinNorm::point) return square(at, {0.0, 0.0});
    if (what == ThinNorm::loss) {
      if (k < prox.d) return 0.0;
      const double a = prox.alpha.residual(i, k - prox.d, at.a);
      const double b = prox.beta.residual(i, k - prox.d, at.b);
      return 0.5 * (a * a + b * b);
    }
    const ThinEntry mirror{2.0 * at.a - wa(i, k), 2.0 * at.b - wb(i, k)};
    const ThinEntry y = prox(i, k, mirror, rho.get());
    if (what == ThinNorm::gap) return square(y, at);
    if (what == ThinNorm::multiplier) return square(mirror, y);
    if (k < prox.d) return 0.0;
    return conjugate(prox.alpha, i, k - prox.d, y.a) + conjugate(prox.beta, i, k - prox.d, y.b);
  }
};

// G or H of [eq:dual]: the residual at y.
struct ThinMultipliers {
  FaceThin x;
  MatrixView<const double> wa, wb;
  ThinProx prox;
  MatrixView<double> G, H;  // n x c
  Slot rho;
  RELULIFT_HD void operator()(Index i, Index k) const {
    const Index h = prox.d + k;
    const ThinEntry at = x.load(i, h);
    const ThinEntry y = prox(i, h, {2.0 * at.a - wa(i, h), 2.0 * at.b - wb(i, h)}, rho.get());
    G(i, k) = prox.alpha.residual(i, k, y.a);
    H(i, k) = prox.beta.residual(i, k, y.b);
  }
};

// Sums over h x h: 0 gap ||x - w||^2, 1 ||x||^2.
struct HeadSums {
  Index n;
  MatrixView<const double> P, share, w;
  bool gap;
  RELULIFT_HD double operator()(Index k, Index l) const {
    const double at = share[k] * P(n + k, n + l) * share[l];
    const double value = gap ? at - w(k, l) : at;
    return value * value;
  }
};

// <diag(cost), P_(h h)>: the trace terms of the objective.
struct TraceTerm {
  Index n;
  MatrixView<const double> P, cost;
  RELULIFT_HD double operator()(Index k, Index) const { return cost[k] * P(n + k, n + k); }
};

// rho <- rho': after the step that used both.
struct Accept {
  Slot rho, next_rho;
  RELULIFT_HD void operator()(Index, Index) const { rho.set(next_rho.get()); }
};

// failed: the last nonzero info.
struct KeepFailure {
  Slot info, failed;
  RELULIFT_HD void operator()(Index, Index) const {
    if (info.get() != 0.0) failed.set(info.get());
  }
};

}  // namespace relulift::kernels
