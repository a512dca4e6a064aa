// SPDX-License-Identifier: Apache-2.0
// Proved lower bounds on [eq:train] over networks of every width, from any dual candidate. Nothing
// an engine or presolve computed is trusted: the exact merging is redone, W >= 0 is enforced, and
// what is returned holds in exact arithmetic.
#pragma once

#include <functional>
#include <limits>
#include <relulift/problem.hpp>

#include "src/core/dual_candidate.hpp"

namespace relulift {

struct Bound {
  // No network of any width has a smaller objective. -inf when nothing was proved.
  double value = -std::numeric_limits<double>::infinity();
  // "cholesky": positive semidefiniteness proved by a factorisation [eq:cholesky]; "floor": the
  // constant of [eq:merged], which holds without any candidate; "none": -inf.
  const char* kind = "none";
  // Q + kappa C was proved PSD; 0 for a candidate that is dual feasible as it stands.
  double kappa = 0.0;
  // What a proof would give, by [eq:repair] at an estimated kappa, where none fitted into memory.
  // It proves nothing and is never part of `value`. NaN otherwise.
  double estimate = std::numeric_limits<double>::quiet_NaN();
  int factorisations = 0;  // of order N, failed ones included
  Vector shift = {};       // e of [eq:shift] that belongs to kappa; empty where kappa is infinite
};

struct BoundOptions {
  // Objective of some network on the data as given; infinity when none is known.
  double objective_upper = std::numeric_limits<double>::infinity();
  // Of a candidate without a dense part: less than certificate_bytes, and there is no proof but an
  // estimate.
  Index memory_bytes = std::numeric_limits<Index>::max();
  // Asked between products of the estimate and before every factorisation: true gives up, with what
  // was proved by then.
  std::function<bool()> stop = {};
};

// What a proof of order N = directions + features + outputs needs for a candidate that is a list:
// the matrix that is factored, 250 N doubles of the estimate, and 16 N for each of `thin` =
// features
// + outputs. O(entries) come on top.
Index certificate_bytes(Index order, Index thin);

// The best of [eq:bound] and [eq:repair] over several shifts C, less [eq:perturb] if rows were
// merged that are not exactly parallel. O(N^3) per factorisation, N as above.
// kappa is estimated first, [eq:lanczos], for every shift; the best is factored, once where the
// candidate is feasible or the estimate converged, about twenty times for each shift without one.
// A list (no dense part) is factored in place: N^2 doubles, twice as many up to order 1200. A dense
// W needs 3 N^2, and 5 k^2 (k directions) while Q is built.
// Throws std::logic_error when the sizes do not fit; a candidate with NaN or infinite entries
// proves the floor only.
Bound certify_multipliers(const Problem& problem, const DualCandidate& candidate,
                          const BoundOptions& options = {});

}  // namespace relulift
