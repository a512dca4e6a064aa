// SPDX-License-Identifier: Apache-2.0
// What an engine may do between two of its checks, counted by StrictBackend.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "src/presolve/presolve.hpp"
#include "src/solvers/engine.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

// A small problem with a residual of beta.
inline ReducedProblem reduced(Index n, Index d, Index c) {
  Random random(static_cast<std::uint64_t>(100 * n + 10 * d + c));
  Problem given = random_problem(random, n, d, c, 0.1);
  make_parallel(given, 2, 0, -0.5);  // a beta row
  return presolve(given).reduced;
}

// Counts at every check of a run. The checks go to `on_check`.
class CheckCounts {
 public:
  explicit CheckCounts(const StrictBackend& be) : be_(be) {}
  OnCheck on_check() {
    return [this](const EngineCheck& check) {
      at_.push_back(be_.counts());
      iterations_.push_back(check.iteration);
      return true;
    };
  }
  std::size_t checks() const { return at_.size(); }
  Index iterations(std::size_t k) const { return iterations_[k]; }
  // Between check k - 1 and check k.
  Index fetches(std::size_t k) const { return at_[k].fetches - at_[k - 1].fetches; }
  Index allocations(std::size_t k) const { return at_[k].allocations - at_[k - 1].allocations; }
  Index uploads(std::size_t k) const { return at_[k].uploads - at_[k - 1].uploads; }
  Index recordings(std::size_t k) const { return at_[k].recordings - at_[k - 1].recordings; }
  Index operations(std::size_t k) const { return at_[k].operations - at_[k - 1].operations; }
  Index eigensolves(std::size_t k) const { return at_[k].eigensolves - at_[k - 1].eigensolves; }

 private:
  const StrictBackend& be_;
  std::vector<StrictCounts> at_;
  std::vector<Index> iterations_;
};

}  // namespace relulift::testing
