// SPDX-License-Identifier: Apache-2.0
// Which engines run, decided from sizes, options and memory before anything is allocated.
#pragma once

#include <relulift/options.hpp>
#include <string>

#include "src/core/needs.hpp"
#include "src/presolve/reduced_problem.hpp"

namespace relulift {

struct PlanInput {
  Index n = 0, d = 0, c = 0;  // reduced problem: directions, columns, outputs
  Index features = 0;         // of the data as given: the cones look at those
  Engine engine = Engine::automatic;
  EngineBytes interior;             // what each engine needs at least
  bool interior_affordable = true;  // its factorisations are of a sensible size
  EngineBytes dense;
  EngineBytes low_rank;
  FreeMemory memory;  // what a solve may use
};

// Largest number of features at which the cones settle kappa to 0.1 % in seconds; measured in
// bench/cone_bench.
inline constexpr Index kConeFeatures = 5;

// Directions below which the interior engine alone is faster than with the low-rank engine before
// it; measured with bench/engine_profile --then-interior.
inline constexpr Index kLowRankFrom = 150;

struct Plan {
  // In this order, each from where the last one ended.
  bool low_rank = false;
  bool interior = false;
  bool dense = false;
  // The dense engine steps in when the others break down.
  bool dense_instead = false;
  bool relaxes() const { return low_rank || interior || dense; }
  // Branch and bound over cones of weight space pays at low rank only.
  bool cones = false;
  Index memory_bytes = 0;  // limit of the interior engine
  std::string reason;      // one sentence, shown to the user
};

// Throws InvalidInput with the sizes when an explicit engine does not fit.
Plan make_plan(const PlanInput& input);

// The smallest round of the interior engine, and the certificate of its dual candidate.
EngineBytes interior_bytes(const ReducedProblem& problem);

// With S as a matrix up to kLargestGram, and without its certificate: where that does not fit, an
// estimate takes its place.
EngineBytes low_rank_bytes(const ReducedProblem& problem, Precision precision);

// Neurons that training may use: what was asked for, or (0) the default width, less where memory
// forbids. Throws InvalidInput with the sizes when it does not fit.
Index plan_width(const ReducedProblem& problem, Index asked, const FreeMemory& memory);

}  // namespace relulift
