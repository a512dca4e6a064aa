// SPDX-License-Identifier: Apache-2.0
// Upper bounds for  kappa(E) = max over ||u|| <= 1 of ||E'(Xu)_+||_2 : what [eq:rescale] divides
// by, and the search for the neurons that a network lacks. Rank 1 is two evaluations, rank 2 an
// exact sweep (angle_sweep.hpp), higher rank branch and bound over simplicial cones [eq:cone].
//
// When it pays. One node costs about 1 + u r^2 / 250 microseconds on one core, u undecided samples
// (tens); a pass needs more nodes the closer the rest of the sphere comes to kappa, so a
// well-trained network costs most, and 2^r orthants are the start. Seen, to a tolerance of 0.01:
//   rank 3-4, n = 75: 50 thousand nodes; rank 4, n = 685: 0.9 million; rank 5, n = 300: 50 thousand
//   and rank 6, n = 175: 0.2 million (both with half-trained networks, best at 5 to 18 g).
// Rank 8, n = 175 to 300: within a factor 2.6 to 3 after 200 thousand nodes, no better after
// 800 thousand; a bound that weak proves next to nothing, so above rank 6 or 7 call it for
// violators only. Above kMaxRank, or where the roots do not fit in memory, it returns
// (||E'X|| + ||E|| ||X||)/2 and what ascents find (rank 20: a factor of several).
#pragma once

#include <limits>
#include <vector>

#include "src/core/control.hpp"
#include "src/core/dense.hpp"

namespace relulift {

struct ConeSearchOptions {
  // maximise: shrink kappa_upper towards the largest value found. prune: only ask whether a
  // direction has a value above `threshold`, and list such directions.
  enum class Mode { maximise, prune };
  Mode mode = Mode::maximise;
  // maximise: complete when kappa_upper <= (1 + tolerance) kappa_lower. > 0.
  double tolerance = 1e-3;
  // Directions with a larger value are violators. prune: also the T of the search, >= 0.
  double threshold = std::numeric_limits<double>::infinity();
  // r x s: directions worth an ascent first, such as the neurons of the network; may be empty.
  Matrix starts = {};
  Index random_starts = 200;
  // Most directions returned; the largest values are kept.
  Index max_violators = 300;
  // Limits; the bound stays valid when they stop the search. Results do not depend on the number
  // of threads unless the clock stops the search.
  Index max_nodes = std::numeric_limits<Index>::max();
  Control control{};
  int threads = 0;  // OpenMP; 0 = leave as is
};

struct ConeSearchResult {
  // kappa(E) <= kappa_upper, rounding included. Always valid and finite.
  double kappa_upper = std::numeric_limits<double>::infinity();
  // Largest value found, at the unit direction `best` (an estimate: evaluated in plain doubles).
  double kappa_lower = 0.0;
  Vector best;
  // maximise: the tolerance is met. prune: every cell was settled; if there are no violators then
  // kappa_upper <= threshold, else they cover every region that could not be pruned.
  bool complete = false;
  Matrix violators;  // r x k, distinct unit directions, values descending
  Vector values;     // k, each > threshold
  Index nodes = 0;
};

// X is n x r (rows may repeat or be zero), E is n x c.
ConeSearchResult search_cones(const Matrix& X, const Matrix& E, const ConeSearchOptions& options);

// Scanner for column generation: the best distinct directions with a value above `threshold` that
// a scan of the whole sphere finds within the limits of `control`; any rank.
ConeSearchResult scan_sphere(const Matrix& X, const Matrix& E, double threshold,
                             const Matrix& starts, Index max_violators, const Control& control);

}  // namespace relulift
