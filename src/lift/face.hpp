// SPDX-License-Identifier: Apache-2.0
// The face of [eq:sdp] as an orthonormal basis N of the scaled lifted space [eq:face]:
//     alpha'_i = tau_i alpha_i,  beta'_i = tau_i beta_i,  u' = b R'u,  v' = e v,
// with diag(tau) X = Q diag(sigma) R'. Lambda' = N P N' for P the Gram matrix of
//     s^_i = tau_i s_i / sqrt 2,   u^ = f o R'u,   v^ = e v,   f_k^2 = sigma_k^2 / 2 + b^2.
#pragma once

#include "src/presolve/reduced_problem.hpp"

namespace relulift {

// How the blocks of the lifted vector are weighed against each other; changes the path of the
// dense engine, never its answer.
struct BlockScaling {
  Vector row;      // tau, n entries > 0
  double u = 0.0;  // b >= 0
  double v = 1.0;  // e > 0
};

struct Face {
  Index n = 0, d = 0, c = 0;
  Vector row;      // tau
  Matrix half_X;   // n x d: Q diag(sigma / (2 f)), so that tau o t / 2 = half_X u^
  Matrix right;    // R, d x d orthogonal
  Vector length;   // d: f
  Vector share;    // d + c: u' = share o u^, then ones for v
  Vector cost;     // d + c: [eq:sdp]'s trace terms are <diag(cost), P_(uv)(uv)>
  double v = 1.0;  // e

  Index order() const { return n + d + c; }
  Matrix lift(const Matrix& B) const;         // N B, rows alpha', beta', u', v'
  Matrix coordinates(const Matrix& Z) const;  // N'Z
  Matrix to_face(const Matrix& S) const;      // S of (s, u, v) -> P
  Matrix from_face(const Matrix& P) const;    // P -> S
};

// Throws InvalidInput when X has not full column rank and u = 0 (f would vanish).
Face make_face(const ReducedProblem& problem, const BlockScaling& scaling);

// S of a network: the Gram matrix of (|X u_j|, u_j, v_j) over its neurons.
Matrix gram(const ReducedProblem& problem, const Weights& weights);

}  // namespace relulift
