// SPDX-License-Identifier: Apache-2.0
// Interior point on active pairs: near-exact solutions of the dual of [eq:sdp] with W supported on
// a small set of pairs that grows between rounds [eq:pairs]. Q is positive definite by a
// Cholesky factorisation at every iterate, so D(G) of any of them bounds p_sdp from below.
// docs/math.md, section 6. Cost per iteration: src/solvers/pairs_newton.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "src/core/control.hpp"
#include "src/solvers/engine.hpp"
#include "src/solvers/pairs_active_set.hpp"
#include "src/solvers/pairs_newton.hpp"
#include "src/solvers/pairs_options.hpp"
#include "src/solvers/pairs_primal.hpp"
#include "src/solvers/pairs_start.hpp"

namespace relulift {

template <Backend B>
class PairsInteriorPoint {
 public:
  PairsInteriorPoint(B& be, const ReducedProblem& problem, const PairsOptions& options = {})
      : be_(be),
        problem_(problem),
        options_(options),
        given_start_(options.start.has_value()),
        start_(problem),
        lift_(be, problem),
        active_(problem, options.neighbours, most_pairs(problem, options)),
        point_(start_.point(active_.pairs())),
        size_(0.5 * (problem.Y.squaredNorm() + problem.Y_beta.squaredNorm())) {
    primal_ = std::fmin(options.primal, size_);  // NaN: none is known but the zero network's
    out_.primal = primal_ + problem.constant;
    if (!given_start_) return;
    point_ = *std::exchange(options_.start, {});
    active_ = PairsActiveSet(problem, 0, most_pairs(problem, options));
    active_.add(point_.pairs);
    K_ = lifted_gram(problem_, point_.S);
    add_violated(0.0);
    restart(std::max(options_.blend, kFirstBlend));
  }

  EngineOutcome run(const Control& control, const OnCheck& on_check) {
    out_.status = Status::optimal;
    if (size_ == 0.0) {  // nothing to fit: the optimum is zero
      kept_ = 0.0;
      out_.primal = problem_.constant;
      return finish();
    }
    int level = given_start_ ? kKnownLevel : 0;
    for (round_ = 0;; ++round_) {
      const double before = kept_;
      PairsNewton<B> newton(be_, lift_, problem_, point_);
      const End end = iterate(newton, gap_of(level), control, on_check);
      if (end == End::converged) {
        newton.fetch_multipliers(point_);  // centering costs a little of the bound
        keep_dual();
        settle(newton, control);
      }
      if (end != End::unusable) {
        newton.fetch(point_);
        newton.fetch_gram(K_);
        finish_round();
        if (!report(newton, on_check)) return stop(Status::interrupted);
      }
      if (end == End::stopped) return finish();
      if (end != End::converged) {
        if (cold_) return stop(Status::numerical_failure);
        if (level == kKnownLevel && given_start_) active_.add(neighbours_of_rows());
        restart(1.0);
        continue;
      }
      cold_ = false;
      const double left = primal_ - kept_, close = options_.tolerance * std::abs(kept_);
      if (left < close) return finish();
      // The feasible value comes down slowly where the bound has long stood still.
      if (given_start_ && left < kNearly * close && kept_ - before < kGain * close) return finish();
      const Index added = add_violated(depth_of(level));
      if (added == 0 && level >= kLevels)
        return active_.full() || !settled_ ? stop(Status::stalled) : finish();
      ++level;
      if (added == 0) continue;
      restart(options_.blend);
    }
  }

 private:
  // unusable: the point of the round is not interior, by rounding.
  enum class End { converged, stuck, unusable, stopped };
  // Of kLevels, the one at which a run begins that was given a point.
  static constexpr int kLevels = 7, kKnownLevel = 4;

  // Gap tolerance, and the share of tr S_uu that lifting a pair must cost to count as violated, by
  // round.
  double gap_of(int level) const {
    constexpr double by_level[kLevels] = {1e-1, 2e-2, 5e-3, 1e-3, 3e-4, 1e-4, 3e-5};
    return std::max(level < kLevels ? by_level[level] : 1e-5, options_.tolerance);
  }
  static double depth_of(int level) {
    constexpr double by_level[kLevels] = {.1, .03, .01, 1e-3, 1e-4, 1e-5, 1e-6};
    return by_level[std::min(level, kLevels - 1)];
  }

  Index add_violated(double depth) {
    const double trace = point_.S.diagonal().segment(problem_.n(), problem_.d()).sum();
    return active_.add_violated(K_, depth * trace, options_.per_row);
  }

  // Newton steps until the gap is closed to `tolerance`.
  End iterate(PairsNewton<B>& newton, double tolerance, const Control& control,
              const OnCheck& on_check) {
    int short_steps = 0;
    // last: length of the last step. infeasible: what is left of the constraints that S misses at
    // the start of a round; before they hold the gap says little.
    double last = 0.0, infeasible = 1.0;
    for (int k = 0;; ++k) {
      const PairsProgress at = newton.evaluate();
      trace(newton, at);
      if (!at.positive_definite) {
        if (k > 0) newton.retreat();
        return k > 0 ? End::stuck : End::unusable;
      }
      if (at.dual > best_) best_ = at.dual;
      dual_ = at.dual;
      // |dual| alone would never do for an optimum of zero; no dual value exceeds size_.
      infeasible *= 1.0 - at.primal_step;
      if (at.gap < tolerance * (kNothing * size_ + std::abs(at.dual)) && infeasible < kFeasible)
        return End::converged;
      if (due(at.dual) && !report(newton, on_check)) return stopped(Status::interrupted);
      if (out_of_iterations()) return stopped(Status::iteration_limit);
      if (control.interrupted()) return stopped(Status::interrupted);
      // A step cannot be interrupted: none is begun that would overrun the limit.
      if (control.remaining() < longest_step_) return stopped(Status::time_limit);
      // Steps from a restart begin short and grow: that is no standstill.
      const double length = std::max(at.primal_step, at.dual_step);
      short_steps = k > 0 && length < kShortStep && length < kGrowth * last ? short_steps + 1 : 0;
      last = length;
      if (short_steps >= kPatience || k > kMostSteps) return End::stuck;
      const double begun = control.seconds();
      if (!newton.step(kBoundaryFraction)) return End::stuck;
      longest_step_ = std::max(longest_step_, control.seconds() - begun);
      ++out_.iterations;
    }
  }

  // Centers the point that closed the gap. Until a step of full length S misses K(alpha_i, beta_i)
  // = 0, which costs nothing here and much in a feasible value where rows are nearly parallel.
  void settle(PairsNewton<B>& newton, const Control& control) {
    for (int k = 0; k < kMostCenterings; ++k) {
      if (control.interrupted() || control.remaining() < longest_step_ || out_of_iterations() ||
          !newton.center(kBoundaryFraction))
        return;
      ++out_.iterations;
      const PairsProgress at = newton.evaluate();
      trace(newton, at);
      if (!at.positive_definite) return newton.retreat();
      dual_ = at.dual;
      settled_ = at.primal_step >= kSettles;
      if (at.primal_step >= 1.0 || !settled_) return;
    }
  }

  bool out_of_iterations() const {
    return options_.max_iterations > 0 && out_.iterations >= options_.max_iterations;
  }
  End stopped(Status status) {
    out_.status = status;
    return End::stopped;
  }

  // The bound rose by 0.1 % since the last check.
  bool due(double dual) const {
    return dual > reported_ + 1e-3 * std::abs(reported_) && dual >= best_;
  }

  // primal: the least of the finished rounds.
  bool report(PairsNewton<B>& newton, const OnCheck& on_check) {
    if (!on_check) return true;
    reported_ = std::max(reported_, dual_);
    EngineCheck check{.iteration = out_.iterations,
                      .primal = primal_ + problem_.constant,
                      .dual = dual_ + problem_.constant,
                      .multipliers = {}};
    check.multipliers = [this, &newton] {
      PairsPoint point = shape();
      newton.fetch_multipliers(point);
      return multipliers_of(point);
    };
    return on_check(check);
  }

  PairsPoint shape() const {
    return {.y = Vector(point_.y.size()),
            .G = Matrix(point_.G.rows(), point_.G.cols()),
            .H = Matrix(point_.H.rows(), point_.H.cols()),
            .pairs = point_.pairs,
            .w = Vector(point_.w.size()),
            .kap = {},
            .S = {}};
  }

  // The best primal and dual values and their points so far.
  void finish_round() {
    const double primal = feasible_primal(problem_, point_.S);
    // Some S is better than none to round, even if the zero network costs less than its repair.
    if (!(primal >= primal_) || (!given_start_ && out_.S.size() == 0)) out_.S = point_.S;
    primal_ = std::fmin(primal, primal_);
    out_.primal = primal_ + problem_.constant;
    keep_dual();
  }

  void keep_dual() {
    dual_ = dual_value(problem_, point_);
    if (out_.multipliers.entries.empty() || !(dual_ <= kept_)) {
      kept_ = dual_;
      out_.multipliers = multipliers_of(point_);
    }
  }

  std::vector<LiftedPair> neighbours_of_rows() const {
    return PairsActiveSet(problem_, options_.neighbours, most_pairs(problem_, options_)).pairs();
  }

  // z and S blended with the analytic start, which is strictly feasible on any set of pairs.
  void restart(double blend) {
    cold_ = blend >= 1.0;
    PairsPoint fresh = start_.point(active_.pairs());
    if (!cold_) {
      const double keep = 1.0 - blend;
      const double scale = blend * std::max(point_.S.trace() / start_.trace(), kLeastTrace);
      fresh.y = keep * point_.y + blend * fresh.y;
      fresh.G = keep * point_.G;
      fresh.H = keep * point_.H;
      fresh.S = keep * point_.S + scale * start_.S();
      fresh.w *= blend;
      std::size_t from = 0;
      for (std::size_t p = 0; p < fresh.pairs.size(); ++p) {
        const auto [i, j] = fresh.pairs[p];
        while (from < point_.pairs.size() && point_.pairs[from] < fresh.pairs[p]) ++from;
        if (from < point_.pairs.size() && point_.pairs[from] == fresh.pairs[p])
          fresh.w[p] += keep * point_.w[from];
        const auto gram = [&](Index a, Index b) {
          return keep * K_(a, b) + scale * start_.gram(a, b);
        };
        fresh.kap[p] = std::max(2.0 * gram(i, j), 1e-3 * std::sqrt(gram(i, i) * gram(j, j)));
      }
    }
    point_ = std::move(fresh);
  }

  EngineOutcome stop(Status status) {
    out_.status = status;
    return finish();
  }
  EngineOutcome finish() {
    out_.dual = kept_ + problem_.constant;
    return std::move(out_);
  }

  void trace(const PairsNewton<B>& newton, const PairsProgress& at) const {
    if (options_.on_iteration)
      options_.on_iteration({.round = round_,
                             .iteration = out_.iterations,
                             .variables = newton.variables(),
                             .dual = at.dual + problem_.constant,
                             .gap = at.gap,
                             .primal_step = at.primal_step,
                             .dual_step = at.dual_step,
                             .centering = at.target});
  }

  // In tolerances: what may be left when a round gains no more than that.
  static constexpr double kNearly = 10.0, kGain = 0.2;
  // Of a start that an engine of low accuracy left: more than its multipliers lack.
  static constexpr double kFirstBlend = 0.3;
  static constexpr double kBoundaryFraction = 0.9, kShortStep = 0.05, kGrowth = 1.5;
  // Of the analytic start: S = 0 is no interior point.
  static constexpr double kLeastTrace = 1e-4;
  // A centering step shorter than this is not followed by another one.
  static constexpr double kSettles = 0.5;
  static constexpr double kFeasible = 1e-2;
  static constexpr int kPatience = 20, kMostSteps = 200, kMostCenterings = 3;
  // Share of the zero network's loss that counts as zero.
  static constexpr double kNothing = 1e-12;

  B& be_;
  const ReducedProblem& problem_;
  PairsOptions options_;
  bool given_start_;
  PairsStart start_;
  PairsLift<B> lift_;
  PairsActiveSet active_;
  PairsPoint point_;
  Matrix K_;
  EngineOutcome out_;
  int round_ = 0;
  bool cold_ = true;
  bool settled_ = true;        // the last round ended at an S that meets its constraints
  double size_;                // of the zero network's loss, an upper bound on every dual value
  double longest_step_ = 0.0;  // seconds; later rounds are no shorter
  double best_ = -std::numeric_limits<double>::infinity();
  double kept_ = -std::numeric_limits<double>::infinity();
  double dual_ = -std::numeric_limits<double>::infinity();
  double reported_ = -1e30;
  double primal_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace relulift
