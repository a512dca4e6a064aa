// SPDX-License-Identifier: Apache-2.0
// Asking for devices never throws, with and without a toolkit, a driver or a GPU.
#include <gtest/gtest.h>

#include <vector>

#include "src/backends/cuda/device_info.hpp"

namespace relulift::testing {
namespace {

TEST(DeviceInfo, ListsDevicesWithoutThrowing) {
  std::vector<CudaDevice> devices;
  ASSERT_NO_THROW(devices = cuda_devices());

  for (const CudaDevice& device : devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_GT(device.total_bytes, 0);
    EXPECT_LE(device.free_bytes, device.total_bytes);
  }
}

TEST(DeviceInfo, SaysWhatItWasBuiltWith) {
  EXPECT_EQ(cuda_versions().starts_with("CUDA "), cuda_compiled());
  EXPECT_TRUE(cuda_compiled() || cuda_devices().empty());
}

}  // namespace
}  // namespace relulift::testing
