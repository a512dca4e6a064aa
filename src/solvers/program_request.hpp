// SPDX-License-Identifier: Apache-2.0
// A program over given patterns as the engines get it.
#pragma once

#include <functional>
#include <relulift/options.hpp>

#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

struct ProgramRequest {
  // n x d; with pooling n K x d, the patches of row r at k n + r, over K [eq:pooled].
  const Matrix& X;
  const Matrix& Y;  // n x c, targets that the loss can take
  double weight_decay;
  const GatedPatterns& gated;  // one pattern at least
  ProgramOptions options;
  bool single_precision = false;
  Index max_iterations = 0;  // 0: no limit
  // Of an earlier solve with the same patterns; empty: from zero.
  PatternPoint start = {};

  Index patches() const { return Y.rows() > 0 ? X.rows() / Y.rows() : 1; }
};

struct ProgramCheck {
  Index iteration = 0;
  double objective = 0.0, bound = 0.0;
};
// Returns false to stop.
using OnProgram = std::function<bool(const ProgramCheck&)>;

// Whether the groups of a program are blocks W_i, or columns, or features.
inline bool joint_blocks(const ProgramRequest& request) {
  return request.options.outputs == Outputs::joint && request.Y.cols() > 1 &&
         request.options.group == Group::neuron;
}

}  // namespace relulift
