// SPDX-License-Identifier: Apache-2.0
// Operations of the CPU backend: seconds, GB/s and GFLOP/s, each checked.
//   OMP_NUM_THREADS and OPENBLAS_NUM_THREADS choose the threads.
#include "src/backends/cpu/cpu_backend.hpp"

namespace relulift::bench {
template <class B>
B make_backend() {
  return B();
}
}  // namespace relulift::bench

#include "bench/backend_suite.hpp"

namespace {
const bool registered = [] {
  relulift::bench::register_suite<relulift::CpuBackend>("cpu", {60, 200, 350, 700, 1000});
  return true;
}();
}  // namespace
