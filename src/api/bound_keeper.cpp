// SPDX-License-Identifier: Apache-2.0
#include "src/api/bound_keeper.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "src/api/proofs.hpp"
#include "src/certificate/residual_bound.hpp"

namespace relulift {
namespace {

// The verifier adds up what the network costs in its own way.
constexpr double kObjectiveRoom = 1e-12;
// Per second, of its factorisation in double precision on one core.
constexpr double kVerifierFlops = 1.5e9;

double order_of(const Problem& problem) {
  return static_cast<double>(problem.samples + problem.features + problem.outputs);
}
// The matrix; sums, balls and entries of its border; what becomes of every pair on its way.
double verifier_bytes(const Problem& problem, double pairs) {
  const double order = order_of(problem);
  return 8.0 * order * order + 210.0 * order * (order - static_cast<double>(problem.samples)) +
         250.0 * pairs;
}
double factorisation_seconds(const Problem& problem) {
  return std::pow(order_of(problem), 3) / (3.0 * kVerifierFlops);
}

}  // namespace

BoundKeeper::BoundKeeper(const Problem& problem, Proofs proofs)
    : problem_(problem), proofs_(proofs) {
  const Control clock;
  offer(std::max(0.0, solver_free_floor(problem)), "floor");  // J >= 0
  last_ = {"floor", value(), clock.seconds()};
}

double BoundKeeper::offer(const DualCandidate& candidate, const BoundOptions& options) {
  const Control clock;
  const Bound bound = certify_multipliers(problem_, candidate, options);
  last_ = {bound.kind, bound.value, clock.seconds()};
  seconds_ += last_.seconds;
  // A copy: of all pairs of samples only where there is room for it.
  const bool fits = 2 * 8 * candidate.dense.size() <= options.memory_bytes;
  if (proofs_ == Proofs::keep && fits && bound.value > multipliers_.bound.value)
    multipliers_ = {candidate, bound};
  offer(bound.value, bound.kind);
  best_.estimate = std::fmax(best_.estimate, bound.estimate);  // NaN gives way
  return bound.value;
}

double BoundKeeper::offer(const Matrix& E, double kappa) {
  const double bound = rescaled_bound(problem_, E, kappa);
  if (proofs_ == Proofs::keep && bound > cones_.value) cones_ = {E, kappa, bound};
  offer(bound, "cones");
  return bound;
}

double BoundKeeper::offer(const SplitCandidate& candidate, double objective, Index memory_bytes,
                          const Control& control) {
  const Control clock;
  objective *= 1.0 + kObjectiveRoom;
  Checked checked;
  const double seconds =
      static_cast<double>(candidate.leaves.size()) * factorisation_seconds(problem_);
  std::size_t entries = 0;
  for (const DualCandidate& leaf : candidate.leaves) entries += leaf.entries.size();
  const double face = 150.0 * std::pow(order_of(problem_), 2);  // Q on the face, and its entries
  const bool fits = verifier_bytes(problem_, static_cast<double>(entries)) + face <=
                    static_cast<double>(memory_bytes);
  for (const double kappa : {0.0, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2}) {
    if (!fits || control.interrupted() || control.remaining() < seconds) break;
    checked.proof = split_proof(problem_, candidate, kappa, objective);
    checked.proved = verify(problem_, checked.proof, objective);
    if (checked.proved.failure.empty()) break;
  }
  const double bound = checked.proved.lower_bound;
  last_ = {std::isfinite(bound) ? "split" : "none", bound, clock.seconds()};
  seconds_ += last_.seconds;
  if (proofs_ == Proofs::keep && bound > split_.proved.lower_bound) split_ = std::move(checked);
  offer(bound, "split");
  return bound;
}

void BoundKeeper::offer(double bound, const std::string& kind) {
  if (!(bound > best_.lower_bound)) return;
  best_ = {Claim::every_network, kind, bound, best_.estimate};
}

bool BoundKeeper::refuted_by(double objective) {
  // A part in 1e9 covers the rounding of the objective.
  if (!(best_.lower_bound > objective * (1.0 + 1e-9))) return false;
  best_ = {};
  return true;
}

// The verifier's roundings are its own: where they do not allow this kappa, the next one.
std::optional<BoundKeeper::Checked> BoundKeeper::checked_multipliers(double objective,
                                                                     Index memory_bytes,
                                                                     const Control& control) const {
  const auto& [candidate, bound] = multipliers_;
  const double seconds = factorisation_seconds(problem_);
  const double pairs = static_cast<double>(candidate.entries.size()) +
                       0.5 * static_cast<double>(candidate.dense.size());
  const double bytes = verifier_bytes(problem_, pairs);
  if (bytes > static_cast<double>(memory_bytes)) return std::nullopt;
  Checked checked;
  for (const double factor : {1.0, 1.0 + 1e-6, 1.0 + 1e-4, 1.01, 1.1, 2.0, 10.0}) {
    if (control.remaining() < seconds) return std::nullopt;
    const double kappa = factor * bound.kappa + 1e-9 * (factor - 1.0);
    checked.proof = multiplier_proof(problem_, candidate, kappa, bound.shift, objective);
    checked.proved = verify(problem_, checked.proof, objective);
    if (checked.proved.failure.empty() || bound.shift.size() == 0) break;
  }
  return checked;
}

std::optional<BoundKeeper::Checked> BoundKeeper::checked(std::optional<Proof> proof,
                                                         double objective) const {
  if (!proof) return std::nullopt;
  Proved proved = verify(problem_, *proof, objective);
  return Checked{std::move(*proof), std::move(proved)};
}

Proof BoundKeeper::verified(double objective, Index memory_bytes, const Control& control) {
  const Control clock;
  objective *= 1.0 + kObjectiveRoom;
  struct Way {
    double value;
    std::function<std::optional<Checked>()> checked;
  };
  std::vector<Way> ways{
      {multipliers_.bound.value,
       [&] { return checked_multipliers(objective, memory_bytes, control); }},
      {cones_.value,
       [&] { return checked(cone_proof(problem_, cones_.E, cones_.kappa, control), objective); }},
      {split_.proved.lower_bound, [&] { return std::optional<Checked>(split_); }},
      {solver_free_floor(problem_), [&] { return checked(floor_proof(problem_), objective); }}};
  std::stable_sort(ways.begin(), ways.end(),
                   [](const Way& a, const Way& b) { return a.value > b.value; });
  // What proves the best bound was not kept.
  if (ways.front().value < best_.lower_bound && best_.kind != "floor") return {};
  Checked best;
  for (const Way& way : ways) {
    if (!(way.value > best.proved.lower_bound)) break;
    std::optional<Checked> found = way.checked();
    if (!found) break;  // for want of room: a weaker proof would only lower the bound
    if (found->proved.lower_bound > best.proved.lower_bound) best = std::move(*found);
  }
  if (best.proof.kind != "none")
    best_ = {Claim::every_network, best.proof.kind, best.proved.lower_bound, best_.estimate};
  seconds_ += clock.seconds();
  return std::move(best.proof);
}

}  // namespace relulift
