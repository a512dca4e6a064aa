// SPDX-License-Identifier: Apache-2.0
// Losses of a prediction f against targets, samples x outputs each, and what they ask of targets.
#pragma once

#include <relulift/problem.hpp>
#include <span>

namespace relulift {

// L(f), summed over samples and outputs; no 1/n.
enum class Loss {
  // 1/2 sum (f - y)^2. Any finite targets.
  squared,
  // One output: labels y in {-1, +1}, sum log(1 + exp(-y f)). Two and more: one-hot rows (one 1,
  // else 0), the cross entropy sum_i log(sum_k exp(f_ik)) - <y_i, f_i> of the softmax.
  logistic,
  // sum (1 - y f)_+. One output: labels y in {-1, +1}. Two and more: one-hot rows, read as +1 for
  // the class of the row and -1 for every other (one against all).
  hinge,
  // r = f - y: 1/2 r^2 for |r| <= delta, delta |r| - delta^2/2 beyond. Any finite targets.
  huber,
  // sum |f - y|. Any finite targets.
  absolute
};

// "squared", "logistic", ..
const char* to_string(Loss loss);

// Throws InvalidInput naming the first row of Y (column-major, counted from 0) that this loss
// cannot take.
void validate_targets(Loss loss, std::span<const double> Y, Index samples, Index outputs);

// L(f) on targets that pass the above, summed in extended precision. huber_delta > 0 is read by
// huber alone.
double loss_value(Loss loss, std::span<const double> f, std::span<const double> Y, Index samples,
                  Index outputs, double huber_delta = 1.0);

}  // namespace relulift
