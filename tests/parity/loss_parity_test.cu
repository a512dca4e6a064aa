// SPDX-License-Identifier: Apache-2.0
// Losses on a CUDA device against the loops that also judge them on the CPU. Needs a GPU.
#include <gtest/gtest.h>

#include "src/backends/cuda/cuda_backend.cuh"
#include "tests/support/gpu.hpp"
#include "tests/support/loss_conformance.hpp"

namespace relulift::testing {

struct LossCuda {
  using Type = CudaBackend;
  static Type make() { return CudaBackend(); }
  static std::string unavailable() { return gpu_unavailable(); }
  static bool required() { return gpu_required(); }
};
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, LossConformance, LossCuda);

}  // namespace
}  // namespace relulift::testing
