// SPDX-License-Identifier: Apache-2.0
// Entries of the proximal gradient method [eq:fista] on matrices d x columns: steps in a diagonal
// metric m, the prox of sums of group norms in it, and extrapolation.
#pragma once

#include <math.h>  // on host and device

#include "src/core/view.hpp"

namespace relulift::kernels {

// q = m v - eta g, so that the gradient step is q / m.
template <class T>
struct MetricStep {
  MatrixView<const T> V, G;
  const double* metric = nullptr;  // of rows
  Slot eta;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return metric[i] * static_cast<double>(V(i, j)) - eta.get() * static_cast<double>(G(i, j));
  }
};

// Terms of phi(rho) = sum_i (q_i / (m_i rho + tau))^2 of column j [eq:secular].
template <class T>
struct SecularTerm {
  MetricStep<T> q;
  Slot tau;
  const double* rho = nullptr;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double x = q(i, j) / (q.metric[i] * rho[j] + tau.get());
    return x * x;
  }
};
// and of -phi'(rho) / 2.
template <class T>
struct SecularSlope {
  MetricStep<T> q;
  Slot tau;
  const double* rho = nullptr;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double below = q.metric[i] * rho[j] + tau.get(), x = q(i, j) / below;
    return x * x * (q.metric[i] / below);
  }
};

// rho_j = 0 for a column that vanishes, phi(0) <= 1; else as it was, raised to a lower bound of the
// root. Extent {columns}.
struct SecularStart {
  const double* phi = nullptr;  // at zero
  double largest_metric;
  Slot tau;
  double* rho = nullptr;
  RELULIFT_HD void operator()(Index j, Index) const {
    const double least = tau.get() * (sqrt(phi[j]) - 1.0) / largest_metric;
    rho[j] = phi[j] > 1.0 ? (rho[j] > least ? rho[j] : least) : 0.0;
  }
};
// Newton's step for 1 / sqrt(phi) = 1, which is concave in rho: never beyond the root.
struct SecularNewton {
  const double* phi = nullptr;
  const double* slope = nullptr;
  const double* zero = nullptr;  // phi at zero
  double largest_metric;
  Slot tau;
  double* rho = nullptr;
  RELULIFT_HD void operator()(Index j, Index) const {
    if (rho[j] == 0.0) return;
    const double least = tau.get() * (sqrt(zero[j]) - 1.0) / largest_metric;
    const double next = rho[j] + (sqrt(phi[j]) - 1.0) * phi[j] / slope[j];
    rho[j] = next > least ? next : least;
  }
};
// w = q rho / (m rho + tau).
template <class T>
struct SecularProx {
  MetricStep<T> q;
  Slot tau;
  const double* rho = nullptr;
  MatrixView<T> W;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double r = rho[j];
    W(i, j) = static_cast<T>(r > 0.0 ? q(i, j) * r / (q.metric[i] * r + tau.get()) : 0.0);
  }
};

// Groups are rows, in which the metric is one number: w = (1 - tau / ||q_i||)_+ q_i / m_i.
template <class T>
struct RowSquare {  // extent {columns, rows}: sums over columns
  MetricStep<T> q;
  RELULIFT_HD double operator()(Index j, Index i) const { return q(i, j) * q(i, j); }
};
template <class T>
struct RowProx {
  MetricStep<T> q;
  Slot tau;
  const double* square = nullptr;
  MatrixView<T> W;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double norm = sqrt(square[i]), keep = norm > tau.get() ? 1.0 - tau.get() / norm : 0.0;
    W(i, j) = static_cast<T>(keep * q(i, j) / q.metric[i]);
  }
};

template <class T>
struct EntrySquare {
  MatrixView<const T> A;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return static_cast<double>(A(i, j)) * static_cast<double>(A(i, j));
  }
};
template <class T>
struct SquareAcross {  // extent {columns, rows}
  MatrixView<const T> A;
  RELULIFT_HD double operator()(Index j, Index i) const { return EntrySquare<T>{A}(i, j); }
};

template <class T>
struct CopyEntries {
  MatrixView<const T> A;
  MatrixView<T> B;
  RELULIFT_HD void operator()(Index i, Index j) const { B(i, j) = A(i, j); }
};

// ||A - B||^2, and with m.
template <class T>
struct SquaredDifference {
  MatrixView<const T> A, B;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double x = static_cast<double>(A(i, j)) - static_cast<double>(B(i, j));
    return x * x;
  }
};
template <class T>
struct MetricDifference {
  MatrixView<const T> A, B;
  const double* metric = nullptr;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return metric[i] * SquaredDifference<T>{A, B}(i, j);
  }
};
// <V - N, N - W> in m: positive where momentum points the wrong way.
template <class T>
struct RestartTest {
  MatrixView<const T> V, N, W;
  const double* metric = nullptr;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double n = N(i, j);
    return metric[i] * (static_cast<double>(V(i, j)) - n) * (n - static_cast<double>(W(i, j)));
  }
};

// v = n + beta (n - w), w = n.
template <class T>
struct Extrapolate {
  MatrixView<const T> N;
  Slot beta;
  MatrixView<T> W, V;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const T n = N(i, j);
    V(i, j) = n + static_cast<T>(beta.get()) * (n - W(i, j));
    W(i, j) = n;
  }
};

}  // namespace relulift::kernels
