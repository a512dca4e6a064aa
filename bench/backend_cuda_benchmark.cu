// SPDX-License-Identifier: Apache-2.0
// Operations of the CUDA backend: seconds, GB/s and GFLOP/s, each checked. Times include the wait
// for the device. Without a device nothing is registered and the program says so.
#include <cstdio>

#include "src/backends/cuda/cuda_backend.cuh"
#include "src/backends/cuda/device_info.hpp"

namespace relulift::bench {
template <class B>
B make_backend() {
  return B();
}
}  // namespace relulift::bench

#include "bench/backend_suite.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (relulift::cuda_devices().empty()) {
    std::fprintf(stderr, "no CUDA device (%s)\n", relulift::cuda_versions().c_str());
    return 3;
  }
  relulift::bench::register_suite<relulift::CudaBackend>("cuda",
                                                         {60, 200, 700, 1000, 2000, 5000, 10000});
  benchmark::RunSpecifiedBenchmarks();
}
