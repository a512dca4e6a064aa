// SPDX-License-Identifier: Apache-2.0
// Which engines run, decided from sizes, options and memory before anything is allocated.
#pragma once

#include <relulift/options.hpp>
#include <string>

namespace relulift {

struct PlanInput {
  Index n = 0, d = 0, c = 0;  // reduced problem: directions, columns, outputs
  Index features = 0;         // of the data as given: the cones look at those
  Engine engine = Engine::automatic;
  Index interior_bytes = 0;         // what each engine needs at least
  bool interior_affordable = true;  // its Schur matrix is of a sensible order
  Index dense_bytes = 0;
  Index memory_bytes = 0;  // what a solve may use
};

// Largest number of features at which the cones settle kappa to 0.1 % in seconds; measured in
// bench/cone_bench.
inline constexpr Index kConeFeatures = 5;

struct Plan {
  bool interior = false;
  bool dense = false;
  // Branch and bound over cones of weight space pays at low rank only.
  bool cones = false;
  Index memory_bytes = 0;  // limit handed to the engines
  std::string reason;      // one sentence, shown to the user
};

// Throws InvalidInput with the sizes when an explicit engine does not fit.
Plan make_plan(const PlanInput& input);

}  // namespace relulift
