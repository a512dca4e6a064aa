// SPDX-License-Identifier: Apache-2.0
// L-BFGS for several independent problems of equal size at once, on the device: every step is one
// evaluation, and the line search is a state machine of device scalars (network_lbfgs.hpp), so
// the loop reads nothing back; the host looks at the state after each chunk of steps.
// Beside the evaluation a step with k pairs costs about 16 k flops per parameter and the traffic of
// 4 k entries of the basis (read twice) and about 15 more. T: the type of the basis. float halves
// that traffic; x, values and gradients are double.
#pragma once

#include <optional>
#include <utility>

#include "kernels/network_lbfgs.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"

namespace relulift {

// Objective: rows(), shape(neurons, starts), evaluate(P, G, values).
template <Backend B, class Objective, class T = double>
class Lbfgs {
 public:
  // capacity: columns of all starts together, each of objective.rows() parameters. pairs: columns
  // for them, 2 to kernels::kMostPairs, of which one is being filled.
  Lbfgs(B& be, Objective& objective, Index capacity, Index max_starts,
        Index pairs = kernels::kMostPairs)
      : be_(be),
        objective_(objective),
        rows_(objective.rows()),
        max_starts_(max_starts),
        pairs_(pairs),
        x_(be.matrix(rows_ * capacity, 1)),
        p_(be.matrix(stored(rows_ * capacity), 1)),
        trial_(be.matrix(rows_ * capacity, 1)),
        gradient_(be.matrix(rows_ * capacity, 1)),
        basis_(be.matrix(stored(rows_ * capacity * width()), 1)),
        fresh_(be.matrix(stored(rows_ * capacity * 3), 1)),
        gram_(be.matrix(width(), width() * max_starts)),
        fresh_gram_(be.matrix(stored(width() * 3 * max_starts), 1)),
        coefficients_(be.matrix(stored(width() * max_starts), 1)),
        state_(be.matrix(kernels::kLbfgsRows, max_starts)),
        values_(be.slots(max_starts)) {}

  // Of this object: `rows` parameters per column.
  static void count(Needs& needs, Index rows, Index capacity, Index max_starts,
                    Index pairs = kernels::kMostPairs) {
    const Index width = kernels::basis_columns(pairs), size = rows * capacity;
    for (int k = 0; k < 3; ++k) needs.matrix(size, 1);
    needs.matrix(stored(size), 1).matrix(stored(size * width), 1).matrix(stored(size * 3), 1);
    needs.matrix(width, width * max_starts).matrix(stored(width * 3 * max_starts), 1);
    needs.matrix(stored(width * max_starts), 1).matrix(kernels::kLbfgsRows, max_starts);
    needs.slots(max_starts);
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
    for (const View& view : {gram_.view(), state_.view()}) clear(view);
    for (const Entries& view : {entries(p_, 1), entries(basis_, width())}) clear(view);
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
  using Entries = MatrixView<T>;
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
  // Entries of type T live in matrices of double. `each` columns of parameters per start:
  Entries entries(const typename B::Matrix& m, Index each) const {
    return {reinterpret_cast<T*>(m.view().data), parameters_, starts_ * each, parameters_};
  }
  // `each` columns over the basis per start.
  Entries small(const typename B::Matrix& m, Index each) const {
    return {reinterpret_cast<T*>(m.view().data), width(), starts_ * each, width()};
  }
  static constexpr Index stored(Index count) { return doubles_for<T>(count); }
  Index width() const { return kernels::basis_columns(pairs_); }
  template <class U>
  void clear(MatrixView<U> view) {
    be_.launch({view.rows, view.cols}, kernels::Clear<U>{view});
  }

  void step() {
    using namespace kernels;
    const View state = state_.view();
    const Index k = width();
    const Entries basis = entries(basis_, k), fresh = entries(fresh_, 3), p = entries(p_, 1);
    const Entries products = small(fresh_gram_, 3), coefficients = small(coefficients_, 1);
    const Extent whole{parameters_, starts_};
    be_.launch(whole, TrialPoint<T>{flat(x_), state, p, flat(trial_)});
    objective_.evaluate(all(trial_), all(gradient_), values_[0]);
    be_.launch({starts_}, JudgeTrial{state, values_[0].address});
    be_.launch(whole, AcceptTrial<T>{pairs_, state, flat(trial_), flat(gradient_), flat(x_), basis,
                                     fresh});
    for (Index s = 0; s < starts_; ++s) {
      be_.gemm(Op::transpose, Op::none, 1.0, basis.block(0, s * k, parameters_, k),
               fresh.block(0, 3 * s, parameters_, 3), 0.0, products.block(0, 3 * s, k, 3));
    }
    be_.launch({starts_}, TwoLoop<T>{pairs_, state, gram_.view(), coefficients, products});
    for (Index s = 0; s < starts_; ++s) {
      be_.gemm(Op::none, Op::none, 1.0, basis.block(0, s * k, parameters_, k), coefficients.col(s),
               0.0, p.col(s));
    }
  }

  B& be_;
  Objective& objective_;
  Index rows_, max_starts_, pairs_, starts_ = 0, neurons_ = 0, parameters_ = 0;
  typename B::Matrix x_, p_, trial_, gradient_, basis_, fresh_, gram_, fresh_gram_, coefficients_,
      state_;
  typename B::Slots values_;
  std::optional<decltype(std::declval<B&>().record(Step{}))> step_;
};

}  // namespace relulift
