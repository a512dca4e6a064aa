// SPDX-License-Identifier: Apache-2.0
// Gated programs [eq:gated] with a smooth loss by an accelerated proximal gradient method
// [eq:fista] (Beck & Teboulle 2009) with restarts (O'Donoghue & Candes 2015) and a step that is
// searched, until a certified gap. In the right singular vectors of X the norms of groups are what
// they were and the metric X'X is diagonal: raw columns of any scale do no harm. An iteration is
// two products over all patterns (4 n d P c flops) and 25 passes over d x P c numbers; the bound is
// that of the gradient which the step needs anyway.
#pragma once

#include <cmath>
#include <limits>
#include <span>

#include "kernels/loss.hpp"
#include "kernels/slots.hpp"
#include "src/core/control.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/gap_watch.hpp"
#include "src/solvers/gated_products.hpp"
#include "src/solvers/group_penalty.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/proximal_options.hpp"

namespace relulift {

template <Backend B, class T, class Loss, template <class, class> class Penalty>
class ProximalGradient {
 public:
  // X in the coordinates of `metric` (MetricBasis); sizes must agree.
  ProximalGradient(B& be, const Matrix& X, const Matrix& Y, double g, const PatternSet& patterns,
                   const Vector& metric, const Loss& loss, const ProximalOptions& options);

  // Objective and bound at W of the point.
  PatternPoint evaluate(const PatternPoint& point);
  // From W of `start` (zero without one). Of the point: V, E, objective, bound, iterations.
  PatternPoint run(const PatternPoint& start, const Control& control, const OnProgram& on_check);

 private:
  // Of the step, when it was too long and before each iteration.
  static constexpr double kShrink = 0.8, kGrow = 1.05;
  // Beyond them rounding decides: the step is 1e-6 of what it was.
  static constexpr int kMostTries = 60;

  Index n() const { return products_.samples(); }
  Index c() const { return products_.outputs(); }
  Index d() const { return products_.features(); }
  Index columns() const { return products_.columns(); }
  using View = MatrixView<T>;
  View weights(const typename B::Matrix& m) const {
    return {reinterpret_cast<T*>(m.view().data), d(), columns(), d()};
  }
  View scores(const typename B::Matrix& m) const {
    return {reinterpret_cast<T*>(m.view().data), n(), c(), n()};
  }
  void set(Slot slot, double value) { be_.launch({1}, kernels::SetSlot{slot, value}); }
  double read(Slot slot) {
    double value = 0.0;
    be_.fetch(slot, std::span(&value, 1));
    return value;
  }

  void begin(const PatternPoint& start);
  // Objective at N, gradient at V; keeps what is best.
  void values();
  // R = grad L at fv, G the gradient; whether its dual point is the best so far.
  void gradient();
  // N by the prox from V with a step that is short enough; fn. False where there is none: NaN.
  bool step();
  bool short_enough();
  double objective();  // of N
  bool overshoots();
  void extrapolate(double beta);
  PatternPoint best(Index iterations);

  B& be_;
  double g_;
  GatedProducts<B, T> products_;
  Loss loss_;
  ProximalOptions options_;
  double largest_metric_;
  typename B::Slots metric_, scalars_;
  Penalty<B, T> penalty_;
  typename B::Matrix y_, w_, n_, v_, g_at_v_, fw_, fn_, fv_, r_, best_w_, best_r_;
  double eta_;
  double objective_ = std::numeric_limits<double>::infinity();
  double bound_ = -std::numeric_limits<double>::infinity(), scale_ = 1.0;
  enum Scalar { kEta, kTau, kBeta, kSum, kScale, kScalars };
};

template <Backend B, class T, class Loss, template <class, class> class Penalty>
ProximalGradient<B, T, Loss, Penalty>::ProximalGradient(B& be, const Matrix& X, const Matrix& Y,
                                                        double g, const PatternSet& patterns,
                                                        const Vector& metric, const Loss& loss,
                                                        const ProximalOptions& options)
    : be_(be),
      g_(g),
      products_(be, X, patterns, Y.cols(), options.tile_entries, options.patches),
      loss_(loss),
      options_(options),
      largest_metric_(metric.maxCoeff()),
      metric_(be.slots(metric.size())),
      scalars_(be.slots(kScalars)),
      penalty_(be, d(), columns(), c(), scalars_[kTau]),
      y_(be.matrix(doubles_for<T>(Y.size()), 1)),
      w_(be.matrix(doubles_for<T>(d() * columns()), 1)),
      n_(be.matrix(w_.view().rows, 1)),
      v_(be.matrix(w_.view().rows, 1)),
      g_at_v_(be.matrix(w_.view().rows, 1)),
      fw_(be.matrix(y_.view().rows, 1)),
      fn_(be.matrix(y_.view().rows, 1)),
      fv_(be.matrix(y_.view().rows, 1)),
      r_(be.matrix(y_.view().rows, 1)),
      best_w_(be.matrix(w_.view().rows, 1)),
      best_r_(be.matrix(y_.view().rows, 1)),
      // A column of X W is seen by P patterns at most, a sample is a sum of its patches.
      eta_(4.0 / (options.curvature * static_cast<double>(patterns.size() * options.patches))) {
  upload_as<T>(be_, Y, y_.view());
  be_.upload(std::span(metric.data(), static_cast<std::size_t>(metric.size())), metric_[0]);
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::gradient() {
  be_.launch({n()}, kernels::LossGradient<Loss>{loss_, scores(fv_), scores(y_), scores(r_)});
  products_.adjoint(scores(r_), weights(g_at_v_));
  const double scale = g_ / std::max(g_, penalty_.dual(weights(g_at_v_)));
  set(scalars_[kScale], -scale);
  be_.sum({n()}, kernels::LossBound<Loss>{loss_, scores(r_), scores(y_), scalars_[kScale]},
          scalars_[kSum]);
  const double bound = read(scalars_[kSum]);
  if (!(bound > bound_)) return;
  bound_ = bound;
  scale_ = scale;
  be_.launch({n(), c()}, kernels::CopyEntries<T>{scores(r_), scores(best_r_)});
}

// L(fn) <= L(fv) + <R, fn - fv> + curvature/2 ||fn - fv||^2, so that the step is right where the
// last term is at most ||N - V||^2 / (2 eta) in the metric: no values are compared, none cancels.
template <Backend B, class T, class Loss, template <class, class> class Penalty>
bool ProximalGradient<B, T, Loss, Penalty>::short_enough() {
  be_.sum({n(), c()}, kernels::SquaredDifference<T>{scores(fn_), scores(fv_)}, scalars_[kSum]);
  const double scores_moved = options_.curvature * read(scalars_[kSum]);
  be_.sum({d(), columns()},
          kernels::MetricDifference<T>{weights(n_), weights(v_), metric_[0].address},
          scalars_[kSum]);
  return scores_moved * eta_ <= read(scalars_[kSum]);
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
bool ProximalGradient<B, T, Loss, Penalty>::step() {
  eta_ *= kGrow;
  for (int tries = 0; tries < kMostTries; ++tries, eta_ *= kShrink) {
    set(scalars_[kEta], eta_);
    set(scalars_[kTau], eta_ * g_);
    penalty_.prox({weights(v_), weights(g_at_v_), metric_[0].address, scalars_[kEta]},
                  largest_metric_, weights(n_));
    products_.forward(weights(n_), scores(fn_));
    if (short_enough()) return true;
  }
  return false;
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
double ProximalGradient<B, T, Loss, Penalty>::objective() {
  be_.sum({n()}, kernels::LossValue<Loss>{loss_, scores(fn_), scores(y_)}, scalars_[kSum]);
  return read(scalars_[kSum]) + g_ * penalty_.value(weights(n_));
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
bool ProximalGradient<B, T, Loss, Penalty>::overshoots() {
  be_.sum({d(), columns()},
          kernels::RestartTest<T>{weights(v_), weights(n_), weights(w_), metric_[0].address},
          scalars_[kSum]);
  return read(scalars_[kSum]) > 0.0;
}

// V = N + beta (N - W), W = N; their scores follow.
template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::extrapolate(double beta) {
  set(scalars_[kBeta], beta);
  be_.launch({d(), columns()},
             kernels::Extrapolate<T>{weights(n_), scalars_[kBeta], weights(w_), weights(v_)});
  be_.launch({n(), c()},
             kernels::Extrapolate<T>{scores(fn_), scalars_[kBeta], scores(fw_), scores(fv_)});
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
PatternPoint ProximalGradient<B, T, Loss, Penalty>::best(Index iterations) {
  PatternPoint point;
  point.V = fetch_as<T>(be_, best_w_.view(), d(), columns());
  point.E = -scale_ * fetch_as<T>(be_, best_r_.view(), n(), c());
  point.objective = objective_;
  point.bound = bound_;
  point.iterations = iterations;
  return point;
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::begin(const PatternPoint& start) {
  if (start.V.size() > 0) upload_as<T>(be_, start.V, n_.view());
  products_.forward(weights(n_), scores(fn_));
  extrapolate(0.0);
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::values() {
  const double value = objective();
  if (value < objective_) {
    objective_ = value;
    be_.launch({d(), columns()}, kernels::CopyEntries<T>{weights(n_), weights(best_w_)});
  }
  gradient();
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
PatternPoint ProximalGradient<B, T, Loss, Penalty>::evaluate(const PatternPoint& point) {
  begin(point);
  values();
  return best(point.iterations);
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
PatternPoint ProximalGradient<B, T, Loss, Penalty>::run(const PatternPoint& start,
                                                        const Control& control,
                                                        const OnProgram& on_check) {
  begin(start);
  double momentum = 1.0;
  GapWatch watch;
  for (Index k = 0;; ++k) {
    values();
    const bool limit = options_.max_iterations > 0 && k >= options_.max_iterations;
    const bool solved = objective_ - bound_ <= options_.tolerance * objective_;
    if (solved || limit || control.stop() || !std::isfinite(objective_)) return best(k);
    if (on_check && !on_check({k, objective_, bound_})) return best(k);
    if (!step() || watch.idle(k, objective_ - bound_)) return best(k);
    if (overshoots()) {
      momentum = 1.0;
      extrapolate(0.0);
      continue;
    }
    const double next = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * momentum * momentum));
    extrapolate((momentum - 1.0) / next);
    momentum = next;
  }
}

}  // namespace relulift
