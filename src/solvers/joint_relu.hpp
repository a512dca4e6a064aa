// SPDX-License-Identifier: Apache-2.0
// ReLU networks whose neurons serve all outputs and lie in the cones of given patterns
// [eq:joint-relu] (Sahiner, Ergen, Pauly & Pilanci 2021): the group lasso over neurons found so
// far, and in every cone the search for one that its dual point violates. Up to five outputs the
// search is global [eq:cone-pca] and the optimum is proved; with more it climbs, and the bound is
// that of the gated relaxation.
#pragma once

#include <functional>
#include <relulift/network.hpp>

#include "src/core/control.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/group_lasso_step.hpp"
#include "src/solvers/program_request.hpp"

namespace relulift {

// [eq:refit] over the unit directions S to a relative gap.
using DirectionSolver =
    std::function<GroupLassoPoint(const Matrix& S, const GroupLassoPoint& from, double tolerance)>;

struct JointRelu {
  Matrix S;  // d x k unit directions, each in the cone of one of the patterns but for rounding
  GroupLassoPoint point;
  double bound = 0.0;  // of the program over these patterns
  Index rounds = 0;
};

struct JointOptions {
  double tolerance = 1e-6;  // of the relative gap
  Index most_rounds = 60;
};

// From the neurons of `start` (network.U), in the cones as well.
JointRelu solve_joint_relu(const Matrix& X, const Matrix& Y, double g, const PatternSet& patterns,
                           const Network& start, const JointOptions& options,
                           const DirectionSolver& solve, const Control& control,
                           const OnProgram& on_round);

}  // namespace relulift
