// SPDX-License-Identifier: Apache-2.0
// The right singular vectors of X on a backend: 4 n d^2 flops and an eigenproblem of order d.
#pragma once

#include <utility>

#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/proximal_options.hpp"

namespace relulift {

// In ascending order of their singular values; X'X is diagonal in the coordinates.
template <Backend B>
MetricBasis rotated(B& be, const Matrix& X) {
  const Index n = X.rows(), d = X.cols();
  auto x = be.matrix(n, d), turned = be.matrix(n, d), gram = be.matrix(d, d);
  auto values = be.slots(d + 1);
  be.reserve(Needs{}.syevd(d));
  upload(be, X, x.view());
  be.syrk(Op::transpose, 1.0, x.view(), 0.0, gram.view());
  be.syevd(gram.view(), values[0], values[d]);
  be.gemm(Op::none, Op::none, 1.0, x.view(), gram.view(), 0.0, turned.view());
  MetricBasis out{Matrix(n, d), Matrix(d, d), Vector(d)};
  fetch(be, turned.view(), out.coordinates);
  fetch(be, gram.view(), out.basis);
  out.metric = raised_metric(out.coordinates.colwise().squaredNorm().transpose());
  return out;
}
inline void count_rotated(Needs& needs, Index n, Index d) {
  needs.matrix(n, d).matrix(n, d).matrix(d, d).slots(d + 1).syevd(d);
}

// X as it is, the metric its largest squared singular value.
template <Backend B>
MetricBasis uniform(B& be, const Matrix& X) {
  const Index n = X.rows(), d = X.cols();
  auto x = be.matrix(n, d), gram = be.matrix(d, d);
  auto values = be.slots(d + 1);
  be.reserve(Needs{}.eigenvalues(d));
  upload(be, X, x.view());
  be.syrk(Op::transpose, 1.0, x.view(), 0.0, gram.view());
  be.eigenvalues(gram.view(), values[0], values[d]);
  Vector squares(d);
  fetch(be, values[0], squares);
  return {X, {}, raised_metric(Vector::Constant(d, squares[d - 1]))};
}
inline void count_uniform(Needs& needs, Index n, Index d) {
  needs.matrix(n, d).matrix(d, d).slots(d + 1).eigenvalues(d);
}

}  // namespace relulift
