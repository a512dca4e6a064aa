// SPDX-License-Identifier: Apache-2.0
// The training problem as the caller states it.
#pragma once

#include <cstdint>
#include <vector>

namespace relulift {

using Index = std::int64_t;

// min over U, V and the width m of
//     J(U,V) = 1/2 ||(XU)_+ V' - Y||_F^2 + g/2 (||U||_F^2 + ||V||_F^2)              [eq:train]
// (Prakhya, Birdal & Yurtsever 2024). No 1/n, no bias: a bias is a column of ones in X.
struct Problem {
  Index samples = 0;   // n >= 1
  Index features = 0;  // d >= 1
  Index outputs = 0;   // c >= 1
  // n x d, column-major (entry (i, j) at i + j n), finite, ||X||_F^2 < 1e150.
  std::vector<double> X;
  // n x c, column-major, finite, ||Y||_F^2 < 1e150.
  std::vector<double> Y;
  // g: finite and > 0.
  double weight_decay = 0.1;
};

// Throws InvalidInput naming the first bad field: sizes, lengths, non-finite entries, entries whose
// squares sum to 1e150 or more, weight decay.
void validate(const Problem& problem);

}  // namespace relulift
