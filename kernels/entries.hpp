// SPDX-License-Identifier: Apache-2.0
// Entries that any method needs: copies, from one type to another too, and sums of squares.
#pragma once

#include "src/core/view.hpp"

namespace relulift::kernels {

template <class From, class To = From>
struct CopyEntries {
  MatrixView<const From> A;
  MatrixView<To> B;
  RELULIFT_HD void operator()(Index i, Index j) const { B(i, j) = static_cast<To>(A(i, j)); }
};

template <class T>
struct ZeroEntries {
  MatrixView<T> A;
  RELULIFT_HD void operator()(Index i, Index j) const { A(i, j) = T(0); }
};

template <class T>
struct EntrySquare {
  MatrixView<const T> A;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return static_cast<double>(A(i, j)) * static_cast<double>(A(i, j));
  }
};

// ||A - B||^2.
template <class T>
struct SquaredDifference {
  MatrixView<const T> A, B;
  RELULIFT_HD double operator()(Index i, Index j) const {
    const double x = static_cast<double>(A(i, j)) - static_cast<double>(B(i, j));
    return x * x;
  }
};

}  // namespace relulift::kernels
