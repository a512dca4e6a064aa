// SPDX-License-Identifier: Apache-2.0
// Douglas-Rachford splitting for the relaxation [eq:sdp] on its face [eq:face]:
//     P = ((N' w N) - cost / rho)_+,  x = N P N',  y = prox(2 x - w),  w += relax (y - x)
// with N orthonormal, so that the first step is one eigendecomposition of order N = n + d + c.
// Section 5 of docs/math.md.
//
// Per iteration: the eigendecomposition, N^2 k flops of syrk (k columns kept of the positive part),
// 8 n^2 d flops of thin products, and one fused pass over the pairs of samples: about 8 n^2 doubles
// (64 n^2 bytes) read or written; w keeps 2n^2 doubles of the 2n x 2n block.
#pragma once

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/dense_pairs.hpp"
#include "kernels/dense_thin.hpp"
#include "kernels/slots.hpp"
#include "src/core/backend.hpp"
#include "src/core/control.hpp"
#include "src/core/transfer.hpp"
#include "src/lift/face.hpp"
#include "src/solvers/dense_admm_host.hpp"
#include "src/solvers/engine.hpp"
#include "src/solvers/termination.hpp"

namespace relulift {

template <Backend B>
class DenseAdmm {
 public:
  DenseAdmm(B& backend, const ReducedProblem& problem, const BlockScaling& scaling,
            const DenseAdmmOptions& options);

  // Starts from S of the network and G, H its residuals. Call at most once, before run.
  void warm_start(const Weights& weights);
  EngineOutcome run(const Control& control, const OnCheck& on_check);

 private:
  using MatrixB = typename B::Matrix;

  void start();      // w from P and the residuals
  void spectrum();   // not recordable: eigenvectors of M in place
  void expand();     // [eq:psd]: P, and x = N P N' up to entrywise sums
  void measure();    // [eq:stop]
  void update();     // [eq:prox] [eq:dual] and the fold of the new w
  void fold_thin();  // completes M = N' w N - cost / rho
  Measured read(Index iteration);
  void adapt();
  void set(Slot slot, double value) { be_.launch({1, 1}, kernels::SetSlot{slot, value}); }
  Multipliers multipliers();
  Matrix lifted();
  EngineOutcome outcome(Status status, const Measured& now);

  Index order() const { return face_.order(); }
  Index thin() const { return face_.d + face_.c; }
  MatrixView<double> loaded() { return M_.view().block(0, order() - kept_, order(), kept_); }
  kernels::FacePairs pairs() { return {P_.view(), R_.view(), T_.view()}; }
  kernels::PackedPairs state() { return {like_.view(), mixed_.view(), beta_.view()}; }
  // M shares nothing with P; E and F overwrite R and T.
  kernels::FoldPairs fold() { return {M_.view(), R_.view(), T_.view()}; }
  kernels::FaceThin rows() { return {face_.n, P_.view(), R_.view(), share_.view()}; }
  kernels::ThinProx prox() {
    return {face_.d,
            {target_.view(), weight_.view(), scale_.view()},
            {beta_target_.view(), beta_weight_.view(), scale_.view()}};
  }
  Slot rho() { return slots_[kRho]; }
  Slot next_rho() { return slots_[kNextRho]; }

  // kInfo is of the last eigendecomposition, kFailed of any since the start.
  enum SlotName : Index { kRho, kNextRho, kInfo, kFailed, kSums, kValues = kSums + 12 };

  B& be_;
  const ReducedProblem& problem_;
  DenseAdmmOptions options_;
  Face face_;
  Index kept_;
  bool warm_ = false;
  DenseSums sums_;
  MatrixB M_, P_, R_, T_, like_, mixed_, beta_;  // order^2 twice, n x order, n^2 three times
  MatrixB wa_, wb_, head_, product_, difference_, tail_;  // thin
  MatrixB half_X_, share_, cost_, target_, weight_, beta_target_, beta_weight_, scale_;
  typename B::Slots slots_;
  std::vector<double> host_;
};

template <Backend B>
DenseAdmm<B>::DenseAdmm(B& backend, const ReducedProblem& problem, const BlockScaling& scaling,
                        const DenseAdmmOptions& options)
    : be_(backend),
      problem_(problem),
      options_(options),
      face_(make_face(problem, scaling)),
      kept_(face_.order()),
      M_(be_.matrix(order(), order())),
      P_(be_.matrix(order(), order())),
      R_(be_.matrix(face_.n, order())),
      T_(be_.matrix(face_.n, face_.n)),
      like_(be_.matrix(face_.n, face_.n)),
      mixed_(be_.matrix(face_.n, face_.n)),
      beta_(be_.matrix(face_.n, 1)),
      wa_(be_.matrix(face_.n, thin())),
      wb_(be_.matrix(face_.n, thin())),
      head_(be_.matrix(thin(), thin())),
      product_(be_.matrix(face_.n, face_.d)),
      difference_(be_.matrix(face_.n, thin())),
      tail_(be_.matrix(face_.d, thin())),
      half_X_(be_.matrix(face_.n, face_.d)),
      share_(be_.matrix(thin(), 1)),
      cost_(be_.matrix(thin(), 1)),
      target_(be_.matrix(face_.n, face_.c)),
      weight_(be_.matrix(face_.n, 1)),
      beta_target_(be_.matrix(face_.n, face_.c)),
      beta_weight_(be_.matrix(face_.n, 1)),
      scale_(be_.matrix(face_.n, 1)),
      slots_(be_.slots(kValues + order())),
      host_(static_cast<std::size_t>(kValues + order())) {
  be_.reserve(Needs{}.syevd(order()));
  const LossData loss = loss_data(problem, face_);
  upload(be_, face_.half_X, half_X_.view());
  upload(be_, face_.share, share_.view());
  upload(be_, face_.cost, cost_.view());
  upload(be_, problem.Y, target_.view());
  upload(be_, loss.weight, weight_.view());
  upload(be_, loss.beta_target, beta_target_.view());
  upload(be_, loss.beta_weight, beta_weight_.view());
  upload(be_, loss.scale, scale_.view());
}

template <Backend B>
void DenseAdmm<B>::warm_start(const Weights& weights) {
  upload(be_, face_.to_face(gram(problem_, weights)), P_.view());
  warm_ = true;
}

template <Backend B>
void DenseAdmm<B>::start() {
  const auto X = half_X_.view();
  const Index n = face_.n, d = face_.d;
  set(rho(), options_.rho);
  set(next_rho(), options_.rho);
  be_.gemm(Op::none, Op::none, 1.0, X, P_.view().block(n, 0, d, order()), 0.0, R_.view());
  be_.gemm(Op::none, Op::transpose, 1.0, R_.view().block(0, n, n, d), X, 0.0, T_.view());
  be_.launch({n, thin()},
             kernels::ThinStart{rows(), wa_.view(), wb_.view(), difference_.view(), prox(), rho()});
  be_.launch({thin(), thin()},
             kernels::HeadStep{n, P_.view(), share_.view(), head_.view(), rho(), next_rho(), 0.0});
  const kernels::Triangle triangle{n};
  be_.launch(triangle.extent(), kernels::PairStart{triangle, pairs(), state(), fold()});
  fold_thin();
}

template <Backend B>
void DenseAdmm<B>::spectrum() {
  be_.syevd(M_.view(), slots_[kValues], slots_[kInfo]);
}

template <Backend B>
void DenseAdmm<B>::expand() {
  const auto X = half_X_.view();
  const Index n = face_.n, d = face_.d;
  // The largest kept_ eigenvalues; the host keeps that above the number of positive ones.
  const Slot values = slots_[kValues + order() - kept_];
  be_.launch({1, 1}, kernels::KeepFailure{slots_[kInfo], slots_[kFailed]});
  be_.launch({order(), kept_}, kernels::RootSpectrum{loaded(), values});
  be_.syrk(Op::none, 1.0, loaded(), 0.0, P_.view());
  be_.gemm(Op::none, Op::none, 1.0, X, P_.view().block(n, 0, d, order()), 0.0, R_.view());
  be_.gemm(Op::none, Op::transpose, 1.0, R_.view().block(0, n, n, d), X, 0.0, T_.view());
}

template <Backend B>
void DenseAdmm<B>::update() {
  const Index n = face_.n;
  const double relax = options_.relaxation;
  // The thin blocks of x first: the pairs overwrite R.
  be_.launch({n, thin()}, kernels::ThinStep{rows(), wa_.view(), wb_.view(), difference_.view(),
                                            prox(), rho(), next_rho(), relax});
  be_.launch({thin(), thin()}, kernels::HeadStep{n, P_.view(), share_.view(), head_.view(), rho(),
                                                 next_rho(), relax});
  const kernels::Triangle triangle{n};
  be_.launch(triangle.extent(),
             kernels::PairStep{triangle, pairs(), state(), fold(), rho(), next_rho(), relax});
  be_.launch({1, 1}, kernels::Accept{rho(), next_rho()});
  fold_thin();
}

template <Backend B>
void DenseAdmm<B>::fold_thin() {
  const auto X = half_X_.view();
  const Index n = face_.n, d = face_.d;
  const auto E = R_.view().block(0, 0, n, n);
  const auto difference = difference_.view();
  be_.gemm(Op::none, Op::none, 1.0, E, X, 0.0, product_.view());
  be_.launch({thin(), n}, kernels::FoldThin{n, d, product_.view(), wa_.view(), wb_.view(),
                                            share_.view(), M_.view()});
  be_.gemm(Op::none, Op::none, 0.5, T_.view(), X, 1.0, difference.block(0, 0, n, d));
  be_.gemm(Op::transpose, Op::none, 1.0, X, difference, 0.0, tail_.view());
  be_.launch({thin(), thin()}, kernels::FoldHead{n, d, tail_.view(), head_.view(), share_.view(),
                                                 cost_.view(), M_.view(), rho()});
}

template <Backend B>
void DenseAdmm<B>::measure() {
  const kernels::Triangle triangle{face_.n};
  const Extent all = triangle.extent(), side{face_.n, thin()}, head{thin(), thin()};
  const auto pair = [&](kernels::PairNorm what, Index k) {
    be_.sum(all, kernels::PairSquares{triangle, pairs(), state(), what}, slots_[kSums + k]);
  };
  const auto edge = [&](kernels::ThinNorm what, Index k) {
    be_.sum(side, kernels::ThinSums{rows(), wa_.view(), wb_.view(), prox(), rho(), what},
            slots_[kSums + k]);
  };
  pair(kernels::PairNorm::gap, 0);
  pair(kernels::PairNorm::point, 1);
  pair(kernels::PairNorm::multiplier, 2);
  edge(kernels::ThinNorm::gap, 3);
  edge(kernels::ThinNorm::point, 4);
  edge(kernels::ThinNorm::multiplier, 5);
  edge(kernels::ThinNorm::loss, 6);
  edge(kernels::ThinNorm::dual, 7);
  for (const bool gap : {true, false}) {
    be_.sum(head, kernels::HeadSums{face_.n, P_.view(), share_.view(), head_.view(), gap},
            slots_[kSums + (gap ? 8 : 9)]);
  }
  be_.sum({thin(), 1}, kernels::TraceTerm{face_.n, P_.view(), cost_.view()}, slots_[kSums + 10]);
}

template <Backend B>
Measured DenseAdmm<B>::read(Index iteration) {
  be_.fetch(slots_[0], host_);
  sums_ = DenseSums::from(host_.data() + kSums, host_[kRho]);
  Measured now;
  now.iteration = iteration;
  now.primal = sums_.primal + problem_.constant;
  now.dual = sums_.dual + problem_.constant;
  now.primal_residual = sums_.primal_residual();
  now.dual_residual = sums_.dual_residual();
  return now;
}

template <Backend B>
Multipliers DenseAdmm<B>::multipliers() {
  // M is free between expand and update: its eigenvectors have been used.
  const Index n = face_.n, c = face_.c;
  const kernels::Triangle triangle{n};
  const auto square = M_.view().block(0, 0, n, n), strip = M_.view().block(0, n, n, 1);
  PackedMultipliers packed{Matrix(n, n), Matrix(n, n), Matrix(n, 1), Matrix(n, c), Matrix(n, c)};
  for (const bool mixed : {false, true}) {
    be_.launch(triangle.extent(),
               kernels::PairMultipliers{
                   triangle, pairs(), state(), {square, square, strip}, mixed, rho()});
    fetch(be_, square, mixed ? packed.mixed : packed.like);
    if (!mixed) fetch(be_, strip, packed.beta);
  }
  const auto G = M_.view().block(0, 0, n, c), H = difference_.view().block(0, 0, n, c);
  be_.launch({n, c}, kernels::ThinMultipliers{rows(), wa_.view(), wb_.view(), prox(), G, H, rho()});
  fetch(be_, G, packed.G);
  fetch(be_, H, packed.H);
  return unpack(problem_, face_, packed);
}

template <Backend B>
Matrix DenseAdmm<B>::lifted() {
  Matrix P(order(), order());
  fetch(be_, P_.view(), P);
  return face_.from_face(P);
}

template <Backend B>
void DenseAdmm<B>::adapt() {
  set(next_rho(), next_penalty(options_, sums_));
  Index positive = 0;
  for (Index k = 0; k < order(); ++k)
    positive += host_[static_cast<std::size_t>(kValues + k)] > 0.0;
  kept_ = columns_to_keep(positive, order());
}

template <Backend B>
EngineOutcome DenseAdmm<B>::outcome(Status status, const Measured& now) {
  EngineOutcome out;
  out.status = status;
  out.iterations = now.iteration;
  out.primal = now.primal;
  out.dual = now.dual;
  if (status == Status::numerical_failure) return out;
  out.S = lifted();
  out.multipliers = multipliers();
  return out;
}

template <Backend B>
EngineOutcome DenseAdmm<B>::run(const Control& control, const OnCheck& on_check) {
  const Limits limits = options_.limits;
  const auto body = [this] { expand(); };
  auto project = be_.record(body);
  const auto step = be_.record([this] { update(); });
  const auto norms = be_.record([this] { measure(); });
  Stall stall;
  start();
  for (Index k = 1;; ++k) {
    spectrum();
    project.replay();
    // The eigensolver waits, so the clock tells how far the work is: a limit ends the next
    // iteration, not the next regular check, which may be a minute away.
    const bool hurry = control.stop();
    if (hurry || options_.due(k)) {
      norms.replay();
      const Measured now = read(k);
      if (host_[kFailed] != 0.0) return outcome(Status::numerical_failure, now);
      stall = advance(stall, now, limits);
      std::optional<Status> end = termination(now, stall, limits);
      if (!end && control.out_of_time()) end = Status::time_limit;
      EngineCheck check{k,
                        now.primal,
                        now.dual,
                        now.primal_residual,
                        now.dual_residual,
                        [this] { return multipliers(); }};
      if (hurry) check.multipliers = {};  // the outcome brings them: nobody certifies twice
      const bool go_on = !on_check || on_check(check);
      if (!end && (!go_on || hurry)) end = Status::interrupted;
      if (end) return outcome(*end, now);
      const Index before = kept_;
      adapt();
      if (kept_ != before) project = be_.record(body);
    }
    step.replay();
  }
}

}  // namespace relulift
