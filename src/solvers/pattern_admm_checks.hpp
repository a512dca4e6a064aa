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
  const double g = request_.weight_decay;
  const double scale = g / std::max(g, penalty_.dual(weights(u_)));
  set(kFactor, scale);
  be_.sum({n()}, kernels::LossBound<Loss>{loss_, scores(r_), scores(y_), scalars_[kFactor]},
          scalars_[kSum]);
  const double bound = read(kSum);
  if (!(bound > best_.bound)) return;
  best_.bound = bound;
  best_.E = scale * fetch_as<T>(be_, r_.view(), n(), c());
}

template <Backend B, class T, template <class, class> class Penalty>
double PatternAdmm<B, T, Penalty>::value_of(View F) {
  be_.sum({n()}, kernels::LossValue<Loss>{loss_, F, scores(y_)}, scalars_[kSum]);
  return read(kSum);
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
  const double value = value_of(scores(r_)) + request_.weight_decay * penalty_.value(at);
  if (!(value < best_.objective)) return;
  best_.objective = value;
  if (!cones()) W = fetch_as<T>(be_, v_.view(), d(), columns());
  if (!cones() && basis.size() > 0) W = basis * W;
  best_.V = W.leftCols(half());
  if (cones()) best_.N = W.rightCols(half());
}

// ||a - b||^2 in the metric of its split; ||a||^2 without b.
template <Backend B, class T, template <class, class> class Penalty>
double PatternAdmm<B, T, Penalty>::sum_of_squares(const typename B::Matrix& a,
                                                  const typename B::Matrix& b, bool of_scores) {
  if (of_scores) {
    be_.sum({n(), c()}, kernels::SquaredDifference<T>{scores(a), scores(b)}, scalars_[kSum]);
  } else {
    be_.sum({d(), columns()}, kernels::MetricDifference<T>{weights(a), weights(b), metric(kPull)},
            scalars_[kSum]);
  }
  return read(kSum);
}

template <Backend B, class T, template <class, class> class Penalty>
std::array<double, 4> PatternAdmm<B, T, Penalty>::cone_residuals() {
  std::array<double, 4> sums{};
  if (!cones()) return sums;
  be_.fetch(cone_sums_[0], cone_sums_here_);
  const double weight = options_.cone * static_cast<double>(products_.patterns());
  for (std::size_t k = 0; k < cone_sums_here_.size(); ++k)
    sums[k % 4] += weight * cone_sums_here_[k];
  return sums;
}

// The penalty follows the ratio of the relative residuals (Boyd et al. 2011, 3.4.1); a bounded
// number of times, beyond which convergence is that of a fixed one.
template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::balance() {
  // kInner: error of the linear step beside the residuals of the splits.
  constexpr double kInner = 0.02, kApart = 3.0, kFactorAtMost = 5.0;
  auto [primal, change, size, duals] = cone_residuals();
  primal += sum_of_squares(t_, f_, true) + sum_of_squares(u_, v_, false);
  change += sum_of_squares(f_, f_before_, true) + sum_of_squares(v_, v_before_, false);
  be_.launch({n(), c()}, kernels::ZeroEntries<T>{scores(f_before_)});
  be_.launch({d(), columns()}, kernels::ZeroEntries<T>{weights(v_before_)});
  size += sum_of_squares(f_, f_before_, true) + sum_of_squares(v_, v_before_, false);
  duals += sum_of_squares(fz_, f_, true) + sum_of_squares(vz_, v_, false);
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
