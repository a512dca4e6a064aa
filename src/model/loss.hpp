// SPDX-License-Identifier: Apache-2.0
// From the loss that a caller names to the functors of kernels/loss.hpp.
#pragma once

#include <relulift/loss.hpp>

#include "kernels/loss.hpp"

namespace relulift {

// body(kernels::RowLoss<kind, T>) for the loss on so many outputs: the logistic loss of two and
// more is the softmax.
template <class T, class Body>
decltype(auto) with_row_loss(Loss loss, Index outputs, T huber_delta, const Body& body) {
  using kernels::LossKind, kernels::RowLoss;
  if (loss == Loss::logistic && outputs >= 2) return body(RowLoss<LossKind::softmax, T>{});
  if (loss == Loss::logistic) return body(RowLoss<LossKind::logistic, T>{});
  if (loss == Loss::hinge) return body(RowLoss<LossKind::hinge, T>{});
  if (loss == Loss::huber) return body(RowLoss<LossKind::huber, T>{{huber_delta}});
  if (loss == Loss::absolute) return body(RowLoss<LossKind::absolute, T>{});
  return body(RowLoss<LossKind::squared, T>{});
}

}  // namespace relulift
