// SPDX-License-Identifier: Apache-2.0
// What this build is and what it runs on: gathered from BLAS, OpenMP and the CUDA runtime.
#include <omp.h>

#include <algorithm>
#include <relulift/system.hpp>

#include "src/backends/cuda/device_info.hpp"
#include "src/core/version.hpp"
#include "src/io/memory.hpp"
#include "src/io/text.hpp"

// Weak: another BLAS than OpenBLAS works too, it only cannot be asked.
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int threads);
[[gnu::weak]] char* openblas_get_config();
[[gnu::weak]] char* openblas_get_corename();
}

namespace relulift {
namespace {

std::string device_words(const CudaDevice& device) {
  return device.name + ", compute capability " + std::to_string(device.major) + "." +
         std::to_string(device.minor) + ", " +
         io::human_bytes(static_cast<double>(device.free_bytes)) + " of " +
         io::human_bytes(static_cast<double>(device.total_bytes)) + " free";
}

std::string blas_words() {
  if (openblas_get_config == nullptr || openblas_get_corename == nullptr) return "not OpenBLAS";
  return std::string(openblas_get_config()) + ", kernels in use: " + openblas_get_corename();
}

}  // namespace

std::string version() { return kVersion; }

SystemInfo system_info() {
  SystemInfo info;
  info.version = version();
  info.build = std::string(kCompiler) + ", " + kBuildType;
  info.cuda = cuda_versions();
  for (const CudaDevice& device : cuda_devices()) info.cuda_devices.push_back(device_words(device));
  info.blas = blas_words();
  info.threads = omp_get_max_threads();
  info.memory_bytes = std::max<Index>(io::memory_entry_bytes("MemTotal"), 0);
  info.available_memory_bytes = available_memory_bytes();
  return info;
}

void set_blas_threads(int threads) {
  if (openblas_set_num_threads != nullptr && threads > 0) openblas_set_num_threads(threads);
}

}  // namespace relulift
