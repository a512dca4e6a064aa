// SPDX-License-Identifier: Apache-2.0
// Which CUDA devices this program can use. Never throws: a program without the toolkit, a machine
// without a driver and one without a device all have none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace relulift {

struct CudaDevice {
  std::string name;
  std::int64_t total_bytes = 0;
  std::int64_t free_bytes = 0;
  int major = 0, minor = 0;  // compute capability
};

// Was the toolkit there when this program was built?
bool cuda_compiled() noexcept;
// In CUDA's order; a device that cannot be opened is left out.
std::vector<CudaDevice> cuda_devices();
// "CUDA 13.0, driver 13.0", "CUDA 13.0, no driver", or "not compiled in".
std::string cuda_versions();

}  // namespace relulift
