// SPDX-License-Identifier: Apache-2.0
// The best proved lower bound so far. A bound once proved stays true whatever happens later.
#pragma once

#include <limits>
#include <optional>
#include <relulift/result.hpp>
#include <string>

#include "src/certificate/dual_bound.hpp"
#include "src/core/control.hpp"

namespace relulift {

class BoundKeeper {
 public:
  // What is behind the best bound of each kind, for verified(); or not, to save the memory.
  enum class Proofs { forget, keep };

  // Starts from the floor that needs no solver, docs/math.md, section 4.
  explicit BoundKeeper(const Problem& problem, Proofs proofs = Proofs::forget);

  // Certifies a dual candidate by separate code; returns the bound it proves alone. Where the proof
  // of a list of multipliers does not fit into the memory allowed, the best estimate is kept beside
  // the bound.
  double offer(const DualCandidate& candidate, const BoundOptions& options);
  // [eq:rescale] with kappa(E) <= kappa, proved by a search over cones; returns that bound.
  double offer(const Matrix& E, double kappa);
  // [eq:split]: every cone is proved by the verifier itself; returns that bound, -inf where the
  // time or the memory is not enough. objective: of some network.
  double offer(const SplitCandidate& candidate, double objective, Index memory_bytes,
               const Control& control);
  // A bound proved elsewhere.
  void offer(double bound, const std::string& kind);

  // A bound above the objective of some network: one of the two is wrong, and nothing is claimed
  // any more. Expected of defects alone.
  bool refuted_by(double objective);

  // What was proved last from a candidate, the floor before there was one.
  struct Attempt {
    std::string kind = "floor";
    double value = -std::numeric_limits<double>::infinity();
    double seconds = 0.0;
  };
  const Attempt& last() const { return last_; }

  // The best bound again, in the form of the verifier; the certificate is from now on what the
  // verifier proves, by the next best kind where it does not follow the best, and as it was where
  // the best may take more memory or time than allowed. `objective` is that of some network.
  Proof verified(double objective, Index memory_bytes, const Control& control);

  const Certificate& certificate() const { return best_; }
  double value() const { return best_.lower_bound; }
  double seconds() const { return seconds_; }

 private:
  struct Multipliers {
    DualCandidate candidate;
    Bound bound;
  };
  struct Cones {
    Matrix E;
    double kappa = std::numeric_limits<double>::infinity();
    double value = -std::numeric_limits<double>::infinity();
  };
  struct Checked {
    Proof proof;
    Proved proved;
  };
  Checked split_;  // the best, with Proofs::keep
  // Nothing where there is not the memory or the time for it.
  std::optional<Checked> checked_multipliers(double objective, Index memory_bytes,
                                             const Control& control) const;
  std::optional<Checked> checked(std::optional<Proof> proof, double objective) const;

  const Problem& problem_;
  Proofs proofs_;
  Certificate best_;
  Attempt last_;
  Multipliers multipliers_;
  Cones cones_;
  double seconds_ = 0.0;
};

}  // namespace relulift
