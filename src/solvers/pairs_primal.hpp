// SPDX-License-Identifier: Apache-2.0
// A feasible point of [eq:sdp] near a given S, and what it costs: an upper bound on p_sdp, up to
// rounding [eq:primal]. docs/math.md, section 6.
#pragma once

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

// E |a'z| |b'z| for z ~ N(0, I) (Cho & Saul 2009), from the inner products of a and b.
double absolute_kernel(double aa, double bb, double ab);

// K(S) of [eq:sdp], 2n x 2n.
Matrix lifted_gram(const ReducedProblem& problem, const Matrix& S);

// Value of the repaired S without the constant of the problem; infinite when rounding allows none.
// S is PSD, of order n + d + c, blocks (s, u, v). The rows of s are rescaled until diag(alpha beta)
// = 0, a congruence. Then neurons with v = 0, which change no residual, lift the negative entries
// of K: infinitely many u ~ N(0, tau S_uu) for most of them, one neuron each for the worst. O(n^2 d
// + n^2 log n).
double feasible_primal(const ReducedProblem& problem, const Matrix& S);

// The same for S = Z'Z, Z: r x (n + d + c), without an n x n array. O(n^2 r).
double feasible_primal_of_factor(const ReducedProblem& problem, const Matrix& Z);

}  // namespace relulift
