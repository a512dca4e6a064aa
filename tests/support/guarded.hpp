// SPDX-License-Identifier: Apache-2.0
// A block inside a larger matrix of a backend: odd stride, odd offset, and a margin that must keep
// its values.
#pragma once

#include <vector>

#include "src/core/backend.hpp"
#include "src/core/random.hpp"

namespace relulift::testing {

// Packed column-major values on the host.
struct HostMatrix {
  Index rows = 0, cols = 0;
  std::vector<double> values;

  HostMatrix(Index r, Index c) : rows(r), cols(c), values(static_cast<std::size_t>(r * c)) {}
  double& operator()(Index i, Index j) { return values[static_cast<std::size_t>(i + j * rows)]; }
  double operator()(Index i, Index j) const {
    return values[static_cast<std::size_t>(i + j * rows)];
  }
};

// In (-1, 1), with zeros, negative zeros and repeated values planted.
inline HostMatrix random_matrix(Index rows, Index cols, std::uint64_t seed) {
  Random random(seed);
  HostMatrix m(rows, cols);
  for (std::size_t k = 0; k < m.values.size(); ++k) {
    m.values[k] = k % 17 == 3    ? 0.0
                  : k % 17 == 8  ? -0.0
                  : k % 17 == 11 ? 0.5
                                 : 2 * random.uniform() - 1;
  }
  return m;
}

template <class B>
class Guarded {
 public:
  static constexpr double kMargin = -12345.75;

  Guarded(B& be, const HostMatrix& m) : Guarded(be, m.rows, m.cols) { put(m); }
  Guarded(B& be, Index rows, Index cols)
      : be_(be), rows_(rows), cols_(cols), whole_(be.matrix(rows + 5, cols + 3)) {
    be_.upload(std::vector<double>(static_cast<std::size_t>((rows + 5) * (cols + 3)), kMargin),
               whole_.view());
  }

  MatrixView<double> view() const { return whole_.view().block(2, 1, rows_, cols_); }
  void put(const HostMatrix& m) { be_.upload(m.values, view()); }
  HostMatrix get() const {
    HostMatrix m(rows_, cols_);
    be_.fetch(view(), m.values);
    return m;
  }
  bool margin_intact() const {
    HostMatrix all(rows_ + 5, cols_ + 3);
    be_.fetch(whole_.view(), all.values);
    for (Index j = 0; j < all.cols; ++j) {
      for (Index i = 0; i < all.rows; ++i) {
        const bool inside = i >= 2 && i < 2 + rows_ && j >= 1 && j < 1 + cols_;
        if (!inside && all(i, j) != kMargin) return false;
      }
    }
    return true;
  }

 private:
  B& be_;
  Index rows_, cols_;
  typename B::Matrix whole_;
};

}  // namespace relulift::testing
