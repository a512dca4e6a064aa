// SPDX-License-Identifier: Apache-2.0
// A loss that is chosen while the program runs: one solver for all of them. The choice costs a
// branch per row that all rows take alike.
#pragma once

#include "kernels/loss.hpp"

namespace relulift::kernels {

template <class T>
struct AnyLoss {
  using Scalar = T;
  LossKind kind = LossKind::squared;
  T delta = T(1);  // of huber

  template <class F, class Y>
  RELULIFT_HD T value(RowView<F> f, RowView<Y> y, Index c) const {
    return with([&](const auto& loss) { return loss.value(f, y, c); });
  }
  template <class F, class Y>
  RELULIFT_HD void gradient(RowView<F> f, RowView<Y> y, Index c, RowView<T> out) const {
    with([&](const auto& loss) {
      loss.gradient(f, y, c, out);
      return T(0);
    });
  }
  template <class Z, class Y>
  RELULIFT_HD void prox(RowView<Z> z, RowView<Y> y, Index c, T rho, RowView<T> out) const {
    with([&](const auto& loss) {
      loss.prox(z, y, c, rho, out);
      return T(0);
    });
  }
  template <class U, class Y>
  RELULIFT_HD T conjugate(T t, RowView<U> u, RowView<Y> y, Index c) const {
    return with([&](const auto& loss) { return loss.conjugate(t, u, y, c); });
  }

 private:
  template <class Body>
  RELULIFT_HD T with(const Body& body) const {
    switch (kind) {
      case LossKind::squared:
        return body(RowLoss<LossKind::squared, T>{{delta}});
      case LossKind::logistic:
        return body(RowLoss<LossKind::logistic, T>{{delta}});
      case LossKind::softmax:
        return body(RowLoss<LossKind::softmax, T>{});
      case LossKind::hinge:
        return body(RowLoss<LossKind::hinge, T>{{delta}});
      case LossKind::huber:
        return body(RowLoss<LossKind::huber, T>{{delta}});
      case LossKind::absolute:
        break;
    }
    return body(RowLoss<LossKind::absolute, T>{{delta}});
  }
};

}  // namespace relulift::kernels
