// SPDX-License-Identifier: Apache-2.0
// The nearest point of a cone K u >= 0: a + K'mu with the mu >= 0 of least ||a + K'mu||,
// non-negative least squares by the active-set method of Lawson & Hanson (1974), on the host. Every
// mu >= 0 gives an upper bound on max { a'u : K u >= 0, ||u|| <= 1 }, so its norm is one wherever
// the method stopped. With a = A_i'e that is what a ReLU neuron of pattern i can gain from a
// residual e [eq:cone-gain]: the working sets of [eq:relu-cones] need it for patterns they do not
// hold, their first-order solver to repair its points and to prove its bounds. O(n d + d^3) flops
// for each of about d changes of the active set.
#pragma once

#include <vector>

#include "src/patterns/pattern_set.hpp"

namespace relulift {

// K' = columns diag(signs): the rows of K are samples, turned to their side.
struct SignedRows {
  const Matrix& columns;  // d x n
  const Vector& norms;    // n, of the columns
  Vector signs;           // n, +-1
};

struct NearestPoint {
  Vector u;                 // in the cone but for rounding
  std::vector<Index> rows;  // active ones: where the search for a point close by starts
};
// A row is violated below -kConeRounding ||row|| ||a||. `rows`: of an earlier point.
inline constexpr double kConeRounding = 1e-13;
NearestPoint nearest_in_cone(const SignedRows& K, const Vector& a, std::vector<Index> rows = {});

struct ConeProjection {
  double upper = 0.0;  // no smaller than the maximum, rounding aside
  double value = 0.0;  // a'u of `direction`: no larger than the maximum
  Vector direction;    // unit and in the cone but for rounding; zero where there is no gain
};

// Of a onto {K u >= 0}, where a'u is maximised.
ConeProjection project_on_cone(const Matrix& K, const Vector& a);

// Of sign * A_i'E e_k: entry (i, 2 k) is of the sign +, (i, 2 k + 1) of the sign -; row i is
// pattern i. Patterns are shared among the threads of OpenMP.
struct ConeGains {
  Matrix upper, value;             // P x 2 c
  std::vector<Matrix> directions;  // per pattern, d x 2 c
};
ConeGains cone_gains(const Matrix& X, const PatternSet& patterns, const Matrix& E);

}  // namespace relulift
