// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/cone_search.hpp"

#include <algorithm>
#include <cmath>

#include "src/certificate/angle_sweep.hpp"
#include "src/certificate/cone_search_tree.hpp"
#include "src/core/random.hpp"

namespace relulift {
namespace {

using Mode = ConeSearchOptions::Mode;

// Ascents from the starts of the caller, the axes and random directions.
std::vector<ConeDirection> first_directions(const ConeData& data,
                                            const ConeSearchOptions& options) {
  std::vector<ConeDirection> found;
  const auto try_from = [&](const Vector& u) {
    if (u.norm() > 0.0) found.push_back(ascend(data, u, 200));
  };
  const Index r = data.r();
  for (Index j = 0; j < options.starts.cols(); ++j)
    try_from(data.axes.transpose() * options.starts.col(j));
  for (Index k = 0; k < r; ++k) {
    try_from(Vector::Unit(r, k));
    try_from(-Vector::Unit(r, k));
  }
  Random random(0, 1);
  for (Index s = 0; s < options.random_starts && !options.control.stop(); ++s) {
    Vector u(r);
    for (Index k = 0; k < r; ++k)  // isotropic and whitened in turn
      u[k] = random.normal() / (s % 2 == 0 ? 1.0 : data.stretch[k]);
    try_from(u);
  }
  return found;
}

// The next of the passes below: T falls by thirds while it is far above the best value, then the
// tolerance by fifths.
double finer(double tolerance, double wanted) {
  if (tolerance > 1.0) return std::max(wanted, (1.0 + tolerance) / 1.5 - 1.0);
  return tolerance > 10.0 * wanted ? tolerance / 5.0 : wanted;
}

// Passes with falling tolerance: each that finishes proves its own threshold, so that a search
// stopped by a limit still holds the bound of the pass before. Nodes grow with the logarithm of
// the tolerance (iris, 0.3 to 0.003: 5,600, 10,500, 15,400, 20,000, 23,000), so all passes together
// cost two to three times the last; a best-first queue would save that and hold every leaf.
double maximise(const ConeData& data, const ConeSearchOptions& options, ConePass& pass,
                bool& complete) {
  double upper = data.ceiling;
  const double floor = 1e-12 * data.ceiling;
  double tolerance = finer(data.ceiling / std::max(pass.best.value, floor), options.tolerance);
  for (;;) {
    pass.tolerance = tolerance;
    pass.threshold = std::max((1.0 + tolerance) * pass.best.value, floor);
    run_pass(data, options, options.max_nodes, pass);
    upper = std::min(upper, pass.upper);
    complete = pass.finished && tolerance <= options.tolerance;
    if (!pass.finished || complete) return upper;
    tolerance = finer(tolerance, options.tolerance);
  }
}

// The 2^r roots hold up to n r numbers each, half a gigabyte at most.
bool roots_fit(const ConeData& data) {
  return data.r() <= kMaxRank && std::ldexp(static_cast<double>(data.X.size()), data.r()) <= 0x1p26;
}

void branch_and_bound(const ConeData& data, const ConeSearchOptions& options,
                      ConeSearchResult& result, std::vector<ConeDirection>& found) {
  found = first_directions(data, options);
  keep_distinct(found, std::max<Index>(1, static_cast<Index>(found.size())));
  ConePass pass;
  pass.best = found.front();
  pass.report = options.threshold / data.scale;
  pass.keep = options.max_violators;
  double upper = data.ceiling;
  if (!roots_fit(data)) {
    result.complete = false;  // norms and ascents are all there is
  } else if (options.mode == Mode::maximise) {
    upper = maximise(data, options, pass, result.complete);
  } else {
    pass.threshold = std::min(pass.report, 2.0 * data.ceiling);  // may leave the range of a double
    run_pass(data, options, options.max_nodes, pass);
    upper = pass.upper;
    result.complete = pass.finished;
  }
  result.nodes = pass.nodes;
  result.kappa_upper = upper;
  found.push_back(pass.best);
  for (ConeDirection& d : pass.found) found.push_back(std::move(d));
}

// One sign of u after the other; n additions each.
void rank_one(const ConeData& data, ConeSearchResult& result, std::vector<ConeDirection>& found) {
  double largest = 0.0;
  for (const double u : {1.0, -1.0}) {
    const Vector direction = Vector::Constant(1, u);
    found.push_back({cone_value(data, direction), direction});
    largest = std::max(largest, found.back().value);
  }
  result.kappa_upper = largest * (1.0 + 4.0 * data.rounding) + data.rounding * data.mass;
  result.complete = true;
}

// Back to the scale and the axes of the caller; the violators by value.
void assemble(const ConeData& data, const ConeSearchOptions& options,
              std::vector<ConeDirection>& found, ConeSearchResult& result) {
  const Index polished =
      std::min<Index>(static_cast<Index>(found.size()), 2 * options.max_violators);
  keep_distinct(found, std::max<Index>(1, polished));
  for (ConeDirection& d : found)
    if (!options.control.stop()) d = ascend(data, d.u, 100);
  keep_distinct(found, std::max<Index>(1, options.max_violators));
  if (!found.empty()) {
    result.kappa_lower = found.front().value * data.scale;
    result.best = (data.axes * found.front().u).normalized();
  }
  Index count = 0;
  while (count < static_cast<Index>(found.size()) && count < options.max_violators &&
         found[count].value * data.scale > options.threshold)
    ++count;
  result.violators.resize(data.r(), count);
  result.values.resize(count);
  for (Index k = 0; k < count; ++k) {
    result.violators.col(k) = (data.axes * found[k].u).normalized();
    result.values[k] = found[k].value * data.scale;
  }
  // Scaling back rounds only where it underflows.
  result.kappa_upper =
      std::max(result.kappa_upper * data.scale, std::numeric_limits<double>::min());
}

}  // namespace

ConeSearchResult search_cones(const Matrix& X, const Matrix& E, const ConeSearchOptions& options) {
  ConeSearchResult result;
  result.best = Vector::Unit(std::max<Index>(1, X.cols()), 0);
  result.violators.resize(X.cols(), 0);
  if (!X.allFinite() || !E.allFinite()) return result;
  const ConeData data = prepare(X, E);
  std::vector<ConeDirection> found;
  if (data.n() == 0) {  // every e_i or x_i is zero
    result.kappa_upper = 0.0;
    result.complete = true;
    return result;
  }
  if (data.r() == 1) {
    rank_one(data, result, found);
  } else if (data.r() == 2) {
    result.kappa_upper = angle_sweep(data, options.threshold / data.scale, found);
    result.complete = true;
  } else {
    branch_and_bound(data, options, result, found);
  }
  assemble(data, options, found, result);
  return result;
}

ConeSearchResult scan_sphere(const Matrix& X, const Matrix& E, double threshold,
                             const Matrix& starts, Index max_violators, const Control& control) {
  ConeSearchOptions options;
  options.mode = Mode::prune;
  options.threshold = threshold;
  options.starts = starts;
  options.max_violators = max_violators;
  options.control = control;
  return search_cones(X, E, options);
}

}  // namespace relulift
