// SPDX-License-Identifier: Apache-2.0
// What a list of multipliers leaves of Q of [eq:slack]: a sparse s block and d + c dense rows. A
// matrix of order N is needed for the factorisation alone, which is done in place and fed from
// here again at every attempt.
#pragma once

#include <vector>

#include "src/certificate/merged_data.hpp"
#include "src/core/dual_candidate.hpp"

namespace relulift {

template <class T>
using MatrixOf = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

// Q in the blocks (s, u, v), order N = k + d + c. O(entries + N (d + c)) numbers.
template <class T>
struct ListSlack {
  // Lower triangle of the s block, row >= column; no position twice.
  struct Entry {
    Index row, column;
    T value;
    double error;  // |value - exact value| <= error
  };
  Index directions = 0;
  std::vector<Entry> sparse;
  MatrixOf<T> border;   // rows (u, v) of Q, (d + c) x N; what is right of the diagonal is unused
  Matrix border_error;  // |border - exact| <= border_error

  Index order() const { return border.cols(); }
};

// Throws std::logic_error on multipliers whose sizes do not fit the data.
void check_sizes(const MergedData& data, const DualCandidate& candidate);

// From G, H and the listed entries; the dense part of W is not looked at. Negative entries that
// must not be negative count as zero. O(entries (d + log entries) + N (d + c) d). Throws
// std::logic_error on sizes that do not fit.
template <class T>
ListSlack<T> build_list_slack(const MergedData& data, const DualCandidate& candidate);

// Lower triangle of Q written to M, of order N; the strict upper triangle is left as it was.
template <class T>
void expand(const ListSlack<T>& slack, MatrixOf<T>& M);

// The same for the error bounds.
template <class T>
void expand_error(const ListSlack<T>& slack, Matrix& error);

// sum_q E_pq scale_q for every row p of the symmetric matrix E of error bounds.
template <class T>
Vector scaled_error_sums(const ListSlack<T>& slack, const Vector& scale);

}  // namespace relulift
