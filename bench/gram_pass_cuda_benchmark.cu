// SPDX-License-Identifier: Apache-2.0
// The Gram pass on a CUDA device: seconds, GFLOP/s and the share of the device's own dgemm rate.
// Without a device nothing is registered and the program says so.
#include <cstdio>

#include "src/backends/cuda/cuda_backend.cuh"
#include "src/backends/cuda/device_info.hpp"

namespace relulift::bench {
template <class B>
B make_backend() {
  return B();
}
}  // namespace relulift::bench

#include "bench/gram_pass_suite.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (relulift::cuda_devices().empty()) {
    std::fprintf(stderr, "no CUDA device (%s)\n", relulift::cuda_versions().c_str());
    return 3;
  }
  relulift::bench::register_gram_pass<relulift::CudaBackend>("cuda", relulift::kGramShapeDevice,
                                                             8192, {1000, 10000, 20000}, {16, 64});
  benchmark::RunSpecifiedBenchmarks();
}
