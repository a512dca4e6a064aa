// SPDX-License-Identifier: Apache-2.0
// Entries of the two maps between the space of S and Q (blocks s, u, v) and the lifted rows
// alpha_i = (s_i + x_i'u)/2, beta_i = (s_i - x_i'u)/2, v_l of [eq:slack]. docs/math.md, section 4.
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

// K = Lbar P Lbar' on the sample rows, from P_ss, st = P_su X' and tt = X P_uu X'.
// Reads 5, writes 4 doubles per entry.
struct LiftSampleGram {
  Index n;
  MatrixView<const double> P, st, tt;
  MatrixView<double> K;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double s = P(i, j), t = 0.5 * (tt(i, j) + tt(j, i));
    const double a = st(i, j), b = st(j, i);
    K(i, j) = 0.25 * ((s + t) + (a + b));
    K(n + i, n + j) = 0.25 * ((s + t) - (a + b));
    K(i, n + j) = 0.25 * ((s - t) + (b - a));
    K(n + i, j) = 0.25 * ((s - t) + (a - b));
  }
};

// The columns of K that belong to the outputs, and their mirror; tv = X P_uv.
struct LiftOutputGram {
  Index n, v;  // v: first output row of P
  MatrixView<const double> P, tv;
  MatrixView<double> K;
  RELULIFT_HD void operator()(Index i, Index l) const {
    const double s = P(i, v + l), t = tv(i, l);
    K(i, 2 * n + l) = K(2 * n + l, i) = 0.5 * (s + t);
    K(n + i, 2 * n + l) = K(2 * n + l, n + i) = 0.5 * (s - t);
  }
};

// K_vv = P_vv.
struct LiftOutputBlock {
  Index n, v;
  MatrixView<const double> P;
  MatrixView<double> K;
  RELULIFT_HD void operator()(Index k, Index l) const { K(2 * n + k, 2 * n + l) = P(v + k, v + l); }
};

// W_ij = W_ji = z_k at the entry (i, j) of variable k. The entries are distinct.
struct ScatterMultipliers {
  IndexView row, col;
  MatrixView<const double> z;
  MatrixView<double> W;
  RELULIFT_HD void operator()(Index k, Index) const {
    const Index i = row[k], j = col[k];
    W(i, j) = W(j, i) = z[k];
  }
};

// -L'W L on the samples: the ss block of Q, and the n x n factors of its su and uu blocks, which
// replace W_aa and W_ab.
struct FoldMultipliers {
  Index n;
  MatrixView<double> W, Q;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double aa = W(i, j), ab = W(i, n + j), ba = W(n + i, j), bb = W(n + i, n + j);
    Q(i, j) = -0.25 * ((aa + bb) + (ab + ba));
    W(i, j) = -0.25 * ((aa - bb) + (ba - ab));
    W(i, n + j) = -0.25 * ((aa + bb) - (ab + ba));
  }
};

// The residual multipliers as they meet s (plus) and X u (minus): G/4 on every row ...
struct SpreadAlphaResidual {
  MatrixView<const double> G;
  MatrixView<double> plus, minus;
  RELULIFT_HD void operator()(Index i, Index l) const { plus(i, l) = minus(i, l) = 0.25 * G(i, l); }
};

// ... and b_k H/4, -b_k H/4 on the rows with a beta residual [eq:merged].
struct SpreadBetaResidual {
  IndexView beta_rows;
  MatrixView<const double> weight, H;
  MatrixView<double> plus, minus;
  RELULIFT_HD void operator()(Index k, Index l) const {
    const Index i = beta_rows[k];
    const double value = 0.25 * weight[k] * H(k, l);
    plus(i, l) += value;
    minus(i, l) -= value;
  }
};

// Completes Q: adds the diagonal blocks diagonal * I of u and v, fills the lower triangle from the
// upper blocks and evens out the uu block. Reads the upper blocks only.
struct FinishSlack {
  Index n, d;
  double diagonal;
  MatrixView<const double> su, uu, sv, uv;  // n x d, d x d, n x c, d x c
  MatrixView<double> Q;
  RELULIFT_HD double entry(Index i, Index j) const {  // i <= j, j >= n
    const Index v = n + d;
    if (j < v) return i < n ? su(i, j - n) : 0.5 * (uu(i - n, j - n) + uu(j - n, i - n));
    if (i < n) return sv(i, j - v);
    return i < v ? uv(i - n, j - v) : 0.0;
  }
  RELULIFT_HD void operator()(Index i, Index j) const {
    if (i < n && j < n) return;
    Q(i, j) = (i <= j ? entry(i, j) : entry(j, i)) + (i == j ? diagonal : 0.0);
  }
};

}  // namespace relulift::kernels
