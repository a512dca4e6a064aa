// SPDX-License-Identifier: Apache-2.0
// From a solution of the relaxation [eq:sdp] to a network: three-operator splitting
// [eq:splitting] (Davis & Yin 2017), as in Prakhya, Birdal & Yurtsever 2024. docs/math.md, 7.
#pragma once

#include "src/core/control.hpp"
#include "src/presolve/reduced_problem.hpp"

namespace relulift {

struct RoundingOptions {
  Index columns = 300;      // R, the largest number of neurons
  Index iterations = 1000;  // of the splitting
  double step = 0.75;       // eta ||Lambda||_F
  Index check_every = 50;   // iterations between two looks at J and at the clock
};

// S: PSD, order n + d + c, blocks (s, u, v) of `problem`. Returns the balanced network with the
// smallest J seen at a check, for polishing; no neurons if S is empty or not finite. An iteration
// costs O((n + d + c) R^2 + n d R). Deterministic but for where `control` stops it.
Weights round_relaxation(const ReducedProblem& problem, const Matrix& S,
                         const RoundingOptions& options, const Control& control);

}  // namespace relulift
