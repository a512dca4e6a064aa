// SPDX-License-Identifier: Apache-2.0
// Proofs by multipliers of the relaxation [eq:proved-psd].
#pragma once

#include <relulift/proof.hpp>

#include "src/verify/ball.hpp"

namespace relulift::verifier {

// Empty when -<G, f~> <= sigma P is proved, f~ the predictions with every row of X as a multiple of
// its representative; the reason otherwise. Sizes of G are checked by the caller.
std::string check_multipliers(const Problem& problem, const Proof& proof);
// The same by one matrix for every cone of a partition [eq:proved-split].
std::string check_split(const Problem& problem, const Proof& proof);

// sum_j ||G_j|| ||x_j - ratio_j x_representative||, rounded up: what f - f~ costs per P/g. Infinite
// for representatives that cannot be.
Real cost_of_merging(const Problem& problem, const Proof& proof);

}  // namespace relulift::verifier
