// SPDX-License-Identifier: Apache-2.0
// From -<G, f> <= sigma P to a lower bound [eq:proved].
#include <algorithm>

#include "src/verify/cones.hpp"
#include "src/verify/multipliers.hpp"
#include "src/verify/positive.hpp"

namespace relulift {
namespace {

using namespace verifier;

// Kept far from where anything overflows, in double too.
bool tame(const std::vector<double>& entries, std::size_t count) {
  return entries.size() == count &&
         std::all_of(entries.begin(), entries.end(), [](double x) { return std::abs(x) <= 1e80; });
}

std::string check_norms(const Problem& problem, const Proof& proof) {
  const bool offered = proof.norms.size() == 2;
  const Real X = spectral_norm_above(problem.X, problem.samples, offered ? proof.norms[0] : -1.0);
  const Real G = spectral_norm_above(proof.G, problem.samples, offered ? proof.norms[1] : -1.0);
  const Real allowed = static_cast<Real>(problem.weight_decay) * proof.sigma;
  const bool fits = above(X * G) <= allowed * (1 - 4 * kUnit) || X * G == 0;
  return fits ? "" : "its norms are too large";
}

std::string check(const Problem& problem, const Proof& proof) {
  if (proof.kind == "cholesky") return check_multipliers(problem, proof);
  if (proof.kind == "split") return check_split(problem, proof);
  if (proof.kind == "cones") return check_cones(problem, proof);
  if (proof.kind == "floor") return check_norms(problem, proof);
  return "its kind is none that is known";
}

}  // namespace

Proved verify(const Problem& problem, const Proof& proof, double objective_upper) {
  Proved out;
  const auto n = static_cast<std::size_t>(problem.samples);
  if (!tame(problem.X, n * problem.features) || !tame(problem.Y, n * problem.outputs) ||
      !tame(proof.G, n * problem.outputs) || !(proof.sigma >= 0.0 && proof.sigma <= 1e80) ||
      !(problem.weight_decay > 0.0 && problem.weight_decay <= 1e80)) {
    out.failure = "its numbers are out of range, or do not fit the data";
    return out;
  }
  const bool by_multipliers = proof.kind == "cholesky" || proof.kind == "split";
  const Real merging = by_multipliers ? cost_of_merging(problem, proof) : 0;
  out.failure =
      std::isfinite(merging) ? check(problem, proof) : "rows stand for others that cannot do so";
  if (!out.failure.empty()) return out;

  // P of an optimal network is at most ||Y||^2/4 and at most any objective [eq:penalty].
  Sum value, squares;
  for (std::size_t k = 0; k < proof.G.size(); ++k) {
    const Ball g{proof.G[k]}, y{problem.Y[k]};
    value.add(-g * (y + scaled(g, 0.5)));
    squares.add(y * y);
  }
  const Real objective = objective_upper >= 0.0 ? objective_upper : kInfinity;
  const Real penalty = std::min<Real>(squares.ball().high() / 4, objective);
  const Real price =
      std::max<Real>(0, static_cast<Real>(proof.sigma) - 1) + above(merging / problem.weight_decay);
  const Real bound = (value.ball() - Ball{above(price * penalty)}).low();
  out.lower_bound = bound > 0 ? rounded_down(bound) : 0.0;  // J >= 0
  return out;
}

}  // namespace relulift
