// SPDX-License-Identifier: Apache-2.0
// The threads of a CpuBackend. The caller works too and never waits for a thread that has not
// started, so a busy machine slows a loop down by what it is busy with and no more; idle workers
// spin for microseconds only, which leaves the cores to BLAS. An OpenMP team does neither: measured
// on two cores, its spinning made the eigendecomposition that follows (order 350, OpenBLAS with
// threads of its own) five times slower, and on a loaded machine its barrier took 30 ms.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "src/core/view.hpp"

namespace relulift::cpu {

// A reference to a callable that takes the number of a tile.
class TaskRef {
 public:
  TaskRef() = default;
  template <class F>
  explicit TaskRef(const F& f)
      : object_(&f), call_([](const void* o, Index k) { (*static_cast<const F*>(o))(k); }) {}
  void operator()(Index k) const { call_(object_, k); }

 private:
  const void* object_ = nullptr;
  void (*call_)(const void*, Index) = nullptr;
};

class Workers {
 public:
  // threads - 1 workers are started.
  explicit Workers(int threads);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  // task(k) for 0 <= k < count, in any order, some at the same time. Tasks do not throw.
  // One caller at a time.
  void run(Index count, TaskRef task);

 private:
  // Claims tiles of the current job until none is left. The lock is held.
  void work(std::unique_lock<std::mutex>& lock);
  void serve();

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  TaskRef task_;
  Index count_ = 0, next_ = 0, running_ = 0;
  bool leave_ = false;
  std::atomic<std::uint64_t> jobs_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace relulift::cpu
