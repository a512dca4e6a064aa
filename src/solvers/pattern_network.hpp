// SPDX-License-Identifier: Apache-2.0
// From a point of a program over patterns to the network it stands for, balanced, with an objective
// no larger than the program's [eq:pattern-network].
#pragma once

#include <relulift/network.hpp>
#include <vector>

#include "src/patterns/patches.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/program_request.hpp"

namespace relulift {

// The rank-one terms u v' of the blocks V_i: their columns, or their singular triples where
// `joint`.
struct RankOneTerms {
  std::vector<Index> patterns;  // of each term
  Matrix U, V;                  // d x terms, c x terms; columns of V have unit length
};
RankOneTerms rank_one_terms(const PatternPoint& point, Index outputs, bool joint);
// ReLU neurons of unit directions S (d x k) with output weights W (k x c), balanced.
Network network_of(const Matrix& S, const Matrix& W);

// One neuron per column V_i e_k, or per singular value of V_i where `joint`; blocks of no size are
// left out. gates: d x P.
Network gated_network(const PatternPoint& point, const Matrix& gates, Index outputs, bool joint);
// The same without gates, of one pattern in which every sample is active.
Network linear_network(const PatternPoint& point, Index outputs, bool joint);
// One neuron per column of V and of N.
Network relu_network(const PatternPoint& point, Index outputs);

// The network that `filters` (features: grid.entries()) are on whole samples of so many features:
// filter j becomes the neurons j K + k, each in its patch, with 1/sqrt(K) of its weights on either
// side [eq:pooled]. The same function of a sample, the same weight decay.
Network pooled_network(const Network& filters, const PatchGrid& grid, Index features);

}  // namespace relulift
