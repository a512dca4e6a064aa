// SPDX-License-Identifier: Apache-2.0
// Functors of the backend tests.
#pragma once

#include "src/core/view.hpp"

namespace relulift::testing::conformance {

RELULIFT_HD inline double position(Index i, Index j) {
  return 1.0 + static_cast<double>(i) + 1e-3 * static_cast<double>(j);
}
struct AddPosition {
  MatrixView<double> a;
  RELULIFT_HD void operator()(Index i, Index j) const { a(i, j) += position(i, j); }
};
struct Quadratic {
  MatrixView<const double> a;
  RELULIFT_HD double operator()(Index i, Index j) const {
    return a(i, j) * a(i, j) - 0.25 * a(i, j);
  }
};
struct Scale {
  MatrixView<double> a;
  Slot factor;
  RELULIFT_HD void operator()(Index i, Index j) const { a(i, j) *= factor.get(); }
};
template <class From, class To>
struct Convert {
  MatrixView<const From> from;
  MatrixView<To> to;
  RELULIFT_HD void operator()(Index i, Index j) const { to(i, j) = static_cast<To>(from(i, j)); }
};
struct Gather {
  IndexView rows;
  MatrixView<const double> from;
  MatrixView<double> to;
  RELULIFT_HD void operator()(Index k, Index j) const { to(k, j) = from(rows[k], j); }
};
// By a team: sum and maximum of a column, 1 + sum a in place of a, and the sums of that and of i
// times it.
struct ColumnFacts {
  MatrixView<double> a;
  double* known = nullptr;
  struct Sums {
    double first, second;
  };
  template <class Team>
  RELULIFT_HD void operator()(Index j, const Team& team) const {
    const double total = team.sum([&](Index i) { return a(i, j); });
    const double most = team.max([&](Index i) { return a(i, j); });
    team.each([&](Index i) { a(i, j) = 1.0 + total * a(i, j); });
    const Sums after = team.sums([&](Index i) {
      return Sums{a(i, j), static_cast<double>(i) * a(i, j)};
    });
    if (!team.leads()) return;
    known[4 * j] = total;
    known[4 * j + 1] = most;
    known[4 * j + 2] = after.first;
    known[4 * j + 3] = after.second;
  }
};

}  // namespace relulift::testing::conformance
