// SPDX-License-Identifier: Apache-2.0
// The slack matrix Q of [eq:slack] with a bound on every entry's rounding error, and the proof
// by Cholesky that it is positive semidefinite [eq:cholesky]. T: double, or long double where the
// multipliers of neighbouring samples are so large that double roundings would cost bound.
#pragma once

#include "src/certificate/list_slack.hpp"

namespace relulift {

// Blocks (s, u, v), order k + d + c. The lower triangle is the matrix.
template <class T>
struct Slack {
  MatrixOf<T> Q;
  Matrix error;  // entrywise |Q - exact Q| <= error, lower triangle
};

// W >= 0 is enforced by projection: negative entries that must not be negative count as zero.
// O(k^2 d) for a dense W, O(entries d) for a list. Throws std::logic_error on sizes that do not
// fit. Memory 2 N^2, N = order, and 5 k^2 doubles while it is built from a dense W.
template <class T>
Slack<T> build_slack(const MergedData& data, const DualCandidate& candidate);

// C of [eq:shift] for one choice of e (k, nonnegative, with X'diag(e)X/4 below g/2).
template <class T>
struct Shift {
  Vector e;
  MatrixOf<T> u_block;   // d x d, lower triangle
  Matrix u_block_error;  // lower triangle
  double output = 0.0;   // g/2
};

template <class T>
Shift<T> build_shift(const MergedData& data, const Vector& e);

// True only if Q + kappa C is positive semidefinite in exact arithmetic. O(N^3). Memory N^2 beside
// the slack.
template <class T>
bool proves_psd(const Slack<T>& slack, const Shift<T>& shift, double kappa);

// The same, factored in `work` (of order N, contents without meaning before and after).
template <class T>
bool proves_psd(const ListSlack<T>& slack, const Shift<T>& shift, double kappa, MatrixOf<T>& work);

// The same without the margin for roundings: an estimate that proves nothing.
bool looks_psd(const Slack<double>& slack, const Shift<double>& shift, double kappa);
bool looks_psd(const ListSlack<double>& slack, const Shift<double>& shift, double kappa,
               Matrix& work);

}  // namespace relulift
