// SPDX-License-Identifier: Apache-2.0
// The Backend concept on host memory: threaded OpenMP-simd loops, CBLAS and LAPACKE. Calls complete
// before they return. Results of loops do not depend on the number of threads: reductions add fixed
// tiles in index order.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "src/backends/cpu/tiling.hpp"
#include "src/backends/cpu/workers.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"

namespace relulift {

namespace cpu {

struct Free {
  std::size_t mapped_bytes = 0;  // 0: of the heap
  void operator()(void* memory) const noexcept;
};
template <class T>
using Buffer = std::unique_ptr<T[], Free>;

// Zeroed, aligned to a cache line. Throws std::bad_alloc. Large blocks are mapped: a page costs
// nothing before its first use, and reserved capacity is often never used.
struct Allocation {
  void* memory;
  std::size_t mapped_bytes;
};
Allocation allocate_zeroed(Index count, std::size_t size);

template <class T>
Buffer<T> zeroed(Index count) {
  const Allocation block = allocate_zeroed(count, sizeof(T));
  return Buffer<T>(static_cast<T*>(block.memory), Free{block.mapped_bytes});
}

class Matrix {
 public:
  Matrix(Index rows, Index cols)
      : memory_(zeroed<double>(rows * cols)),
        view_{memory_.get(), rows, cols, rows > 0 ? rows : 1} {}
  MatrixView<double> view() const { return view_; }
  Index rows() const { return view_.rows; }
  Index cols() const { return view_.cols; }

 private:
  Buffer<double> memory_;
  MatrixView<double> view_;
};

class Slots {
 public:
  explicit Slots(Index count) : memory_(zeroed<double>(count)), size_(count) {}
  Slot operator[](Index k) const { return {memory_.get() + k}; }
  Index size() const { return size_; }

 private:
  Buffer<double> memory_;
  Index size_;
};

class Indices {
 public:
  explicit Indices(Index count) : memory_(zeroed<std::int32_t>(count)), size_(count) {}
  IndexView view() const { return {memory_.get(), size_}; }
  Index size() const { return size_; }

 private:
  friend struct IndicesAccess;
  Buffer<std::int32_t> memory_;
  Index size_;
};

// Scratch of the eigensolvers; grows to the largest order seen and stays.
class Workspace {
 public:
  double* reals(Index count);
  int* integers(Index count);

 private:
  Buffer<double> reals_;
  Buffer<int> integers_;
  Index real_count_ = 0, integer_count_ = 0;
};

// One thread, which does a column of launch_columns. Marked for the device as the kernels are that
// call it, though nothing calls it there.
class Team {
 public:
  RELULIFT_HD explicit Team(Index rows) : rows_(rows) {}
  RELULIFT_HD bool leads() const { return true; }
  template <class Body>
  RELULIFT_HD void each(const Body& body) const {
#pragma omp simd
    for (Index i = 0; i < rows_; ++i) body(i);
  }
  template <class Term>
  RELULIFT_HD double sum(const Term& term) const {
    double total = 0.0;
#pragma omp simd reduction(+ : total)
    for (Index i = 0; i < rows_; ++i) total += term(i);
    return total;
  }
  template <class Term>
  RELULIFT_HD auto sums(const Term& term) const {
    double first = 0.0, second = 0.0;
#pragma omp simd reduction(+ : first, second)
    for (Index i = 0; i < rows_; ++i) {
      const auto both = term(i);
      first += both.first;
      second += both.second;
    }
    return decltype(term(Index{})){first, second};
  }
  template <class Term>
  RELULIFT_HD double max(const Term& term) const {
    double largest = -HUGE_VAL;
    for (Index i = 0; i < rows_; ++i) largest = larger(largest, term(i));
    return largest;
  }

 private:
  Index rows_;
};

// Of an entry, in units of a plain one.
template <class F>
Index work_of(const F& f) {
  if constexpr (requires { f.work(); }) return std::max<Index>(f.work(), 1);
  return 1;
}

}  // namespace cpu

class CpuBackend {
 public:
  using Matrix = cpu::Matrix;
  using Slots = cpu::Slots;
  using Indices = cpu::Indices;

  class Recording {
   public:
    explicit Recording(std::function<void()> body) : body_(std::move(body)) {}
    void replay() const { body_(); }

   private:
    std::function<void()> body_;
  };

  // threads: of the loops; 0 = as many as OpenMP would take (OMP_NUM_THREADS or all cores).
  explicit CpuBackend(int threads = 0);

  // Bytes beside Needs::storage_bytes.
  static std::int64_t workspace_bytes(const Needs& needs);
  // Allocates the workspaces now; without it the first call of each size does.
  void reserve(const Needs& needs);

  Matrix matrix(Index rows, Index cols) const { return {rows, cols}; }
  Slots slots(Index count) const { return Slots(count); }
  Indices indices(Index count) const { return Indices(count); }

  void upload(std::span<const double> from, MatrixView<double> to);
  void upload(std::span<const double> from, Slot to);
  void upload(std::span<const std::int32_t> from, Indices& to);

  template <class F>
  void launch(Extent extent, const F& f) const {
    const cpu::Tiling tiles(extent, cpu::work_of(f));
    for_each_tile(tiles, [&](Index, const cpu::Tile& t) { run_tile(t, f); });
  }
  template <class F>
  void sum(Extent extent, const F& f, Slot out) const {
    const cpu::Tiling tiles(extent);
    std::array<double, cpu::Tiling::kMaxTiles> partial;
    for_each_tile(tiles, [&](Index k, const cpu::Tile& t) { partial[k] = sum_tile(t, f); });
    double total = 0.0;
    for (Index k = 0; k < tiles.count(); ++k) total += partial[k];
    out.set(total);
  }
  template <class F>
  void sum_columns(Extent extent, const F& f, Slot out) const {
    const cpu::Tiling tiles = cpu::Tiling::whole_columns(extent);
    for_each_tile(tiles, [&](Index, const cpu::Tile& t) {
      for (Index j = t.col; j < t.col_end; ++j) out.address[j] = sum_column(t, j, f);
    });
  }
  template <class F>
  void launch_columns(Extent extent, const F& f) const {
    const cpu::Tiling tiles = cpu::Tiling::whole_columns(extent, cpu::work_of(f));
    for_each_tile(tiles, [&](Index, const cpu::Tile& t) {
      for (Index j = t.col; j < t.col_end; ++j) f(j, cpu::Team(extent.rows));
    });
  }

  // One lane per thread; on each a backend without threads of its own.
  Index lanes() const { return lanes_; }
  template <class F>
  void concurrently(Index count, const F& f) {
    if (workers_ == nullptr || count < 2) {
      for (Index k = 0; k < count; ++k) f(k, Index{0}, *this);
      return;
    }
    std::atomic<Index> next = 0;
    const auto lane = [&](Index number) {
      CpuBackend serial(1);
      for (Index k = next++; k < count; k = next++) f(k, number, serial);
    };
    workers_->run(std::min(lanes_, count), cpu::TaskRef(lane));
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
    return Recording(std::move(body));
  }
  void fetch(Slot from, std::span<double> to) const;
  void fetch(MatrixView<const double> from, std::span<double> to) const;

  std::string name() const { return "cpu"; }

 private:
  // body(k, tile) for every tile.
  template <class Body>
  void for_each_tile(const cpu::Tiling& tiles, const Body& body) const {
    const auto task = [&](Index k) { body(k, tiles.tile(k)); };
    if (workers_ != nullptr && tiles.parallel()) {
      workers_->run(tiles.count(), cpu::TaskRef(task));
    } else {
      for (Index k = 0; k < tiles.count(); ++k) task(k);
    }
  }
  // The entries of a launch are independent and those of a sum may be added in any fixed order,
  // hence simd. A functor whose entries share work may also do a stretch of a column.
  template <class F>
  static void run_tile(const cpu::Tile& t, const F& f) {
    for (Index j = t.col; j < t.col_end; ++j) {
      if constexpr (requires { f.column(j, t.row, t.row_end); }) {
        f.column(j, t.row, t.row_end);
        continue;
      }
#pragma omp simd
      for (Index i = t.row; i < t.row_end; ++i) f(i, j);
    }
  }
  template <class F>
  static double sum_column(const cpu::Tile& t, Index j, const F& f) {
    double total = 0.0;
#pragma omp simd reduction(+ : total)
    for (Index i = t.row; i < t.row_end; ++i) total += f(i, j);
    return total;
  }
  template <class F>
  static double sum_tile(const cpu::Tile& t, const F& f) {
    double total = 0.0;
    for (Index j = t.col; j < t.col_end; ++j) total += sum_column(t, j, f);
    return total;
  }
  void eigen(char job, MatrixView<double> a, Slot values, Slot info);

  Index lanes_ = 1;
  std::unique_ptr<cpu::Workers> workers_;  // none with one thread
  cpu::Workspace workspace_;
};

static_assert(Backend<CpuBackend>);

}  // namespace relulift
