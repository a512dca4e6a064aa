// SPDX-License-Identifier: Apache-2.0
// What a certificate is about: a problem made from a table, and the objective of a model on it.
#pragma once

#include "src/verify/ball.hpp"
#include "src/verify/files.hpp"

namespace relulift::verifier {

struct Statement {
  Columns columns;
  bool bias = false;
  std::vector<double> mean, scale;  // per feature; empty: not standardized
  double weight_decay = 0.0;
};

// The problem in doubles: (x - mean) / scale as IEEE arithmetic rounds it, then a one.
Problem problem_of(const Statement& statement, const Table& table);

// Objective [eq:train] of the network in the bytes of a model file, on that problem.
Ball objective_of(const Statement& statement, const Problem& problem, std::string_view model);

// (objective - lower_bound)/objective, rounded up; 0 for equal ones.
double gap_above(double objective, double lower_bound);

// The file's bytes with zeros in the place of its own hash.
std::string without_hash(std::string bytes, const std::string& hash);

}  // namespace relulift::verifier
