// SPDX-License-Identifier: Apache-2.0
// Loops of the CUDA backend: one thread per entry and reductions in a fixed order. Shapes depend on
// the extent alone, so a sum has the same bits on every run.
#pragma once

#include <algorithm>
#include <cmath>

#include "src/backends/cuda/check.hpp"
#include "src/core/backend.hpp"
#include "src/core/view.hpp"

namespace relulift::cuda {

inline constexpr int kBlock = 256;
inline constexpr Index kMaxPartials = 4096;  // of one reduction
inline constexpr Index kMaxGridY = 65535;

struct Shape {
  dim3 grid, block;
};

// Threads along rows, where memory is contiguous; short columns share a block. At most `most`
// blocks; the kernels stride over what is left.
inline Shape shape_of(Extent e, Index most) {
  unsigned width = 1;
  while (width < kBlock && width < e.rows) width *= 2;
  const unsigned height = kBlock / width;
  const Index down = std::min<Index>((e.rows + width - 1) / width, most);
  const Index across =
      std::min<Index>({(e.cols + height - 1) / height, std::max<Index>(most / down, 1), kMaxGridY});
  return {dim3(static_cast<unsigned>(down), static_cast<unsigned>(across)), dim3(width, height)};
}

template <class F>
__global__ void __launch_bounds__(kBlock) for_each(Extent e, const F f) {
  const Index i0 = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  const Index j0 = static_cast<Index>(blockIdx.y) * blockDim.y + threadIdx.y;
  for (Index j = j0; j < e.cols; j += static_cast<Index>(gridDim.y) * blockDim.y) {
    for (Index i = i0; i < e.rows; i += static_cast<Index>(gridDim.x) * blockDim.x) f(i, j);
  }
}

// Sum over the kBlock threads of a block, the same tree every time; valid in thread 0. A barrier
// stands at the end, so it may be called again at once.
__device__ inline double block_sum(double value, int thread) {
  constexpr int kWarps = kBlock / 32;
  __shared__ double warp_sums[kWarps];
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  if (thread % 32 == 0) warp_sums[thread / 32] = value;
  __syncthreads();
  double total = 0.0;
  if (thread == 0) {
    for (int w = 0; w < kWarps; ++w) total += warp_sums[w];
  }
  __syncthreads();
  return total;
}

template <class F>
__global__ void __launch_bounds__(kBlock) partial_sums(Extent e, const F f, double* partials) {
  const Index i0 = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
  const Index j0 = static_cast<Index>(blockIdx.y) * blockDim.y + threadIdx.y;
  double value = 0.0;
  for (Index j = j0; j < e.cols; j += static_cast<Index>(gridDim.y) * blockDim.y) {
    for (Index i = i0; i < e.rows; i += static_cast<Index>(gridDim.x) * blockDim.x) {
      value += f(i, j);
    }
  }
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  const double total = block_sum(value, thread);
  if (thread == 0) partials[static_cast<Index>(blockIdx.y) * gridDim.x + blockIdx.x] = total;
}

// out[j] = sum of count partials at partials[j * count]; one block per output.
__global__ void __launch_bounds__(kBlock)
    add_partials(const double* partials, Index count, double* out);

// One warp per column; for short columns.
template <class F>
__global__ void __launch_bounds__(kBlock) short_column_sums(Extent e, const F f, double* out) {
  const Index warps = kBlock / 32;
  for (Index j = blockIdx.x * warps + threadIdx.x / 32; j < e.cols; j += gridDim.x * warps) {
    double value = 0.0;
    for (Index i = threadIdx.x % 32; i < e.rows; i += 32) value += f(i, j);
    for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
    if (threadIdx.x % 32 == 0) out[j] = value;
  }
}

// A warp that does a column of launch_columns: a sum or maximum is the same bits in all its lanes.
// The host compiles the bodies and never runs them.
class Team {
 public:
  RELULIFT_HD explicit Team(Index rows) : rows_(rows) {}
  RELULIFT_HD bool leads() const { return lane() == 0; }
  template <class Body>
  RELULIFT_HD void each(const Body& body) const {
    for (Index i = lane(); i < rows_; i += 32) body(i);
    synchronise();
  }
  template <class Term>
  RELULIFT_HD double sum(const Term& term) const {
    double total = 0.0;
    for (Index i = lane(); i < rows_; i += 32) total += term(i);
    for (int step = 16; step > 0; step /= 2) total += across(total, step);
    return total;
  }
  template <class Term>
  RELULIFT_HD auto sums(const Term& term) const {
    double first = 0.0, second = 0.0;
    for (Index i = lane(); i < rows_; i += 32) {
      const auto both = term(i);
      first += both.first;
      second += both.second;
    }
    for (int step = 16; step > 0; step /= 2) {
      first += across(first, step);
      second += across(second, step);
    }
    return decltype(term(Index{})){first, second};
  }
  template <class Term>
  RELULIFT_HD double max(const Term& term) const {
    double largest = -HUGE_VAL;
    for (Index i = lane(); i < rows_; i += 32) largest = larger(largest, term(i));
    for (int step = 16; step > 0; step /= 2) largest = larger(largest, across(largest, step));
    return largest;
  }

 private:
#ifdef __CUDA_ARCH__
  __device__ static Index lane() { return threadIdx.x % 32; }
  __device__ static double across(double x, int step) {
    return __shfl_xor_sync(0xffffffffu, x, step);
  }
  __device__ static void synchronise() { __syncwarp(); }
#else
  RELULIFT_HD static Index lane() { return 0; }
  RELULIFT_HD static double across(double x, int) { return x; }
  RELULIFT_HD static void synchronise() {}
#endif
  Index rows_;
};

template <class F>
__global__ void __launch_bounds__(kBlock) for_each_column(Extent e, const F f) {
  const Index warps = kBlock / 32;
  const Team team(e.rows);
  for (Index j = blockIdx.x * warps + threadIdx.x / 32; j < e.cols; j += gridDim.x * warps)
    f(j, team);
}

// One block per column and segment of rows; segment s of column j goes to out[s + j * gridDim.y].
template <class F>
__global__ void __launch_bounds__(kBlock) column_sums(Extent e, const F f, double* out) {
  const Index length = (e.rows + gridDim.y - 1) / gridDim.y;
  const Index first = blockIdx.y * length;
  const Index last = first + length < e.rows ? first + length : e.rows;
  for (Index j = blockIdx.x; j < e.cols; j += gridDim.x) {
    double value = 0.0;
    for (Index i = first + threadIdx.x; i < last; i += kBlock) value += f(i, j);
    const double total = block_sum(value, static_cast<int>(threadIdx.x));
    if (threadIdx.x == 0) out[blockIdx.y + j * gridDim.y] = total;
  }
}

// Bookkeeping around library calls.
void enqueue_mirror_lower(MatrixView<double> c, cudaStream_t stream);
void enqueue_zero_upper(MatrixView<double> a, cudaStream_t stream);
void enqueue_info(const int* info, Slot slot, cudaStream_t stream);
void enqueue_add_partials(const double* partials, Index count, Index outputs, double* out,
                          cudaStream_t stream);

template <class F>
void enqueue_for_each(Extent e, const F& f, cudaStream_t stream) {
  if (e.rows <= 0 || e.cols <= 0) return;
  const Shape s = shape_of(e, Index{1} << 20);
  for_each<<<s.grid, s.block, 0, stream>>>(e, f);
  check(cudaGetLastError());
}

template <class F>
void enqueue_for_each_column(Extent e, const F& f, cudaStream_t stream) {
  if (e.cols <= 0) return;
  const Index blocks = std::min<Index>((e.cols + kBlock / 32 - 1) / (kBlock / 32), Index{1} << 20);
  for_each_column<<<static_cast<unsigned>(blocks), kBlock, 0, stream>>>(e, f);
  check(cudaGetLastError());
}

// partials: kMaxPartials doubles.
template <class F>
void enqueue_sum(Extent e, const F& f, double* out, double* partials, cudaStream_t stream) {
  if (e.rows <= 0 || e.cols <= 0) return check(cudaMemsetAsync(out, 0, sizeof(double), stream));
  const Shape s = shape_of(e, 1024);
  const Index count = static_cast<Index>(s.grid.x) * s.grid.y;
  double* to = count == 1 ? out : partials;
  partial_sums<<<s.grid, s.block, 0, stream>>>(e, f, to);
  check(cudaGetLastError());
  if (count > 1) enqueue_add_partials(partials, count, 1, out, stream);
}

template <class F>
void enqueue_sum_columns(Extent e, const F& f, double* out, double* partials, cudaStream_t stream) {
  constexpr Index kShort = 128, kSegment = 4096;
  if (e.cols <= 0) return;
  const auto across = static_cast<unsigned>(std::min<Index>(e.cols, kMaxGridY));
  if (e.rows <= kShort) {
    short_column_sums<<<across, kBlock, 0, stream>>>(e, f, out);
    return check(cudaGetLastError());
  }
  const Index segments = std::clamp<Index>((e.rows + kSegment - 1) / kSegment, 1,
                                           std::max<Index>(1, kMaxPartials / e.cols));
  const dim3 grid(across, static_cast<unsigned>(segments));
  column_sums<<<grid, kBlock, 0, stream>>>(e, f, segments == 1 ? out : partials);
  check(cudaGetLastError());
  if (segments > 1) enqueue_add_partials(partials, segments, e.cols, out, stream);
}

}  // namespace relulift::cuda
