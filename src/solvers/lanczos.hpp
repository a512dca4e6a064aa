// SPDX-License-Identifier: Apache-2.0
// Smallest eigenpairs of a symmetric operator by Lanczos with full reorthogonalisation (Parlett
// 1998, chapter 13). On the host: for operators whose product costs little beside k vectors.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "src/core/dense.hpp"
#include "src/core/random.hpp"

namespace relulift {

struct RitzPairs {
  Vector values;    // ascending
  Matrix vectors;   // orthonormal, one column per value
  Vector residual;  // ||A v - lambda v||: an eigenvalue of A lies this close to each value
};

// The `count` smallest Ritz pairs after at most `steps` products; apply(v) = A v.
template <class Apply>
RitzPairs smallest_ritz_pairs(const Apply& apply, Index order, Index count, Index steps,
                              std::uint64_t seed) {
  const Index most = std::min(steps, order);
  Matrix basis(order, most);
  Vector diagonal(most), off(most);
  Random random(seed, 11);
  Vector v(order);
  for (Index i = 0; i < order; ++i) v[i] = random.normal();
  v.normalize();
  Index k = 0;
  double norm = 0.0;
  while (k < most) {
    basis.col(k) = v;
    Vector w = apply(v);
    diagonal[k] = v.dot(w);
    const auto known = basis.leftCols(k + 1);
    for (int pass = 0; pass < 2; ++pass) w -= known * (known.transpose() * w);
    norm = w.norm();
    off[k++] = norm;
    const double size = diagonal.head(k).cwiseAbs().maxCoeff() + off.head(k).maxCoeff();
    if (!(norm > 1e-12 * size)) break;  // an invariant subspace, or not a number
    v = w / norm;
  }
  Matrix T = Matrix::Zero(k, k);
  T.diagonal() = diagonal.head(k);
  for (Index i = 0; i + 1 < k; ++i) T(i + 1, i) = T(i, i + 1) = off[i];
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(T);
  const Index kept = std::min(count, k);
  return {eig.eigenvalues().head(kept), basis.leftCols(k) * eig.eigenvectors().leftCols(kept),
          norm * eig.eigenvectors().row(k - 1).head(kept).cwiseAbs().transpose()};
}

}  // namespace relulift
