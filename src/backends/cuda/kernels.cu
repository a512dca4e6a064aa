// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cuda/kernels.cuh"

namespace relulift::cuda {

namespace {

struct ZeroUpper {
  MatrixView<double> a;
  RELULIFT_HD void operator()(Index i, Index j) const {
    if (i < j) a(i, j) = 0.0;
  }
};

struct CopyInfo {
  const int* info;
  Slot slot;
  RELULIFT_HD void operator()(Index, Index) const { slot.set(*info); }
};

// c(j, i) = c(i, j) for i > j, through a tile in shared memory so that both sides are contiguous.
constexpr int kTile = 32, kTileRows = 8;

__global__ void mirror_lower(MatrixView<double> c) {
  __shared__ double tile[kTile][kTile + 1];
  const Index blocks = (c.rows + kTile - 1) / kTile;
  for (Index bj = blockIdx.y; bj < blocks; bj += gridDim.y) {
    for (Index bi = bj + blockIdx.x; bi < blocks; bi += gridDim.x) {
      for (int k = static_cast<int>(threadIdx.y); k < kTile; k += kTileRows) {
        const Index i = bi * kTile + threadIdx.x, j = bj * kTile + k;
        if (i < c.rows && j < c.rows) tile[k][threadIdx.x] = c(i, j);
      }
      __syncthreads();
      for (int k = static_cast<int>(threadIdx.y); k < kTile; k += kTileRows) {
        const Index i = bj * kTile + threadIdx.x, j = bi * kTile + k;  // written: above diagonal
        if (i < j && j < c.rows) c(i, j) = tile[threadIdx.x][k];
      }
      __syncthreads();
    }
  }
}

}  // namespace

__global__ void __launch_bounds__(kBlock)
    add_partials(const double* partials, Index count, double* out) {
  double value = 0.0;
  for (Index k = threadIdx.x; k < count; k += kBlock) value += partials[blockIdx.x * count + k];
  const double total = block_sum(value, static_cast<int>(threadIdx.x));
  if (threadIdx.x == 0) out[blockIdx.x] = total;
}

void enqueue_add_partials(const double* partials, Index count, Index outputs, double* out,
                          cudaStream_t stream) {
  add_partials<<<static_cast<unsigned>(outputs), kBlock, 0, stream>>>(partials, count, out);
  check(cudaGetLastError());
}

void enqueue_mirror_lower(MatrixView<double> c, cudaStream_t stream) {
  if (c.rows <= 1) return;
  const auto blocks =
      static_cast<unsigned>(std::min<Index>((c.rows + kTile - 1) / kTile, kMaxGridY));
  mirror_lower<<<dim3(blocks, blocks), dim3(kTile, kTileRows), 0, stream>>>(c);
  check(cudaGetLastError());
}

void enqueue_zero_upper(MatrixView<double> a, cudaStream_t stream) {
  enqueue_for_each({a.rows, a.cols}, ZeroUpper{a}, stream);
}

void enqueue_info(const int* info, Slot slot, cudaStream_t stream) {
  enqueue_for_each({1, 1}, CopyInfo{info, slot}, stream);
}

}  // namespace relulift::cuda
