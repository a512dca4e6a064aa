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
#include "src/patterns/sample.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/joint_relu.hpp"
#include "src/solvers/pattern_network.hpp"
#include "src/solvers/working_set.hpp"

namespace relulift {
namespace {

// Patterns that a working set starts with, and takes in at once.
constexpr Index kFirstPatterns = 100, kMostJoin = 100;
// Of so many sampled patterns too many may carry neurons for a working set to pay.
constexpr Index kWhole = 500;
// What is proved of an exact solution, at least.
constexpr double kExactGap = 1e-4;
// Starts of one search for patterns that cannot be listed.
constexpr Index kSearches = 400;
// Rounds of refinement, and what one has to gain, relative, for another.
constexpr Index kRefinements = 10;
constexpr double kRefined = 1e-5;
// Between rounds, joint outputs are solved to this gap, in so many rounds of their own.
constexpr double kJointGap = 1e-3;
constexpr Index kJointRounds = 5;
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

Matrix input_weights(const Network& network) {
  return Eigen::Map<const Matrix>(network.U.data(), network.features, network.neurons);
}

// The network, and neurons of another that give nothing.
Network with_idle(Network network, const Network& other) {
  network.U.insert(network.U.end(), other.U.begin(), other.U.end());
  network.V.resize(network.V.size() + other.V.size());
  network.neurons += other.neurons;
  return network;
}

}  // namespace

// Every patch of a sample has the residual of the sample, e'S D_i Xbar [eq:pooled].
PatternOracle ProgramSession::of_samples(PatternOracle of_rows) const {
  return [this, of_rows = std::move(of_rows)](const PatternSet& held, const Matrix& E) {
    return of_rows(held, E.replicate(X_.rows() / E.rows(), 1));
  };
}

// Neurons above g (1 + this) are missing.
double ProgramSession::missing_slack() const { return 0.1 * options_.program.tolerance; }

// Where the interior point takes a part of the patterns: its steps on all of them cost more, and
// other solvers are less accurate.
bool ProgramSession::few_at_a_time(const GatedPatterns& gated) const {
  const ProgramOptions& program = options_.program;
  const Index patterns = gated.patterns.size();
  if (patterns <= 2 * kFirstPatterns) return false;
  if (options_.method == Method::exact) return true;
  if (patterns <= kWhole && interior_fits(patterns)) return false;
  return program.solver == ProgramSolver::automatic && interior_suits() &&
         interior_fits(kFirstPatterns) && gates_inside(X_, gated.gates);
}

PatternPoint ProgramSession::solve_over_list(const GatedPatterns& gated) {
  if (!few_at_a_time(gated)) return solve_over(gated);
  const ProgramOptions& program = options_.program;
  const double g = problem_.weight_decay;
  const auto told = [this](const WorkingSetRound& round) {
    return report({.phase = phase_,
                   .iteration = round.round,
                   .objective = round.objective,
                   .program_bound = round.bound});
  };
  WorkingSetResult result = solve_by_working_set(
      first_of(gated, kFirstPatterns, options_.seed), Y_, g, program.tolerance,
      [this](const GatedPatterns& some) { return solve_over(some); },
      of_samples(oracle_of(X_, gated, g, missing_slack(), kMostJoin)), control_, told);
  result_.program.rounds = result.rounds;
  result_.program.patterns = gated.patterns.size();
  return std::move(result.point);
}

Network ProgramSession::solve_relu(const GatedPatterns& gated) {
  if (options_.program.solver == ProgramSolver::decomposition) return solve_by_decomposition(gated);
  if (options_.program.refine) return refine(gated);
  const PatternPoint point = solve_over_list(gated);
  note_program(point);
  const Network network = relu_network(point, problem_.outputs);
  return joint() ? solve_joint_relu(gated, network, {.tolerance = options_.program.tolerance})
                 : network;
}

// Over the patterns held and those that searches find missing, which join.
Network ProgramSession::refine_once(GatedPatterns& held, const Network& trained, Index round) {
  const double g = problem_.weight_decay, tolerance = options_.program.tolerance;
  const auto seed = options_.seed + static_cast<std::uint64_t>(kSearches * round);
  // No bound: patterns that are not held are not known.
  const auto told = [this](const WorkingSetRound& round) {
    return report({.phase = phase_, .iteration = round.round, .objective = round.objective});
  };
  const PatternOracle oracle =
      either_oracle(oracle_of(X_, held, g, missing_slack(), kMostJoin),
                    ascent_oracle(X_, g, missing_slack(), kSearches, kMostJoin, seed, control_));
  const Index first = std::min(held.patterns.size(), kFirstPatterns);
  WorkingSetResult result = solve_by_working_set(
      first_of(held, first, options_.seed), Y_, g, tolerance,
      [this](const GatedPatterns& some) { return solve_over(some); }, of_samples(oracle), control_,
      told);
  result.point.bound = result.set_bound;
  append(held, result.gated);
  note_program(result.point);
  Network network = relu_network(result.point, problem_.outputs);
  if (joint()) {
    const bool better = objective_of(trained) < objective_of(network);
    network = solve_joint_relu(
        held, better ? with_idle(trained, network) : with_idle(network, trained),
        {.tolerance = std::max(kJointGap, tolerance), .most_rounds = kJointRounds});
  }
  result_.program.patterns = held.patterns.size();
  return network;
}

// Where time ended before the program was solved, the network that was trained may be the better
// one, and nothing is known of its patterns.
bool ProgramSession::take_trained(const Network& trained, Network& network) {
  const bool admitted = problem_.outputs == 1 || joint();
  if (pooled() || !admitted || !control_.stop()) return false;
  const double objective = objective_of(trained);
  if (!(objective < objective_of(network))) return false;
  network = trained;
  note_ends(objective, 0.0);
  return true;
}

// A search from random starts misses what training finds: the network is trained on, its patterns
// join, and so on while that pays. Training knows no filters.
Network ProgramSession::refine(const GatedPatterns& gated) {
  GatedPatterns held = gated;
  Network trained, best;
  if (!pooled()) trained = train(nullptr, 0);
  ProgramReport report;
  double objective = std::numeric_limits<double>::infinity();
  for (Index round = 0; round < kRefinements; ++round) {
    const auto seed = options_.seed + static_cast<std::uint64_t>(round);
    if (trained.neurons > 0)
      append(held, patterns_of(X_, gates_beside(X_, input_weights(trained), seed)));
    Network network = refine_once(held, trained, round);
    const bool unsolved = take_trained(trained, network);
    const bool pays = result_.program.objective < (1.0 - kRefined) * objective;
    if (result_.program.objective < objective) {
      objective = result_.program.objective;
      report = result_.program;
      best = std::move(network);
    }
    report.rounds = round + 1;
    if (!pays || unsolved || pooled() || control_.stop()) break;
    trained = train(&best, 0);
  }
  result_.program = report;
  if (!joint() || control_.stop()) return best;
  return solve_joint_relu(held, best, {.tolerance = options_.program.tolerance});
}

Network ProgramSession::solve_joint_relu(const GatedPatterns& gated, const Network& start,
                                         const JointOptions& effort) {
  const auto solver = [this](const Matrix& S, const GroupLassoPoint& from, double tolerance) {
    return engines_->refit(X_, Y_, problem_.weight_decay, S, from, tolerance, control_);
  };
  const JointRelu joint = relulift::solve_joint_relu(X_, Y_, problem_.weight_decay, gated.patterns,
                                                     start, effort, solver, control_, on_check());
  result_.program.solver = "exchange";
  note_ends(joint.point.objective, joint.bound);
  if (!options_.program.refine) result_.program.rounds = joint.rounds;
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

bool ProgramSession::bound_for_every_network() const {
  if (!relu() || options_.program.loss != Loss::squared || !memory_.prove_every_network)
    return false;
  return options_.engine != Engine::automatic ||
         (exchange_affordable(problem_) && problem_.features <= kConeFeatures);
}

// The sampled program says nothing of other networks: what the session of Method::sdp proves about
// a given one does.
void ProgramSession::prove_for_every_network() {
  const bool chosen = options_.engine != Engine::automatic;
  if (stopped_ || control_.out_of_time()) return;
  Options options = options_;
  options.method = Method::sdp;
  if (!chosen) options.engine = Engine::none;
  if (options_.method == Method::exact && !pooled()) options.gap = std::min(options.gap, kExactGap);
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
