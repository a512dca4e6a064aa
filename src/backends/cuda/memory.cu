// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cuda/memory.hpp"

#include <algorithm>
#include <relulift/error.hpp>
#include <string>

#include "src/backends/cuda/check.hpp"

namespace relulift::cuda {

void raise(const char* text, std::source_location at) {
  throw DeviceError(std::string(at.file_name()) + ":" + std::to_string(at.line()) + ": " + text);
}

const char* text_of(cusolverStatus_t status) {
  switch (status) {
    case CUSOLVER_STATUS_NOT_INITIALIZED:
      return "cuSOLVER: not initialized";
    case CUSOLVER_STATUS_ALLOC_FAILED:
      return "cuSOLVER: out of memory";
    case CUSOLVER_STATUS_INVALID_VALUE:
      return "cuSOLVER: invalid value";
    case CUSOLVER_STATUS_ARCH_MISMATCH:
      return "cuSOLVER: unsupported device";
    case CUSOLVER_STATUS_EXECUTION_FAILED:
      return "cuSOLVER: execution failed";
    case CUSOLVER_STATUS_INTERNAL_ERROR:
      return "cuSOLVER: internal error";
    case CUSOLVER_STATUS_NOT_SUPPORTED:
      return "cuSOLVER: not supported";
    default:
      return "cuSOLVER: error";
  }
}

namespace {

// So that a report of too little memory says how much was asked for.
void check_allocation(cudaError_t e, std::size_t bytes, std::source_location at) {
  if (e != cudaErrorMemoryAllocation) return check(e, at);
  cudaGetLastError();
  std::size_t free_bytes = 0, total = 0;
  const bool known = cudaMemGetInfo(&free_bytes, &total) == cudaSuccess;
  const std::string text =
      "out of memory asking for " + std::to_string(bytes) + " bytes" +
      (known ? " (free " + std::to_string(free_bytes) + " of " + std::to_string(total) + ")" : "");
  raise(text.c_str(), at);
}

}  // namespace

void FreeDevice::operator()(void* memory) const noexcept { cudaFree(memory); }
void FreePinned::operator()(void* memory) const noexcept { cudaFreeHost(memory); }

DeviceBytes device_bytes(std::size_t bytes, std::source_location at) {
  void* memory = nullptr;
  check_allocation(cudaMalloc(&memory, std::max<std::size_t>(bytes, 1)), bytes, at);
  return DeviceBytes(static_cast<std::byte*>(memory));
}

PinnedBytes pinned_bytes(std::size_t bytes, std::source_location at) {
  void* memory = nullptr;
  check_allocation(cudaMallocHost(&memory, std::max<std::size_t>(bytes, 1)), bytes, at);
  return PinnedBytes(static_cast<std::byte*>(memory));
}

std::byte* Workspace::device(std::size_t bytes) {
  if (device_.empty() || bytes > device_size_) {
    device_.push_back(device_bytes(bytes));
    device_size_ = bytes;
    device_total_ += bytes;
  }
  return device_.back().get();
}

std::byte* Workspace::host(std::size_t bytes) {
  if (host_.empty() || bytes > host_size_) {
    host_.push_back(pinned_bytes(bytes));
    host_size_ = bytes;
  }
  return host_.back().get();
}

}  // namespace relulift::cuda
