// SPDX-License-Identifier: Apache-2.0
#include <relulift/system.hpp>

#include "src/api/engines_impl.hpp"
#include "src/backends/cpu/cpu_backend.hpp"

namespace relulift {

std::unique_ptr<Engines> make_cpu_engines(int threads) {
  return std::make_unique<BackendEngines<CpuBackend>>(
      CpuBackend(threads), FreeMemory{.engine = available_memory_bytes()});
}

}  // namespace relulift
