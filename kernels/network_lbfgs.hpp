// SPDX-License-Identifier: Apache-2.0
// L-BFGS as a state machine of device scalars: what one evaluation of the objective decides.
// Two-loop recursion in the coordinates of the basis (s, y, g): Chen, Wang & Zhou 2014.
#pragma once

#include <cmath>

#include "src/core/view.hpp"

namespace relulift::kernels {

inline constexpr Index kMostPairs = 12;
// Columns of the basis: room for `pairs` pairs, of which one is scratch, s_0.., y_0.., gradient. T,
// the type of its entries, is double or float: float halves the bytes that a step moves, and costs
// directions half their digits.
RELULIFT_HD constexpr Index basis_columns(Index pairs) { return 2 * pairs + 1; }

// Rows of the state, one column per start.
enum LbfgsRow : Index {
  kValue,         // objective at the accepted point
  kSlope,         // g'p there
  kStep,          // of the trial
  kAccepted,      // 1: the last trial was accepted
  kCount,         // pairs stored, fewer than fit: the head column is scratch
  kHead,          // ring position of the next pair
  kStarted,       // 0 before the first evaluation
  kRejections,    // in a row
  kDone,          // 1: no step decreases the objective any more
  kGradientNorm,  // at the accepted point
  kLbfgsRows
};

// What the pairs of an earlier run left behind: zero coefficients would not hide a NaN.
template <class T>
struct Clear {
  MatrixView<T> a;
  RELULIFT_HD void operator()(Index i, Index j) const { a(i, j) = 0; }
};

template <class T>
struct TrialPoint {
  MatrixView<const double> x, state;
  MatrixView<const T> p;
  MatrixView<double> trial;
  RELULIFT_HD void operator()(Index i, Index s) const {
    trial(i, s) = x(i, s) + state(kStep, s) * static_cast<double>(p(i, s));
  }
};

struct Product {
  MatrixView<const double> a, b;
  RELULIFT_HD double operator()(Index i, Index j) const { return a(i, j) * b(i, j); }
};

// Armijo test and safeguarded quadratic interpolation.
struct JudgeTrial {
  MatrixView<double> state;
  const double* value = nullptr;  // objective at the trial
  RELULIFT_HD void operator()(Index s, Index) const {
    const double J = state(kValue, s), t = state(kStep, s), slope = state(kSlope, s);
    const bool first = state(kStarted, s) == 0.0, finite = value[s] - value[s] == 0.0;
    const bool enough = value[s] <= J + 1e-4 * t * slope && value[s] < J;
    const bool good = finite && (first || (state(kDone, s) == 0.0 && enough));
    state(kAccepted, s) = good ? 1.0 : 0.0;
    if (good) {
      state(kValue, s) = value[s];
      state(kRejections, s) = 0.0;
      return;
    }
    state(kRejections, s) += 1.0;
    const double excess = value[s] - J - t * slope;
    double next = excess > 0.0 ? -0.5 * slope * t * t / excess : 0.1 * t;
    next = next > 0.1 * t ? next : 0.1 * t;  // also when not a number
    state(kStep, s) = next < 0.5 * t ? next : 0.5 * t;
  }
};

// Moves to an accepted trial; the new pair and gradient enter the basis and `fresh`.
template <class T>
struct AcceptTrial {
  Index pairs;
  MatrixView<const double> state, trial, gradient;
  MatrixView<double> x;
  MatrixView<T> basis, fresh;
  RELULIFT_HD void operator()(Index i, Index s) const {
    if (state(kAccepted, s) == 0.0) return;
    const Index first = s * basis_columns(pairs), head = static_cast<Index>(state(kHead, s));
    const double step = trial(i, s) - x(i, s);
    const double change = gradient(i, s) - static_cast<double>(basis(i, first + 2 * pairs));
    basis(i, first + head) = fresh(i, 3 * s) = static_cast<T>(step);
    basis(i, first + pairs + head) = fresh(i, 3 * s + 1) = static_cast<T>(change);
    basis(i, first + 2 * pairs) = fresh(i, 3 * s + 2) = static_cast<T>(gradient(i, s));
    x(i, s) = trial(i, s);
  }
};

// From the inner products of the basis to the next direction p = basis * coefficients.
template <class T>
struct TwoLoop {
  Index pairs;
  MatrixView<double> state, gram;  // gram: of the basis, per start
  MatrixView<T> coefficients;      // of p in the basis, a column per start
  MatrixView<const T> fresh;       // basis' (s, y, g), 3 columns per start

  RELULIFT_HD void operator()(Index s, Index) const {
    const MatrixView<double> G = gram.block(0, s * gram.rows, gram.rows, gram.rows);
    if (state(kAccepted, s) != 0.0) {
      insert(G, s);
      direction(G, s);
    } else if (state(kRejections, s) > 8.0) {
      // Forget the pairs once; a steepest descent that fails as well ends the run.
      if (state(kCount, s) == 0.0) state(kDone, s) = 1.0;
      state(kCount, s) = 0.0;
      state(kRejections, s) = 0.0;
      direction(G, s);
    }
  }

 private:
  RELULIFT_HD void insert(MatrixView<double> G, Index s) const {
    const Index head = static_cast<Index>(state(kHead, s));
    const Index at[3] = {head, pairs + head, 2 * pairs};
    for (Index k = 0; k < 3; ++k) {
      for (Index i = 0; i < G.rows; ++i) {
        G(i, at[k]) = G(at[k], i) = static_cast<double>(fresh(i, 3 * s + k));
      }
    }
    const double sy = G(at[0], at[1]);
    const bool curved =
        state(kStarted, s) != 0.0 && sy > 1e-10 * sqrt(G(at[0], at[0])) * sqrt(G(at[1], at[1]));
    state(kStarted, s) = 1.0;
    if (!curved) return;
    state(kHead, s) = static_cast<double>((head + 1) % pairs);
    if (state(kCount, s) < static_cast<double>(pairs - 1)) state(kCount, s) += 1.0;
  }

  RELULIFT_HD static double dot(MatrixView<double> G, const double* c, Index column) {
    double total = 0.0;
    for (Index i = 0; i < G.rows; ++i) total += G(i, column) * c[i];
    return total;
  }

  RELULIFT_HD void direction(MatrixView<double> G, Index s) const {
    double alpha[kMostPairs] = {}, c[basis_columns(kMostPairs)] = {};
    const Index count = static_cast<Index>(state(kCount, s));
    const Index head = static_cast<Index>(state(kHead, s));
    c[2 * pairs] = -1.0;
    for (Index k = 0; k < count; ++k) {  // newest first
      const Index a = (head - 1 - k + 2 * pairs) % pairs, y = pairs + a;
      alpha[a] = dot(G, c, a) / G(a, y);
      c[y] -= alpha[a];
    }
    if (count > 0) {
      const Index a = (head - 1 + pairs) % pairs, y = pairs + a;
      for (Index i = 0; i < G.rows; ++i) c[i] *= G(a, y) / G(y, y);
    }
    for (Index k = count; k-- > 0;) {
      const Index a = (head - 1 - k + 2 * pairs) % pairs, y = pairs + a;
      c[a] += alpha[a] - dot(G, c, y) / G(a, y);
    }
    const double gg = G(2 * pairs, 2 * pairs);
    double slope = dot(G, c, 2 * pairs);
    if (count > 0 && !(slope < 0.0)) {  // rounding spoiled the pairs
      state(kCount, s) = 0.0;
      for (Index i = 0; i < G.rows; ++i) c[i] = 0.0;
      c[2 * pairs] = -1.0;
      slope = -gg;
    }
    for (Index i = 0; i < G.rows; ++i) coefficients(i, s) = static_cast<T>(c[i]);
    state(kSlope, s) = slope;
    state(kGradientNorm, s) = sqrt(gg);
    // Steepest descent first tries the step that would win 5 % of the value.
    const double cautious = 0.05 * state(kValue, s) / (gg > 1e-300 ? gg : 1e-300);
    state(kStep, s) = state(kCount, s) > 0.0 ? 1.0 : (cautious < 1.0 ? cautious : 1.0);
    if (gg <= 1e-300) state(kDone, s) = 1.0;
  }
};

}  // namespace relulift::kernels
