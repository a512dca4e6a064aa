// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cuda/cuda_backend.cuh"

#include <algorithm>
#include <relulift/error.hpp>
#include <stdexcept>

#include "src/backends/product_size.hpp"

namespace relulift {

using cuda::check;

namespace {

// What NVIDIA recommends for Hopper; set by us because a recorded call must not allocate.
constexpr std::size_t kBlasWorkspace = std::size_t{32} << 20;
// Read-backs up to this size go through pinned memory.
constexpr std::size_t kPinned = std::size_t{4} << 20;

void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

cublasOperation_t blas(Op op) { return op == Op::none ? CUBLAS_OP_N : CUBLAS_OP_T; }

template <class T, class Create>
cuda::Handle<T> create(Create function) {
  T handle{};
  check(function(&handle));
  return cuda::Handle<T>(handle);
}

cuda::Handle<cudaStream_t> open_stream(int device) {
  int count = 0;
  const cudaError_t e = cudaGetDeviceCount(&count);
  if (e != cudaSuccess || device >= count || device < 0) {
    cudaGetLastError();
    throw DeviceUnavailable(e != cudaSuccess
                                ? std::string("no CUDA device: ") + cudaGetErrorString(e)
                                : "no CUDA device of number " + std::to_string(device));
  }
  check(cudaSetDevice(device));
  return create<cudaStream_t>(
      [](cudaStream_t* s) { return cudaStreamCreateWithFlags(s, cudaStreamNonBlocking); });
}

std::string name_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device));
  return std::string("cuda: ") + properties.name;
}

}  // namespace

cuda::DeviceBytes cuda::zeroed_bytes(Index count, std::size_t size, cudaStream_t stream) {
  const std::size_t bytes = static_cast<std::size_t>(std::max<Index>(count, 1)) * size;
  DeviceBytes memory = device_bytes(bytes);
  check(cudaMemsetAsync(memory.get(), 0, bytes, stream));
  return memory;
}

CudaBackend::CudaBackend(int device)
    : stream_(open_stream(device)),
      blas_(create<cublasHandle_t>(cublasCreate)),
      solver_(create<cusolverDnHandle_t>(cusolverDnCreate)),
      params_(create<cusolverDnParams_t>(cusolverDnCreateParams)),
      blas_workspace_(cuda::device_bytes(kBlasWorkspace)),
      partials_(cuda::device_bytes(cuda::kMaxPartials * sizeof(double))),
      info_(cuda::device_bytes(sizeof(int))),
      pinned_(cuda::pinned_bytes(kPinned)),
      name_(name_of(device)) {
  check(cublasSetStream(blas_.get(), stream_.get()));
  check(cublasSetWorkspace(blas_.get(), blas_workspace_.get(), kBlasWorkspace));
  check(cublasSetPointerMode(blas_.get(), CUBLAS_POINTER_MODE_HOST));
  check(cublasSetAtomicsMode(blas_.get(), CUBLAS_ATOMICS_NOT_ALLOWED));
  check(cusolverDnSetStream(solver_.get(), stream_.get()));
  check(cusolverDnSetDeterministicMode(solver_.get(), CUSOLVER_DETERMINISTIC_RESULTS));
}

std::int64_t CudaBackend::workspace_bytes(const Needs& needs) {
  const auto square = [](Index n, Index squares) { return 8 * (squares * n * n + 256 * n); };
  return static_cast<std::int64_t>(kBlasWorkspace) + 8 * cuda::kMaxPartials +
         std::max({square(needs.syevd_order, 3), square(needs.eigenvalues_order, 2),
                   square(needs.potrf_order, 1)});
}

std::int64_t CudaBackend::allocated_workspace_bytes() const {
  return static_cast<std::int64_t>(kBlasWorkspace + workspace_.device_total()) +
         8 * cuda::kMaxPartials;
}

void CudaBackend::reserve(const Needs& needs) {
  Scratch most;
  const auto raise = [&most](Scratch s) {
    most = {std::max(most.device, s.device), std::max(most.host, s.host)};
  };
  const auto square = [](Index n) { return MatrixView<const double>{nullptr, n, n, n}; };
  if (needs.syevd_order > 0) {
    raise(eigen_scratch(CUSOLVER_EIG_MODE_VECTOR, square(needs.syevd_order)));
  }
  if (needs.eigenvalues_order > 0) {
    raise(eigen_scratch(CUSOLVER_EIG_MODE_NOVECTOR, square(needs.eigenvalues_order)));
  }
  if (needs.potrf_order > 0) raise(potrf_scratch(square(needs.potrf_order)));
  workspace_.device(most.device);
  workspace_.host(most.host);
}

void CudaBackend::refuse_while_recording(const char* operation) const {
  cudaStreamCaptureStatus status{};
  check(cudaStreamIsCapturing(stream_.get(), &status));
  if (status != cudaStreamCaptureStatusNone) {
    throw std::logic_error(std::string(operation) + " inside a recording");
  }
}

void CudaBackend::wait() const { check(cudaStreamSynchronize(stream_.get())); }

void CudaBackend::upload(std::span<const double> from, MatrixView<double> to) {
  refuse_while_recording("upload");
  require(static_cast<Index>(from.size()) == to.rows * to.cols, "upload: sizes differ");
  if (from.empty()) return;
  const std::size_t column = sizeof(double) * static_cast<std::size_t>(to.rows);
  check(cudaMemcpy2DAsync(to.data, sizeof(double) * static_cast<std::size_t>(to.ld), from.data(),
                          column, column, static_cast<std::size_t>(to.cols), cudaMemcpyHostToDevice,
                          stream_.get()));
}

void CudaBackend::upload(std::span<const double> from, Slot to) {
  refuse_while_recording("upload");
  check(cudaMemcpyAsync(to.address, from.data(), from.size_bytes(), cudaMemcpyHostToDevice,
                        stream_.get()));
}

void CudaBackend::upload(std::span<const std::int32_t> from, Indices& to) {
  refuse_while_recording("upload");
  require(static_cast<Index>(from.size()) <= to.size(), "upload: more indices than room");
  check(cudaMemcpyAsync(to.data(), from.data(), from.size_bytes(), cudaMemcpyHostToDevice,
                        stream_.get()));
}

void CudaBackend::fetch(Slot from, std::span<double> to) const {
  fetch(MatrixView<const double>{from.address, static_cast<Index>(to.size()), 1,
                                 static_cast<Index>(to.size())},
        to);
}

void CudaBackend::fetch(MatrixView<const double> from, std::span<double> to) const {
  refuse_while_recording("fetch");
  require(static_cast<Index>(to.size()) == from.rows * from.cols, "fetch: sizes differ");
  if (to.empty()) return wait();
  const std::size_t column = sizeof(double) * static_cast<std::size_t>(from.rows);
  const bool small = to.size_bytes() <= kPinned;
  double* target = small ? reinterpret_cast<double*>(pinned_.get()) : to.data();
  check(cudaMemcpy2DAsync(
      target, column, from.data, sizeof(double) * static_cast<std::size_t>(from.ld), column,
      static_cast<std::size_t>(from.cols), cudaMemcpyDeviceToHost, stream_.get()));
  wait();
  if (small) std::copy_n(target, to.size(), to.data());
}

void CudaBackend::gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a,
                       MatrixView<const double> b, double beta, MatrixView<double> c) {
  const Index inner = inner_of_product(op_a, op_b, a, b, c);
  if (c.rows == 0 || c.cols == 0) return;
  if (c.cols == 1 && inner > 0) {
    check(cublasDgemv_64(blas_.get(), blas(op_a), a.rows, a.cols, &alpha, a.data, a.ld, b.data,
                         op_b == Op::none ? 1 : b.ld, &beta, c.data, 1));
    return;
  }
  check(cublasDgemm_64(blas_.get(), blas(op_a), blas(op_b), c.rows, c.cols, inner, &alpha, a.data,
                       a.ld, b.data, b.ld, &beta, c.data, c.ld));
}

void CudaBackend::gemm(Op op_a, Op op_b, double alpha, MatrixView<const float> a,
                       MatrixView<const float> b, double beta, MatrixView<float> c) {
  const Index inner = inner_of_product(op_a, op_b, a, b, c);
  if (c.rows == 0 || c.cols == 0) return;
  const auto by = static_cast<float>(alpha), keep = static_cast<float>(beta);
  if (c.cols == 1 && inner > 0) {
    check(cublasSgemv_64(blas_.get(), blas(op_a), a.rows, a.cols, &by, a.data, a.ld, b.data,
                         op_b == Op::none ? 1 : b.ld, &keep, c.data, 1));
    return;
  }
  check(cublasSgemm_64(blas_.get(), blas(op_a), blas(op_b), c.rows, c.cols, inner, &by, a.data,
                       a.ld, b.data, b.ld, &keep, c.data, c.ld));
}

void CudaBackend::syrk(Op op, double alpha, MatrixView<const double> a, double beta,
                       MatrixView<double> c) {
  const Index inner = op == Op::none ? a.cols : a.rows;
  require(c.rows == c.cols && (op == Op::none ? a.rows : a.cols) == c.rows,
          "syrk: sizes do not fit");
  if (c.rows == 0) return;
  check(cublasDsyrk_64(blas_.get(), CUBLAS_FILL_MODE_LOWER, blas(op), c.rows, inner, &alpha, a.data,
                       a.ld, &beta, c.data, c.ld));
  cuda::enqueue_mirror_lower(c, stream_.get());
}

void CudaBackend::trsm(Side side, Op op, MatrixView<const double> l, MatrixView<double> b) {
  require(l.rows == l.cols && l.rows == (side == Side::left ? b.rows : b.cols),
          "trsm: sizes do not fit");
  if (b.rows == 0 || b.cols == 0) return;
  const double one = 1.0;
  check(cublasDtrsm_64(blas_.get(), side == Side::left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT,
                       CUBLAS_FILL_MODE_LOWER, blas(op), CUBLAS_DIAG_NON_UNIT, b.rows, b.cols, &one,
                       l.data, l.ld, b.data, b.ld));
}

void CudaBackend::potrs(MatrixView<const double> l, MatrixView<double> b) {
  trsm(Side::left, Op::none, l, b);
  trsm(Side::left, Op::transpose, l, b);
}

CudaBackend::Scratch CudaBackend::potrf_scratch(MatrixView<const double> a) const {
  Scratch s;
  check(cusolverDnXpotrf_bufferSize(solver_.get(), params_.get(), CUBLAS_FILL_MODE_LOWER, a.rows,
                                    CUDA_R_64F, a.data, a.ld, CUDA_R_64F, &s.device, &s.host));
  return s;
}

void CudaBackend::potrf(MatrixView<double> a, Slot slot) {
  refuse_while_recording("potrf");
  require(a.rows == a.cols, "potrf: not square");
  if (a.rows == 0) {
    check(cudaMemsetAsync(slot.address, 0, sizeof(double), stream_.get()));
    return;
  }
  const Scratch s = potrf_scratch(a);
  check(cusolverDnXpotrf(solver_.get(), params_.get(), CUBLAS_FILL_MODE_LOWER, a.rows, CUDA_R_64F,
                         a.data, a.ld, CUDA_R_64F, workspace_.device(s.device), s.device,
                         workspace_.host(s.host), s.host, info()));
  cuda::enqueue_info(info(), slot, stream_.get());
  cuda::enqueue_zero_upper(a, stream_.get());
}

CudaBackend::Scratch CudaBackend::eigen_scratch(cusolverEigMode_t mode,
                                                MatrixView<const double> a) const {
  Scratch s;
  check(cusolverDnXsyevd_bufferSize(solver_.get(), params_.get(), mode, CUBLAS_FILL_MODE_LOWER,
                                    a.rows, CUDA_R_64F, a.data, a.ld, CUDA_R_64F, nullptr,
                                    CUDA_R_64F, &s.device, &s.host));
  return s;
}

void CudaBackend::eigen(cusolverEigMode_t mode, MatrixView<double> a, Slot values, Slot slot) {
  refuse_while_recording("syevd");
  require(a.rows == a.cols, "syevd: not square");
  if (a.rows == 0) {
    check(cudaMemsetAsync(slot.address, 0, sizeof(double), stream_.get()));
    return;
  }
  const Scratch s = eigen_scratch(mode, a);
  check(cusolverDnXsyevd(solver_.get(), params_.get(), mode, CUBLAS_FILL_MODE_LOWER, a.rows,
                         CUDA_R_64F, a.data, a.ld, CUDA_R_64F, values.address, CUDA_R_64F,
                         workspace_.device(s.device), s.device, workspace_.host(s.host), s.host,
                         info()));
  cuda::enqueue_info(info(), slot, stream_.get());
}

void CudaBackend::syevd(MatrixView<double> a, Slot values, Slot info) {
  eigen(CUSOLVER_EIG_MODE_VECTOR, a, values, info);
}

void CudaBackend::eigenvalues(MatrixView<double> a, Slot values, Slot info) {
  eigen(CUSOLVER_EIG_MODE_NOVECTOR, a, values, info);
}

}  // namespace relulift
