// SPDX-License-Identifier: Apache-2.0
// The problem every engine works on, after presolve. docs/math.md, section 3.
#pragma once

#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

// Directions x_i (rows of X, no zero row, no two parallel, full column rank) with loss
//     1/2 ||alpha V' - Y||^2 + 1/2 sum_k ||b_k beta_(i_k) V' - Yb_k||^2 + constant [eq:merged]
// where alpha = (XU)_+ (weight 1 on every direction: the weight is folded into the length of x_i)
// and beta = (-XU)_+ counts only on the rows beta_rows that had antiparallel twins in the data.
// Objectives of the reduced problem plus `constant` equal those of the data as given.
struct ReducedProblem {
  Matrix X;                      // n x d
  Matrix Y;                      // n x c
  std::vector<Index> beta_rows;  // p ascending directions, often none
  Vector beta_weight;            // p, b_k > 0
  Matrix Y_beta;                 // p x c
  double weight_decay = 0.0;     // g of the reduced problem
  double constant = 0.0;

  Index n() const { return X.rows(); }
  Index d() const { return X.cols(); }
  Index c() const { return Y.cols(); }
  Index p() const { return static_cast<Index>(beta_rows.size()); }

  // The same loss as plain rows for training: [X; -diag(b) X(beta_rows)] and [Y; Y_beta].
  Matrix stacked_X() const;
  Matrix stacked_Y() const;
};

// A network in the coordinates of a ReducedProblem: U is d x m, V is c x m.
struct Weights {
  Matrix U;
  Matrix V;
  Index neurons() const { return U.cols(); }
};

// J of [eq:train] on the reduced problem, constant included.
double objective(const ReducedProblem& problem, const Weights& weights);

// A dual candidate (G, W) of [eq:slack]. Lifted index of alpha_i is i, of beta_i is n + i.
struct Multipliers {
  Matrix G;  // n x c, of the alpha residual rows
  Matrix H;  // p x c, of the beta residual rows
  // W: either dense, 2n x 2n symmetric, or the listed entries (both (i, j) and (j, i) get value;
  // i == j once; duplicates add). W_ij >= 0 but for the alpha_i-beta_i entries, which are free.
  Matrix dense;
  struct Entry {
    Index i, j;
    double value;
  };
  std::vector<Entry> entries;
};

}  // namespace relulift
