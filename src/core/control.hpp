// SPDX-License-Identifier: Apache-2.0
// When to stop: one clock and one interrupt for a whole solve, narrowed per phase.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>

namespace relulift {

class Control {
 public:
  using Clock = std::chrono::steady_clock;

  // interrupted: polled at checks only; true means stop now and return the best so far.
  explicit Control(double limit_seconds = std::numeric_limits<double>::infinity(),
                   std::function<bool()> interrupted = {})
      : start_(Clock::now()), limit_(limit_seconds), interrupted_(std::move(interrupted)) {}

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool interrupted() const { return interrupted_ && interrupted_(); }
  bool out_of_time() const { return seconds() >= limit_; }
  bool stop() const { return out_of_time() || interrupted(); }
  double remaining() const { return limit_ - seconds(); }

  // The same clock and interrupt with at most `budget_seconds` from now.
  Control within(double budget_seconds) const {
    Control part = *this;
    part.limit_ = std::min(limit_, seconds() + budget_seconds);
    return part;
  }

 private:
  Clock::time_point start_;
  double limit_;
  std::function<bool()> interrupted_;
};

}  // namespace relulift
