// SPDX-License-Identifier: Apache-2.0
// Owners of device and of pinned host memory.
#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <vector>

namespace relulift::cuda {

struct FreeDevice {
  void operator()(void* memory) const noexcept;
};
struct FreePinned {
  void operator()(void* memory) const noexcept;
};
using DeviceBytes = std::unique_ptr<std::byte, FreeDevice>;
using PinnedBytes = std::unique_ptr<std::byte, FreePinned>;

// Not zeroed. Out of memory throws DeviceError that names the bytes asked for and those free.
DeviceBytes device_bytes(std::size_t bytes,
                         std::source_location at = std::source_location::current());
PinnedBytes pinned_bytes(std::size_t bytes,
                         std::source_location at = std::source_location::current());

// Device and host scratch of the library calls. Growing keeps the smaller blocks: recordings made
// before still point to them.
class Workspace {
 public:
  std::byte* device(std::size_t bytes);
  std::byte* host(std::size_t bytes);
  std::size_t device_total() const { return device_total_; }

 private:
  std::vector<DeviceBytes> device_;
  std::vector<PinnedBytes> host_;
  std::size_t device_size_ = 0, host_size_ = 0, device_total_ = 0;
};

}  // namespace relulift::cuda
