// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cpu/workers.hpp"

#include <algorithm>

namespace relulift::cpu {

namespace {

// About twenty microseconds: the gap between two launches, not that of a BLAS call.
constexpr int kSpins = 500;
// Tiles taken at once: few enough to share evenly, so many that the lock costs nothing.
constexpr Index kClaims = 32;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Workers::Workers(int threads) {
  for (int k = 1; k < threads; ++k) threads_.emplace_back([this] { serve(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
    jobs_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Workers::run(Index count, TaskRef task) {
  std::unique_lock lock(mutex_);
  task_ = task;
  count_ = count;
  next_ = 0;
  jobs_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  work(lock);
  finished_.wait(lock, [this] { return running_ == 0; });
}

void Workers::work(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const Index share = std::max<Index>(count_ / kClaims, 1);
    const Index first = next_, last = std::min(first + share, count_);
    const TaskRef task = task_;
    next_ = last;
    ++running_;
    lock.unlock();
    for (Index k = first; k < last; ++k) task(k);
    lock.lock();
    if (--running_ == 0 && next_ >= count_) finished_.notify_one();
  }
}

void Workers::serve() {
  std::uint64_t seen = 0;
  for (;;) {
    for (int k = 0; k < kSpins && jobs_.load(std::memory_order_acquire) == seen; ++k) pause();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return jobs_.load(std::memory_order_relaxed) != seen; });
    seen = jobs_.load(std::memory_order_relaxed);
    if (leave_) return;
    work(lock);
  }
}

}  // namespace relulift::cpu
