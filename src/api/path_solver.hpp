// SPDX-License-Identifier: Apache-2.0
// Paths one after the other under one clock and one interrupt: that of all rows, then of folds.
#pragma once

#include <relulift/path.hpp>
#include <vector>

#include "src/core/control.hpp"

namespace relulift {

class PathSolver {
 public:
  // Throws InvalidInput for options or weight decays that no path can have.
  PathSolver(const Options& options, std::vector<double> weight_decays, Index folds,
             OnPathStep on_step);

  // fold 0: all rows. Of folds nothing is proved.
  std::vector<PathPoint> solve(const Problem& problem, Index fold);
  bool stopped() const { return stopped_; }

 private:
  // With what this solve may take of the time, and the caller's clock.
  Options part();
  void train_gates(const Problem& problem, Options& options);
  bool report(const Progress& progress, double before);

  Options options_;
  std::vector<double> weight_decays_;  // falling
  Index folds_;
  OnPathStep on_step_;
  Control control_;
  Index left_;  // solves
  bool stopped_ = false;
};

}  // namespace relulift
