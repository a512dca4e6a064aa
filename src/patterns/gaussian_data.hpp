// SPDX-License-Identifier: Apache-2.0
// Whether data look like those of the approximation theorem for sampled gates (Kim & Pilanci 2024,
// arXiv 2402.03625): independent normal entries.
#pragma once

#include "src/core/dense.hpp"

namespace relulift {

// n >= d, n >= 30, and nothing at four standard deviations speaks against independent N(0, s^2)
// entries: neither their first, third and fourth moments nor the singular values of X, which would
// lie in s (sqrt n +- (sqrt d + 4)) but for a probability of 7e-4 (Davidson & Szarek 2001). Rows or
// columns that depend on each other in other ways are not found out. n d^2 flops.
bool looks_gaussian(const Matrix& X);

// sqrt(log 2n): up to a constant, what sampled gates may cost as a factor on such data, with high
// probability [eq:sampling-rate].
double sampling_rate(Index samples);

}  // namespace relulift
