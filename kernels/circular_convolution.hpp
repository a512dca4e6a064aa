// SPDX-License-Identifier: Apache-2.0
// Entries of the Newton system of the circular networks [eq:circular-newton].
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

// The share of cosines (p = 0) and sines (p = 1) in C = diag(slack) + sum_pq N_pq o (y_p y_q'),
// which is symmetric. N: K x K, of the columns p and q; y: K x 2c in two blocks.
struct FrequencyCouplings {
  MatrixView<const double> N, y;
  Index p, q;
  MatrixView<double> C;
  RELULIFT_HD double along(Index k, Index l) const {
    const Index c = y.cols / 2;
    double sum = 0.0;
    for (Index o = 0; o < c; ++o) sum += y(k, p * c + o) * y(l, q * c + o);
    return sum;
  }
  RELULIFT_HD void operator()(Index k, Index l) const {
    const double entry = N(k, l) * along(k, l);
    C(k, l) += p == q ? entry : entry + N(l, k) * along(l, k);
  }
};

// C = diag(slack).
struct SlackDiagonal {
  const double* slack = nullptr;
  MatrixView<double> C;
  RELULIFT_HD void operator()(Index k, Index l) const { C(k, l) = k == l ? slack[k] : 0.0; }
};

}  // namespace relulift::kernels
