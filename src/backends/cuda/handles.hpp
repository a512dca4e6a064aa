// SPDX-License-Identifier: Apache-2.0
// Owners of the stream and of the library handles.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include <memory>
#include <type_traits>

namespace relulift::cuda {

struct DestroyHandle {
  void operator()(cudaStream_t s) const noexcept { cudaStreamDestroy(s); }
  void operator()(cublasHandle_t h) const noexcept { cublasDestroy(h); }
  void operator()(cusolverDnHandle_t h) const noexcept { cusolverDnDestroy(h); }
  void operator()(cusolverDnParams_t p) const noexcept { cusolverDnDestroyParams(p); }
};
template <class T>
using Handle = std::unique_ptr<std::remove_pointer_t<T>, DestroyHandle>;

}  // namespace relulift::cuda
