// SPDX-License-Identifier: Apache-2.0
// Entries of preconditioned conjugate gradients on several right sides at once, and of the
// randomized Nystrom preconditioner [eq:nystrom]. A column is a system of its own.
#pragma once

#include <math.h>  // on host and device

#include "src/core/view.hpp"

namespace relulift::kernels {

struct EntryProduct {
  MatrixView<const double> A, B;
  RELULIFT_HD double operator()(Index i, Index j) const { return A(i, j) * B(i, j); }
};

// X += a P, R -= a Q with a = rz / pq; nothing where pq vanishes: that system is solved.
struct GradientStep {
  MatrixView<const double> P, Q;
  const double* rz = nullptr;
  const double* pq = nullptr;
  MatrixView<double> X, R;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double a = pq[j] > 0.0 ? rz[j] / pq[j] : 0.0;
    X(i, j) += a * P(i, j);
    R(i, j) -= a * Q(i, j);
  }
};
// P = Z + (rz / before) P.
struct GradientDirection {
  MatrixView<const double> Z;
  const double* rz = nullptr;
  const double* before = nullptr;
  MatrixView<double> P;
  RELULIFT_HD void operator()(Index i, Index j) const {
    P(i, j) = Z(i, j) + (before[j] > 0.0 ? rz[j] / before[j] : 0.0) * P(i, j);
  }
};
// Q = shift P + factor C.
template <class T>
struct ShiftedProduct {
  MatrixView<const double> P;
  MatrixView<const T> C;
  double shift, factor;
  MatrixView<double> Q;
  RELULIFT_HD void operator()(Index i, Index j) const {
    Q(i, j) = shift * P(i, j) + factor * static_cast<double>(C(i, j));
  }
};
// R -= A.
struct SubtractEntries {
  MatrixView<const double> A;
  MatrixView<double> R;
  RELULIFT_HD void operator()(Index i, Index j) const { R(i, j) -= A(i, j); }
};
struct CopySlots {
  const double* from = nullptr;
  double* to = nullptr;
  RELULIFT_HD void operator()(Index j, Index) const { to[j] = from[j]; }
};

// Y += shift S, shift = share ||Y||, the square of the norm in a slot.
struct AddShift {
  MatrixView<const double> S;
  Slot square;
  double share;
  MatrixView<double> Y;
  RELULIFT_HD void operator()(Index i, Index j) const {
    Y(i, j) += share * sqrt(square.get()) * S(i, j);
  }
};
// Columns of V by 1 / sqrt(w), w the eigenvalues (ascending) of B'B, so that those of B V are
// orthonormal; the ones that are all rounding vanish. Extent {rank}.
struct NystromFactors {
  const double* values = nullptr;
  Index rank;
  MatrixView<double> V;
  RELULIFT_HD void operator()(Index j, Index) const {
    constexpr double kLeast = 1e-10;
    const double w = values[j], scale = w > kLeast * values[rank - 1] ? 1.0 / sqrt(w) : 0.0;
    for (Index i = 0; i < rank; ++i) V(i, j) *= scale;
  }
};
// w <- eigenvalues of the approximation.
struct NystromValues {
  double* values = nullptr;
  Slot square;
  double share;
  RELULIFT_HD void operator()(Index j, Index) const {
    const double w = values[j] - share * sqrt(square.get());
    values[j] = w > 0.0 ? w : 0.0;
  }
};
// A coefficient in the basis: its share of (least + shift) / (value + shift) - 1.
struct NystromWeights {
  const double* values = nullptr;
  double shift;
  MatrixView<double> A;
  RELULIFT_HD void operator()(Index i, Index j) const {
    A(i, j) *= (values[0] + shift) / (values[i] + shift) - 1.0;
  }
};

}  // namespace relulift::kernels
