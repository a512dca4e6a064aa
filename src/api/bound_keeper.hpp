// SPDX-License-Identifier: Apache-2.0
// The best proved lower bound so far. A bound once proved stays true whatever happens later.
#pragma once

#include <limits>
#include <relulift/result.hpp>
#include <string>

#include "src/certificate/dual_bound.hpp"

namespace relulift {

class BoundKeeper {
 public:
  // Starts from the floor that needs no solver, docs/math.md, section 4.
  explicit BoundKeeper(const Problem& problem);

  // Certifies a dual candidate by separate code; returns the bound it proves alone. Where the proof
  // of a list of multipliers does not fit into the memory allowed, the best estimate is kept beside
  // the bound.
  double offer(const DualCandidate& candidate, const BoundOptions& options);
  // A bound proved elsewhere.
  void offer(double bound, const std::string& kind);

  // A bound above the objective of some network: one of the two is wrong, and nothing is claimed
  // any more. Expected of defects alone.
  bool refuted_by(double objective);

  // What was proved last from a candidate, the floor before there was one.
  struct Proof {
    std::string kind = "floor";
    double value = -std::numeric_limits<double>::infinity();
    double seconds = 0.0;
  };
  const Proof& last() const { return last_; }

  const Certificate& certificate() const { return best_; }
  double value() const { return best_.lower_bound; }
  double seconds() const { return seconds_; }

 private:
  const Problem& problem_;
  Certificate best_;
  Proof last_;
  double seconds_ = 0.0;
};

}  // namespace relulift
