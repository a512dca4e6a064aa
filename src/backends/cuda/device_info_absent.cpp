// SPDX-License-Identifier: Apache-2.0
// Stands in for device_info.cu in a build without the CUDA toolkit.
#include "src/backends/cuda/device_info.hpp"

namespace relulift {

bool cuda_compiled() noexcept { return false; }
std::vector<CudaDevice> cuda_devices() { return {}; }
std::string cuda_versions() { return "not compiled in"; }

}  // namespace relulift
