// SPDX-License-Identifier: Apache-2.0
// A CPU backend that behaves like a device, so that GPU discipline is tested without a GPU:
//  - storage is mapped without access and opened inside an operation only: a host dereference
//    faults;
//  - record() executes nothing and freezes every argument, as a stream capture does;
//  - allocation, upload, fetch, factorisations and eigensolvers inside record() throw;
//  - a functor that carries an address of host memory throws;
//  - columns are padded and blocks fenced with NaNs: code that takes ld == rows for granted, or
//    writes outside, is seen;
//  - everything is counted.
// Not shown this way: races, launch sizes, what a library call can or cannot have captured.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/core/backend.hpp"

namespace relulift::testing {

struct StrictCounts {
  Index allocations = 0, uploads = 0, fetches = 0, recordings = 0, replays = 0;
  Index operations = 0;  // launches, reductions and library calls that ran
  Index eigensolves = 0;
};

namespace strict {

inline double fence() { return std::bit_cast<double>(0x7ff8dead7ff8deadULL); }  // a NaN
inline bool is_fence(double x) { return std::bit_cast<std::uint64_t>(x) == 0x7ff8dead7ff8deadULL; }

// One reserved range of addresses. Nothing is reused, so a stale view reads NaNs.
class Arena {
 public:
  static constexpr std::size_t kBytes = std::size_t{8} << 30;  // of addresses, not of memory
  static constexpr Index kFence = 8;                           // doubles on either side

  Arena() {
    void* base =
        mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<double*>(base);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { munmap(base_, kBytes); }

  // Access for the lifetime of the guard; nests.
  class Open {
   public:
    explicit Open(Arena& arena) : arena_(arena) {
      if (arena_.depth_++ == 0) arena_.protect(PROT_READ | PROT_WRITE);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() {
      if (--arena_.depth_ == 0) arena_.protect(PROT_NONE);
    }

   private:
    Arena& arena_;
  };

  // Columns of `rows` zeros, each followed by ld - rows fences.
  double* allocate(Index rows, Index cols, Index ld) {
    live_bytes_ += bytes_of(rows, cols);
    most_bytes_ = std::max(most_bytes_, live_bytes_);
    const Index size = ld * cols + 2 * kFence;
    if (static_cast<std::size_t>(used_ + size) * sizeof(double) > kBytes) throw std::bad_alloc();
    double* block = base_ + used_ + kFence;
    used_ += (size + 7) / 8 * 8;
    Open open(*this);
    std::fill(block - kFence, block + ld * cols + kFence, fence());
    for (Index j = 0; j < cols; ++j) std::fill_n(block + j * ld, rows, 0.0);
    live_.push_back({block, rows, cols, ld});
    return block;
  }
  void release(const double* block) noexcept {
    Open open(*this);
    std::erase_if(live_, [&](const MatrixView<double>& b) {
      if (b.data != block) return false;
      live_bytes_ -= bytes_of(b.rows, b.cols);
      std::fill_n(b.data, b.ld * b.cols, fence());
      return true;
    });
  }
  bool fences_intact() {
    Open open(*this);
    for (const auto& b : live_) {
      for (Index k = 1; k <= kFence; ++k) {
        if (!is_fence(b.data[-k]) || !is_fence(b.data[b.ld * b.cols + k - 1])) return false;
      }
      for (Index j = 0; j < b.cols; ++j) {
        for (Index i = b.rows; i < b.ld; ++i) {
          if (!is_fence(b(i, j))) return false;
        }
      }
    }
    return true;
  }
  // Of what lives, and of what lived at one time, as Needs counts them.
  std::int64_t live_bytes() const { return live_bytes_; }
  std::int64_t most_bytes() const { return most_bytes_; }
  bool contains(std::uintptr_t address) const {
    const auto base = reinterpret_cast<std::uintptr_t>(base_);
    return address >= base && address < base + kBytes;
  }

 private:
  static std::int64_t bytes_of(Index rows, Index cols) {
    return Needs{}.matrix(rows, cols).storage_bytes;
  }
  void protect(int access) {
    const std::size_t page = 4096;
    const std::size_t bytes =
        (static_cast<std::size_t>(used_) * sizeof(double) + page - 1) / page * page;
    if (bytes > 0 && mprotect(base_, bytes, access) != 0) std::abort();
  }
  double* base_;
  Index used_ = 0;
  std::int64_t live_bytes_ = 0, most_bytes_ = 0;
  int depth_ = 0;
  std::vector<MatrixView<double>> live_;
};

// A word of a functor that is the address of mapped memory outside the arena. Sizes and doubles
// never look like one: addresses read as a double are denormal.
inline bool carries_host_address(const Arena& arena, const void* object, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(object);
  for (std::size_t k = 0; k + sizeof(std::uintptr_t) <= size; k += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, bytes + k, sizeof word);
    if (word < (std::uintptr_t{1} << 32) || word >= (std::uintptr_t{1} << 47)) continue;
    if (arena.contains(word)) continue;
    unsigned char resident = 0;
    void* page = reinterpret_cast<void*>(word / 4096 * 4096);
    if (mincore(page, 1, &resident) == 0) return true;
  }
  return false;
}

class Block {
 public:
  Block(std::shared_ptr<Arena> arena, Index rows, Index cols, Index ld)
      : arena_(std::move(arena)), view_{arena_->allocate(rows, cols, ld), rows, cols, ld} {}
  Block(Block&& other) noexcept : arena_(std::move(other.arena_)), view_(other.view_) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(arena_, other.arena_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~Block() {
    if (arena_) arena_->release(view_.data);
  }
  MatrixView<double> view() const { return view_; }
  Index rows() const { return view_.rows; }
  Index cols() const { return view_.cols; }

 private:
  std::shared_ptr<Arena> arena_;
  MatrixView<double> view_;
};

class Slots {
 public:
  explicit Slots(Block block) : block_(std::move(block)) {}
  Slot operator[](Index k) const { return {block_.view().data + k}; }
  Index size() const { return block_.rows(); }

 private:
  Block block_;
};

class Indices {
 public:
  Indices(Block block, Index size) : block_(std::move(block)), size_(size) {}
  IndexView view() const { return {data(), size_}; }
  Index size() const { return size_; }
  std::int32_t* data() const { return reinterpret_cast<std::int32_t*>(block_.view().data); }

 private:
  Block block_;
  Index size_;
};

struct State {
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();
  StrictCounts counts;
  std::vector<std::function<void()>>* recording = nullptr;  // where operations go meanwhile
  CpuBackend cpu{1};
};

}  // namespace strict

class StrictBackend {
 public:
  using Matrix = strict::Block;
  using Slots = strict::Slots;
  using Indices = strict::Indices;

  class Recording {
   public:
    void replay() const {
      if (state_->recording != nullptr) throw std::logic_error("replay inside a recording");
      ++state_->counts.replays;
      for (const auto& operation : operations_) operation();
    }

   private:
    friend class StrictBackend;
    explicit Recording(std::shared_ptr<strict::State> state) : state_(std::move(state)) {}
    std::shared_ptr<strict::State> state_;
    std::vector<std::function<void()>> operations_;
  };

  const StrictCounts& counts() const { return state_->counts; }
  std::int64_t live_bytes() const { return state_->arena->live_bytes(); }
  std::int64_t most_bytes() const { return state_->arena->most_bytes(); }
  // Nothing was written between the columns or around the blocks that live.
  bool fences_intact() const { return state_->arena->fences_intact(); }

  static std::int64_t workspace_bytes(const Needs&) { return 0; }
  void reserve(const Needs& needs) {
    refuse_while_recording("reserve");
    state_->cpu.reserve(needs);
  }

  Matrix matrix(Index rows, Index cols) const { return block(rows, cols, rows + 3); }
  Slots slots(Index count) const { return Slots(block(count, 1, count)); }
  Indices indices(Index count) const { return {block((count + 1) / 2, 1, (count + 1) / 2), count}; }

  void upload(std::span<const double> from, MatrixView<double> to) const {
    move_in([&] { state_->cpu.upload(from, to); });
  }
  void upload(std::span<const double> from, Slot to) const {
    move_in([&] { state_->cpu.upload(from, to); });
  }
  void upload(std::span<const std::int32_t> from, Indices& to) const {
    if (static_cast<Index>(from.size()) > to.size()) throw std::logic_error("upload: no room");
    move_in([&] { std::copy(from.begin(), from.end(), to.data()); });
  }
  void fetch(Slot from, std::span<double> to) const {
    move_out([&] { state_->cpu.fetch(from, to); });
  }
  void fetch(MatrixView<const double> from, std::span<double> to) const {
    move_out([&] { state_->cpu.fetch(from, to); });
  }

  template <class F>
  void launch(Extent e, const F& f) const {
    inspect(f);
    enqueue([e, f](CpuBackend& cpu) { cpu.launch(e, f); });
  }
  template <class F>
  void sum(Extent e, const F& f, Slot out) const {
    inspect(f);
    on_device(out.address);
    enqueue([e, f, out](CpuBackend& cpu) { cpu.sum(e, f, out); });
  }
  template <class F>
  void sum_columns(Extent e, const F& f, Slot out) const {
    inspect(f);
    on_device(out.address);
    enqueue([e, f, out](CpuBackend& cpu) { cpu.sum_columns(e, f, out); });
  }
  template <class F>
  void launch_columns(Extent e, const F& f) const {
    inspect(f);
    enqueue([e, f](CpuBackend& cpu) { cpu.launch_columns(e, f); });
  }
  // Several lanes and the last task first: an order that nothing may depend on.
  static Index lanes() { return 3; }
  template <class F>
  void concurrently(Index count, const F& f) {
    for (Index k = count - 1; k >= 0; --k) f(k, k % lanes(), *this);
  }
  void gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a, MatrixView<const double> b,
            double beta, MatrixView<double> c) const {
    product(op_a, op_b, alpha, a, b, beta, c);
  }
  void gemm(Op op_a, Op op_b, double alpha, MatrixView<const float> a, MatrixView<const float> b,
            double beta, MatrixView<float> c) const {
    product(op_a, op_b, alpha, a, b, beta, c);
  }
  void syrk(Op op, double alpha, MatrixView<const double> a, double beta,
            MatrixView<double> c) const {
    on_device(a.data, c.data);
    enqueue([=](CpuBackend& cpu) { cpu.syrk(op, alpha, a, beta, c); });
  }
  void potrf(MatrixView<double> a, Slot info) const {
    refuse_while_recording("potrf");
    on_device(a.data, info.address);
    enqueue([=](CpuBackend& cpu) { cpu.potrf(a, info); });
  }
  void trsm(Side side, Op op, MatrixView<const double> l, MatrixView<double> b) const {
    on_device(l.data, b.data);
    enqueue([=](CpuBackend& cpu) { cpu.trsm(side, op, l, b); });
  }
  void potrs(MatrixView<const double> l, MatrixView<double> b) const {
    on_device(l.data, b.data);
    enqueue([=](CpuBackend& cpu) { cpu.potrs(l, b); });
  }
  void syevd(MatrixView<double> a, Slot values, Slot info) const {
    refuse_while_recording("syevd");
    ++state_->counts.eigensolves;
    on_device(a.data, values.address, info.address);
    enqueue([=](CpuBackend& cpu) { cpu.syevd(a, values, info); });
  }
  void eigenvalues(MatrixView<double> a, Slot values, Slot info) const {
    refuse_while_recording("eigenvalues");
    ++state_->counts.eigensolves;
    on_device(a.data, values.address, info.address);
    enqueue([=](CpuBackend& cpu) { cpu.eigenvalues(a, values, info); });
  }

  template <class Body>
  Recording record(const Body& body) const {
    refuse_while_recording("record");
    ++state_->counts.recordings;
    Recording made(state_);
    struct Ended {
      strict::State& state;
      ~Ended() { state.recording = nullptr; }
    } ended{*state_};
    state_->recording = &made.operations_;
    body();
    return made;
  }

  std::string name() const { return "strict"; }

 private:
  void refuse_while_recording(const char* operation) const {
    if (state_->recording != nullptr) {
      throw std::logic_error(std::string(operation) + " inside a recording");
    }
  }
  strict::Block block(Index rows, Index cols, Index ld) const {
    refuse_while_recording("allocation");
    ++state_->counts.allocations;
    return {state_->arena, rows, cols, ld};
  }
  template <class Copy>
  void move_in(const Copy& copy) const {
    refuse_while_recording("upload");
    ++state_->counts.uploads;
    strict::Arena::Open open(*state_->arena);
    copy();
  }
  template <class Copy>
  void move_out(const Copy& copy) const {
    refuse_while_recording("fetch");
    ++state_->counts.fetches;
    strict::Arena::Open open(*state_->arena);
    copy();
  }
  template <class F>
  void inspect(const F& f) const {
    static_assert(std::is_trivially_copyable_v<F>, "a functor travels to the device by value");
#if __has_builtin(__builtin_clear_padding)  // padding may hold what once stood on the stack
    F copy = f;
    __builtin_clear_padding(&copy);
    if (strict::carries_host_address(*state_->arena, &copy, sizeof copy)) {
      throw std::logic_error("a functor carries an address of host memory");
    }
#endif
  }
  template <class T>
  void product(Op op_a, Op op_b, double alpha, MatrixView<const T> a, MatrixView<const T> b,
               double beta, MatrixView<T> c) const {
    on_device(a.data, b.data, c.data);
    enqueue([=](CpuBackend& cpu) { cpu.gemm(op_a, op_b, alpha, a, b, beta, c); });
  }
  template <class... Pointers>
  void on_device(Pointers... address) const {
    const auto inside = [&](const void* p) {  // null: an empty operand
      return p == nullptr || state_->arena->contains(reinterpret_cast<std::uintptr_t>(p));
    };
    if (!(inside(address) && ...)) {
      throw std::logic_error("an operand lies in host memory");
    }
  }
  template <class Operation>
  void enqueue(const Operation& operation) const {
    auto run = [state = state_.get(), operation] {
      ++state->counts.operations;
      strict::Arena::Open open(*state->arena);
      operation(state->cpu);
    };
    if (state_->recording != nullptr) {
      state_->recording->push_back(run);
    } else {
      run();
    }
  }

  std::shared_ptr<strict::State> state_ = std::make_shared<strict::State>();
};

static_assert(Backend<StrictBackend>);

}  // namespace relulift::testing
