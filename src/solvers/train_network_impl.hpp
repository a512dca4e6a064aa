// SPDX-License-Identifier: Apache-2.0
// Bodies of NetworkTrainer; included by train_network.hpp alone.
#pragma once

#include <cmath>
#include <deque>

namespace relulift {

template <Backend B>
NetworkTrainer<B>::NetworkTrainer(B& be, const ReducedProblem& problem, const TrainOptions& options)
    : be_(be),
      options_(options),
      at_(train_coordinates(problem, options.whitening)),
      X_(problem.stacked_X()),
      Y_(problem.stacked_Y()),
      g_(problem.weight_decay),
      constant_(problem.constant),
      width_(options.max_neurons > 0 ? options.max_neurons : default_width(X_.rows())),
      capacity_(width_ + options.new_directions),
      starts_(options.starts > 0 ? options.starts : default_starts(X_.rows())),
      start_width_(
          std::clamp<Index>(options.start_neurons > 0 ? options.start_neurons : width_ / starts_, 1,
                            std::max<Index>(1, width_ / starts_))),
      smoothed_(be, at_.samples, capacity_, starts_),
      lbfgs_(be, smoothed_, capacity_, starts_),
      search_(be, X_, Y_.cols(), options.ascents + capacity_),
      S_(be.matrix(X_.cols(), capacity_)),
      A_(be.matrix(std::min(X_.rows(), refit_slice(capacity_)), capacity_)),
      gram_(be.matrix(capacity_, capacity_)),
      correlation_(be.matrix(capacity_, Y_.cols())),
      data_(be.matrix(X_.rows(), X_.cols())),
      targets_(be.matrix(X_.rows(), Y_.cols())),
      random_(options.seed, 17) {
  upload(be_, X_, data_.view());
  upload(be_, Y_, targets_.view());
}

template <Backend B>
void NetworkTrainer<B>::begin(const Control& control, const OnTrainCheck& on_check) {
  control_ = &control;
  on_check_ = &on_check;
  stopped_ = false;
  best_ = {};
  random_ = Random(options_.seed, 17);
  offer({Matrix(X_.cols(), 0), Matrix(Y_.cols(), 0)}, TrainSource::network);
}

template <Backend B>
TrainReport NetworkTrainer<B>::run(const Control& control, const OnTrainCheck& on_check,
                                   const Scanner& scanner) {
  begin(control, on_check);
  first_networks();
  rounds(scanner);
  return best_;
}

template <Backend B>
TrainReport NetworkTrainer<B>::improve(const Weights& start, const Control& control,
                                       const OnTrainCheck& on_check, const Scanner& scanner) {
  begin(control, on_check);
  Weights w = merged_duplicates(start);
  keep_better(start, TrainSource::network);
  keep_better(w, TrainSource::network);
  current_ = std::move(w);
  rounds(scanner);
  return best_;
}

template <Backend B>
bool NetworkTrainer<B>::offer(const Weights& w, TrainSource source) {
  if (w.neurons() > width_) return keep_better(largest(w, width_), source);
  return keep_better(w, source);
}

template <Backend B>
bool NetworkTrainer<B>::keep_better(const Weights& w, TrainSource source) {
  const double J = objective(w);
  if (!(J < best_.objective)) return false;
  best_.weights = w;
  best_.objective = J;
  best_.source = source;
  if (*on_check_ && !(*on_check_)(best_)) stopped_ = true;
  return true;
}

template <Backend B>
void NetworkTrainer<B>::first_networks() {
  Weights all;
  for (Index s = 0; s < starts_; ++s) {
    all = joined(all, random_weights(at_, X_, start_width_, random_));
  }
  all = at_.weights(descend(all, starts_, options_.first_smoothing));
  for (Index s = 0; s < starts_; ++s) {
    offer(balanced({all.U.middleCols(s * start_width_, start_width_),
                    all.V.middleCols(s * start_width_, start_width_)},
                   1e-9),
          TrainSource::network);
  }
  current_ = best_.weights;
  if (starts_ == 1 || stop()) return;
  // The union is refitted from the best start; the others bring directions.
  all.V *= 1e-3;
  const Refit fit =
      refit(largest(merged_duplicates(joined(current_, balanced(all)), kTwin), capacity_), 0.5);
  offer(fit.best, TrainSource::network);
  current_ = fit.wide;
}

template <Backend B>
Matrix NetworkTrainer<B>::descend(const Weights& w, Index starts,
                                  const std::vector<double>& smoothing) {
  if (w.neurons() == 0) return at_.parameters(w);
  lbfgs_.begin(at_.parameters(w), starts);
  for (const double eps : smoothing) {
    if (stop()) break;
    smoothed_.set_smoothing(eps);
    lbfgs_.restart();
    double before = std::numeric_limits<double>::infinity();
    for (Index done = 0; done < options_.evaluations && !stop(); done += kChunk) {
      best_.iteration += lbfgs_.advance(kChunk, poll());
      const Matrix state = lbfgs_.state();
      const double value = state.row(kernels::kValue).sum();
      if (state.row(kernels::kDone).minCoeff() > 0.0) break;
      if (before - value < 1e-5 * value) break;
      before = value;
    }
  }
  return lbfgs_.point();
}

template <Backend B>
bool NetworkTrainer<B>::correlate(Index k) {
  const Index n = X_.rows(), d = X_.cols(), c = Y_.cols(), slice = A_.view().rows;
  const auto S = S_.view().block(0, 0, d, k);
  for (Index first = 0; first < n; first += slice) {
    if (first > 0 && stop()) return false;
    const Index count = std::min(slice, n - first);
    const double keep = first > 0 ? 1.0 : 0.0;
    const auto A = A_.view().block(0, 0, count, k);
    be_.gemm(Op::none, Op::none, 1.0, data_.view().block(first, 0, count, d), S, 0.0, A);
    be_.launch({count, k}, kernels::ReLU{A, A});
    be_.syrk(Op::transpose, 1.0, A, keep, gram_.view().block(0, 0, k, k));
    be_.gemm(Op::transpose, Op::none, 1.0, A, targets_.view().block(first, 0, count, c), keep,
             correlation_.view().block(0, 0, k, c));
  }
  return true;
}

template <Backend B>
typename NetworkTrainer<B>::Refit NetworkTrainer<B>::refit(const Weights& w, double keep) {
  if (w.neurons() == 0) return {w, w};
  const Index k = w.neurons(), c = Y_.cols();
  const Vector norm = w.U.colwise().norm();
  const Matrix S = w.U.array().rowwise() / norm.transpose().array();
  upload(be_, S, S_.view().block(0, 0, X_.cols(), k));
  if (!correlate(k)) return {w, w};
  RefitProblem problem{Matrix(k, k), Matrix(k, c), Y_.squaredNorm(), g_};
  fetch(be_, gram_.view().block(0, 0, k, k), problem.gram);
  fetch(be_, correlation_.view().block(0, 0, k, c), problem.correlation);
  const Matrix start = norm.asDiagonal() * w.V.transpose();
  const RefitResult fit = convex_refit(problem, start, 2e-5, 500, *control_);
  // By convexity J(blend) <= (1 - keep) J(fit) + keep J(w).
  const Matrix blend = (1.0 - keep) * fit.W + keep * start;
  return {balanced({S, fit.W.transpose()}), balanced({S, blend.transpose()}, 1e-9)};
}

template <Backend B>
Directions NetworkTrainer<B>::missing(const Matrix& E, const Scanner& scanner) {
  Matrix S(X_.cols(), options_.ascents + best_.weights.neurons());
  S << random_directions(at_, X_, options_.ascents, random_), best_.weights.U;
  Directions found = search_.ascend(E, S, options_.ascent_iterations, poll());
  const double threshold = g_ * (1.0 + options_.tolerance);
  if (scanner) {
    const Matrix scanned = scanner(E, threshold);
    const Matrix F = E.transpose() * (X_ * scanned).cwiseMax(0.0);
    Directions both{Matrix(S.rows(), S.cols() + scanned.cols()), Vector(S.cols() + scanned.cols())};
    both.S << found.S, scanned;
    both.value << found.value, F.colwise().norm().transpose();
    found = std::move(both);
  }
  best_.kappa_found = found.value.size() > 0 ? found.value.maxCoeff() / g_ : 0.0;
  return distinct(found, options_.new_directions, threshold, 1.0 - 1e-5);
}

// New neurons point along E'(Xs)_+ with sizes in proportion to the violation; one exact line
// search over the common factor t of 1/2 ||E - t F||^2 + g t sum.
template <Backend B>
Weights NetworkTrainer<B>::with_new(const Weights& w, const Matrix& E,
                                    const Directions& found) const {
  const Matrix A = (X_ * found.S).cwiseMax(0.0);
  Matrix V = E.transpose() * A;
  const Vector norm = V.colwise().norm();
  const Vector violation = (norm.array() - g_).cwiseMax(1e-12 * g_);
  V = V * (violation.cwiseQuotient(norm)).asDiagonal();
  const Matrix F = A * V.transpose();
  const double gain = F.cwiseProduct(E).sum() - g_ * violation.sum();
  const double t = std::max(0.0, gain) / std::max(F.squaredNorm(), 1e-300);
  return joined(w, balanced({found.S, t * V}));
}

template <Backend B>
void NetworkTrainer<B>::rounds(const Scanner& scanner) {
  std::deque<double> history{best_.objective};
  while (!stop() && best_.rounds < options_.max_rounds) {
    const Matrix E = residual(X_, Y_, best_.weights);
    const Directions found = missing(E, scanner);
    const bool grows = found.value.size() > 0;
    const TrainSource source = grows ? TrainSource::column_generation : best_.source;
    Weights w = largest(merged_duplicates(current_, kTwin), width_);
    if (grows) w = with_new(w, residual(X_, Y_, w), found);
    const Refit fit = refit(w, options_.keep);
    offer(fit.best, source);
    if (stop()) break;
    current_ = balanced(at_.weights(descend(fit.wide, 1, options_.smoothing)), 1e-9);
    offer(current_, source);
    if (stop()) break;
    offer(refit(merged_duplicates(current_, kTwin), 0.0).best, source);
    ++best_.rounds;
    history.push_back(best_.objective);
    if (static_cast<Index>(history.size()) > options_.patience) {
      if (history.front() - best_.objective <= options_.stall * best_.objective) break;
      history.pop_front();
    }
    if (!grows) break;
  }
}

}  // namespace relulift
