// SPDX-License-Identifier: Apache-2.0
// Augmented Lagrangian over a factor S = Z'Z of [eq:sdp] (Burer & Monteiro 2003) with multipliers
// on a list of pairs that follows the iterate [eq:sparse-alm]: at a solution about as many pairs
// are active as samples, and a scan of K K' between outer iterations finds those that are missing.
// The inner problems are solved by L-BFGS in principal axes, scaled by curvature entry by entry.
// docs/math.md, section 9.
//
// Per L-BFGS step: one evaluation (src/solvers/low_rank_objective.hpp) and 40 N r doubles of the
// optimiser's own traffic, 25 N r where T is float. Per outer iteration: a few scans, 4 n^2 r flops
// each, and no more memory than a stripe of masks. Memory: 28 N r + 8 e doubles, r the largest
// rank, e the pairs listed.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "src/core/control.hpp"
#include "src/solvers/engine.hpp"
#include "src/solvers/lbfgs.hpp"
#include "src/solvers/low_rank_host.hpp"
#include "src/solvers/low_rank_objective.hpp"
#include "src/solvers/pair_scan.hpp"
#include "src/solvers/pairs_primal.hpp"
#include "src/solvers/termination.hpp"

namespace relulift {

// T: the type of the optimiser's basis and of the scans, double or float. Multipliers, values and
// gradients are double.
template <Backend B, class T = double>
class LowRankAlm {
 public:
  LowRankAlm(B& be, const ReducedProblem& problem, LowRankState state,
             const LowRankOptions& options = {}, ScanShape shape = {})
      : be_(be),
        problem_(problem),
        options_(options),
        rows_(problem),
        most_pairs_(options.pairs_per_sample * problem.n()),
        most_rank_(std::max(largest_rank(options, order()), state.Z.rows())),
        state_(std::move(state)),
        objective_(be, problem, rows_, most_rank_, most_pairs_),
        lbfgs_(be, objective_, most_rank_, 1, options.memory),
        scan_(be, problem.n(), most_rank_, shape),
        point_(be.matrix(order() * most_rank_, 1)),
        gradient_(be.matrix(order() * most_rank_, 1)),
        value_(be.slots(1)) {
    options_.tolerance = tolerance_for(options, problem.n());
  }

  // Of an engine with a state of its own start.
  static void count(Needs& needs, const ReducedProblem& problem, Index lanes, ScanShape shape) {
    const LowRankOptions options;
    const Index order = problem.n() + problem.d() + problem.c();
    const Index rank = largest_rank(options, order);
    LowRankObjective<B>::count(needs, problem, rank, options.pairs_per_sample * problem.n());
    Lbfgs<B, LowRankObjective<B>, T>::count(needs, order, rank, 1, options.memory);
    PairScan<B, T>::count(needs, problem.n(), rank, lanes, shape);
    needs.matrix(order * rank, 1).matrix(order * rank, 1).slots(1);
  }

  EngineOutcome run(const Control& control, const OnCheck& on_check) {
    EngineOutcome out;
    if (problem_.Y.squaredNorm() + problem_.Y_beta.squaredNorm() == 0.0) return nothing_to_fit();
    Stall stall;
    const Index first = state_.iteration;
    for (;;) {
      list_pairs(control);
      begin();
      const bool finite = descend(control);
      const LowRankPoint at = end();
      const double violation = relative_violation(state_, at);
      if (!finite || !std::isfinite(violation)) return finish(out, Status::numerical_failure, at);
      const Measured now{.iteration = state_.iteration + 1,
                         .primal = at.objective + problem_.constant,
                         .dual = low_rank_dual(problem_, at) + problem_.constant,
                         .primal_residual = violation,
                         .dual_residual = residual_};
      out.iterations = now.iteration;
      out.dual = now.dual;
      stall = advance(stall, now, limits(first));
      std::optional<Status> status;
      if (control.out_of_time()) status = Status::time_limit;
      if (!status && control.interrupted()) status = Status::interrupted;
      if (!status) status = termination(now, stall, limits(first));
      // The residuals are those of the pairs listed.
      if (status == Status::optimal && !complete_) status.reset();
      if (!tell(now, at, status.has_value(), on_check) && !status) status = Status::interrupted;
      if (status) return finish(out, *status, at);
      update_multipliers(state_, at, residual_, options_);
      if (state_.iteration % kRankEvery == 0) {
        adapt_rank(state_, most_rank_, options_.seed);
        escape(problem_, rows_, state_, at, column_scaling(factor_), most_rank_);
      }
    }
  }

  const LowRankState& state() const { return state_; }

 private:
  static constexpr Index kStepsBetweenLooks = 10, kRankEvery = 5, kMoreSteps = 4;
  static constexpr int kMostScans = 12;
  static constexpr Index kMomentarily = 2000;
  // Violations above this leave a dual that proves next to nothing.
  static constexpr double kWorthOffering = 2e-2, kOfferWork = 1e-3;

  Index order() const { return problem_.n() + problem_.d() + problem_.c(); }
  // Of a run that begins after `first` iterations.
  Limits limits(Index first) const {
    return {.tolerance = options_.tolerance,
            .max_iterations = options_.max_iterations > 0 ? first + options_.max_iterations : 0,
            .stall_improvement = 1e-5,
            .stall_checks = 12};
  }

  // The pairs near or beyond violation at Z, and those with a multiplier.
  void list_pairs(const Control& control) {
    objective_.lift(state_.Z);
    const auto most = static_cast<std::size_t>(most_pairs_);
    auto found = scan_.below(objective_.K(), margin_, most);
    for (int k = 0; k < kMostScans && !control.stop(); ++k) {
      const double next = next_margin(margin_, found.size(), most);
      if (next == margin_) break;
      // A wider margin that finds too many is not taken.
      auto again = scan_.below(objective_.K(), next, most);
      if (again.size() > most && found.size() <= most) break;
      margin_ = next;
      found = std::move(again);
    }
    complete_ = margin_ >= 0.0 && found.size() <= most;
    relist(state_, std::move(found), most);
    objective_.set_pairs(state_);
  }

  // The scaling at Z, and Z in it.
  void begin() {
    to_principal_axes(state_);
    const LowRankPoint at = look(state_.Z);
    factor_ = entry_scaling(problem_, rows_, state_, at, objective_.read_K());
    objective_.set_scaling(factor_);
    const Matrix scaled = state_.Z.cwiseQuotient(factor_);
    size_ = scaled.norm();
    lbfgs_.begin(scaled.reshaped(order(), scaled.rows()), 1);
  }

  // False when the objective is not a number.
  bool descend(const Control& control) {
    // Once the penalty stays, what is left is the accuracy of the multipliers.
    const bool settled = state_.violation <= 10.0 * options_.tolerance;
    const Index most = (settled ? kMoreSteps : 1) * options_.inner_steps;
    for (Index steps = 0; steps < most;) {
      const Index done = lbfgs_.advance(std::min(kStepsBetweenLooks, most - steps),
                                        [&] { return control.stop(); });
      if (done == 0) return true;
      steps += done;
      work_ += static_cast<double>(done * state_.Z.rows());
      const Matrix state = lbfgs_.state();
      residual_ = state(kernels::kGradientNorm, 0) / size_;
      if (!std::isfinite(state(kernels::kValue, 0)) || !std::isfinite(residual_)) return false;
      if (residual_ <= state_.tolerance || state(kernels::kDone, 0) != 0.0 || control.stop())
        return true;
    }
    return true;
  }

  LowRankPoint end() {
    const Matrix x = lbfgs_.point();
    state_.Z = x.reshaped(x.cols(), order()).cwiseProduct(factor_);
    return look(state_.Z);
  }

  // The point Z, evaluated and read back.
  LowRankPoint look(const Matrix& Z) {
    const Index r = Z.rows();
    objective_.set_scaling(Matrix::Ones(r, order()));
    objective_.shape(r, 1);
    const MatrixView<double> x{point_.view().data, r, order(), r};
    const MatrixView<double> g{gradient_.view().data, r, order(), r};
    upload(be_, Z, x);
    objective_.evaluate(x, g, value_[0]);
    return objective_.read();
  }

  // False when the caller wants to stop. The multipliers go along where they may be worth a
  // certificate, and where a few factorisations of order N cost no more than the steps since the
  // last: about 500 N r bytes each against N^3 flops.
  bool tell(const Measured& now, const LowRankPoint& at, bool last, const OnCheck& on_check) {
    if (!on_check) return true;
    EngineCheck check{.iteration = now.iteration,
                      .primal = now.primal,
                      .dual = now.dual,
                      .primal_residual = now.primal_residual,
                      .dual_residual = now.dual_residual,
                      .multipliers = {},
                      .state = [this] { return state_; },
                      .last = last};
    const double size = static_cast<double>(order());
    if (!last && now.primal_residual < kWorthOffering && work_ >= kOfferWork * size * size) {
      check.multipliers = [&] { return low_rank_multipliers(problem_, rows_, state_, at); };
      work_ = 0.0;
    }
    return on_check(check);
  }

  // The optimum is zero.
  EngineOutcome nothing_to_fit() const {
    EngineOutcome out;
    out.status = Status::optimal;
    out.primal = out.dual = problem_.constant;
    return out;
  }

  EngineOutcome finish(EngineOutcome& out, Status status, const LowRankPoint& at) {
    out.status = status;
    if (status == Status::numerical_failure) return std::move(out);
    out.multipliers = low_rank_multipliers(problem_, rows_, state_, at);
    // O(n^2 r) on the host: not after the time is up, unless it is a moment.
    const bool late = status == Status::time_limit || status == Status::interrupted;
    if (!late || problem_.n() <= kMomentarily)
      out.primal =
          feasible_primal_of_factor(problem_, unscaled_factor(rows_, state_.Z)) + problem_.constant;
    if (order() <= kLargestGram) out.S = low_rank_gram(rows_, state_.Z);
    return std::move(out);
  }

  B& be_;
  const ReducedProblem& problem_;
  LowRankOptions options_;
  UnitRows rows_;
  Index most_pairs_, most_rank_;
  LowRankState state_;
  LowRankObjective<B> objective_;
  Lbfgs<B, LowRankObjective<B>, T> lbfgs_;
  PairScan<B, T> scan_;
  typename B::Matrix point_, gradient_;
  typename B::Slots value_;
  Matrix factor_;          // Z = x o factor, x the optimiser's point
  double size_ = 1.0;      // ||x|| at the start of the inner solve
  double residual_ = 1.0;  // ||gradient|| / size
  double margin_ = 0.05;   // cosine below which pairs are listed
  bool complete_ = false;  // no pair that is violated was left out
  double work_ = 0.0;      // steps times rank since multipliers were offered
};

}  // namespace relulift
