// SPDX-License-Identifier: Apache-2.0
// The part of a session over patterns that ends in a ReLU network.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <relulift/error.hpp>
#include <string>
#include <utility>

#include "src/api/program_session.hpp"
#include "src/api/session.hpp"
#include "src/core/random.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/joint_relu.hpp"
#include "src/solvers/pattern_network.hpp"
#include "src/solvers/working_set.hpp"

namespace relulift {
namespace {

// Patterns that a working set starts with, and takes in at once.
constexpr Index kFirstPatterns = 100, kMostJoin = 100;
// What is proved of an exact solution, at least.
constexpr double kExactGap = 1e-4;
// Neurons above g (1 + this share of the tolerance) are missing.
constexpr double kMissingShare = 0.1;
// Starts of one search for patterns that cannot be listed.
constexpr Index kSearches = 400;
// Without a time limit the bound for every network may take this long.
constexpr double kBoundSeconds = 30.0;

GatedPatterns first_of(const GatedPatterns& all, Index count, std::uint64_t seed) {
  Random random(seed, 102);
  std::vector<Index> order(static_cast<std::size_t>(all.patterns.size()));
  std::iota(order.begin(), order.end(), 0);
  for (Index k = 0; k < count; ++k) {
    const auto left = static_cast<double>(all.patterns.size() - k);
    const Index other = k + static_cast<Index>(random.uniform() * left);
    std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(other)]);
  }
  order.resize(static_cast<std::size_t>(count));
  return subset(all, order);
}

}  // namespace

Network ProgramSession::solve_relu(const GatedPatterns& gated) {
  if (options_.program.solver == ProgramSolver::decomposition) return solve_by_decomposition(gated);
  const ProgramOptions& program = options_.program;
  const double g = problem_.weight_decay, slack = kMissingShare * program.tolerance;
  const bool listed = options_.method == Method::exact;
  const bool whole = !program.refine && (!listed || gated.patterns.size() <= 2 * kFirstPatterns);
  PatternPoint point;
  GatedPatterns held = gated;
  if (whole) {
    point = solve_over(gated);
  } else {
    GatedPatterns start = gated;
    if (listed) {
      start = first_of(gated, kFirstPatterns, options_.seed);
    } else {  // a search from random starts misses what training finds
      const GatedPatterns trained = patterns_of(X_, gates_of_a_network());
      append(start, trained);
    }
    const PatternOracle oracle =
        listed ? oracle_of(X_, gated, g, slack, kMostJoin)
               : ascent_oracle(X_, g, slack, kSearches, kMostJoin, options_.seed);
    const auto on_round = [this](const WorkingSetRound& round) {
      return report({.phase = phase_,
                     .iteration = round.round,
                     .objective = round.objective,
                     .program_bound = round.bound});
    };
    WorkingSetResult result = solve_by_working_set(
        start, Y_, g, program.tolerance,
        [this](const GatedPatterns& some) { return solve_over(some); }, oracle, control_, on_round);
    point = std::move(result.point);
    if (!listed) point.bound = result.set_bound;
    held = std::move(result.gated);
    result_.program.rounds = result.rounds;
    result_.program.patterns = held.patterns.size();
  }
  if (listed) result_.program.patterns = gated.patterns.size();
  note_program(point);
  const Network network = relu_network(point, problem_.outputs);
  return joint() ? solve_joint_relu(held, network) : network;
}

Network ProgramSession::solve_joint_relu(const GatedPatterns& gated, const Network& start) {
  const auto solver = [this](const Matrix& S, const GroupLassoPoint& from, double tolerance) {
    return engines_->refit(X_, Y_, problem_.weight_decay, S, from, tolerance, control_);
  };
  const JointRelu joint =
      relulift::solve_joint_relu(X_, Y_, problem_.weight_decay, gated.patterns, start,
                                 options_.program.tolerance, solver, control_, on_check());
  result_.program.solver = "exchange";
  note_ends(joint.point.objective, joint.bound);
  result_.program.rounds = joint.rounds;
  return network_of(joint.S, joint.point.W);
}

Result ProgramSession::solve_exactly() {
  Options options = options_;
  options.method = Method::sdp;
  options.engine = Engine::none;
  options.gap = options_.program.tolerance;
  Result result = Session(problem_, options).run();
  result.plan = "method exact by the exchange method; " + result.plan;
  if (result.status == Status::gap_met) result.status = Status::optimal;
  result.program = result_.program;
  result.program.solver = "exchange";
  result.program.all_patterns = true;
  result.program.objective = result.objective;
  result.program.bound = result.certificate.lower_bound;
  return result;
}

// The sampled program says nothing of other networks: what the session of Method::sdp proves about
// a given one does.
void ProgramSession::prove_for_every_network() {
  const bool chosen = options_.engine != Engine::automatic;
  if (!chosen && (!exchange_affordable(problem_) || problem_.features > kConeFeatures)) return;
  if (stopped_ || control_.out_of_time()) return;
  Options options = options_;
  options.method = Method::sdp;
  if (!chosen) options.engine = Engine::none;
  if (options_.method == Method::exact) options.gap = std::min(options.gap, kExactGap);
  const double spent = control_.seconds();
  options.time_limit_seconds =
      std::isfinite(options_.time_limit_seconds) ? control_.remaining() : kBoundSeconds + spent;
  options.on_progress = [this, spent](const Progress& progress) {
    if (!options_.on_progress) return true;
    Progress later = progress;
    later.seconds += spent;
    if (!options_.on_progress(later)) stopped_ = true;
    return !stopped_;
  };
  std::optional<Result> session;
  try {
    session = Session(problem_, options, &result_.network).run();
  } catch (const Error& error) {  // an engine that does not fit costs the bound, not the network
    result_.plan += "; no bound for every network: " + std::string(error.what());
    return;
  }
  Result& proved = *session;
  for (Progress& row : proved.trace) row.seconds += spent;
  for (BoundAttempt& bound : proved.bounds) bound.at_seconds += spent;
  proved.trace.insert(proved.trace.begin(), result_.trace.begin(), result_.trace.end());
  proved.suggestion.reset();
  proved.program = result_.program;
  proved.seconds.presolve += result_.seconds.presolve;
  proved.seconds.relaxation += result_.seconds.relaxation;
  proved.plan = result_.plan + "; bound: " + proved.plan;
  if (proved.status != Status::gap_met && proved.status != Status::numerical_failure)
    proved.status = stopped_ ? Status::interrupted : result_.status;
  result_ = std::move(proved);
}

}  // namespace relulift
