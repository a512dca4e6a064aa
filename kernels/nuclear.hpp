// SPDX-License-Identifier: Apache-2.0
// Singular values of many d x c blocks at once, by the eigenvalues of their Gram matrices: c is
// small. Block i stands in columns i c .. i c + c - 1.
#pragma once

#include <math.h>  // on host and device

#include "kernels/proximal.hpp"
#include "src/core/view.hpp"

namespace relulift::kernels {

// Term of entry (k, l) of the Gram matrix of block i, in column (i c + l) c + k. F: an entry.
template <class F>
struct BlockGram {
  F entry;
  Index c;
  RELULIFT_HD double operator()(Index r, Index column) const {
    const Index k = column % c, right = column / c, first = right / c * c;
    return static_cast<double>(entry(r, first + k)) * static_cast<double>(entry(r, right));
  }
};

// Eigenvalues and eigenvectors of a symmetric c x c matrix per block by cyclic Jacobi rotations;
// extent {blocks}. gram holds the eigenvalues on its diagonals after it, vectors the columns.
struct BlockEigen {
  double* gram = nullptr;
  double* vectors = nullptr;
  Index c;
  RELULIFT_HD Index work() const { return 50 * c * c * c; }
  RELULIFT_HD void operator()(Index block, Index) const {
    double* const A = gram + block * c * c;
    double* const Q = vectors + block * c * c;
    for (Index k = 0; k < c * c; ++k) Q[k] = k % (c + 1) == 0 ? 1.0 : 0.0;
    for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
      double off = 0.0, on = 0.0;
      for (Index q = 0; q < c; ++q) {
        on += A[q + q * c] * A[q + q * c];
        for (Index p = 0; p < q; ++p) off += A[p + q * c] * A[p + q * c];
      }
      if (!(off > 1e-32 * on)) return;
      for (Index q = 1; q < c; ++q)
        for (Index p = 0; p < q; ++p) rotate(A, Q, p, q);
    }
  }

 private:
  static constexpr int kMostSweeps = 30;
  RELULIFT_HD void rotate(double* A, double* Q, Index p, Index q) const {
    const double apq = A[p + q * c];
    if (apq == 0.0) return;
    const double theta = 0.5 * (A[q + q * c] - A[p + p * c]) / apq;
    const double root = sqrt(theta * theta + 1.0);
    const double t = theta >= 0.0 ? 1.0 / (theta + root) : 1.0 / (theta - root);
    const double cosine = 1.0 / sqrt(t * t + 1.0), sine = t * cosine;
    for (Index k = 0; k < c; ++k) turn(A[k + p * c], A[k + q * c], cosine, sine);
    for (Index k = 0; k < c; ++k) turn(A[p + k * c], A[q + k * c], cosine, sine);
    for (Index k = 0; k < c; ++k) turn(Q[k + p * c], Q[k + q * c], cosine, sine);
  }
  RELULIFT_HD static void turn(double& x, double& y, double cosine, double sine) {
    const double old = x;
    x = cosine * old - sine * y;
    y = sine * old + cosine * y;
  }
};

// Number j of them: of block j / c, from what BlockEigen left. Rounding below zero is zero.
struct SingularValue {
  const double* gram = nullptr;
  Index c;
  RELULIFT_HD double operator()(Index j, Index) const {
    const double square = gram[j / c * c * c + j % c * (c + 1)];
    return square < 0.0 ? 0.0 : sqrt(square);
  }
};

// factor = Q diag((1 - tau / s)_+) Q', s = sqrt of the eigenvalues; extent {blocks c, c}.
struct ShrinkFactor {
  const double* gram = nullptr;
  const double* vectors = nullptr;
  Slot tau;
  Index c;
  double* factor = nullptr;
  RELULIFT_HD void operator()(Index row, Index l) const {
    const Index block = row / c, k = row % c;
    const double* const A = gram + block * c * c;
    const double* const Q = vectors + block * c * c;
    double sum = 0.0;
    for (Index e = 0; e < c; ++e) {
      const double square = A[e + e * c], s = square > 0.0 ? sqrt(square) : 0.0;
      if (s > tau.get()) sum += Q[k + e * c] * Q[l + e * c] * (1.0 - tau.get() / s);
    }
    factor[block * c * c + k + l * c] = sum;
  }
};

// W_i = q_i factor_i / m.
template <class T>
struct ShrinkBlocks {
  MetricStep<T> q;
  const double* factor = nullptr;
  Index c;
  MatrixView<T> W;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const Index block = j / c, l = j % c;
    double sum = 0.0;
    for (Index k = 0; k < c; ++k) sum += q(i, block * c + k) * factor[block * c * c + k + l * c];
    W(i, j) = static_cast<T>(sum / q.metric[i]);
  }
};

}  // namespace relulift::kernels
