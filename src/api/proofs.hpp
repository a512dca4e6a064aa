// SPDX-License-Identifier: Apache-2.0
// Proofs in the form of the verifier, made from what certificates are computed from.
#pragma once

#include <optional>
#include <relulift/proof.hpp>

#include "src/certificate/dual_bound.hpp"
#include "src/core/control.hpp"

namespace relulift {

// [eq:proved-psd] for [eq:repair] at this kappa and shift: t, the share of C and [eq:merged] are
// worked into the multipliers. An empty shift proves the constant of [eq:merged]. objective_upper:
// of some network.
Proof multiplier_proof(const Problem& problem, const DualCandidate& candidate, double kappa,
                       const Vector& shift, double objective_upper);

// [eq:proved-split] in the same way, with one kappa and shift for all cones.
Proof split_proof(const Problem& problem, const SplitCandidate& candidate, double kappa,
                  double objective_upper);

// [eq:rescale] for kappa(E) <= kappa, which a search has proved: the tree of cones is walked again
// and recorded. No value when that does not succeed by the time limit.
std::optional<Proof> cone_proof(const Problem& problem, const Matrix& E, double kappa,
                                const Control& control);

// The bound that needs no solver, E = Y.
Proof floor_proof(const Problem& problem);

}  // namespace relulift
