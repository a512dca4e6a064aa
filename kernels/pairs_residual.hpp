// SPDX-License-Identifier: Apache-2.0
// Entries of the elimination of the residual multipliers (G, H) from the Newton system of the
// interior point on active pairs [eq:eliminate]. Residual row r stands on the lifted row
// lifted[r] with weight[r]; its multipliers are column q = 0 .. c - 1. docs/math.md, section 6.
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

// A = diag(weight) H[lifted, samples].
struct ResidualRows {
  IndexView lifted;
  MatrixView<const double> weight, H;
  MatrixView<double> A;
  RELULIFT_HD void operator()(Index r, Index i) const { A(r, i) = weight[r] * H(lifted[r], i); }
};

// A[:, lifted] diag(weight): order of the residual rows, symmetric.
struct ResidualGram {
  IndexView lifted;
  MatrixView<const double> weight, A;
  MatrixView<double> gram;
  RELULIFT_HD void operator()(Index r, Index s) const {
    gram(r, s) = r >= s ? A(r, lifted[s]) * weight[s] : A(s, lifted[r]) * weight[r];
  }
};

// out = diag(weight) V[lifted, :].
struct ResidualOutputs {
  IndexView lifted;
  MatrixView<const double> weight, V;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index r, Index q) const { out(r, q) = weight[r] * V(lifted[r], q); }
};

// The block of the multipliers is diagonal in the eigenbases, up to the cross term: the spectrum
// 1 + lambda_p gamma_q/2. Its inverse roots.
struct ResidualRoots {
  Slot lambda, gamma;
  MatrixView<double> roots;
  RELULIFT_HD void operator()(Index p, Index q) const {
    const double l = lambda.address[p], g = gamma.address[q];
    roots(p, q) = 1.0 / std::sqrt(1.0 + 0.5 * (l > 0.0 ? l : 0.0) * (g > 0.0 ? g : 0.0));
  }
};

// Rows over the root of the spectrum's column q.
struct WeightResidualRows {
  MatrixView<const double> root, rows;  // root: column q
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index p, Index i) const { out(p, i) = rows(p, i) * root[p]; }
};

// M -= the part of output q [eq:eliminate], lower triangle; four gathers from two columns of Hq.
// By panels, as SchurMatrix.
struct EliminateOutput {
  Index first;
  IndexView row, col;
  MatrixView<const double> factor, Hq, V;  // V: column q, one entry per lifted sample row
  MatrixView<double> M;
  RELULIFT_HD void operator()(Index down, Index right) const {
    if (down < right) return;
    const Index k = first + down, l = first + right;
    const Index i = row[k], j = col[k], a = row[l], b = col[l];
    M(k, l) -=
        factor[k] * factor[l] *
        (V[j] * (V[b] * Hq(i, a) + V[a] * Hq(i, b)) + V[i] * (V[b] * Hq(j, a) + V[a] * Hq(j, b)));
  }
};

// Orthonormal basis of c x c matrices: basis element k is (e_t e_q' + sign e_q e_t')/norm with
// t <= q; the symmetric ones come first.
struct SwapBasis {
  Index symmetric;  // how many
  IndexView t, q;
  RELULIFT_HD double sign(Index k) const { return k < symmetric ? 1.0 : -1.0; }
  RELULIFT_HD double weight(Index k) const { return t[k] == q[k] ? 0.5 : 0.70710678118654752; }
};

// Row k: coefficients of B'D^-1 (variable k). Y: c x 2n of every output, side by side.
struct CrossRows {
  SwapBasis basis;
  Index samples;  // lifted sample rows, 2n
  IndexView row, col;
  MatrixView<const double> factor, Y, V;
  MatrixView<double> E;
  RELULIFT_HD double entry(Index k, Index t, Index q) const {
    const Index i = row[k], j = col[k], first = q * samples;
    return Y(t, first + i) * V(j, q) + Y(t, first + j) * V(i, q);
  }
  RELULIFT_HD void operator()(Index k, Index e) const {
    const Index t = basis.t[e], q = basis.q[e];
    E(k, e) = factor[k] * basis.weight(e) * (entry(k, t, q) + basis.sign(e) * entry(k, q, t));
  }
};

// 2 I + sign (B'D^-1 B) in the basis, sign -1 on the skew block; lower triangle.
// N: c x c of every output, side by side.
struct CrossCore {
  SwapBasis basis;
  Index outputs;
  MatrixView<const double> N;
  MatrixView<double> core;
  RELULIFT_HD double entry(Index t, Index q, Index u, Index r) const {
    return q == r ? N(t, q * outputs + u) : 0.0;
  }
  RELULIFT_HD void operator()(Index e, Index f) const {
    if (e < f) return;
    const Index t = basis.t[e], q = basis.q[e], u = basis.t[f], r = basis.q[f];
    const double se = basis.sign(e), sf = basis.sign(f);
    const double value = basis.weight(e) * basis.weight(f) *
                         ((entry(t, q, u, r) + sf * entry(t, q, r, u)) +
                          se * (entry(q, t, u, r) + sf * entry(q, t, r, u)));
    const bool skew = f >= basis.symmetric;
    core(e, f) = (skew ? -value : value) + (e == f ? 2.0 : 0.0);
  }
};

// c x c matrix to coefficients and back.
struct ToSwapBasis {
  SwapBasis basis;
  MatrixView<const double> C;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index e, Index) const {
    const Index t = basis.t[e], q = basis.q[e];
    out[e] = basis.weight(e) * (C(t, q) + basis.sign(e) * C(q, t));
  }
};

struct FromSwapBasis {
  SwapBasis basis;
  Index outputs;
  MatrixView<const double> x;
  MatrixView<double> C;
  RELULIFT_HD void operator()(Index t, Index q) const {
    const Index low = t < q ? t : q, high = t < q ? q : t;
    const double root = 0.70710678118654752;
    if (low == high) {
      C(t, q) = x[high * (high + 1) / 2 + low];
      return;
    }
    const double even = x[high * (high + 1) / 2 + low];
    const double odd = x[basis.symmetric + high * (high - 1) / 2 + low];
    C(t, q) = root * (t < q ? even + odd : even - odd);
  }
};

struct Negate {
  MatrixView<double> x;
  RELULIFT_HD void operator()(Index i, Index j) const { x(i, j) = -x(i, j); }
};

// Z /= spectrum.
struct DivideBySpectrum {
  MatrixView<const double> roots;
  MatrixView<double> Z;
  RELULIFT_HD void operator()(Index p, Index q) const { Z(p, q) *= roots(p, q) * roots(p, q); }
};

// Z -= shift/spectrum.
struct SubtractOverSpectrum {
  MatrixView<const double> roots, shift;
  MatrixView<double> Z;
  RELULIFT_HD void operator()(Index p, Index q) const {
    Z(p, q) -= shift(p, q) * (roots(p, q) * roots(p, q));
  }
};

// x_k -= factor_k sum_q (T_iq V_jq + T_jq V_iq).
struct SubtractResidualPart {
  IndexView row, col;
  MatrixView<const double> factor, T, V;
  MatrixView<double> x;
  RELULIFT_HD void operator()(Index k, Index) const {
    const Index i = row[k], j = col[k];
    double sum = 0.0;
    for (Index q = 0; q < V.cols; ++q) sum += T(i, q) * V(j, q) + T(j, q) * V(i, q);
    x[k] -= factor[k] * sum;
  }
};

// W_ij = W_ji = factor_k x_k.
struct ScatterWeighted {
  IndexView row, col;
  MatrixView<const double> factor, x;
  MatrixView<double> W;
  RELULIFT_HD void operator()(Index k, Index) const {
    const Index i = row[k], j = col[k];
    W(i, j) = W(j, i) = factor[k] * x[k];
  }
};

}  // namespace relulift::kernels
