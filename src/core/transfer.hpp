// SPDX-License-Identifier: Apache-2.0
// Host matrices in and out of a backend. Setup and checks only: fetch waits.
#pragma once

#include <span>
#include <vector>

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

// To and from a matrix of T that lies in one of doubles, packed: its entries as T, bit by bit.
template <class T, class B, class Derived>
void upload_as(B& backend, const Eigen::MatrixBase<Derived>& from, MatrixView<double> to) {
  std::vector<double> raw(static_cast<std::size_t>(doubles_for<T>(from.size())));
  Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>(
      reinterpret_cast<T*>(raw.data()), from.rows(), from.cols()) = from.template cast<T>();
  backend.upload(raw, MatrixView<double>{to.data, static_cast<Index>(raw.size()), 1,
                                         static_cast<Index>(raw.size())});
}
template <class T, class B>
Matrix fetch_as(B& backend, MatrixView<double> from, Index rows, Index cols) {
  std::vector<double> raw(static_cast<std::size_t>(doubles_for<T>(rows * cols)));
  const auto size = static_cast<Index>(raw.size());
  backend.fetch(MatrixView<const double>{from.data, size, 1, size}, raw);
  return Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>(
             reinterpret_cast<const T*>(raw.data()), rows, cols)
      .template cast<double>();
}

}  // namespace relulift
