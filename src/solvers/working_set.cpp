// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/working_set.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "src/core/portable_normal.hpp"
#include "src/patterns/sample.hpp"
#include "src/solvers/cone_projection.hpp"

namespace relulift {
namespace {

constexpr Index kMostRounds = 200;
constexpr int kAscentSteps = 200;
// Of the largest neuron: patterns with less leave.
constexpr double kCarries = 1e-9;
// Ascents end when none gains this, relative, in so many steps.
constexpr double kAscentGain = 1e-6;
constexpr int kAscentIdle = 20, kFullSteps = 10;
// Patterns whose products with E are formed at once.
constexpr Index kBlock = 1024;

// Patterns with a neuron.
GatedPatterns in_use(const GatedPatterns& all, const PatternPoint& point, Index outputs) {
  if (point.V.size() == 0) return all;
  const Vector sizes =
      (point.V.colwise().squaredNorm() + point.N.colwise().squaredNorm()).transpose().cwiseSqrt();
  const double least = kCarries * sizes.maxCoeff();
  std::vector<Index> kept;
  for (Index i = 0; i < all.patterns.size(); ++i)
    if (sizes.segment(i * outputs, outputs).maxCoeff() > least) kept.push_back(i);
  return subset(all, kept);
}

}  // namespace

double scaled_bound(const Matrix& E, const Matrix& Y, double limit, double& t) {
  const double along = E.cwiseProduct(Y).sum(), square = E.squaredNorm();
  t = square > 0.0 ? std::clamp(along / square, 0.0, limit) : 0.0;
  return t * along - 0.5 * t * t * square;
}

namespace {

// Those of the largest gains, in the order of their index.
std::vector<Index> largest(std::vector<std::pair<double, Index>> gains, Index most) {
  const auto kept = std::min(gains.size(), static_cast<std::size_t>(most));
  std::ranges::partial_sort(gains, gains.begin() + static_cast<std::ptrdiff_t>(kept),
                            std::ranges::greater());
  std::vector<Index> out;
  for (std::size_t k = 0; k < kept; ++k) out.push_back(gains[k].second);
  std::ranges::sort(out);
  return out;
}

// max_k ||A_i'E e_k|| of each pattern: no neuron of it gains more.
Vector gated_gains(const Matrix& X, const PatternSet& patterns, const Matrix& E) {
  Vector out(patterns.size());
#pragma omp parallel for schedule(dynamic, 64)
  for (Index i = 0; i < patterns.size(); ++i) {
    Matrix sum = Matrix::Zero(X.cols(), E.cols());
    for (Index r = 0; r < X.rows(); ++r)
      if (patterns.active(r, i)) sum.noalias() += X.row(r).transpose() * E.row(r);
    out[i] = sum.colwise().norm().maxCoeff();
  }
  return out;
}

}  // namespace

WorkingSetResult solve_by_working_set(const GatedPatterns& start, const Matrix& Y, double g,
                                      double tolerance, const PatternSolver& solve,
                                      const PatternOracle& oracle, const Control& control,
                                      const OnRound& on_round) {
  WorkingSetResult out{.gated = start};
  GatedPatterns held = start;
  double bound = -std::numeric_limits<double>::infinity();
  Matrix best_E;
  for (;;) {
    PatternPoint point = solve(held);
    const Violators missing = oracle(held.patterns, point.E);
    double t = 0.0;
    const double whole = scaled_bound(point.E, Y, g / std::max(g, missing.most), t);
    if (whole > bound) {
      bound = whole;
      best_E = t * point.E;
    }
    const Index size = held.patterns.size();
    // A solve that was stopped may be worse than the one before.
    const bool better = point.objective < out.point.objective;
    if (better) {
      out.set_bound =
          missing.listed > g ? scaled_bound(point.E, Y, g / missing.listed, t) : point.bound;
      out.point = std::move(point);
      out.gated = held;
    }
    out.complete = missing.gated.patterns.size() == 0;
    const bool closed = out.point.objective - bound <= tolerance * out.point.objective;
    const bool stopped = on_round && !on_round({out.rounds, size, out.point.objective, bound});
    if (out.complete || closed || stopped || control.stop() || ++out.rounds >= kMostRounds) break;
    if (better) held = in_use(out.gated, out.point, Y.cols());
    append(held, missing.gated);
  }
  out.point.E = best_E;
  out.point.bound = bound;
  return out;
}

PatternOracle oracle_of(const Matrix& X, const GatedPatterns& all, double g, double slack,
                        Index most) {
  return [&X, &all, g, slack, most](const PatternSet& held, const Matrix& E) {
    const Vector gated = gated_gains(X, all.patterns, E);
    std::vector<std::pair<double, Index>> doubtful;  // the likeliest first
    for (Index i = 0; i < gated.size(); ++i)
      if (gated[i] > g && !held.contains(all.patterns.pattern(i)))
        doubtful.emplace_back(gated[i], i);
    std::ranges::sort(doubtful, std::ranges::greater());
    Violators out{GatedPatterns(X.rows()), 0.0};
    std::vector<std::pair<double, Index>> gains;
    for (std::size_t first = 0; first < doubtful.size(); first += kBlock) {
      // Enough for this round: what is left to settle is no bound.
      if (gains.size() >= static_cast<std::size_t>(most)) {
        out.most = std::numeric_limits<double>::infinity();
        break;
      }
      std::vector<Index> some;
      for (std::size_t k = first; k < std::min(first + kBlock, doubtful.size()); ++k)
        some.push_back(doubtful[k].second);
      const ConeGains settled = cone_gains(X, subset(all, some).patterns, E);
      for (std::size_t k = 0; k < some.size(); ++k) {
        const auto row = static_cast<Index>(k);
        out.most = std::max(out.most, settled.upper.row(row).maxCoeff());
        const double value = settled.value.row(row).maxCoeff();
        if (value > g * (1.0 + slack)) gains.emplace_back(value, some[k]);
      }
    }
    out.gated = subset(all, largest(std::move(gains), most));
    out.listed = out.most;
    return out;
  };
}

PatternOracle either_oracle(PatternOracle of_list, PatternOracle search) {
  return [of_list = std::move(of_list), search = std::move(search)](const PatternSet& held,
                                                                    const Matrix& E) {
    Violators known = of_list(held, E);
    if (known.gated.patterns.size() > 0) return known;
    Violators found = search(held, E);
    found.listed = known.listed;
    return found;
  };
}

PatternOracle ascent_oracle(const Matrix& X, double g, double slack, Index starts, Index most,
                            std::uint64_t seed, const Control& control) {
  return [&X, g, slack, starts, most, seed, control, round = std::uint64_t{0}](
             const PatternSet& held, const Matrix& E) mutable {
    Random random(seed, 200 + round++);
    Matrix U(X.cols(), starts);
    for (double& u : U.reshaped()) u = portable::normal(random);
    U.colwise().normalize();
    Vector value = Vector::Zero(starts);
    Matrix best = U;
    // A step may lower the gain: of each start the best iterate counts.
    for (int step = 0, idle = 0; step < kAscentSteps && idle < kAscentIdle && !control.stop();
         ++step) {
      const Matrix S = X * U, A = S.cwiseMax(0.0);
      Matrix C = E.transpose() * A;  // c x starts, of which start j looks at output j % c
      for (Index j = 0; j < starts; ++j)
        C.col(j) = Vector(Vector::Unit(E.cols(), j % E.cols()) * C(j % E.cols(), j));
      ++idle;
      for (Index j = 0; j < starts; ++j) {
        const double now = C.col(j).norm();
        if (!(now > value[j] * (1.0 + kAscentGain))) continue;
        value[j] = now;
        best.col(j) = U.col(j);
        idle = 0;
      }
      const Matrix pull = (E * C).array() * (S.array() > 0.0).cast<double>();
      const Matrix next = X.transpose() * pull;
      // Maxima lie on kinks, which full steps jump across.
      const double share = step < kFullSteps ? 1.0 : 2.0 / (3.0 + step - kFullSteps);
      for (Index j = 0; j < starts; ++j) {
        const double norm = next.col(j).norm();
        if (!(norm > 0.0)) continue;
        U.col(j) = ((1.0 - share) * U.col(j) + share / norm * next.col(j)).normalized();
      }
    }
    std::vector<std::pair<double, Index>> gains;
    for (Index j = 0; j < starts; ++j)
      if (value[j] > g * (1.0 + slack)) gains.emplace_back(value[j], j);
    const Matrix missing = best(Eigen::all, largest(std::move(gains), most));
    const GatedPatterns found = patterns_of(X, gates_beside(X, missing, seed + round));
    std::vector<Index> fresh;
    for (Index i = 0; i < found.patterns.size(); ++i)
      if (!held.contains(found.patterns.pattern(i))) fresh.push_back(i);
    return Violators{subset(found, fresh), std::numeric_limits<double>::infinity()};
  };
}

}  // namespace relulift
