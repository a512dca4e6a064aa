// SPDX-License-Identifier: Apache-2.0
#include "src/tools/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool> asked_to_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  if (asked_to_stop.exchange(true)) _exit(kKilled);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return asked_to_stop; }

}  // namespace relulift::tools
