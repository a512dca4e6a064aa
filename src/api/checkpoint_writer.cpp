// SPDX-License-Identifier: Apache-2.0
#include "src/api/checkpoint_writer.hpp"

#include <relulift/error.hpp>
#include <relulift/io.hpp>
#include <utility>

namespace relulift {

CheckpointWriter::CheckpointWriter(const Options& options, const Problem& problem)
    : path_(options.checkpoint), every_(options.checkpoint_every_seconds) {
  if (!on()) return;
  check_writable(path_);
  checkpoint_.problem = hash_of(problem);
}

void CheckpointWriter::go_on_from(const Checkpoint& earlier) {
  if (!on()) return;
  checkpoint_ = earlier;
  earlier_seconds_ = earlier.seconds;
}

void CheckpointWriter::keep(const Network& network, Winner winner) {
  if (!on()) return;
  checkpoint_.network = network;
  checkpoint_.winner = winner;
  news_ = true;
}

void CheckpointWriter::keep(const DualCandidate& multipliers) {
  if (!on()) return;
  checkpoint_.multipliers = multipliers;
  news_ = true;
}

void CheckpointWriter::training_ended() {
  news_ = on() && (news_ || !checkpoint_.trained);
  checkpoint_.trained = true;
}

void CheckpointWriter::forget_multipliers() { checkpoint_.multipliers = {}; }

void CheckpointWriter::at_check(const EngineCheck& check, const ReducedProblem& reduced,
                                Check which) {
  if (!on() || !check.state || !(state_due() || which == Check::last)) return;
  LowRankState state = check.state();
  if (!fits(state, reduced)) return;
  checkpoint_.low_rank = std::move(state);
  state_kept_ = clock_.seconds();
  write();
}

bool CheckpointWriter::state_due() {
  const double now = clock_.seconds();
  const double next = now + (now - std::exchange(state_checked_, now));
  return next - state_kept_ >= every_;
}

void CheckpointWriter::write_when_due() {
  if (news_ && clock_.seconds() - written_ >= every_) write();
}

void CheckpointWriter::write() {
  if (!on()) return;
  checkpoint_.seconds = earlier_seconds_ + clock_.seconds();
  try {
    write_checkpoint(path_, checkpoint_);
    failure_.clear();
    news_ = false;
  } catch (const FileError& error) {
    failure_ = error.what();
  }
  written_ = clock_.seconds();  // after it: a slow disk does not take all the time there is
}

}  // namespace relulift
