// SPDX-License-Identifier: Apache-2.0
// What PatternAdmm does between iterations: bound, feasible point, penalty, and the loop itself.
// Included by its header.
#pragma once

#include <algorithm>

#include "src/solvers/gap_watch.hpp"
#include "src/solvers/pattern_admm_method.hpp"

namespace relulift {

// E of the split f = F u and the multipliers of the cones, scaled together into the dual.
template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::dual() {
  be_.launch({n()}, kernels::DualOfScores<T>{loss_.kind, loss_.delta, scores(f_), scores(fz_),
                                             scores(y_), scalars_[kRho], scores(r_)});
  adjoint(scores(r_), kernels::ConePart::multiplier, kDualWeight, weights(u_));
  penalty_.dual(weights(u_), scalars_[kDualNorm]);
  be_.launch(
      {1}, kernels::DualFactor{scalars_[kDualNorm], request_.weight_decay, 1.0, scalars_[kFactor]});
  be_.sum({n()}, kernels::LossBound<Loss>{loss_, scores(r_), scores(y_), scalars_[kFactor]},
          scalars_[kBound]);
  const auto [scale, bound] = scalars_.template read<2>(kFactor);
  if (!(bound > best_.bound && std::isfinite(bound))) return;  // NaN and overflow prove nothing
  best_.bound = bound;
  best_.E = scale * fetch_as<T>(be_, r_.view(), n(), c());
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::primal() {
  const Matrix& basis = basis_.basis;
  View at = weights(v_);
  Matrix W;
  if (cones()) {
    W = cones_->repaired(basis * fetch_as<T>(be_, v_.view(), d(), columns()));
    upload_as<T>(be_, Matrix(basis.transpose() * W), u_.view());
    at = weights(u_);
  }
  forward(at, scores(r_));
  be_.sum({n()}, kernels::LossValue<Loss>{loss_, scores(r_), scores(y_)}, scalars_[kLoss]);
  penalty_.value(at, scalars_[kOmega]);
  const auto [loss, omega] = scalars_.template read<2>(kLoss);
  const double value = loss + request_.weight_decay * omega;
  if (!(value < best_.objective)) return;
  best_.objective = value;
  if (!cones()) W = fetch_as<T>(be_, v_.view(), d(), columns());
  if (!cones() && basis.size() > 0) W = basis * W;
  best_.V = W.leftCols(half());
  if (cones()) best_.N = W.rightCols(half());
}

template <Backend B, class T, template <class, class> class Penalty>
typename PatternAdmm<B, T, Penalty>::Residuals PatternAdmm<B, T, Penalty>::residuals() {
  using Between = kernels::SquaredDifference<T>;
  using BetweenWeights = kernels::MetricDifference<T>;
  const View f = scores(f_), fz = scores(fz_), v = weights(v_), vz = weights(vz_);
  const View f_before = scores(f_before_), v_before = weights(v_before_);
  const double* const m = metric(kPull);
  const Extent of_scores{n(), c()}, of_weights{d(), columns()};
  const Index tiles = cone_tiles();
  if (tiles > 0)
    be_.sum_columns({tiles, 4}, kernels::ConeTotal{cone_sums_[0].address}, scalars_[kCones]);
  Index to = kSplits;
  be_.sum(of_scores, Between{scores(t_), f}, scalars_[to++]);
  be_.sum(of_weights, BetweenWeights{weights(u_), v, m}, scalars_[to++]);
  be_.sum(of_scores, Between{f, f_before}, scalars_[to++]);
  be_.sum(of_weights, BetweenWeights{v, v_before, m}, scalars_[to++]);
  be_.sum(of_scores, kernels::EntrySquare<T>{f}, scalars_[to++]);
  be_.sum(of_weights, kernels::MetricSquare<T>{v, m}, scalars_[to++]);
  be_.sum(of_scores, Between{fz, f}, scalars_[to++]);
  be_.sum(of_weights, BetweenWeights{vz, v, m}, scalars_[to++]);
  const auto s = scalars_.template read<12>(kCones);
  const double w = options_.cone * static_cast<double>(products_.patterns());
  return {w * s[0] + s[4] + s[5], w * s[1] + s[6] + s[7], w * s[2] + s[8] + s[9],
          w * s[3] + s[10] + s[11]};
}

// The penalty follows the ratio of the relative residuals (Boyd et al. 2011, 3.4.1); a bounded
// number of times, beyond which convergence is that of a fixed one.
template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::balance() {
  // kInner: error of the linear step beside the residuals of the splits.
  constexpr double kInner = 0.02, kApart = 3.0, kFactorAtMost = 5.0;
  const auto [primal, change, size, duals] = residuals();
  const double ratio = std::sqrt(primal * duals / (change * size));
  if (!std::isfinite(ratio) || ratio <= 0.0) return;
  const double relative = std::sqrt(std::min(primal / size, change / duals));
  accuracy_ = std::clamp(kInner * relative, least_accuracy(), accuracy_);
  if (adaptions_ >= options_.adaptions || (ratio < kApart && ratio > 1.0 / kApart)) return;
  ++adaptions_;
  set_penalty(rho_ * std::clamp(std::sqrt(ratio), 1.0 / kFactorAtMost, kFactorAtMost));
}

template <Backend B, class T, template <class, class> class Penalty>
PatternPoint PatternAdmm<B, T, Penalty>::run(const Control& control, const OnProgram& on_check) {
  constexpr Index kFirst = 10, kLongest = 100;  // iterations between checks
  rho_ = options_.penalty;
  // Feasible at both ends, whatever becomes of the iterates.
  best_.V = Matrix::Zero(d(), half());
  if (cones_ != nullptr) best_.N = best_.V;
  best_.E = Matrix::Zero(n(), c());
  begin(request_.start);
  GapWatch watch;
  Index next = 0;
  bool measured = false;
  for (Index k = 0;; ++k) {
    const bool limit = options_.max_iterations > 0 && k >= options_.max_iterations;
    const bool stop = limit || control.stop();
    if (stop || k >= next) {
      if (measured) balance();
      dual();
      primal();
      best_.iterations = k;
      const bool solved = best_.objective - best_.bound <= options_.tolerance * best_.objective;
      if (stop || solved || !std::isfinite(best_.objective)) return best_;
      if (watch.idle(k, best_.objective - best_.bound)) return best_;
      if (on_check && !on_check({k, best_.objective, best_.bound})) return best_;
      next = k + std::clamp(k / 8, kFirst, kLongest);
    }
    const bool before_check = k + 1 >= next;
    if (before_check) remember();
    measured = before_check;
    // Summable in k, as convergence asks for.
    iterate(std::min(accuracy_, 0.1 * std::pow(static_cast<double>(k + 1), -1.5)),
            before_check ? Measure::residuals : Measure::nothing);
  }
}

}  // namespace relulift
