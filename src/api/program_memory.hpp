// SPDX-License-Identifier: Apache-2.0
// What solves of the same data at one weight decay after another leave to each other.
#pragma once

#include <optional>

#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

struct ProgramMemory {
  std::optional<GatedPatterns> gated;  // chosen by the first
  PatternPoint point;                  // of the last, of methods gated and linear
  bool prove_every_network = true;     // whether that bound is wanted
};

}  // namespace relulift
