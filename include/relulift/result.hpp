// SPDX-License-Identifier: Apache-2.0
// What a solve returns.
#pragma once

#include <limits>
#include <optional>
#include <relulift/convolution.hpp>
#include <relulift/network.hpp>
#include <relulift/options.hpp>
#include <relulift/program.hpp>
#include <relulift/proof.hpp>
#include <string>
#include <vector>

namespace relulift {

// | status            | meaning; network and bound are valid in every row                        |
// | gap_met           | (objective - lower_bound)/objective <= Options::gap                       |
// | optimal           | the relaxation is solved to tolerance; the gap that is left is its own    |
// | stalled           | no improvement of bound or objective by 1e-4 relative in 25 checks, or    |
// |                   | no engine ran and training ended by itself, or the engine broke down      |
// |                   | after it had proved a bound                                               |
// | time_limit        | Options::time_limit_seconds passed                                        |
// | iteration_limit   | Options::max_iterations reached                                           |
// | interrupted       | on_progress returned false                                                |
// | numerical_failure | the engine broke down and proved nothing, an earlier bound still holds; or
// | |                   | bound and objective contradicted each other, then the claim is none |
enum class Status {
  gap_met,
  optimal,
  stalled,
  time_limit,
  iteration_limit,
  interrupted,
  numerical_failure
};

// Which networks a lower bound covers.
enum class Claim { none, every_network };

// Where the returned network came from.
enum class Winner { network, column_generation, rounding };

const char* to_string(Status status);
const char* to_string(Claim claim);
const char* to_string(Winner winner);

struct Certificate {
  // none, or every_network (of any width).
  Claim claim = Claim::none;
  // How the bound was proved:
  //   "none"      nothing was proved;
  //   "floor"     from norms of the data alone, without a solver;
  //   "cholesky"  multipliers of the relaxation, checked by a factorisation [eq:cholesky];
  //   "split"     multipliers for every cone of a partition of weight space [eq:split];
  //   "cones"     search over cones of weight space [eq:rescale].
  std::string kind = "none";
  // No network the claim covers has a smaller objective. -inf when nothing was proved.
  double lower_bound = -std::numeric_limits<double>::infinity();
  // What the multipliers would prove, by an estimate, where the proof did not fit into memory. It
  // proves nothing: no network need respect it. NaN when there is none.
  double estimate = std::numeric_limits<double>::quiet_NaN();
};

// The relaxation [eq:sdp] as the engine left it, presolve constants included. NaN where unknown.
struct Relaxation {
  std::string engine = "none";  // the last that ran: "dense", "low-rank", "interior", "none"
  std::string status = "none";  // of the engine alone: optimal, stalled, time_limit, ...
  // "low-rank", "interior": the least objective of a point feasible up to rounding, so p_sdp is at
  // most this [eq:primal].
  // "dense": an estimate.
  double primal = std::numeric_limits<double>::quiet_NaN();
  // The best value that the engine's multipliers proved: p_sdp is at least this.
  double dual = std::numeric_limits<double>::quiet_NaN();
  Index iterations = 0;
};

struct Seconds {
  double total = 0, presolve = 0, network = 0, relaxation = 0, certificate = 0, rounding = 0;
};

// A lower bound that was worked out, whether or not it became the best.
struct BoundAttempt {
  // "floor", "cones", "split", the engine whose multipliers it is ("low-rank", "interior",
  // "dense"), or "checkpoint" for those that an earlier run left.
  std::string method = "floor";
  std::string kind = "none";                                // as Certificate::kind
  double value = -std::numeric_limits<double>::infinity();  // -inf: nothing was proved
  double at_seconds = 0;                                    // since the start of solve
  double method_seconds = 0;  // that the method had run by then, its proofs included
  double proof_seconds = 0;   // of this proof alone; of "cones": of this search
};

// A neuron that lowers the objective of a network, all other weights kept.
struct NewNeuron {
  std::vector<double> u;                                        // input weights, features entries
  std::vector<double> v;                                        // output weights, outputs entries
  double objective = std::numeric_limits<double>::quiet_NaN();  // with it, by a forward pass
  double reduction = std::numeric_limits<double>::quiet_NaN();  // objective without less with it
};

struct Result {
  Status status = Status::numerical_failure;
  Network network;
  // [eq:train] of network, with the loss that was asked for; of Method::circular [eq:circular] of
  // filters.
  double objective = std::numeric_limits<double>::infinity();
  CircularNetwork filters;  // of Method::circular, the same function as network; else empty
  Winner winner = Winner::network;
  // Of certify(): objective of a better network met while the bound was worked on; NaN without one.
  double better_objective = std::numeric_limits<double>::quiet_NaN();
  // Of certify(): the neuron that lowers the objective most, of those a short search found; none
  // where no neuron was found that lowers it by more than a part in 1e6.
  std::optional<NewNeuron> suggestion;
  Certificate certificate;
  // In the order of time, the floor first; certificate has the largest, or what the verifier proves
  // of it. Empty when the claim was refuted.
  std::vector<BoundAttempt> bounds;
  Proof proof;  // of certificate.lower_bound; of kind "none" unless Options::keep_proof
  Relaxation relaxation;
  ProgramReport program;  // of the methods over patterns
  Seconds seconds;
  Index removed_rows = 0;  // zero and merged rows that presolve took out
  std::string device;      // what ran: "cpu" or "cuda: NAME"
  // Why the last checkpoint could not be written; empty when it was, or none was asked for.
  std::string checkpoint_failure;
  std::string plan;  // one sentence: which engines were chosen and why
  std::vector<Progress> trace;
};

}  // namespace relulift
