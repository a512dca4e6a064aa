// SPDX-License-Identifier: Apache-2.0
// The part of a session where the whole sphere can be searched: network and bound by the exchange
// method [eq:exchange].
#include <algorithm>

#include "src/api/session.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/polish.hpp"

namespace relulift {
namespace {

// Caps of one search of the sphere.
constexpr double kSearchSeconds = 60.0, kSearchShare = 0.5;
// A proof is worth its search when it closes this share of the gap.
constexpr double kWorthProving = 0.5;
// Another round is begun where there is time for so many of the last one.
constexpr double kRounds = 2.0;

}  // namespace

bool Session::solve_by_exchange() {
  if (!group_lasso_affordable(problem_)) return false;
  Exchange exchange(problem_, presolved_.network(best_weights_),
                    {.gap = options_.gap, .threads = options_.threads});
  double searched = 0.0;
  for (Index round = 1; !enough(); ++round) {
    const Control clock;
    if (!exchange.candidate().allFinite() || !refit_working(exchange, round)) return false;
    const double fitted = clock.seconds();
    phase_ = "cones";
    exchange.scan(search_time());
    const bool goes_on = exchange.exchange();
    const bool last = !goes_on || control_.remaining() < kRounds * clock.seconds();
    const double expected = gap_of(best_.objective) * best_.objective * kWorthProving;
    if (last || exchange.expected_bound() > keeper_.value() + expected) {
      const double bound = keeper_.offer(exchange.candidate(), exchange.prove(search_time()));
      searched += clock.seconds() - fitted;
      note_bound("cones", {"cones", bound, clock.seconds() - fitted}, searched);
    }
    result_.seconds.certificate += clock.seconds() - fitted;
    if (!report({.iteration = round}, Beat::check) || last) break;
  }
  return exchange.closed();
}

Control Session::search_time() const {
  return control_.within(std::min(kSearchSeconds, kSearchShare * control_.remaining()));
}

// The group lasso over the working directions, its network offered; false when time is up.
bool Session::refit_working(Exchange& exchange, Index round) {
  const Control clock;
  phase_ = "network";
  exchange.refit([this](const Matrix& X, const Matrix& Y, const Matrix& S,
                        const GroupLassoPoint& from, double tolerance) {
    return engines_->refit(X, Y, problem_.weight_decay, S, from, tolerance, control_);
  });
  const Weights weights = presolved_.weights(exchange.network());
  offer(options_.max_neurons > 0 ? largest(weights, options_.max_neurons) : weights,
        Winner::column_generation);
  result_.seconds.network += clock.seconds();
  return report({.iteration = round}, Beat::check) && !enough();
}

}  // namespace relulift
