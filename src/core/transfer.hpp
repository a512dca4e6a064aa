// SPDX-License-Identifier: Apache-2.0
// Host matrices in and out of a backend. Setup and checks only: fetch waits.
#pragma once

#include <span>

#include "src/core/dense.hpp"
#include "src/core/view.hpp"

namespace relulift {

template <class B, class Derived, class To>
void upload(B& backend, const Eigen::MatrixBase<Derived>& from, To&& to) {
  const Eigen::Ref<const Matrix> seen = from;
  if (seen.outerStride() == seen.rows() || seen.cols() <= 1) {
    backend.upload(std::span<const double>(seen.data(), static_cast<std::size_t>(seen.size())), to);
    return;
  }
  const Matrix packed = seen;
  backend.upload(std::span<const double>(packed.data(), static_cast<std::size_t>(packed.size())),
                 to);
}

// `to` has the size of what it receives.
template <class B, class From, class Derived>
void fetch(B& backend, const From& from, Eigen::PlainObjectBase<Derived>& to) {
  backend.fetch(from, std::span<double>(to.data(), static_cast<std::size_t>(to.size())));
}

}  // namespace relulift
