// SPDX-License-Identifier: Apache-2.0
// L-BFGS for several independent problems of equal size at once, on the device: every step is one
// evaluation, and the line search is a state machine of device scalars (network_lbfgs.hpp), so
// the loop reads nothing back; the host looks at the state after each chunk of steps.
// Beside the evaluation a step costs about 200 flops and 60 doubles of traffic per parameter.
#pragma once

#include <optional>
#include <utility>

#include "kernels/network_lbfgs.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"

namespace relulift {

// Objective: rows(), shape(neurons, starts), evaluate(P, G, values).
template <Backend B, class Objective>
class Lbfgs {
 public:
  // capacity: columns of all starts together, each of objective.rows() parameters.
  Lbfgs(B& be, Objective& objective, Index capacity, Index max_starts)
      : be_(be),
        objective_(objective),
        rows_(objective.rows()),
        max_starts_(max_starts),
        x_(be.matrix(rows_ * capacity, 1)),
        p_(be.matrix(rows_ * capacity, 1)),
        trial_(be.matrix(rows_ * capacity, 1)),
        gradient_(be.matrix(rows_ * capacity, 1)),
        basis_(be.matrix(rows_ * capacity * kernels::kBasis, 1)),
        fresh_(be.matrix(rows_ * capacity * 3, 1)),
        gram_(be.matrix(kernels::kBasis, kernels::kBasis * max_starts)),
        fresh_gram_(be.matrix(kernels::kBasis, 3 * max_starts)),
        coefficients_(be.matrix(kernels::kBasis, max_starts)),
        state_(be.matrix(kernels::kLbfgsRows, max_starts)),
        values_(be.slots(max_starts)) {}

  // Of this object: `rows` parameters per column.
  static void count(Needs& needs, Index rows, Index capacity, Index max_starts) {
    using namespace kernels;
    for (int k = 0; k < 4; ++k) needs.matrix(rows * capacity, 1);
    needs.matrix(rows * capacity * kBasis, 1).matrix(rows * capacity * 3, 1);
    needs.matrix(kBasis, kBasis * max_starts).matrix(kBasis, 3 * max_starts);
    needs.matrix(kBasis, max_starts).matrix(kLbfgsRows, max_starts).slots(max_starts);
  }

  // x: rows() x (columns of all starts), start after start.
  void begin(const Matrix& x, Index starts) {
    starts_ = starts;
    neurons_ = x.cols() / starts;
    parameters_ = rows_ * neurons_;
    objective_.shape(neurons_, starts);
    upload(be_, x, all(x_));
    restart();
    step_.emplace(be_.record(Step{this}));
  }

  // The objective changed (smoothing): forget pairs and values, keep x.
  void restart() {
    for (const View& view :
         {flat(p_), stacked(basis_, kernels::kBasis), gram_.view(), state_.view()})
      be_.launch({view.rows, view.cols}, kernels::Clear{view});
  }

  // Enqueues up to `evaluations` steps, none once stop() says so; no read-back. Returns how many.
  template <class Stop>
  Index advance(Index evaluations, const Stop& stop) {
    Index done = 0;
    for (; done < evaluations && !stop(); ++done) step_->replay();
    return done;
  }

  // The state after what was enqueued, one column per start (kernels::LbfgsRow); waits.
  Matrix state() {
    Matrix s(kernels::kLbfgsRows, max_starts_);
    fetch(be_, state_.view(), s);
    return s.leftCols(starts_);
  }
  Matrix point() {
    Matrix x(rows_, neurons_ * starts_);
    fetch(be_, all(x_), x);
    return x;
  }

 private:
  using View = MatrixView<double>;
  struct Step {
    Lbfgs* self = nullptr;
    void operator()() const { self->step(); }
  };
  // A block of parameters is allocated as one column, so these views do not depend on the stride a
  // backend gives to matrices. All neurons of all starts:
  View all(const typename B::Matrix& m) const {
    return {m.view().data, rows_, neurons_ * starts_, rows_};
  }
  // Parameters of one start as one column.
  View flat(const typename B::Matrix& m) const {
    return {m.view().data, parameters_, starts_, parameters_};
  }
  // `each` such columns per start.
  View stacked(const typename B::Matrix& m, Index each) const {
    return {m.view().data, parameters_, starts_ * each, parameters_};
  }

  void step() {
    using namespace kernels;
    const View state = state_.view();
    const View basis = stacked(basis_, kBasis), fresh = stacked(fresh_, 3);
    const Extent whole{parameters_, starts_};
    be_.launch(whole, TrialPoint{flat(x_), flat(p_), state, flat(trial_)});
    objective_.evaluate(all(trial_), all(gradient_), values_[0]);
    be_.launch({starts_}, JudgeTrial{state, values_[0].address});
    be_.launch(whole, AcceptTrial{state, flat(trial_), flat(gradient_), flat(x_), basis, fresh});
    for (Index s = 0; s < starts_; ++s) {
      be_.gemm(Op::transpose, Op::none, 1.0, basis.block(0, s * kBasis, parameters_, kBasis),
               fresh.block(0, 3 * s, parameters_, 3), 0.0,
               fresh_gram_.view().block(0, 3 * s, kBasis, 3));
    }
    be_.launch({starts_}, TwoLoop{state, gram_.view(), coefficients_.view(), fresh_gram_.view()});
    for (Index s = 0; s < starts_; ++s) {
      be_.gemm(Op::none, Op::none, 1.0, basis.block(0, s * kBasis, parameters_, kBasis),
               coefficients_.view().col(s), 0.0, flat(p_).col(s));
    }
  }

  B& be_;
  Objective& objective_;
  Index rows_, max_starts_, starts_ = 0, neurons_ = 0, parameters_ = 0;
  typename B::Matrix x_, p_, trial_, gradient_, basis_, fresh_, gram_, fresh_gram_, coefficients_,
      state_;
  typename B::Slots values_;
  std::optional<decltype(std::declval<B&>().record(Step{}))> step_;
};

}  // namespace relulift
