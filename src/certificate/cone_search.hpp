// SPDX-License-Identifier: Apache-2.0
// Upper bounds for  kappa(E) = max over ||u|| <= 1 of ||E'(Xu)_+||_2 : what [eq:rescale] divides
// by, and the search for the neurons that a network lacks. Rank 1 is two evaluations, rank 2 an
// exact sweep (angle_sweep.hpp), higher rank branch and bound over simplicial cones [eq:cone].
//
// When it pays. A core settles about 300 thousand nodes a second at rank 4, n = 685, c = 2, and a
// few times fewer at rank 6 to 8 (u r^2 work per node, u undecided samples). Well-trained networks
// cost most: more of the sphere is near kappa. Nodes of all passes, residuals of trained networks:
//   rank 4, n = 75, within 0.3 %:  70 thousand        rank 4, n = 685, within 1 %: 0.8 million
//   rank 4, n = 685, within 0.3 %: 1.1 million        rank 6, n = 175, within 10 %: 3.3 million
// Rank 8, n = 175 to 300, half-trained: a factor 2.6 to 3 after 200 thousand nodes and no better
// after 800 thousand. So: a proof to 1 % in seconds up to rank 4 or 5, 10 % at rank 6, and above
// that a call for violators alone. Above kMaxRank, or where the 2^r roots do not fit in memory, it
// returns (||E'X|| + ||E|| ||X||)/2 (rank 20, n = 1,000: a factor 8.5) and what ascents find.
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
  // kappa(E) <= kappa_upper, rounding included. Always valid; infinite only where X or E is not
  // finite or kappa leaves the range of a double.
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
