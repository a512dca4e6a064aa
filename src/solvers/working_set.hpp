// SPDX-License-Identifier: Apache-2.0
// A ReLU program over very many patterns by solving it over few: patterns outside that its dual
// point violates join until there is none [eq:working-set].
#pragma once

#include <cstdint>
#include <functional>

#include "src/core/control.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

// The program over some patterns, to the accuracy of the caller.
using PatternSolver = std::function<PatternPoint(const GatedPatterns&)>;

// Patterns, not among those held, with a neuron that gains more than g (1 + slack) from E; and an
// upper bound of what any neuron outside gains, infinite where there is none.
struct Violators {
  GatedPatterns gated;
  double most = 0.0;
  double listed = 0.0;  // the same of the patterns that are known, held or not
};
using PatternOracle = std::function<Violators(const PatternSet& held, const Matrix& E)>;

struct WorkingSetRound {
  Index round = 0, patterns = 0;
  double objective = 0.0, bound = 0.0;  // of the whole
};
using OnRound = std::function<bool(const WorkingSetRound&)>;

struct WorkingSetResult {
  GatedPatterns gated;      // the last working set
  PatternPoint point = {};  // V, N of this set; E and bound are those of the whole program
  double set_bound = 0.0;   // of the program over this set and the other patterns known
  Index rounds = 0;
  bool complete = false;  // nothing outside violates E
};

// The best bound [eq:pattern-dual] of t E, 0 <= t <= limit, and its t.
double scaled_bound(const Matrix& E, const Matrix& Y, double limit, double& t);

// `g` is the weight decay; the bound of the whole scales E by what the oracle says.
WorkingSetResult solve_by_working_set(const GatedPatterns& start, const Matrix& Y, double g,
                                      double tolerance, const PatternSolver& solve,
                                      const PatternOracle& oracle, const Control& control,
                                      const OnRound& on_round);

// Over a list of all patterns: what E gains is settled pattern by pattern. At most `most` join.
PatternOracle oracle_of(const Matrix& X, const GatedPatterns& all, double g, double slack,
                        Index most);

// By ascent from many starts [eq:ascent], of every output alone, for patterns that cannot be
// listed; until `control` ends it.
PatternOracle ascent_oracle(const Matrix& X, double g, double slack, Index starts, Index most,
                            std::uint64_t seed, const Control& control);

// Of a list of patterns first; where none of them is missing, by the search.
PatternOracle either_oracle(PatternOracle of_list, PatternOracle search);

}  // namespace relulift
