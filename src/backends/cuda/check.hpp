// SPDX-License-Identifier: Apache-2.0
// Every CUDA, cuBLAS and cuSOLVER call goes through check().
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include <source_location>

namespace relulift::cuda {

// Throws DeviceError "file:line: text".
[[noreturn]] void raise(const char* text, std::source_location at);
const char* text_of(cusolverStatus_t status);

inline void check(cudaError_t e, std::source_location at = std::source_location::current()) {
  if (e == cudaSuccess) return;
  cudaGetLastError();  // an error left behind would be blamed on the next call
  raise(cudaGetErrorString(e), at);
}
inline void check(cublasStatus_t s, std::source_location at = std::source_location::current()) {
  if (s != CUBLAS_STATUS_SUCCESS) raise(cublasGetStatusString(s), at);
}
inline void check(cusolverStatus_t s, std::source_location at = std::source_location::current()) {
  if (s != CUSOLVER_STATUS_SUCCESS) raise(text_of(s), at);
}

}  // namespace relulift::cuda
