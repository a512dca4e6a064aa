// SPDX-License-Identifier: Apache-2.0
// The Gram pass on the CPU: seconds, GFLOP/s and the share of the machine's own dgemm rate.
//   OMP_NUM_THREADS and OPENBLAS_NUM_THREADS choose the threads.
#include "src/backends/cpu/cpu_backend.hpp"

namespace relulift::bench {
template <class B>
B make_backend() {
  return B();
}
}  // namespace relulift::bench

#include "bench/gram_pass_suite.hpp"

namespace {
const bool registered = [] {
  relulift::bench::register_gram_pass<relulift::CpuBackend>("cpu", relulift::kGramShapeHost, 1536,
                                                            {1000, 2000, 4000}, {16, 64});
  return true;
}();
}  // namespace
