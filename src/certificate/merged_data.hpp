// SPDX-License-Identifier: Apache-2.0
// [eq:merged] in canonical form, built from the data as given in extended precision. Written for
// the certificate alone: it shares no code with src/presolve, whose work it checks.
#pragma once

#include <relulift/problem.hpp>
#include <vector>

#include "src/core/dense.hpp"

namespace relulift {

using Extended = long double;
using ExtendedVector = Eigen::Matrix<Extended, Eigen::Dynamic, 1>;
using ExtendedMatrix = Eigen::Matrix<Extended, Eigen::Dynamic, Eigen::Dynamic>;

struct MergedData {
  double weight_decay = 0.0;
  Matrix X;                    // k x d, representatives as they stand in the data
  ExtendedVector A, B;         // weights of alpha and beta
  ExtendedMatrix AYa, BYb;     // weighted targets, k x c
  Extended constant = 0;       // what no network can change, rounded down
  Extended half_square = 0;    // 1/2 ||Y||^2, rounded up
  double weight_rounding = 0;  // bound on the relative error of A, B and of each target's terms
  // Per row of the data: the row that stands for it and tau; -1 and 0 for a row that counts as
  // zero.
  std::vector<Index> representative;
  std::vector<double> ratio;
  // Bound on ||Delta||_F of [eq:perturb]; exactly 0 when every merged row is exactly parallel.
  Extended perturbation = 0;

  Index directions() const { return X.rows(); }
  Index features() const { return X.cols(); }
  Index outputs() const { return AYa.cols(); }
};

// Empty `representative`: zero rows and exactly parallel rows are found here. Otherwise each row
// joins the direction named there (-1: counts as zero) and what that changes is measured. Throws
// std::logic_error when a representative is out of range, zero, or does not stand for itself.
MergedData merge_data(const Problem& problem, const std::vector<Index>& representative);

}  // namespace relulift
