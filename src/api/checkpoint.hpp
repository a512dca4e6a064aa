// SPDX-License-Identifier: Apache-2.0
// What a solve leaves behind so that another one goes on from it, and the file that holds it
// (docs/formats.md). Nothing in a file is trusted: sizes and ranges are checked here, objectives
// are evaluated and bounds proved anew.
#pragma once

#include <filesystem>
#include <relulift/result.hpp>

#include "src/core/dual_candidate.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/low_rank_state.hpp"

namespace relulift {

struct Checkpoint {
  std::uint64_t problem = 0;  // hash_of the problem
  double seconds = 0.0;       // spent so far, earlier runs included
  bool trained = false;       // training had ended by itself
  Network network;            // the best so far, on the data as given
  Winner winner = Winner::network;
  DualCandidate multipliers;  // behind the best bound of an engine; G is empty without one
  LowRankState low_rank;      // empty() where that engine has not run
};

// Of X, Y, weight decay and sizes, bit by bit.
std::uint64_t hash_of(const Problem& problem);

// Whole or not there; throws FileError.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Throws FileError for what cannot be read and InvalidInput, both with the path, for what is
// damaged or belongs to another problem. Multipliers and low-rank state still have to pass
// check_fits.
Checkpoint read_checkpoint(const std::filesystem::path& path, const Problem& problem);

// Throws InvalidInput naming `source` unless multipliers and low-rank state have the sizes and the
// ranges that the reduced problem gives them.
void check_fits(const Checkpoint& checkpoint, const Presolved& presolved,
                const std::string& source);
bool fits(const LowRankState& state, const ReducedProblem& reduced);

}  // namespace relulift
