// SPDX-License-Identifier: Apache-2.0
#include "src/backends/cpu/cpu_backend.hpp"

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "src/backends/blas_int.hpp"
#include "src/backends/product_size.hpp"

namespace relulift {

namespace cpu {

void Free::operator()(void* memory) const noexcept {
  if (mapped_bytes > 0) {
    munmap(memory, mapped_bytes);
  } else {
    std::free(memory);
  }
}

Allocation allocate_zeroed(Index count, std::size_t size) {
  constexpr std::size_t kLine = 64, kLarge = std::size_t{16} << 20;
  const std::size_t bytes = static_cast<std::size_t>(std::max<Index>(count, 1)) * size;
  const std::size_t padded = (bytes + kLine - 1) / kLine * kLine;
  if (padded >= kLarge) {
    void* memory =
        mmap(nullptr, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, padded, MADV_HUGEPAGE);  // fewer faults; a refusal costs nothing
    return {memory, padded};
  }
  void* memory = std::aligned_alloc(kLine, padded);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, padded);
  return {memory, 0};
}

struct IndicesAccess {
  static std::int32_t* data(Indices& indices) { return indices.memory_.get(); }
};

double* Workspace::reals(Index count) {
  if (count > real_count_) {
    reals_.reset();
    reals_ = zeroed<double>(count);
    real_count_ = count;
  }
  return reals_.get();
}

int* Workspace::integers(Index count) {
  if (count > integer_count_) {
    integers_.reset();
    integers_ = zeroed<int>(count);
    integer_count_ = count;
  }
  return integers_.get();
}

}  // namespace cpu

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

CBLAS_TRANSPOSE blas(Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; }

template <class T>
int leading(MatrixView<T> a) {
  return blas_int(std::max({a.ld, a.rows, Index{1}}));
}

struct EigenSizes {
  Index reals, integers;
};

// Of dsyevd, as its documentation states them.
EigenSizes eigen_sizes(char job, Index n) {
  if (n <= 1) return {1, 1};
  return job == 'V' ? EigenSizes{1 + 6 * n + 2 * n * n, 3 + 5 * n}
                    : EigenSizes{std::max(2 * n + 1, 66 * n), 1};
}

// Copies the strict lower triangle to the upper one, block by block for the cache.
void mirror_lower(MatrixView<double> c) {
  constexpr Index kBlock = 32;
  for (Index jb = 0; jb < c.cols; jb += kBlock) {
    for (Index ib = jb; ib < c.rows; ib += kBlock) {
      for (Index j = jb; j < std::min(jb + kBlock, c.cols); ++j) {
        for (Index i = std::max(ib, j + 1); i < std::min(ib + kBlock, c.rows); ++i) {
          c(j, i) = c(i, j);
        }
      }
    }
  }
}

}  // namespace

CpuBackend::CpuBackend(int threads) {
  const int count = threads > 0 ? threads : omp_get_max_threads();
  lanes_ = count;
  if (count > 1) workers_ = std::make_unique<cpu::Workers>(count);
}

std::int64_t CpuBackend::workspace_bytes(const Needs& needs) {
  const EigenSizes vectors = eigen_sizes('V', needs.syevd_order);
  const EigenSizes values = eigen_sizes('N', needs.eigenvalues_order);
  return 8 * std::max(vectors.reals, values.reals) +
         4 * std::max(vectors.integers, values.integers);
}

void CpuBackend::reserve(const Needs& needs) {
  const EigenSizes vectors = eigen_sizes('V', needs.syevd_order);
  const EigenSizes values = eigen_sizes('N', needs.eigenvalues_order);
  workspace_.reals(std::max(vectors.reals, values.reals));
  workspace_.integers(std::max(vectors.integers, values.integers));
}

void CpuBackend::upload(std::span<const double> from, MatrixView<double> to) {
  require(static_cast<Index>(from.size()) == to.rows * to.cols, "upload: sizes differ");
  for (Index j = 0; j < to.cols; ++j) std::copy_n(from.data() + j * to.rows, to.rows, &to(0, j));
}

void CpuBackend::upload(std::span<const double> from, Slot to) {
  std::copy(from.begin(), from.end(), to.address);
}

void CpuBackend::upload(std::span<const std::int32_t> from, Indices& to) {
  require(static_cast<Index>(from.size()) <= to.size(), "upload: more indices than room");
  std::copy(from.begin(), from.end(), cpu::IndicesAccess::data(to));
}

void CpuBackend::fetch(Slot from, std::span<double> to) const {
  std::copy_n(from.address, to.size(), to.begin());
}

void CpuBackend::fetch(MatrixView<const double> from, std::span<double> to) const {
  require(static_cast<Index>(to.size()) == from.rows * from.cols, "fetch: sizes differ");
  for (Index j = 0; j < from.cols; ++j) {
    std::copy_n(&from(0, j), from.rows, to.data() + j * from.rows);
  }
}

void CpuBackend::gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a,
                      MatrixView<const double> b, double beta, MatrixView<double> c) {
  const Index inner = inner_of_product(op_a, op_b, a, b, c);
  if (c.rows == 0 || c.cols == 0) return;
  if (c.cols == 1 && inner > 0) {  // dgemm spends most of its time packing here
    cblas_dgemv(CblasColMajor, blas(op_a), blas_int(a.rows), blas_int(a.cols), alpha, a.data,
                leading(a), b.data, op_b == Op::none ? 1 : leading(b), beta, c.data, 1);
    return;
  }
  cblas_dgemm(CblasColMajor, blas(op_a), blas(op_b), blas_int(c.rows), blas_int(c.cols),
              blas_int(inner), alpha, a.data, leading(a), b.data, leading(b), beta, c.data,
              leading(c));
}

void CpuBackend::gemm(Op op_a, Op op_b, double alpha, MatrixView<const float> a,
                      MatrixView<const float> b, double beta, MatrixView<float> c) {
  const Index inner = inner_of_product(op_a, op_b, a, b, c);
  if (c.rows == 0 || c.cols == 0) return;
  const auto by = static_cast<float>(alpha), keep = static_cast<float>(beta);
  if (c.cols == 1 && inner > 0) {
    cblas_sgemv(CblasColMajor, blas(op_a), blas_int(a.rows), blas_int(a.cols), by, a.data,
                leading(a), b.data, op_b == Op::none ? 1 : leading(b), keep, c.data, 1);
    return;
  }
  cblas_sgemm(CblasColMajor, blas(op_a), blas(op_b), blas_int(c.rows), blas_int(c.cols),
              blas_int(inner), by, a.data, leading(a), b.data, leading(b), keep, c.data,
              leading(c));
}

void CpuBackend::syrk(Op op, double alpha, MatrixView<const double> a, double beta,
                      MatrixView<double> c) {
  const Index inner = op == Op::none ? a.cols : a.rows;
  require(c.rows == c.cols && (op == Op::none ? a.rows : a.cols) == c.rows,
          "syrk: sizes do not fit");
  if (c.rows == 0) return;
  cblas_dsyrk(CblasColMajor, CblasLower, blas(op), blas_int(c.rows), blas_int(inner), alpha, a.data,
              leading(a), beta, c.data, leading(c));
  mirror_lower(c);
}

void CpuBackend::potrf(MatrixView<double> a, Slot info) {
  require(a.rows == a.cols, "potrf: not square");
  info.set(0.0);
  if (a.rows == 0) return;
  info.set(LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', blas_int(a.rows), a.data, leading(a)));
  for (Index j = 1; j < a.cols; ++j) std::fill_n(&a(0, j), j, 0.0);
}

void CpuBackend::trsm(Side side, Op op, MatrixView<const double> l, MatrixView<double> b) {
  require(l.rows == l.cols && l.rows == (side == Side::left ? b.rows : b.cols),
          "trsm: sizes do not fit");
  if (b.rows == 0 || b.cols == 0) return;
  cblas_dtrsm(CblasColMajor, side == Side::left ? CblasLeft : CblasRight, CblasLower, blas(op),
              CblasNonUnit, blas_int(b.rows), blas_int(b.cols), 1.0, l.data, leading(l), b.data,
              leading(b));
}

void CpuBackend::potrs(MatrixView<const double> l, MatrixView<double> b) {
  trsm(Side::left, Op::none, l, b);
  trsm(Side::left, Op::transpose, l, b);
}

void CpuBackend::syevd(MatrixView<double> a, Slot values, Slot info) {
  eigen('V', a, values, info);
}

void CpuBackend::eigenvalues(MatrixView<double> a, Slot values, Slot info) {
  eigen('N', a, values, info);
}

void CpuBackend::eigen(char job, MatrixView<double> a, Slot values, Slot info) {
  require(a.rows == a.cols, "syevd: not square");
  info.set(0.0);
  if (a.rows == 0) return;
  const EigenSizes size = eigen_sizes(job, a.rows);
  info.set(LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, 'L', blas_int(a.rows), a.data, leading(a),
                               values.address, workspace_.reals(size.reals), blas_int(size.reals),
                               workspace_.integers(size.integers), blas_int(size.integers)));
}

}  // namespace relulift
