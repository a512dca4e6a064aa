// SPDX-License-Identifier: Apache-2.0
// What a ReLU neuron of a pattern can still gain from a residual e [eq:cone-gain]:
//     max of e'A_i u over K_i u >= 0, ||u|| <= 1,   A_i = D_i X,   K_i = (2 D_i - I) X
// is the norm of the projection of a = A_i'e onto the cone, a + K_i'mu with the mu >= 0 of least
// ||a + K_i'mu||: non-negative least squares by the active-set method of Lawson & Hanson (1974).
// Every mu >= 0 gives an upper bound, so what is returned is one wherever the method stopped. The
// working sets of [eq:relu-cones] need it for patterns they do not hold. Few columns: O(n d) flops
// for each of about d changes of the active set.
#pragma once

#include <vector>

#include "src/patterns/pattern_set.hpp"

namespace relulift {

struct ConeProjection {
  double upper = 0.0;  // no smaller than the maximum, rounding aside
  double value = 0.0;  // e'A_i u of `direction`: no larger than the maximum
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
