// SPDX-License-Identifier: Apache-2.0
// Entries of the network objective [eq:train] with the kink of the ReLU rounded [eq:smooth], of its
// gradient, and of the ascent that looks for missing neurons. docs/math.md, section 7.
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

// Term of ||u_j||^2 with u = D u'. Reads 1 double per entry.
struct ScaledSquare {
  MatrixView<const double> P;  // parameters, u' in the first rows
  MatrixView<const double> scale;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double u = scale[i] * P(i, j);
    return u * u;
  }
};

// nu_j = ||u_j|| and 1 / (eps nu_j), capped so that products with it stay finite.
struct KinkWidth {
  const double* square = nullptr;
  MatrixView<double> width;  // 2 x neurons
  Slot smoothing;
  RELULIFT_HD void operator()(Index j, Index) const {
    const double h = smoothing.get() * sqrt(square[j]);
    width(0, j) = h;
    width(1, j) = h > 1e-150 ? 1.0 / h : 1e150;
  }
};

// [eq:smooth]  h = eps ||x_i|| ||u_j||,  w = clamp((z + h) / 2h, 0, 1),  a = h w^2 + (z - h)_+;
// Z becomes w, the slope. Reads 1, writes 2 doubles per entry.
struct SmoothedReLU {
  MatrixView<double> Z, A;
  MatrixView<const double> width;
  MatrixView<const double> row;  // columns ||x_i||, 1 / ||x_i||
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double z = Z(i, j), h = row(i, 0) * width(0, j);
    const double x = 0.5 + 0.5 * z * (row(i, 1) * width(1, j));
    const double w = x > 0.0 ? (x < 1.0 ? x : 1.0) : 0.0;
    const double over = z - h;
    A(i, j) = h * w * w + (over > 0.0 ? over : 0.0);
    Z(i, j) = w;
  }
};

// R = -Y, the same for every start.
struct MinusTargets {
  MatrixView<const double> Y;
  MatrixView<double> R;
  RELULIFT_HD void operator()(Index i, Index k) const { R(i, k) = -Y(i, k % Y.cols); }
};

struct HalfSquare {
  MatrixView<const double> R;
  RELULIFT_HD double operator()(Index i, Index j) const { return 0.5 * R(i, j) * R(i, j); }
};

// Term of the penalty 1/2 sum_i weight_i p_i^2, weight = g D^2 on u' and g on v.
struct PenaltyTerm {
  MatrixView<const double> P, weight;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return 0.5 * weight[i] * P(i, j) * P(i, j);
  }
};

// Derivative of the rounded part by the kink width, per neuron: sum_i b_ij ||x_i|| w (1 - w).
struct KinkPull {
  MatrixView<const double> B, W, row;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return B(i, j) * row(i, 0) * W(i, j) * (1.0 - W(i, j));
  }
};

// B <- B o W. Reads 2, writes 1 double per entry.
struct Mask {
  MatrixView<double> B;
  MatrixView<const double> W;
  RELULIFT_HD void operator()(Index i, Index j) const { B(i, j) *= W(i, j); }
};

// Adds to the gradient the penalty and the pull of the kink width, which grows with ||u||.
struct GradientTail {
  MatrixView<double> G;
  MatrixView<const double> P, weight, scale, width;
  const double* pull = nullptr;
  Slot smoothing;
  Index d = 0;
  RELULIFT_HD void operator()(Index i, Index j) const {
    double add = weight[i] * P(i, j);
    if (i < d) {
      const double eps = smoothing.get();  // d||u|| / du' = D^2 u' / ||u||, width = eps ||u||
      add += eps * eps * pull[j] * width(1, j) * scale[i] * scale[i] * P(i, j);
    }
    G(i, j) += add;
  }
};

// A = (Z)_+.
struct ReLU {
  MatrixView<const double> Z;
  MatrixView<double> A;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double z = Z(i, j);
    A(i, j) = z > 0.0 ? z : 0.0;
  }
};

// Term of column norms.
struct Square {
  MatrixView<const double> A;
  RELULIFT_HD double operator()(Index i, Index j) const { return A(i, j) * A(i, j); }
};

// Keeps the direction with the largest ||E'(Xu)_+||^2 of each column: the ascent is not monotone.
struct KeepBest {
  MatrixView<const double> S;
  MatrixView<double> best;
  const double* value = nullptr;
  const double* best_value = nullptr;
  RELULIFT_HD void operator()(Index i, Index j) const {
    if (value[j] > best_value[j]) best(i, j) = S(i, j);
  }
};
struct KeepBestValue {
  const double* value = nullptr;
  double* best_value = nullptr;
  RELULIFT_HD void operator()(Index j, Index) const {
    if (value[j] > best_value[j]) best_value[j] = value[j];
  }
};

// M <- M o 1[Z > 0].
struct KeepActive {
  MatrixView<const double> Z;
  MatrixView<double> M;
  RELULIFT_HD void operator()(Index i, Index j) const {
    if (!(Z(i, j) > 0.0)) M(i, j) = 0.0;
  }
};

// S <- normalised T; damped: of T/||T|| + S on every second column, which does not oscillate.
struct NextDirection {
  MatrixView<const double> T;
  MatrixView<double> S;
  const double* square = nullptr;  // ||T_j||^2
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double inverse = square[j] > 0.0 ? 1.0 / sqrt(square[j]) : 0.0;
    S(i, j) = inverse * T(i, j) + (j % 2 == 0 ? 0.0 : S(i, j));
  }
};
struct Normalize {
  MatrixView<double> S;
  const double* square = nullptr;
  RELULIFT_HD void operator()(Index i, Index j) const {
    S(i, j) *= square[j] > 0.0 ? 1.0 / sqrt(square[j]) : 0.0;
  }
};

}  // namespace relulift::kernels
