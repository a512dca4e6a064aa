// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

#include "src/core/view.hpp"

namespace relulift {

// The inner length of c = op(A) op(B). Throws std::logic_error where sizes do not fit.
template <class T>
Index inner_of_product(Op op_a, Op op_b, MatrixView<const T> a, MatrixView<const T> b,
                       MatrixView<T> c) {
  const Index inner = op_a == Op::none ? a.cols : a.rows;
  if ((op_a == Op::none ? a.rows : a.cols) != c.rows ||
      (op_b == Op::none ? b.cols : b.rows) != c.cols ||
      (op_b == Op::none ? b.rows : b.cols) != inner)
    throw std::logic_error("gemm: sizes do not fit");
  return inner;
}

}  // namespace relulift
