// SPDX-License-Identifier: Apache-2.0
// Collects what a checkpoint needs while a session runs, and decides when to write it.
#pragma once

#include <relulift/options.hpp>
#include <string>

#include "src/api/checkpoint.hpp"
#include "src/core/control.hpp"
#include "src/solvers/engine.hpp"

namespace relulift {

// Without a path in the options nothing is kept and nothing written.
class CheckpointWriter {
 public:
  // Throws FileError when a checkpoint could not be written there.
  CheckpointWriter(const Options& options, const Problem& problem);

  bool on() const { return !path_.empty(); }

  // What an earlier run left is kept until there is something better.
  void go_on_from(const Checkpoint& earlier);
  void keep(const Network& network, Winner winner);
  void keep(const DualCandidate& multipliers);
  void training_ended();
  void forget_multipliers();

  // Fetches and writes the state of an engine that has one: at the last check, and at those after
  // which it would be too late at the next one, judged by the time since the one before. A state
  // that could not be read back, of an engine that broke down, is left out.
  enum class Check { one_of_many, last };
  void at_check(const EngineCheck& check, const ReducedProblem& reduced, Check which);
  // Writes what is new when the interval has passed.
  void write_when_due();
  // A failure stops no solve: it is tried again after the interval, and remembered.
  void write();
  // Why the last attempt failed; empty when it did not.
  const std::string& failure() const { return failure_; }

 private:
  bool state_due();

  std::filesystem::path path_;
  double every_;
  Control clock_;
  Checkpoint checkpoint_;
  double earlier_seconds_ = 0.0;
  bool news_ = false;     // not in the file yet
  double written_ = 0.0;  // when; seconds of clock_
  double state_kept_ = 0.0;
  double state_checked_ = 0.0;
  std::string failure_;
};

}  // namespace relulift
