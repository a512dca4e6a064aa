// SPDX-License-Identifier: Apache-2.0
// Entries of one Nesterov-Todd step of the interior point on active pairs [eq:pairs]
// (Todd, Toh & Tutuncu 1998). docs/math.md, section 6.
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

struct Fill {
  double value;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index i, Index j) const { to(i, j) = value; }
};

struct Dot {
  MatrixView<const double> a, b;
  RELULIFT_HD double operator()(Index i, Index j) const { return a(i, j) * b(i, j); }
};

// Columns of U times lambda^(-1/4): F = Ls U diag(v^-1/2) with lambda = v^2. Keeps v.
struct ScaleEigenvectors {
  Slot lambda;
  MatrixView<double> U, v;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double root = std::sqrt(lambda.address[j]);
    U(i, j) /= std::sqrt(root);
    if (i == 0) v[j] = root;
  }
};

// M_kl of [eq:pairs] on the multipliers y and w, lower triangle: variable k stands on (i, j) =
// (row, col)[k] of the lifted rows. Four gathers from two columns of H. Launched by panels of
// columns from `first` on, rows from there too, so that little of the upper triangle is visited.
struct SchurMatrix {
  Index first;
  IndexView row, col;
  MatrixView<const double> factor, diagonal, H;
  MatrixView<double> M;
  RELULIFT_HD void operator()(Index down, Index right) const {
    if (down < right) return;
    const Index k = first + down, l = first + right;
    const Index i = row[k], j = col[k], a = row[l], b = col[l];
    const double value = 2.0 * factor[k] * factor[l] * (H(i, a) * H(j, b) + H(i, b) * H(j, a));
    M(k, l) = k == l ? value + diagonal[k] : value;
  }
};

// Against rounding that made M indefinite.
struct ScaleDiagonal {
  Slot shift;
  MatrixView<double> M;
  RELULIFT_HD void operator()(Index k, Index) const { M(k, k) *= 1.0 + shift.get(); }
};

// The diagonal of M that does not come from H: kap/w of the pairs.
struct SchurDiagonal {
  Index pairs;  // first pair among the variables
  MatrixView<const double> z, kap;
  MatrixView<double> diagonal;
  RELULIFT_HD void operator()(Index k, Index) const {
    diagonal[k] = k < pairs ? 0.0 : kap[k - pairs] / z[k];
  }
};

// T = 2 R/(v_i + v_j), R = target I - diag(v^2) - sym(A), A the second-order term, and
// center = diag(v) + T. In: A. Out: T in place of A is not possible since (j, i) is read.
struct TargetDirection {
  Slot target;
  MatrixView<const double> A, v;
  MatrixView<double> T, center;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double r = (i == j ? target.get() - v[i] * v[i] : 0.0) - 0.5 * (A(i, j) + A(j, i));
    T(i, j) = 2.0 * r / (v[i] + v[j]);
    center(i, j) = (i == j ? v[i] : 0.0) + T(i, j);
  }
};

// The predictor aims at zero: T = -diag(v), center = 0.
struct PredictorDirection {
  MatrixView<const double> v;
  MatrixView<double> T;
  RELULIFT_HD void operator()(Index i, Index j) const { T(i, j) = i == j ? -v[i] : 0.0; }
};

// Right-hand side of the Newton system. gathered: 2 factor K_ij of the center, 0 for the predictor.
struct RightHandSide {
  IndexView row, col;
  Index pairs, residuals;
  double center_weight;  // 0: no center (predictor)
  Slot target;
  MatrixView<const double> factor, linear, curvature, z, K, second;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index k, Index) const {
    double value = -(linear[k] + curvature[k] * z[k]);
    if (center_weight != 0.0) {
      value += 2.0 * center_weight * factor[k] * K(row[k], col[k]);
      if (k >= pairs && k < residuals) value += (target.get() - second[k - pairs]) / z[k];
    }
    out[k] = value;
  }
};

// What a step of full length leaves of the linear constraints on S: the residual of the Newton
// system in terms of S + dS, whose K enters. Rounding alone makes it differ from zero.
struct NewtonResidual {
  IndexView row, col;
  Index pairs, residuals;
  MatrixView<const double> factor, linear, curvature, z, dz, K, kap, dkap;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index k, Index) const {
    double value = -(linear[k] + curvature[k] * (z[k] + dz[k]));
    value += 2.0 * factor[k] * K(row[k], col[k]);
    if (k >= pairs && k < residuals) value += kap[k - pairs] + dkap[k - pairs];
    out[k] = value;
  }
};

struct Add {
  MatrixView<const double> x;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index i, Index j) const { to(i, j) += x(i, j); }
};

// F^-1 (S + dS) F^-T.
struct ScaledSum {
  MatrixView<const double> v, tS;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index i, Index j) const {
    out(i, j) = (i == j ? v[i] : 0.0) + 0.5 * (tS(i, j) + tS(j, i));
  }
};

// dk = (target - second - kap dw)/w - kap; the predictor has target = second = 0.
struct PairDirection {
  Index pairs;
  double center_weight;
  Slot target;
  MatrixView<const double> z, dz, kap, second;
  MatrixView<double> dkap;
  RELULIFT_HD void operator()(Index p, Index) const {
    const double w = z[pairs + p], dw = dz[pairs + p];
    const double aim = center_weight != 0.0 ? target.get() - second[p] : 0.0;
    dkap[p] = (aim - kap[p] * dw) / w - kap[p];
  }
};

struct SecondOrderPairs {
  MatrixView<const double> dw, dkap;
  MatrixView<double> second;
  RELULIFT_HD void operator()(Index p, Index) const { second[p] = dw[p] * dkap[p]; }
};

struct Subtract {
  MatrixView<const double> a, b;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index i, Index j) const { out(i, j) = a(i, j) - b(i, j); }
};

// direction/sqrt(v_i v_j), symmetric: its least eigenvalue is -1/(largest step).
struct RelativeDirection {
  MatrixView<const double> direction, v;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index i, Index j) const {
    out(i, j) = 0.5 * (direction(i, j) + direction(j, i)) / std::sqrt(v[i] * v[j]);
  }
};

// The residual multipliers' own part of the right-hand side: -(target + z).
struct ResidualRight {
  MatrixView<const double> target, z;
  MatrixView<double> right;
  RELULIFT_HD void operator()(Index k, Index) const { right[k] = -(target[k] + z[k]); }
};

struct SetIdentity {
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index i, Index j) const { to(i, j) = i == j ? 1.0 : 0.0; }
};

// Largest step that keeps x positive, over the entries r, r + stride, ...
struct PartialStep {
  Index size, stride;
  MatrixView<const double> x, dx;
  Slot out;
  RELULIFT_HD void operator()(Index r, Index) const {
    double step = 1e30;
    for (Index k = r; k < size; k += stride)
      if (dx[k] < 0.0 && -x[k] / dx[k] < step) step = -x[k] / dx[k];
    out.address[r] = step;
  }
};

// min(1, fraction * step to the boundary) from the least eigenvalue and the partial steps.
struct StepLength {
  Index parts;
  double fraction;
  Slot eigenvalue, partial, out;
  RELULIFT_HD void operator()(Index, Index) const {
    const double least = eigenvalue.get();
    double step = least >= 0.0 ? 1e30 : -1.0 / least;
    for (Index r = 0; r < parts; ++r)
      if (partial.address[r] < step) step = partial.address[r];
    step *= fraction;
    out.set(step < 1.0 ? step : 1.0);
  }
};

// Complementarity after the predictor's steps: on S, Q ...
struct AffineGap {
  MatrixView<const double> v, tS, tQ;
  Slot primal, dual;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double diagonal = i == j ? v[i] : 0.0;
    return (diagonal + primal.get() * tS(i, j)) * (diagonal + dual.get() * tQ(i, j));
  }
};

// ... and on the pairs.
struct AffinePairGap {
  MatrixView<const double> w, dw, kap, dkap;
  Slot primal, dual;
  RELULIFT_HD double operator()(Index p, Index) const {
    return (w[p] + dual.get() * dw[p]) * (kap[p] + primal.get() * dkap[p]);
  }
};

// Mehrotra's centering: target = clip((mu_affine/mu)^3, floor, 1) mu.
struct Centering {
  double order, floor;  // N + number of pairs
  Slot gap, pair_gap, mu, target;
  RELULIFT_HD void operator()(Index, Index) const {
    const double affine = (gap.get() + pair_gap.get()) / order;
    const double ratio = affine > 0.0 ? affine / mu.get() : 0.0;
    const double sigma = ratio * ratio * ratio;
    target.set(mu.get() * (sigma < floor ? floor : sigma > 1.0 ? 1.0 : sigma));
  }
};

struct Complementarity {
  double order;
  Slot product, pair_product, mu;
  RELULIFT_HD void operator()(Index, Index) const {
    mu.set((product.get() + pair_product.get()) / order);
  }
};

// -D(z) = sum b z + h z^2/2 over the residual multipliers.
struct DualLoss {
  MatrixView<const double> linear, curvature, z;
  RELULIFT_HD double operator()(Index k, Index) const {
    return z[k] * (linear[k] + 0.5 * curvature[k] * z[k]);
  }
};

// x += step * dx; the previous x is kept.
struct Advance {
  Slot step;
  MatrixView<const double> dx;
  MatrixView<double> x, previous;
  RELULIFT_HD void operator()(Index k, Index) const {
    previous[k] = x[k];
    x[k] += step.get() * dx[k];
  }
};

// S += step * sym(dS); the previous S is kept.
struct AdvanceSymmetric {
  Slot step;
  MatrixView<const double> dS;
  MatrixView<double> S, previous;
  RELULIFT_HD void operator()(Index i, Index j) const {
    previous(i, j) = S(i, j);
    S(i, j) += step.get() * (0.5 * (dS(i, j) + dS(j, i)));
  }
};

}  // namespace relulift::kernels
