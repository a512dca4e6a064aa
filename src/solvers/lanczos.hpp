// SPDX-License-Identifier: Apache-2.0
// Smallest eigenpairs of a symmetric operator by Lanczos with full reorthogonalisation (Parlett
// 1998, chapter 13). On the host: for operators whose product costs little beside k vectors. The
// certificate has a recurrence of its own (src/certificate/kappa_estimate.hpp), with restarts and a
// scaling by C; it shares no code with the engines.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cstdint>

#include "src/core/dense.hpp"
#include "src/core/random.hpp"

namespace relulift {

struct RitzPairs {
  Vector values;   // ascending
  Matrix vectors;  // orthonormal, one column per value
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
  while (k < most) {
    basis.col(k) = v;
    Vector w = apply(v);
    diagonal[k] = v.dot(w);
    const auto known = basis.leftCols(k + 1);
    for (int pass = 0; pass < 2; ++pass) w -= known * (known.transpose() * w);
    const double norm = w.norm();
    off[k++] = norm;
    const double size = diagonal.head(k).cwiseAbs().maxCoeff() + off.head(k).maxCoeff();
    if (!(norm > 1e-12 * size)) break;  // an invariant subspace, or not a number
    v = w / norm;
  }
  Eigen::SelfAdjointEigenSolver<Matrix> eig;
  eig.computeFromTridiagonal(diagonal.head(k), off.head(k - 1));
  const Index kept = std::min(count, k);
  return {eig.eigenvalues().head(kept), basis.leftCols(k) * eig.eigenvectors().leftCols(kept)};
}

}  // namespace relulift
