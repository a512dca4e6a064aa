// SPDX-License-Identifier: Apache-2.0
// Tests that need a GPU skip visibly without one, and fail where RELULIFT_REQUIRE_GPU=1 says that
// there must be one.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "src/backends/cuda/device_info.hpp"

namespace relulift::testing {

inline bool gpu_required() {
  const char* value = std::getenv("RELULIFT_REQUIRE_GPU");
  return value != nullptr && std::string_view(value) == "1";
}
// Empty when there is one.
inline std::string gpu_unavailable() {
  return cuda_devices().empty() ? "no CUDA device (" + cuda_versions() + ")" : std::string();
}

}  // namespace relulift::testing
