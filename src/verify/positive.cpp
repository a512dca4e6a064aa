// SPDX-License-Identifier: Apache-2.0
#include "src/verify/positive.hpp"

#include <algorithm>

namespace relulift::verifier {
namespace {

constexpr Index kBlock = 64;   // rows of a block
constexpr Index kChunk = 256;  // of the inner index, so that two chunks stay in the cache
constexpr Index kLanes = 8;    // sums side by side

// Rows of the lower triangle one after the other, factored in place. Any order of the inner sums
// keeps the bound of [eq:cholesky].
template <class T>
class Factorisation {
 public:
  Factorisation(std::vector<T>& A, Index order) : A_(A), n_(order) {}

  // False unless every pivot is positive.
  bool run() {
    for (Index first = 0; first < n_; first += kBlock) {
      const Index last = std::min(first + kBlock, n_);
      subtract(first, last, first, last);
      if (!factor(first, last)) return false;
#pragma omp parallel for schedule(dynamic, 1) if (n_ - last > 4 * kBlock)
      for (Index top = last; top < n_; top += kBlock) {
        const Index bottom = std::min(top + kBlock, n_);
        subtract(top, bottom, first, last);
        for (Index i = top; i < bottom; ++i)
          for (Index j = first; j < last; ++j)
            row(i)[j] = (row(i)[j] - dot(i, j, first, j)) / row(j)[j];
      }
    }
    return true;
  }

 private:
  T* row(Index i) { return A_.data() + i * n_; }

  T dot(Index i, Index j, Index from, Index to) {
    const T *x = row(i), *y = row(j);
    T lane[kLanes] = {};
    Index l = from;
    for (; l + kLanes <= to; l += kLanes)
      for (Index s = 0; s < kLanes; ++s) lane[s] += x[l + s] * y[l + s];
    T sum = 0;
    for (; l < to; ++l) sum += x[l] * y[l];
    for (const T part : lane) sum += part;
    return sum;
  }

  // Columns left of `first` have been factored; their part of the block is subtracted.
  void subtract(Index top, Index bottom, Index first, Index last) {
    for (Index from = 0; from < first; from += kChunk) {
      const Index to = std::min(from + kChunk, first);
      for (Index i = top; i < bottom; ++i)
        for (Index j = first; j < std::min(last, i + 1); ++j) row(i)[j] -= dot(i, j, from, to);
    }
  }

  bool factor(Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      for (Index j = first; j < i; ++j) row(i)[j] = (row(i)[j] - dot(i, j, first, j)) / row(j)[j];
      const T pivot = row(i)[i] - dot(i, i, first, i);
      if (!(pivot > 0) || !std::isfinite(pivot)) return false;
      row(i)[i] = std::sqrt(pivot);
    }
    return true;
  }

  std::vector<T>& A_;
  Index n_;
};

std::vector<Entry> added_up(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  std::vector<Entry> sums;
  for (const Entry& entry : entries) {
    const bool again =
        !sums.empty() && sums.back().row == entry.row && sums.back().column == entry.column;
    if (again)
      sums.back().value = sums.back().value + entry.value;
    else
      sums.push_back(entry);
  }
  return sums;
}

template <class T>
bool proves(Index order, const std::vector<Entry>& entries) {
  const auto n = static_cast<std::size_t>(order);
  constexpr Real unit = std::numeric_limits<T>::epsilon() / Real(2);
  // Powers of two that bring the diagonal into [1, 4): exact, and nothing that matters underflows.
  std::vector<int> shift(n, 0);
  std::vector<Real> diagonal(n, 0), margin(n, 0);
  for (const Entry& e : entries) {
    if (e.row != e.column) continue;
    if (!(e.value.mid > 0) || !std::isfinite(e.value.mid)) return false;
    const int exponent = std::ilogb(e.value.mid);
    shift[e.row] = -(exponent - (exponent % 2 + 2) % 2) / 2;
    diagonal[e.row] = std::ldexp(e.value.mid, 2 * shift[e.row]);
  }
  std::vector<T> M(n * n, T(0));
  for (const Entry& e : entries) {
    const int power = shift[e.row] + shift[e.column];
    const Real value = std::ldexp(e.value.mid, power);
    const Real error = std::ldexp(e.value.rad, power) + 2 * unit * std::abs(value) + 1e-300L;
    if (!std::isfinite(error) || !(diagonal[e.row] > 0) || !(diagonal[e.column] > 0)) return false;
    M[e.row * n + e.column] = static_cast<T>(value);
    // Diagonal dominance in the scaling that makes the diagonal one.
    margin[e.row] += error * std::sqrt(diagonal[e.row] / diagonal[e.column]);
    if (e.row != e.column)
      margin[e.column] += error * std::sqrt(diagonal[e.column] / diagonal[e.row]);
  }
  const Real size = static_cast<Real>(order);
  const Real gamma = (size + 4) * unit / (1 - (size + 4) * unit);
  for (std::size_t p = 0; p < n; ++p) {
    if (!(diagonal[p] > 0)) return false;
    const Real z = (size * gamma + 4 * unit) * diagonal[p] + above(margin[p], order);
    // What underflows and the roundings of z itself.
    const Real lowered = diagonal[p] - z * (1 + 1e-9L) - 1e-290L;
    if (!(lowered > 0)) return false;
    M[p * n + p] = static_cast<T>(lowered);
  }
  return Factorisation<T>(M, order).run();
}

}  // namespace

bool proves_positive(Index order, std::vector<Entry> entries) {
  const std::vector<Entry> sums = added_up(std::move(entries));
  return order <= kMaxExtended ? proves<Real>(order, sums) : proves<double>(order, sums);
}

Real spectral_norm_above(const std::vector<double>& A, Index rows, double offered) {
  const auto count = static_cast<Index>(A.size());
  const Real frobenius = norm_above(count, [&](Index k) { return A[k]; });
  if (!(offered < frobenius) || !(offered >= 0.0)) return frobenius;
  const Index columns = count / rows;
  const bool wide = rows < columns;  // offered^2 I - A A' instead of A'A
  const Index order = wide ? rows : columns;
  std::vector<Entry> entries;
  for (Index p = 0; p < order; ++p)
    for (Index q = 0; q <= p; ++q) {
      Sum sum;
      if (wide)
        for (Index l = 0; l < columns; ++l) sum.add_product(A[p + l * rows], A[q + l * rows]);
      else
        for (Index l = 0; l < rows; ++l) sum.add_product(A[l + p * rows], A[l + q * rows]);
      const Ball square = Ball{offered} * Ball{offered};
      entries.push_back({p, q, (p == q ? square : Ball{}) - sum.ball()});
    }
  return proves_positive(order, std::move(entries)) ? Real(offered) : frobenius;
}

}  // namespace relulift::verifier
