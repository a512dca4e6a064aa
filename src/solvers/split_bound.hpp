// SPDX-License-Identifier: Apache-2.0
// Bounds above p_sdp: the dual of [eq:split] by an interior point, on a partition of weight space
// that is refined where it pays. Every iterate has a positive definite Q in every cone, so D(G) of
// any of them is a bound, and a cut never lowers it: the multipliers of a cone are feasible on both
// of its sides. docs/math.md, section 11. Cost per iteration: src/solvers/split_newton.hpp.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "src/core/control.hpp"
#include "src/solvers/engine.hpp"
#include "src/solvers/pairs_active_set.hpp"
#include "src/solvers/pairs_options.hpp"
#include "src/solvers/pairs_start.hpp"
#include "src/solvers/split_cuts.hpp"
#include "src/solvers/split_newton.hpp"

namespace relulift {

template <Backend B>
class SplitBound {
 public:
  // start: nearly optimal on the whole space, with a dense S >= 0; its kap is not used.
  SplitBound(B& be, const ReducedProblem& problem, PairsPoint start, const SplitOptions& options)
      : be_(be),
        problem_(problem),
        options_(options),
        start_(problem),
        lift_(be, problem),
        point_(whole_space(std::move(start))),
        best_point_(point_) {
    best_ = dual_value(problem, point_.cones.front());
  }

  SplitOutcome run(const Control& control, const OnSplit& on_stage) {
    Status status = Status::optimal;
    bool again = false;  // the partition before was given up
    while (status == Status::optimal && !reached()) {
      const auto before = static_cast<Index>(point_.cones.size());
      const double begun = control.seconds();
      cut_where_it_pays(problem_, point_, options_.max_cones);
      const auto cones = static_cast<Index>(point_.cones.size());
      if (cones == before) break;
      status = solve(cones >= options_.max_cones, control);
      const SplitStage stage{.cones = cones,
                             .dual = best_ + problem_.constant,
                             .seconds = control.seconds() - begun,
                             .iterations = iterations_};
      if (!on_stage(stage, best_point_)) status = Status::interrupted;
      if (status == Status::stalled && !std::exchange(again, true)) status = Status::optimal;
    }
    return {status, iterations_};
  }

 private:
  // A partition that will be refined is solved roughly, on the pairs its cones took over; the last
  // one in rounds with violated pairs added in between. stalled: steps became short.
  Status solve(bool last, const Control& control) {
    const SplitPoint whole = point_;
    drop_slack_pairs();
    add_violated(kDepth[0]);
    restart(kFirstBlend);
    for (int round = 0;; ++round) {
      auto newton = std::make_unique<SplitNewton<B>>(be_, lift_, problem_, point_);
      if (round == 0 && !newton->evaluate().positive_definite) {  // for want of the pairs dropped
        newton.reset();
        point_ = whole;
        restart(kFirstBlend);
        newton = std::make_unique<SplitNewton<B>>(be_, lift_, problem_, point_);
      }
      const Status status = iterate(*newton, std::max(kGap[round], options_.tolerance), control);
      newton->fetch_multipliers(point_);
      newton->fetch_primal(point_);
      if (status != Status::optimal || !last || round + 1 >= kRounds || reached()) return status;
      if (add_violated(kDepth[round]) == 0) return status;
      restart(kBlend);
    }
  }

  Status iterate(SplitNewton<B>& newton, double tolerance, const Control& control) {
    int short_steps = 0;
    double last = 0.0;
    for (int k = 0;; ++k) {
      const PairsProgress at = newton.evaluate();
      trace(newton, at);
      if (!at.positive_definite) {
        if (k > 0) newton.retreat();
        return Status::stalled;
      }
      if (at.dual > best_) {
        best_ = at.dual;
        best_point_ = point_;
        newton.fetch_multipliers(best_point_);
      }
      if (at.gap < tolerance * std::abs(at.dual) || reached()) return Status::optimal;
      if (control.interrupted()) return Status::interrupted;
      // A step cannot be interrupted: none is begun that would overrun the limit.
      if (control.remaining() < longest_step_) return Status::time_limit;
      const double length = std::max(at.primal_step, at.dual_step);
      short_steps = k > 0 && length < kShortStep && length < kGrowth * last ? short_steps + 1 : 0;
      last = length;
      if (short_steps >= kPatience || k > kMostSteps) return Status::stalled;
      const double begun = control.seconds();
      if (!newton.step(at.mu, kBoundaryFraction)) return Status::stalled;
      longest_step_ = std::max(longest_step_, control.seconds() - begun);
      ++iterations_;
    }
  }

  void trace(const SplitNewton<B>& newton, const PairsProgress& at) const {
    if (options_.on_iteration)
      options_.on_iteration({.round = static_cast<int>(point_.cones.size()),
                             .iteration = iterations_,
                             .variables = newton.variables(),
                             .dual = at.dual + problem_.constant,
                             .gap = at.gap,
                             .primal_step = at.primal_step,
                             .dual_step = at.dual_step,
                             .centering = at.target});
  }

  bool reached() const { return best_ + problem_.constant >= options_.target; }

  Index add_violated(double depth) {
    const std::vector<Cone> cones = point_.tree.cones();
    double trace = 0.0;  // of S_uu, over all cones
    for (const PairsPoint& at : point_.cones)
      trace += at.S.diagonal().tail(problem_.d() + problem_.c()).head(problem_.d()).sum();
    Index added = 0;
    for (std::size_t k = 0; k < cones.size(); ++k) {
      PairsPoint& at = point_.cones[k];
      PairsActiveSet active(problem_, 0, std::numeric_limits<Index>::max());
      active.add(at.pairs);
      const Index more =
          active.add_violated(gram_of_cone(problem_, cones[k], at.S), depth * trace, kPerRow);
      if (more == 0) continue;
      added += more;
      Vector w = Vector::Zero(static_cast<Index>(active.pairs().size()));
      std::size_t from = 0;
      for (std::size_t p = 0; p < active.pairs().size(); ++p)
        if (from < at.pairs.size() && at.pairs[from] == active.pairs()[p])
          w[static_cast<Index>(p)] = at.w[static_cast<Index>(from++)];
      at.pairs = active.pairs();
      at.w = std::move(w);
    }
    return added;
  }

  // Pairs far from violation, of every cone: they cost most and hold nothing up.
  void drop_slack_pairs() {
    const std::vector<Cone> cones = point_.tree.cones();
    for (std::size_t k = 0; k < cones.size(); ++k) {
      PairsPoint& at = point_.cones[k];
      const Matrix K = gram_of_cone(problem_, cones[k], at.S);
      std::vector<LiftedPair> pairs;
      std::vector<double> w;
      for (std::size_t p = 0; p < at.pairs.size(); ++p) {
        const auto [i, j] = at.pairs[p];
        if (K(i, j) > kSlack * std::sqrt(K(i, i) * K(j, j))) continue;
        pairs.push_back(at.pairs[p]);
        w.push_back(at.w[static_cast<Index>(p)]);
      }
      at.pairs = std::move(pairs);
      at.w = Eigen::Map<Vector>(w.data(), static_cast<Index>(w.size()));
    }
  }

  // Multipliers and S blended with the analytic start, which is strictly feasible on any pairs.
  void restart(double blend) {
    const std::vector<Cone> cones = point_.tree.cones();
    const double keep = 1.0 - blend;
    double trace = 0.0;
    for (const PairsPoint& at : point_.cones) trace += at.S.trace();
    const double scale = blend * trace / (start_.trace() * static_cast<double>(cones.size()));
    for (std::size_t k = 0; k < cones.size(); ++k) {
      PairsPoint& at = point_.cones[k];
      const std::vector<Index> open = open_rows(problem_.n(), cones[k]);
      std::vector<Index> coordinates = open;
      for (Index j = problem_.n(); j < lift_.order(); ++j) coordinates.push_back(j);
      const PairsPoint fresh = start_.point(at.pairs);
      at.y = keep * at.y + blend * Vector(fresh.y(open));
      at.G *= keep;
      at.H *= keep;
      at.w = keep * at.w + blend * fresh.w;
      at.S = keep * at.S + scale * Matrix(start_.S()(coordinates, coordinates));
      const Matrix K = gram_of_cone(problem_, cones[k], at.S);
      at.kap.resize(at.w.size());
      for (std::size_t p = 0; p < at.pairs.size(); ++p) {
        const auto [i, j] = at.pairs[p];
        at.kap[static_cast<Index>(p)] =
            std::max(2.0 * K(i, j), kFloor * std::sqrt(K(i, i) * K(j, j)));
      }
    }
  }

  // Of the rounds of the last partition: relative gap, and depth of what counts as violated
  // after it [eq:violation].
  static constexpr int kRounds = 3;
  static constexpr double kGap[kRounds] = {1e-2, 5e-3, 1e-3}, kDepth[kRounds] = {1e-3, 1e-4, 1e-5};
  static constexpr Index kPerRow = 3;    // violated pairs added per lifted row and round
  static constexpr double kSlack = 0.1;  // cosine
  static constexpr double kFirstBlend = 0.3, kBlend = 0.1;
  static constexpr double kFloor = 0.03;  // cosine of K that a new complement stands for, at least
  static constexpr double kBoundaryFraction = 0.9, kShortStep = 0.05, kGrowth = 1.5;
  static constexpr int kPatience = 5, kMostSteps = 200;

  B& be_;
  const ReducedProblem& problem_;
  SplitOptions options_;
  PairsStart start_;
  PairsLift<B> lift_;
  SplitPoint point_, best_point_;
  Index iterations_ = 0;
  double longest_step_ = 0.0;
  double best_;
};

}  // namespace relulift
