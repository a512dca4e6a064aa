// SPDX-License-Identifier: Apache-2.0
// The part of a session where the whole sphere can be searched: network and bound by the exchange
// method [eq:exchange].
#include <algorithm>
#include <thread>
#include <utility>

#include "src/api/session.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/polish.hpp"

namespace relulift {
namespace {

// Caps of one search of the sphere.
constexpr double kSearchSeconds = 60.0, kSearchShare = 0.5;
// A proof is worth its search when it closes this share of the gap. The one that ends the session
// waits for this share of the wanted gap: another round costs little and gains much.
constexpr double kWorthProving = 0.5, kComfort = 0.25;
// Another round is begun where there is time for so many of the last one.
constexpr double kRounds = 2.0;
// A gap that is left to nobody: beyond it a width limit keeps the network from the optimum, say.
constexpr double kNothingLeft = 1e-3;
// The record of the proof takes this many times a search, times the threads that the search has: it
// has one, and the verifier's arithmetic.
constexpr double kRecording = 6.0;
// Of the time left, for one refit.
constexpr double kRefitShare = 0.4;
// What fewer neurons may cost, relative.
constexpr double kSparserCost = 1e-5;

}  // namespace

bool Session::solve_by_exchange() {
  if (!exchange_follows()) return false;
  Exchange exchange(problem_, presolved_.network(best_weights_),
                    {.gap = options_.gap, .threads = options_.threads});
  const auto solver = [this](const Matrix& X, const Matrix& Y, const Matrix& S,
                             const GroupLassoPoint& from, double tolerance) {
    // The directions of a trained network may be too many for the time there is.
    const Control share = control_.within(kRefitShare * control_.remaining());
    return engines_->refit(X, Y, problem_.weight_decay, S, from, tolerance, share);
  };
  bool more = true;
  for (Index round = 1; more && !enough(); ++round) {
    const Control clock;
    phase_ = "network";
    if (!exchange.refit(solver)) return false;
    prefer(exchange.network(), 0.0);
    result_.seconds.network += clock.seconds();
    if (!report({.iteration = round}, Beat::check) || enough()) break;
    const Control search;
    phase_ = "cones";
    exchange.scan(search_time());
    note_scan(exchange, search.seconds());
    const double record = options_.keep_proof ? recording_seconds(search.seconds()) : 0.0;
    more = exchange.exchange();
    out_of_rounds_ = more && control_.remaining() < kRounds * clock.seconds() + record;
    more = more && !out_of_rounds_;
    if (!more || worth_proving(exchange)) prove(exchange);
    result_.seconds.certificate += search.seconds();
    report({.iteration = round}, Beat::check);
  }
  if (!stopped_ && !control_.out_of_time()) {
    const Control clock;
    phase_ = "network";
    prefer(exchange.sparsified(solver, kSparserCost), kSparserCost);
    result_.seconds.network += clock.seconds();
  }
  const double reached = given_ ? reference_objective(best_weights_) : best_.objective;
  return out_of_rounds_ || (exchange.closed() && gap_of(reached) <= kNothingLeft);
}

double Session::recording_seconds(double search) const {
  const unsigned all = std::max(1U, std::thread::hardware_concurrency());
  return kRecording * (options_.threads > 0 ? options_.threads : static_cast<int>(all)) * search;
}

// What the scan proves by the way is often little, and at times all there will be.
void Session::note_scan(const Exchange& exchange, double seconds) {
  const double before = keeper_.value();
  const double bound = keeper_.offer(exchange.candidate(), exchange.scanned());
  if (bound > before) note_bound("cones", {"cones", bound, seconds}, seconds);
}

bool Session::exchange_follows() const {
  return plan_.cones && exchange_affordable(problem_) &&
         engines_->memory().holds(exchange_bytes(problem_));
}

Control Session::search_time() const {
  return control_.within(std::min(kSearchSeconds, kSearchShare * control_.remaining()));
}

bool Session::worth_proving(const Exchange& exchange) const {
  const double expected = exchange.expected_bound();
  const double gap = 1.0 - expected / best_.objective;
  if (gap <= options_.gap) return gap <= kComfort * options_.gap;
  return expected > keeper_.value() + kWorthProving * (best_.objective - keeper_.value());
}

void Session::prove(const Exchange& exchange) {
  const Control clock;
  const double bound = keeper_.offer(exchange.candidate(), exchange.prove(search_time()));
  note_bound("cones", {"cones", bound, clock.seconds()}, clock.seconds());
}

// The network where it is better than the best, or has fewer neurons and costs at most this share
// more; not where that would lose a gap that is met.
void Session::prefer(const Network& network, double cost) {
  Weights weights = presolved_.weights(network);
  if (options_.max_neurons > 0) weights = largest(weights, options_.max_neurons);
  Network fewer = presolved_.network(weights);
  const double value = objective(problem_, fewer);
  const bool allowed = !given_ && value <= best_.objective * (1.0 + cost) &&
                       fewer.neurons < best_.network.neurons &&
                       (!gap_met() || gap_of(value) <= options_.gap);
  if (!allowed) return offer(weights, Winner::column_generation);
  best_ = {std::move(fewer), value, Winner::column_generation};
  best_weights_ = std::move(weights);
  checkpoint_.keep(best_.network, best_.winner);
}

}  // namespace relulift
