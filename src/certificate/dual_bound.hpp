// SPDX-License-Identifier: Apache-2.0
// Proved lower bounds on [eq:train] over networks of every width, from any dual candidate. Nothing
// an engine or presolve computed is trusted: the exact merging is redone, W >= 0 is enforced, and
// what is returned holds in exact arithmetic.
#pragma once

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
};

struct BoundOptions {
  // Objective of some network on the data as given; infinity when none is known.
  double objective_upper = std::numeric_limits<double>::infinity();
  // Give up as soon as the candidate cannot reach this.
  double at_least = -std::numeric_limits<double>::infinity();
};

// The best of [eq:bound] and [eq:repair] over several shifts C, less [eq:perturb] if rows were
// merged that are not exactly parallel. O(N^3) per factorisation, of which there are one (a
// feasible candidate) to about twenty, N = directions + features + outputs; memory 5 N^2 doubles.
// Throws std::logic_error when the sizes do not fit; a candidate with NaN or infinite entries
// proves the floor only.
Bound certify_multipliers(const Problem& problem, const DualCandidate& candidate,
                          const BoundOptions& options = {});

}  // namespace relulift
