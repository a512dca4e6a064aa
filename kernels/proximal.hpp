// SPDX-License-Identifier: Apache-2.0
// Entries of the proximal gradient method [eq:fista] on matrices d x columns: steps in a diagonal
// metric m, the prox of sums of group norms in it, and extrapolation.
#pragma once

#include <math.h>  // on host and device

#include "kernels/entries.hpp"
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

// The prox of a column q/m by its team [eq:secular]: w = q rho / (m rho + tau) with the root rho of
// phi(rho) = sum_i (q_i / (m_i rho + tau))^2 = 1, by Newton's method on 1 / sqrt(phi), which is
// concave: from the last root (0: none), never beyond the new one after the first step. A column is
// read from memory once, later from the nearest cache, and written once. launch_columns.
template <class T>
struct SecularProx {
  MetricStep<T> q;
  Slot tau;
  double largest_metric;
  double* rho = nullptr;  // of columns
  MatrixView<T> W;

  RELULIFT_HD Index work() const { return 10; }
  template <class Team>
  RELULIFT_HD void operator()(Index j, const Team& team) const {
    const double t = tau.get(), r = root(j, t, team);
    if (team.leads()) rho[j] = r;
    team.each([&](Index i) {
      W(i, j) = static_cast<T>(r == 0.0 ? 0.0 : q(i, j) * (r / (q.metric[i] * r + t)));
    });
  }

 private:
  static constexpr int kMostSteps = 20;
  static constexpr double kSettled = 1e-10;  // of rho; the next step would change its square
  struct Sums {
    double first, second;  // phi and -phi'/2
  };
  template <class Team>
  RELULIFT_HD double root(Index j, double t, const Team& team) const {
    const double inverse = 1.0 / t;
    const double at_zero = team.sum([&](Index i) {
      const double x = q(i, j) * inverse;
      return x * x;
    });
    if (at_zero <= 1.0) return 0.0;  // NaN goes on, into W
    const double least = t * (sqrt(at_zero) - 1.0) / largest_metric;
    double r = rho[j] > least ? rho[j] : least;
    for (int step = 0; step < kMostSteps; ++step) {
      const Sums phi = team.sums([&](Index i) {
        const double share = 1.0 / (q.metric[i] * r + t), x = q(i, j) * share;
        return Sums{x * x, x * x * (q.metric[i] * share)};
      });
      const double last = r, next = r + (sqrt(phi.first) - 1.0) * phi.first / phi.second;
      r = next > least ? next : least;
      if (!(fabs(r - last) > kSettled * r)) break;
    }
    return r;
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
struct SquareAcross {  // extent {columns, rows}
  MatrixView<const T> A;
  RELULIFT_HD double operator()(Index j, Index i) const { return EntrySquare<T>{A}(i, j); }
};

// ||A||^2 and ||A - B||^2 in m.
template <class T>
struct MetricSquare {
  MatrixView<const T> A;
  const double* metric = nullptr;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return metric[i] * EntrySquare<T>{A}(i, j);
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
