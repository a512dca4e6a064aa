// SPDX-License-Identifier: Apache-2.0
// Network training: minimise J [eq:train] over U, V and the width.
//  1. Several random networks by L-BFGS on J with its kinks rounded [eq:smooth], the rounding
//     lowered in steps: without it quasi-Newton methods stall where optimal neurons live, at the
//     kinks x_i'u = 0.
//  2. The union of all their directions is refitted as a convex program [eq:refit].
//  3. Rounds of column generation: directions with ||E'(Xu)_+|| > g enter [eq:ascent], refit,
//     L-BFGS again; until none is found, or rounds stop paying.
// Every step is kept only if J, by a separate forward pass, did not grow. The device loop reads
// back at checks only: once per chunk of L-BFGS steps, once per block of ascents and per refit. The
// clock is read between steps, so a limit costs one step more.
#pragma once

#include <algorithm>
#include <utility>

#include "src/core/control.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/column_generation.hpp"
#include "src/solvers/convex_refit.hpp"
#include "src/solvers/lbfgs.hpp"
#include "src/solvers/polish.hpp"
#include "src/solvers/train_setup.hpp"

namespace relulift {

template <Backend B>
class NetworkTrainer {
 public:
  NetworkTrainer(B& be, const ReducedProblem& problem, const TrainOptions& options);

  TrainReport run(const Control& control, const OnTrainCheck& on_check = {},
                  const Scanner& scanner = {});
  // From a given network; the result is never worse.
  TrainReport improve(const Weights& start, const Control& control,
                      const OnTrainCheck& on_check = {}, const Scanner& scanner = {});

 private:
  static constexpr Index kChunk = 25;     // L-BFGS steps between checks
  static constexpr double kTwin = 1e-10;  // 1 - cosine of neurons that are one

  void begin(const Control& control, const OnTrainCheck& on_check);
  void first_networks();
  void rounds(const Scanner& scanner);
  Directions missing(const Matrix& E, const Scanner& scanner);
  Weights with_new(const Weights& w, const Matrix& E, const Directions& found) const;
  // gram_ and correlation_ of the first k directions in S_; false when the time ran out in between.
  bool correlate(Index k);
  // J lowered by L-BFGS along the listed roundings. Starts of equal width, one after the other.
  Matrix descend(const Weights& w, Index starts, const std::vector<double>& smoothing);
  struct Refit {
    Weights best;  // the convex optimum on the directions of w, zeros dropped
    Weights wide;  // blended with `keep` times w: every direction stays alive
  };
  Refit refit(const Weights& w, double keep);
  // Keeps the network if it is better; offer cuts it to the width limit first.
  bool keep_better(const Weights& w, TrainSource source);
  bool offer(const Weights& w, TrainSource source);
  double objective(const Weights& w) const {
    return objective_of(residual(X_, Y_, w), w, g_) + constant_;
  }
  bool stop() const { return stopped_ || control_->stop(); }
  // Polled between the steps of long loops, which do not depend on it otherwise.
  auto poll() const {
    return [this] { return stop(); };
  }

  B& be_;
  TrainOptions options_;
  TrainCoordinates at_;
  Matrix X_, Y_;
  double g_, constant_;
  Index width_, capacity_, starts_, start_width_;
  SmoothedObjective<B> smoothed_;
  Lbfgs<B, SmoothedObjective<B>> lbfgs_;
  DirectionSearch<B> search_;
  typename B::Matrix S_, A_, gram_, correlation_;  // of the refit
  typename B::Matrix data_, targets_;
  Random random_;
  TrainReport best_;
  Weights current_;  // what L-BFGS goes on with; wider than best_
  const Control* control_ = nullptr;
  const OnTrainCheck* on_check_ = nullptr;
  bool stopped_ = false;
};

}  // namespace relulift

#include "src/solvers/train_network_impl.hpp"
