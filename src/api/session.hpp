// SPDX-License-Identifier: Apache-2.0
// One solve from presolve to result: network first, then whatever raises the bound, then rounding.
#pragma once

#include <memory>
#include <optional>
#include <relulift/solve.hpp>

#include "src/api/bound_keeper.hpp"
#include "src/api/checkpoint_writer.hpp"
#include "src/api/engines.hpp"
#include "src/api/plan.hpp"
#include "src/core/control.hpp"
#include "src/presolve/presolve.hpp"

namespace relulift {

class Exchange;

class Session {
 public:
  // `given`: a network to certify; it is never replaced, only the bound is worked on.
  Session(const Problem& problem, const Options& options, const Network* given = nullptr);
  Result run();

 private:
  enum class Beat { check, heartbeat };
  struct Candidate {
    Network network;
    double objective = std::numeric_limits<double>::infinity();  // on the data as given
    Winner winner = Winner::network;
  };

  // Takes over what an earlier run left: its network as the best so far, its multipliers for proof.
  void go_on_from(Checkpoint& earlier);
  void train();
  // Network and bound by the exchange method; whether nothing is left to gain, or no time.
  bool solve_by_exchange();
  bool exchange_follows() const;
  Control search_time() const;
  bool worth_proving(const Exchange& exchange) const;
  void prove(const Exchange& exchange);
  void note_scan(const Exchange& exchange, double seconds);
  // Of the record of a proof, from those of a search.
  double recording_seconds(double search) const;
  void prefer(const Network& network, double cost);
  void close_by_cones();
  bool cones_suffice() const;
  void relax();
  using EngineCall = EngineOutcome (Engines::*)(const ReducedProblem&, const EngineRequest&,
                                                const Control&, const OnCheck&);
  // One engine, in at most `share` of the time that is left; notes what it reached.
  EngineOutcome run_engine(const char* name, EngineCall call, const EngineRequest& request,
                           double share = 1.0);
  bool a_step_fits(double variables, double seconds) const;
  // Certifies; returns what is proved. The multipliers behind the best bound go into checkpoints.
  double offer_dual(const DualCandidate& multipliers);
  void note_dual(double proved);
  // Of the memory that is free, by the time a proof asks.
  static Index usable_memory();
  // For Result::bounds.
  void note_bound(const char* method, const BoundKeeper::Attempt& proof, double method_seconds);
  SplitCandidate candidate_of(const SplitPoint& point) const;
  // Raises the bound above p_sdp, from a solution on the whole space.
  void split(PairsPoint root);
  double proof_seconds() const;
  void round(const Matrix& S);
  Result finish();

  // Trains on from `start`; keeps what is better.
  void polish(const Weights& start, Winner winner);
  // Keeps the network if it is the best so far.
  void offer(const Weights& weights, Winner winner);
  void offer(const Weights& weights, Network network, Winner winner);
  TrainOptions train_options() const;
  Scanner scanner();
  void remember_missed(const Matrix& U);
  OnCheck on_engine_check();
  // winner: what the networks count as; by default what the trainer says.
  OnTrainCheck on_train_check(std::optional<Winner> winner = {});

  // Tells the caller; false when the caller wants to stop.
  bool report(const EngineCheck& check, Beat beat);
  // Polled from inside the engines: lets the caller stop a long phase between its checks.
  bool interrupted();
  Status status() const;
  double gap_of(double value) const;
  bool gap_met() const;
  double reference_objective(const Weights& weights) const {
    return objective(presolved_.reduced, weights);
  }
  bool enough() const { return gap_met() || control_.out_of_time() || stopped_; }

  Result result_;
  const Problem& problem_;
  Options options_;
  const Network* given_;
  CheckpointWriter checkpoint_;
  std::optional<Checkpoint> resumed_;
  Control control_;
  Presolved presolved_;
  std::unique_ptr<Engines> engines_;
  Plan plan_;
  BoundKeeper keeper_;
  Candidate best_;
  Weights best_weights_;  // of best_, reduced coordinates
  Matrix missed_;         // d x k: directions a full search met, for the next scan
  std::optional<Status> engine_status_;
  Index width_ = 0;  // neurons that training may use
  bool stopped_ = false;
  bool out_of_rounds_ = false;  // there was no time for another round of the exchange
  double engine_began_ = 0.0;   // seconds, of the engine whose multipliers are offered
  double last_report_ = 0.0;
  const char* phase_ = "presolve";
  Index phase_iteration_ = 0;
};

}  // namespace relulift
