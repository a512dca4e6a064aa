// SPDX-License-Identifier: Apache-2.0
// Exchange method for the convex program over all directions, [eq:exchange]: solve the group lasso
// over the working directions (an engine does, group_lasso.hpp), scan the whole sphere for
// directions with ||E'(Xu)_+|| > g, let them join, repeat. Its ends prove each other: the objective
// falls to p_nn and the bound [eq:rescale] of the group lasso's own dual point rises to it. Near
// the end a round squares the violation, since every local maximum joins; five to fifteen rounds.
// For the rank that cone_search.hpp can settle, on the data as given.
#pragma once

#include <functional>
#include <limits>
#include <relulift/network.hpp>
#include <vector>

#include "src/certificate/cone_search.hpp"
#include "src/core/needs.hpp"
#include "src/solvers/group_lasso_step.hpp"

namespace relulift {

struct ExchangeOptions {
  double gap = 0.0;  // what is wanted; thresholds and tolerances follow it
  int threads = 0;
};

class Exchange {
 public:
  // From the directions of `start`, which may be none. The problem must outlive this.
  Exchange(const Problem& problem, const Network& start, const ExchangeOptions& options);

  // The group lasso over S from `start`, to the relative tolerance.
  using Solver = std::function<GroupLassoPoint(const Matrix& X, const Matrix& Y, const Matrix& S,
                                               const GroupLassoPoint& start, double tolerance)>;
  // False where the solver failed.
  bool refit(const Solver& solver);
  // Balanced, without dead neurons.
  Network network() const;
  // With far fewer neurons, where that costs at most this share of the objective. Comes last: the
  // directions of the others are lost.
  Network sparsified(const Solver& solver, double cost);

  void scan(const Control& control);
  // What [eq:rescale] would give for E if no value were larger than the largest one met.
  double expected_bound() const;
  // kappa(E) <= what is returned, in one more pass just above the largest value met.
  double prove(const Control& control) const;
  const Matrix& candidate() const { return point_.E; }
  // An upper bound of kappa(E) that the scan left.
  double scanned() const { return found_.kappa_upper; }

  // Lets the violators of the scan join; false when there are none, or nothing moves any more.
  bool exchange();
  // No direction is missing: the scan was complete and met none.
  bool closed() const { return found_.complete && found_.violators.cols() == 0; }

 private:
  struct Vertex {
    Matrix S;
    GroupLassoPoint point;
  };
  Vertex vertex(const Solver& solver, double spread) const;
  bool moves();
  std::vector<Index> staying() const;

  const Problem& problem_;
  ExchangeOptions options_;
  Matrix X_, Y_, S_;
  GroupLassoPoint point_;
  ConeSearchResult found_;
  double missing_;  // relative to g, how far above it a direction is missing
  double tolerance_;
  double best_objective_ = std::numeric_limits<double>::infinity(), best_bound_ = 0.0;
  int idle_ = 0;
};

// Whether a step of the group lasso takes a second or so at most, and what it takes in memory.
bool exchange_affordable(const Problem& problem);
EngineBytes exchange_bytes(const Problem& problem);

}  // namespace relulift
