// SPDX-License-Identifier: Apache-2.0
#include <relulift/error.hpp>

#include "src/api/engines_impl.hpp"
#include "src/backends/cuda/cuda_backend.cuh"
#include "src/backends/cuda/device_info.hpp"

namespace relulift {
namespace {

// cuSOLVER's workspaces and the context need their share.
constexpr double kUsableShare = 0.9;

}  // namespace

bool cuda_available() { return !cuda_devices().empty(); }

std::unique_ptr<Engines> make_cuda_engines() {
  const auto devices = cuda_devices();
  if (devices.empty())
    throw DeviceUnavailable("no CUDA device is available (" + cuda_versions() + ")");
  const auto usable = static_cast<Index>(kUsableShare * static_cast<double>(devices[0].free_bytes));
  return std::make_unique<BackendEngines<CudaBackend>>(CudaBackend{}, usable);
}

}  // namespace relulift
