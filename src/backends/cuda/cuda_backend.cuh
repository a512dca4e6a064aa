// SPDX-License-Identifier: Apache-2.0
// The Backend concept on one CUDA device: one non-blocking stream, cuBLAS, cuSOLVER, fixed-order
// reductions, recordings as CUDA graphs. Needs nvcc; functors must be named types.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "src/backends/cuda/handles.hpp"
#include "src/backends/cuda/kernels.cuh"
#include "src/backends/cuda/memory.hpp"
#include "src/backends/cuda/recording.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"

namespace relulift {

namespace cuda {

// Zeroed on the backend's stream.
DeviceBytes zeroed_bytes(Index count, std::size_t size, cudaStream_t stream);

class Matrix {
 public:
  Matrix(Index rows, Index cols, cudaStream_t stream)
      : memory_(zeroed_bytes(rows * cols, sizeof(double), stream)), rows_(rows), cols_(cols) {}
  MatrixView<double> view() const {
    return {reinterpret_cast<double*>(memory_.get()), rows_, cols_, rows_ > 0 ? rows_ : 1};
  }
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }

 private:
  DeviceBytes memory_;
  Index rows_, cols_;
};

class Slots {
 public:
  Slots(Index count, cudaStream_t stream)
      : memory_(zeroed_bytes(count, sizeof(double), stream)), size_(count) {}
  Slot operator[](Index k) const { return {reinterpret_cast<double*>(memory_.get()) + k}; }
  Index size() const { return size_; }

 private:
  DeviceBytes memory_;
  Index size_;
};

class Indices {
 public:
  Indices(Index count, cudaStream_t stream)
      : memory_(zeroed_bytes(count, sizeof(std::int32_t), stream)), size_(count) {}
  IndexView view() const { return {data(), size_}; }
  Index size() const { return size_; }
  std::int32_t* data() const { return reinterpret_cast<std::int32_t*>(memory_.get()); }

 private:
  DeviceBytes memory_;
  Index size_;
};

}  // namespace cuda

class CudaBackend {
 public:
  using Matrix = cuda::Matrix;
  using Slots = cuda::Slots;
  using Indices = cuda::Indices;
  using Recording = cuda::Recording;

  // Throws DeviceUnavailable without a driver or a device of that number.
  explicit CudaBackend(int device = 0);

  // Bytes of device memory beside Needs::storage_bytes, from above; needs no device.
  static std::int64_t workspace_bytes(const Needs& needs);
  // Allocates the workspaces now; without it the first call of each size does.
  void reserve(const Needs& needs);
  // Of the library calls, as allocated so far.
  std::int64_t allocated_workspace_bytes() const;

  Matrix matrix(Index rows, Index cols) const { return {rows, cols, stream_.get()}; }
  Slots slots(Index count) const { return {count, stream_.get()}; }
  Indices indices(Index count) const { return {count, stream_.get()}; }

  void upload(std::span<const double> from, MatrixView<double> to);
  void upload(std::span<const double> from, Slot to);
  void upload(std::span<const std::int32_t> from, Indices& to);

  template <class F>
  void launch(Extent extent, const F& f) const {
    cuda::enqueue_for_each(extent, f, stream_.get());
  }
  template <class F>
  void sum(Extent extent, const F& f, Slot out) const {
    cuda::enqueue_sum(extent, f, out.address, partials(), stream_.get());
  }
  template <class F>
  void sum_columns(Extent extent, const F& f, Slot out) const {
    cuda::enqueue_sum_columns(extent, f, out.address, partials(), stream_.get());
  }
  template <class F>
  void launch_columns(Extent extent, const F& f) const {
    cuda::enqueue_for_each_column(extent, f, stream_.get());
  }

  // One stream: one after the other.
  Index lanes() const { return 1; }
  template <class F>
  void concurrently(Index count, const F& f) {
    for (Index k = 0; k < count; ++k) f(k, Index{0}, *this);
  }

  void gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a, MatrixView<const double> b,
            double beta, MatrixView<double> c);
  void gemm(Op op_a, Op op_b, double alpha, MatrixView<const float> a, MatrixView<const float> b,
            double beta, MatrixView<float> c);
  void syrk(Op op, double alpha, MatrixView<const double> a, double beta, MatrixView<double> c);
  void potrf(MatrixView<double> a, Slot info);
  void trsm(Side side, Op op, MatrixView<const double> l, MatrixView<double> b);
  void potrs(MatrixView<const double> l, MatrixView<double> b);
  void syevd(MatrixView<double> a, Slot values, Slot info);
  void eigenvalues(MatrixView<double> a, Slot values, Slot info);

  template <class Body>
  Recording record(Body body) const {
    return Recording(stream_.get(), std::function<void()>(std::move(body)));
  }
  void fetch(Slot from, std::span<double> to) const;
  void fetch(MatrixView<const double> from, std::span<double> to) const;

  std::string name() const { return name_; }

 private:
  struct Scratch {
    std::size_t device = 0, host = 0;
  };
  Scratch eigen_scratch(cusolverEigMode_t mode, MatrixView<const double> a) const;
  Scratch potrf_scratch(MatrixView<const double> a) const;
  void eigen(cusolverEigMode_t mode, MatrixView<double> a, Slot values, Slot info);
  // A call that waits, or that no graph can hold, is a mistake of the caller in a recording.
  void refuse_while_recording(const char* operation) const;
  void wait() const;
  double* partials() const { return reinterpret_cast<double*>(partials_.get()); }
  int* info() const { return reinterpret_cast<int*>(info_.get()); }

  // The stream outlives, hence precedes, what uses it.
  cuda::Handle<cudaStream_t> stream_;
  cuda::Handle<cublasHandle_t> blas_;
  cuda::Handle<cusolverDnHandle_t> solver_;
  cuda::Handle<cusolverDnParams_t> params_;
  cuda::DeviceBytes blas_workspace_, partials_, info_;
  cuda::PinnedBytes pinned_;
  cuda::Workspace workspace_;
  std::string name_;
};

static_assert(Backend<CudaBackend>);

}  // namespace relulift
