// SPDX-License-Identifier: Apache-2.0
// Operations of a backend, timed on either device. Every result is checked before a time is given.
//   B make_backend<B>()  is supplied by the program.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "src/core/backend.hpp"
#include "src/core/needs.hpp"
#include "src/core/random.hpp"

namespace relulift::bench {

// In place, reads 1 and writes 1 double per entry.
struct Relax {
  MatrixView<double> a;
  RELULIFT_HD void operator()(Index i, Index j) const { a(i, j) = 0.5 * a(i, j) + 0.25; }
};
// Reads 3, writes 1 double per entry; a branch, a division and a square root.
struct Fused {
  MatrixView<const double> a, b, c;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double w = a(i, j) - b(i, j);
    const double s = sqrt(w * w + c(i, j) * c(i, j));
    out(i, j) = w > 0.0 ? 0.5 * (w + s) : c(i, j) * c(i, j) / (2.0 * (s - w) + 1e-300);
  }
};
struct Square {
  MatrixView<const double> a;
  RELULIFT_HD double operator()(Index i, Index j) const { return a(i, j) * a(i, j); }
};

struct Diagonal {
  MatrixView<const double> a;
  RELULIFT_HD double operator()(Index i, Index) const { return a(i, i); }
};

inline std::vector<double> random_square(Index n) {
  Random random(static_cast<std::uint64_t>(n));
  std::vector<double> a(static_cast<std::size_t>(n * n));
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i <= j; ++i) {
      const double x = 2.0 * random.uniform() - 1.0;
      a[static_cast<std::size_t>(i + j * n)] = a[static_cast<std::size_t>(j + i * n)] = x;
    }
  }
  return a;
}

template <class B>
class Case {
 public:
  explicit Case(benchmark::State& state)
      : state_(state), n(state.range(0)), be(make_backend<B>()), slots(be.slots(n + 2)) {
    be.reserve(Needs{}.syevd(n).eigenvalues(n).potrf(n));
  }
  // Times `body` until the device is done with it; `prepare` is not timed.
  template <class Prepare, class Body>
  void run(const Prepare& prepare, const Body& body) {
    prepare();
    body();  // libraries choose their kernels at the first call
    wait();
    for (auto _ : state_) {
      state_.PauseTiming();
      prepare();
      wait();
      state_.ResumeTiming();
      body();
      wait();
    }
  }
  void check(bool right) {
    if (!right) state_.SkipWithError("the result is wrong");
  }
  void rate(const char* unit, double per_iteration) {
    state_.counters[unit] =
        benchmark::Counter(per_iteration * 1e-9 * static_cast<double>(state_.iterations()),
                           benchmark::Counter::kIsRate);
    state_.SetLabel(be.name());
  }
  double value(Slot s) {
    std::array<double, 1> out{};
    be.fetch(s, out);
    return out[0];
  }
  double square_sum(MatrixView<const double> m) {
    be.sum({m.rows, m.cols}, Square{m}, slots[n + 1]);
    return value(slots[n + 1]);
  }
  double trace(MatrixView<const double> m) {
    be.sum({m.rows, 1}, Diagonal{m}, slots[n + 1]);
    return value(slots[n + 1]);
  }

 private:
  void wait() { static_cast<void>(value(slots[n + 1])); }
  benchmark::State& state_;

 public:
  Index n;
  B be;
  typename B::Slots slots;
};

inline bool close(double a, double b) { return std::abs(a - b) <= 1e-9 * (1 + std::abs(b)); }

template <class B>
void launch(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  c.run([] {}, [&] { c.be.launch({c.n, c.n}, Relax{a.view()}); });
  const double entries = static_cast<double>(c.n * c.n);
  c.check(c.square_sum(a.view()) <= 0.25 * entries * (1 + 1e-12));  // tends to 1/2 from below
  c.rate("GB/s", 16 * entries);
}

template <class B>
void launch_fused(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n), b = c.be.matrix(c.n, c.n), d = c.be.matrix(c.n, c.n),
       out = c.be.matrix(c.n, c.n);
  const auto values = random_square(c.n);
  c.be.upload(values, a.view());
  c.be.launch({c.n, c.n}, Relax{b.view()});
  c.be.launch({c.n, c.n}, Relax{d.view()});
  c.run([] {}, [&] { c.be.launch({c.n, c.n}, Fused{a.view(), b.view(), d.view(), out.view()}); });
  double expected = 0;
  for (const double x : values) {
    const double w = x - 0.25, s = std::sqrt(w * w + 0.0625);
    const double y = w > 0.0 ? 0.5 * (w + s) : 0.0625 / (2.0 * (s - w) + 1e-300);
    expected += y * y;
  }
  c.check(close(c.square_sum(out.view()), expected));
  c.rate("GB/s", 32.0 * static_cast<double>(c.n * c.n));
}

// Recorded once, replayed: what is left of the cost of ten small launches.
template <class B>
void replay_ten(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  const auto ten = c.be.record([&] {
    for (int k = 0; k < 10; ++k) c.be.launch({c.n, c.n}, Relax{a.view()});
  });
  c.run([] {}, [&] { ten.replay(); });
  c.check(c.square_sum(a.view()) <= 0.25 * static_cast<double>(c.n * c.n) * (1 + 1e-12));
  c.rate("GB/s", 160.0 * static_cast<double>(c.n * c.n));
}

template <class B>
void sum(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  const auto values = random_square(c.n);
  c.be.upload(values, a.view());
  c.run([] {}, [&] { c.be.sum({c.n, c.n}, Square{a.view()}, c.slots[0]); });
  double expected = 0;
  for (const double x : values) expected += x * x;
  c.check(close(c.value(c.slots[0]), expected));
  c.rate("GB/s", 8.0 * static_cast<double>(c.n * c.n));
}

template <class B>
void sum_columns(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  const auto values = random_square(c.n);
  c.be.upload(values, a.view());
  c.run([] {}, [&] { c.be.sum_columns({c.n, c.n}, Square{a.view()}, c.slots[0]); });
  double expected = 0;
  for (Index i = 0; i < c.n; ++i) {
    const double x = values[static_cast<std::size_t>(i + (c.n - 1) * c.n)];
    expected += x * x;
  }
  c.check(close(c.value(c.slots[c.n - 1]), expected));
  c.rate("GB/s", 8.0 * static_cast<double>(c.n * c.n));
}

template <class B>
void gemm(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n), b = c.be.matrix(c.n, c.n), product = c.be.matrix(c.n, c.n);
  c.be.upload(random_square(c.n), a.view());
  c.be.upload(random_square(c.n), b.view());
  c.run([] {},
        [&] { c.be.gemm(Op::none, Op::transpose, 1.0, a.view(), b.view(), 0.0, product.view()); });
  c.check(close(c.trace(product.view()), c.square_sum(a.view())));  // tr A A' = |A|^2
  c.rate("GFLOP/s", 2.0 * std::pow(static_cast<double>(c.n), 3));
}

// Counted as the triangle: n^3.
template <class B>
void syrk(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n), product = c.be.matrix(c.n, c.n);
  c.be.upload(random_square(c.n), a.view());
  c.run([] {}, [&] { c.be.syrk(Op::none, 1.0, a.view(), 0.0, product.view()); });
  c.check(close(c.trace(product.view()), c.square_sum(a.view())));
  c.rate("GFLOP/s", std::pow(static_cast<double>(c.n), 3));
}

template <class B>
void potrf(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  auto values = random_square(c.n);
  double trace = 0;
  for (Index i = 0; i < c.n; ++i) {
    double& diagonal = values[static_cast<std::size_t>(i + i * c.n)];
    diagonal = 1.0 + static_cast<double>(c.n);  // dominant, hence positive definite
    trace += diagonal;
  }
  c.run([&] { c.be.upload(values, a.view()); }, [&] { c.be.potrf(a.view(), c.slots[0]); });
  c.check(c.value(c.slots[0]) == 0.0 && close(c.square_sum(a.view()), trace));  // tr L L' = tr A
  c.rate("GFLOP/s", std::pow(static_cast<double>(c.n), 3) / 3.0);
}

template <class B>
void trsm(benchmark::State& state) {
  Case<B> c(state);
  auto l = c.be.matrix(c.n, c.n), b = c.be.matrix(c.n, c.n);
  auto values = random_square(c.n);
  for (Index i = 0; i < c.n; ++i) {
    values[static_cast<std::size_t>(i + i * c.n)] = 1.0 + static_cast<double>(c.n);
  }
  c.be.upload(values, l.view());
  c.be.potrf(l.view(), c.slots[0]);
  c.run([&] { c.be.upload(values, b.view()); },
        [&] { c.be.trsm(Side::left, Op::none, l.view(), b.view()); });
  // L^-1 (L L') = L', so the sum of squares is the trace.
  c.check(close(c.square_sum(b.view()), static_cast<double>(c.n * (c.n + 1))));
  c.rate("GFLOP/s", std::pow(static_cast<double>(c.n), 3));
}

// Seconds are what counts; no agreed count of operations.
template <class B>
void syevd(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  const auto values = random_square(c.n);
  double size = 0;
  for (const double x : values) size += x * x;
  c.run([&] { c.be.upload(values, a.view()); },
        [&] { c.be.syevd(a.view(), c.slots[0], c.slots[c.n]); });
  std::vector<double> w(static_cast<std::size_t>(c.n));
  c.be.fetch(c.slots[0], w);
  double spectrum = 0;
  for (const double x : w) spectrum += x * x;
  c.check(c.value(c.slots[c.n]) == 0.0 && close(spectrum, size) &&
          close(c.square_sum(a.view()), static_cast<double>(c.n)));
  state.SetLabel(c.be.name());
}

template <class B>
void eigenvalues(benchmark::State& state) {
  Case<B> c(state);
  auto a = c.be.matrix(c.n, c.n);
  const auto values = random_square(c.n);
  double size = 0;
  for (const double x : values) size += x * x;
  c.run([&] { c.be.upload(values, a.view()); },
        [&] { c.be.eigenvalues(a.view(), c.slots[0], c.slots[c.n]); });
  std::vector<double> w(static_cast<std::size_t>(c.n));
  c.be.fetch(c.slots[0], w);
  double spectrum = 0;
  for (const double x : w) spectrum += x * x;
  c.check(c.value(c.slots[c.n]) == 0.0 && close(spectrum, size));
  state.SetLabel(c.be.name());
}

// name: of the device in the benchmark's name; sizes: orders of the square matrices.
template <class B>
void register_suite(const std::string& name, const std::vector<std::int64_t>& sizes) {
  const auto add = [&](const char* operation, void (*body)(benchmark::State&)) {
    auto* b = benchmark::RegisterBenchmark((name + "/" + operation).c_str(), body);
    for (const auto n : sizes) b->Arg(n);
    b->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(0.1);
  };
  add("launch", launch<B>);
  add("launch_fused", launch_fused<B>);
  add("replay_ten", replay_ten<B>);
  add("sum", sum<B>);
  add("sum_columns", sum_columns<B>);
  add("gemm", gemm<B>);
  add("syrk", syrk<B>);
  add("potrf", potrf<B>);
  add("trsm", trsm<B>);
  add("syevd", syevd<B>);
  add("eigenvalues", eigenvalues<B>);
}

}  // namespace relulift::bench
