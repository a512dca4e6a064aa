// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "src/backends/cuda/device_info.hpp"

namespace relulift {

namespace {

std::string dotted(int version) {  // 13000 -> 13.0
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

bool cuda_compiled() noexcept { return true; }

std::vector<CudaDevice> cuda_devices() {
  std::vector<CudaDevice> found;
  int count = 0;
  int current = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || cudaGetDevice(&current) != cudaSuccess) {
    cudaGetLastError();  // an error left behind would be blamed on the next call
    return found;
  }
  for (int k = 0; k < count; ++k) {
    cudaDeviceProp properties{};
    std::size_t free_bytes = 0, total_bytes = 0;
    if (cudaGetDeviceProperties(&properties, k) == cudaSuccess && cudaSetDevice(k) == cudaSuccess &&
        cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess) {
      found.push_back({properties.name, static_cast<std::int64_t>(total_bytes),
                       static_cast<std::int64_t>(free_bytes), properties.major, properties.minor});
    }
  }
  if (cudaSetDevice(current) != cudaSuccess) cudaGetLastError();
  cudaGetLastError();
  return found;
}

std::string cuda_versions() {
  int runtime = 0, driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) cudaGetLastError();
  if (cudaDriverGetVersion(&driver) != cudaSuccess) cudaGetLastError();
  return "CUDA " + dotted(runtime) +
         (driver > 0 ? ", driver " + dotted(driver) : std::string(", no driver"));
}

}  // namespace relulift
