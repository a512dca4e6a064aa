// SPDX-License-Identifier: Apache-2.0
// What proves a lower bound, in the form that takes least trust: docs/math.md, "Verification".
#pragma once

#include <limits>
#include <relulift/problem.hpp>
#include <string>
#include <vector>

namespace relulift {

// Shows -<G, f> <= sigma P for the predictions f of every network and its penalty P, and by this
// [eq:proved] a lower bound. What there is beside G depends on the kind.
struct Proof {
  // "none" (no proof), "cholesky" (entries), "split" (entries, splits, leaf_entries), "cones"
  // (axes, cones) or "floor" (norms).
  std::string kind = "none";
  std::vector<double> G;  // samples x outputs, column-major
  double sigma = 1.0;     // >= 0

  // cholesky, split: the multipliers W of [eq:proved-psd]. Row i of X counts as ratio_i times the
  // row representative_i, which stands for itself with the ratio 1; -1 with the ratio 0: as zero.
  // Empty: every row stands for itself.
  std::vector<Index> representative;
  std::vector<double> ratio;
  // (i, j) and (j, i) both get the value; alpha of row i is i, beta of row i is samples + i.
  struct Entry {
    Index i = 0, j = 0;
    double value = 0.0;
  };
  std::vector<Entry> entries;
  // split: multipliers for every cone of a partition [eq:proved-split], a binary tree in preorder:
  // -1 for a leaf, a row i of X that represents itself otherwise and stands there once on a path,
  // its side x_i'u >= 0 first. leaf_entries[k]: how many of `entries` belong to leaf k; they follow
  // one another in the order of the leaves.
  std::vector<Index> splits, leaf_entries;

  // cones: the roots are the orthants of these columns (features x features, column-major), in the
  // order of the bits of their number, bit k for the negative column k.
  std::vector<double> axes;
  // Their trees in preorder. 0: a leaf. An edge and a place on it otherwise: edge (j, k), j < k,
  // has the number 1 + k (k - 1)/2 + j, and the place is f in (0, 1) for (1 - f) v_j + f v_k. The
  // part where that stands for v_j comes first.
  std::vector<double> cones;

  // floor: upper bounds of ||X||_2 and ||G||_2.
  std::vector<double> norms;
};

// What a proof shows in outward-rounded arithmetic.
struct Proved {
  // No network of any width has a smaller objective; -infinity when nothing is proved.
  double lower_bound = -std::numeric_limits<double>::infinity();
  std::string failure;  // why nothing is proved, one clause; empty otherwise
};

// Checks `proof` by code that shares nothing with solvers, presolve and certificates.
// objective_upper: at least the objective of some network; infinity when none is known.
// O(N^3) for cholesky and for every leaf of split, N = representatives + features + outputs, in N^2
// doubles.
Proved verify(const Problem& problem, const Proof& proof,
              double objective_upper = std::numeric_limits<double>::infinity());

}  // namespace relulift
