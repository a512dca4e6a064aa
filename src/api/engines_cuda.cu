// SPDX-License-Identifier: Apache-2.0
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "kernels/slots.hpp"
#include "src/api/engines_impl.hpp"
#include "src/backends/cuda/cuda_backend.cuh"
#include "src/backends/cuda/device_info.hpp"

namespace relulift {
namespace {

// cuSOLVER's workspaces and the context need their share.
constexpr double kUsableShare = 0.9;

// A device that this build has no code for shows at the first kernel only.
void probe(CudaBackend& be) {
  const auto slot = be.slots(1);
  be.launch({1, 1}, kernels::SetSlot{slot[0], 1.0});
  double value = 0.0;
  be.fetch(slot[0], std::span<double>(&value, 1));
  if (value != 1.0) throw DeviceError("the device ran no kernel");
}

}  // namespace

bool cuda_available() { return !cuda_devices().empty(); }

std::unique_ptr<Engines> make_cuda_engines() {
  const auto devices = cuda_devices();
  if (devices.empty())
    throw DeviceUnavailable("no CUDA device is available (" + cuda_versions() + ")");
  const auto usable = static_cast<Index>(kUsableShare * static_cast<double>(devices[0].free_bytes));
  CudaBackend backend;
  probe(backend);
  return std::make_unique<BackendEngines<CudaBackend>>(
      std::move(backend),
      FreeMemory{.engine = usable, .host = available_memory_bytes(), .shared = false});
}

}  // namespace relulift
