// SPDX-License-Identifier: Apache-2.0
// Entries of the normal equations [eq:lasso-newton] of the group lasso.
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

// B = A diag(w). Reads 1, writes 1 double per entry.
struct ScaleColumns {
  MatrixView<const double> A;
  const double* w = nullptr;
  MatrixView<double> B;
  RELULIFT_HD void operator()(Index i, Index j) const { B(i, j) = A(i, j) * w[j]; }
};

// The diagonal of H plus one; extent {order}.
struct AddIdentity {
  MatrixView<double> H;
  RELULIFT_HD void operator()(Index i, Index) const { H(i, i) += 1.0; }
};

}  // namespace relulift::kernels
