// SPDX-License-Identifier: Apache-2.0
// The lasso over frequencies on a CUDA device against the conditions that also judge it on the CPU.
// Needs a GPU.
#include <gtest/gtest.h>

#include "src/backends/cuda/cuda_backend.cuh"
#include "tests/support/circular_lasso_conformance.hpp"
#include "tests/support/gpu.hpp"

namespace relulift::testing {

struct CircularCuda {
  using Type = CudaBackend;
  static Type make() { return CudaBackend(); }
  static std::string unavailable() { return gpu_unavailable(); }
  static bool required() { return gpu_required(); }
};
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, CircularLassoConformance, CircularCuda);

}  // namespace
}  // namespace relulift::testing
