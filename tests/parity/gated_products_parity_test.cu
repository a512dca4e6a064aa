// SPDX-License-Identifier: Apache-2.0
// The Gram pass on a CUDA device against the loops that also judge it on the CPU. Needs a GPU.
#include <gtest/gtest.h>

#include "src/backends/cuda/cuda_backend.cuh"
#include "tests/support/gated_products_conformance.hpp"
#include "tests/support/gpu.hpp"

namespace relulift::testing {

struct GatedCuda {
  using Type = CudaBackend;
  static Type make() { return CudaBackend(); }
  static std::string unavailable() { return gpu_unavailable(); }
  static bool required() { return gpu_required(); }
};
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, GatedProductsConformance, GatedCuda);

}  // namespace
}  // namespace relulift::testing
