// SPDX-License-Identifier: Apache-2.0
// Gated programs [eq:gated] with a smooth loss by an accelerated proximal gradient method
// [eq:fista] (Beck & Teboulle 2009) with restarts (O'Donoghue & Candes 2015) and a step that is
// searched, until a certified gap. In the right singular vectors of X the norms of groups are what
// they were and the metric X'X is diagonal: raw columns of any scale do no harm. An iteration is
// two products over all patterns (4 n d P c flops) and, for groups of neurons, 11 reads and 3
// writes of d x P c numbers; the host waits twice. The bound is that of the gradient which the step
// needs anyway.
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "kernels/group_norm.hpp"
#include "kernels/loss.hpp"
#include "kernels/proximal.hpp"
#include "src/core/control.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/gap_watch.hpp"
#include "src/solvers/gated_products.hpp"
#include "src/solvers/group_penalty.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/proximal_options.hpp"
#include "src/solvers/scalars.hpp"

namespace relulift {

template <Backend B, class T, class Loss, template <class, class> class Penalty>
class ProximalGradient {
 public:
  // X in the coordinates of `metric` (MetricBasis); sizes must agree.
  ProximalGradient(B& be, const Matrix& X, const Matrix& Y, double g, const PatternSet& patterns,
                   const Vector& metric, const Loss& loss, const ProximalOptions& options);
  // What it allocates.
  static void count(Needs& needs, Index n, Index d, Index patterns, Index outputs,
                    Index tile_entries, Index patches = 1);

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
  // What the host reads of a step, in the order of the scalars below.
  struct Step {
    double loss, omega;    // of N
    double scores, moved;  // ||f(N) - f(V)||^2, ||N - V||^2 in the metric
    double overshoot;      // <V - N, N - W> in the metric: positive where momentum points astray
  };

  void begin(const PatternPoint& start);
  // R = grad L at fv, G the gradient, the bound of its dual point.
  void gradient();
  // N by the prox from V with a step that is short enough. None where there is none: NaN.
  std::optional<Step> step();
  Step measure();
  bool short_enough(const Step& step) const;
  // N may be the best point; W still is the one before it, which may have been.
  void keep(const Step& step);
  void extrapolate(double beta);
  PatternPoint best(Index iterations);

  B& be_;
  double g_;
  GatedProducts<B, T> products_;
  Loss loss_;
  ProximalOptions options_;
  double largest_metric_;
  typename B::Slots metric_;
  Scalars<B> scalars_;
  Penalty<B, T> penalty_;
  typename B::Matrix y_, w_, n_, v_, g_at_v_, fw_, fn_, fv_, r_, best_w_, best_r_;
  double eta_;
  double objective_ = std::numeric_limits<double>::infinity();
  double bound_ = -std::numeric_limits<double>::infinity(), scale_ = 1.0;
  bool best_is_last_ = false;  // W is the best point; else best_w_
  enum Scalar {
    kEta,
    kTau,
    kBeta,
    kDualNorm,
    kMinusScale,
    kBound,
    kLoss,
    kOmega,
    kScores,
    kMoved,
    kOvershoot,
    kScalars
  };
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
      scalars_(be, kScalars),
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
void ProximalGradient<B, T, Loss, Penalty>::count(Needs& needs, Index n, Index d, Index patterns,
                                                  Index outputs, Index tile_entries,
                                                  Index patches) {
  const Index columns = patterns * outputs;
  GatedProducts<B, T>::count(needs, n, d, patterns, outputs, tile_entries, patches);
  Penalty<B, T>::count(needs, d, columns, outputs);
  needs.slots(d).slots(kScalars);
  for (int k = 0; k < 6; ++k) needs.matrix(doubles_for<T>(n * outputs), 1);
  for (int k = 0; k < 5; ++k) needs.matrix(doubles_for<T>(d * columns), 1);
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::gradient() {
  be_.launch({n()}, kernels::LossGradient<Loss>{loss_, scores(fv_), scores(y_), scores(r_)});
  products_.adjoint(scores(r_), weights(g_at_v_));
  penalty_.dual(weights(g_at_v_), scalars_[kDualNorm]);
  const Slot minus_scale = scalars_[kMinusScale];
  be_.launch({1}, kernels::DualFactor{scalars_[kDualNorm], g_, -1.0, minus_scale});
  be_.sum({n()}, kernels::LossBound<Loss>{loss_, scores(r_), scores(y_), minus_scale},
          scalars_[kBound]);
  const auto [factor, bound] = scalars_.template read<2>(kMinusScale);
  if (!(bound > bound_ && std::isfinite(bound))) return;  // NaN and overflow prove nothing
  bound_ = bound;
  scale_ = -factor;
  be_.launch({n(), c()}, kernels::CopyEntries<T>{scores(r_), scores(best_r_)});
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
typename ProximalGradient<B, T, Loss, Penalty>::Step
ProximalGradient<B, T, Loss, Penalty>::measure() {
  const double* const m = metric_[0].address;
  const View N = weights(n_), V = weights(v_), W = weights(w_);
  be_.sum({n()}, kernels::LossValue<Loss>{loss_, scores(fn_), scores(y_)}, scalars_[kLoss]);
  penalty_.value(N, scalars_[kOmega]);
  be_.sum({n(), c()}, kernels::SquaredDifference<T>{scores(fn_), scores(fv_)}, scalars_[kScores]);
  be_.sum({d(), columns()}, kernels::MetricDifference<T>{N, V, m}, scalars_[kMoved]);
  be_.sum({d(), columns()}, kernels::RestartTest<T>{V, N, W, m}, scalars_[kOvershoot]);
  const auto [loss, omega, moved_scores, moved, overshoot] = scalars_.template read<5>(kLoss);
  return {loss, omega, moved_scores, moved, overshoot};
}

// L(fn) <= L(fv) + <R, fn - fv> + curvature/2 ||fn - fv||^2, so that the step is right where the
// last term is at most ||N - V||^2 / (2 eta) in the metric: no values are compared, none cancels.
template <Backend B, class T, class Loss, template <class, class> class Penalty>
bool ProximalGradient<B, T, Loss, Penalty>::short_enough(const Step& step) const {
  return options_.curvature * step.scores * eta_ <= step.moved;
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
std::optional<typename ProximalGradient<B, T, Loss, Penalty>::Step>
ProximalGradient<B, T, Loss, Penalty>::step() {
  eta_ *= kGrow;
  for (int tries = 0; tries < kMostTries; ++tries, eta_ *= kShrink) {
    scalars_.set(kEta, eta_);
    scalars_.set(kTau, eta_ * g_);
    penalty_.prox({weights(v_), weights(g_at_v_), metric_[0].address, scalars_[kEta]},
                  largest_metric_, weights(n_));
    products_.forward(weights(n_), scores(fn_));
    const Step measured = measure();
    if (short_enough(measured)) return measured;
  }
  return {};
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::keep(const Step& step) {
  const double value = step.loss + g_ * step.omega;
  if (value < objective_) {
    objective_ = value;
    best_is_last_ = true;
  } else if (best_is_last_) {
    be_.launch({d(), columns()}, kernels::CopyEntries<T>{weights(w_), weights(best_w_)});
    best_is_last_ = false;
  }
}

// V = N + beta (N - W), W = N; their scores follow.
template <Backend B, class T, class Loss, template <class, class> class Penalty>
void ProximalGradient<B, T, Loss, Penalty>::extrapolate(double beta) {
  scalars_.set(kBeta, beta);
  be_.launch({d(), columns()},
             kernels::Extrapolate<T>{weights(n_), scalars_[kBeta], weights(w_), weights(v_)});
  be_.launch({n(), c()},
             kernels::Extrapolate<T>{scores(fn_), scalars_[kBeta], scores(fw_), scores(fv_)});
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
PatternPoint ProximalGradient<B, T, Loss, Penalty>::best(Index iterations) {
  PatternPoint point;
  point.V = fetch_as<T>(be_, (best_is_last_ ? w_ : best_w_).view(), d(), columns());
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
  keep(measure());
}

template <Backend B, class T, class Loss, template <class, class> class Penalty>
PatternPoint ProximalGradient<B, T, Loss, Penalty>::evaluate(const PatternPoint& point) {
  begin(point);
  gradient();
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
    gradient();
    const bool limit = options_.max_iterations > 0 && k >= options_.max_iterations;
    const bool solved = objective_ - bound_ <= options_.tolerance * objective_;
    if (solved || limit || control.stop() || !std::isfinite(objective_)) return best(k);
    if (on_check && !on_check({k, objective_, bound_})) return best(k);
    const std::optional<Step> taken = step();
    if (!taken || watch.idle(k, objective_ - bound_)) return best(k);
    keep(*taken);
    if (taken->overshoot > 0.0) {
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
