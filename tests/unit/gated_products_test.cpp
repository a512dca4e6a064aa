// SPDX-License-Identifier: Apache-2.0
// Products over patterns on the CPU, serial and with more threads than cores.
#include "src/solvers/gated_products.hpp"

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/gated_products_conformance.hpp"

namespace relulift::testing {

template <int threads>
struct GatedCpu {
  using Type = CpuBackend;
  static Type make() { return CpuBackend(threads); }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {
INSTANTIATE_TYPED_TEST_SUITE_P(CpuSerial, GatedProductsConformance, GatedCpu<1>);
INSTANTIATE_TYPED_TEST_SUITE_P(CpuThreads, GatedProductsConformance, GatedCpu<5>);
}  // namespace
}  // namespace relulift::testing
