// SPDX-License-Identifier: Apache-2.0
// The Gram pass against the product of large square matrices on the same device. Both are measured
// in turn, so that what else runs on the machine hits both; "share" is the rate of the fastest pass
// over the rate of the fastest product. Flops as in src/solvers/gram_pass.hpp. Rows of every
// result are checked before a time is given.
//   B make_backend<B>()  is supplied by the program.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "src/core/random.hpp"
#include "src/solvers/gram_pass.hpp"

namespace relulift::bench {

enum class GramCall { gradient, without_multipliers, with_objective, hessian, update, product };

// Entry (p, q) of a symmetric matrix of multipliers, a third of them zero.
inline double multiplier(Index p, Index q, Index samples, double size) {
  if (p == q + samples || q == p + samples) return 0.0;
  Random random(static_cast<std::uint64_t>(std::min(p, q)),
                static_cast<std::uint64_t>(std::max(p, q)));
  return size * std::max(0.0, 1.5 * random.uniform() - 0.5);
}

template <class B>
class GramBench {
 public:
  GramBench(benchmark::State& state, GramShape shape, Index square_order)
      : state_(state),
        n_(state.range(0)),
        r_(state.range(1)),
        be_(make_backend<B>()),
        pass_(be_, n_, r_, shape),
        K_(be_.matrix(2 * n_, r_)),
        D_(be_.matrix(2 * n_, r_)),
        out_(be_.matrix(2 * n_, r_)),
        W_(be_.matrix(pass_.tiles().height(), pass_.tiles().columns())),
        a_(be_.matrix(square_order, square_order)),
        b_(be_.matrix(square_order, square_order)),
        slots_(be_.slots(2)) {
    k_ = normal(2 * n_ * r_, 1), d_ = normal(2 * n_ * r_, 2);
    be_.upload(k_, K_.view());
    be_.upload(d_, D_.view());
    be_.upload(normal(square_order * square_order, 3), a_.view());
    be_.upload(std::array<double, 1>{kSigma}, slots_[0]);
    const GramTiles& tiles = pass_.tiles();
    std::vector<double> packed(static_cast<std::size_t>(tiles.height() * tiles.columns()));
    const double size = kSigma * std::sqrt(static_cast<double>(r_));
    for (Index p = 0; p < 2 * n_; ++p) {
      for (Index q = p / tiles.height() * tiles.height(); q < 2 * n_; ++q) {
        const auto at = tiles.place(p, q);
        packed[static_cast<std::size_t>(at.row + at.col * tiles.height())] =
            multiplier(p, q, n_, size);
      }
    }
    be_.upload(packed, W_.view());
  }

  void run(GramCall call) {
    if (call == GramCall::update) be_.upload(std::array<double, 1>{1e-14}, slots_[0]);
    enqueue(call);
    square();  // libraries choose their kernels at the first call
    wait();
    if (!right(call)) state_.SkipWithError("the result is wrong");
    double pass = 1e300, product = 1e300;
    for (auto _ : state_) {
      product = std::min(product, seconds([&] { square(); }));
      const double last = seconds([&] { enqueue(call); });
      pass = std::min(pass, last);
      state_.SetIterationTime(last);
    }
    const double order = static_cast<double>(a_.rows());
    const double rate = flops(call) / pass, machine = 2 * order * order * order / product;
    state_.counters["GFLOP/s"] = rate * 1e-9;
    state_.counters["gemm GFLOP/s"] = machine * 1e-9;
    state_.counters["share"] = rate / machine;
    state_.SetLabel(be_.name());
  }

 private:
  static constexpr double kSigma = 0.7;

  static std::vector<double> normal(Index count, std::uint64_t seed) {
    Random random(seed);
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& x : values) x = random.normal();
    return values;
  }
  GramPoint at(GramCall call) {
    GramPoint point{K_.view(), slots_[0]};
    if (call != GramCall::without_multipliers) point.W = W_.view();
    return point;
  }
  void enqueue(GramCall call) {
    switch (call) {
      case GramCall::gradient:
      case GramCall::without_multipliers:
        return pass_.gradient(at(call), out_.view());
      case GramCall::with_objective:
        return pass_.objective_and_gradient(at(call), slots_[1], out_.view());
      case GramCall::hessian:
        return pass_.hessian(at(call), D_.view(), out_.view());
      case GramCall::update:
        return pass_.update(K_.view(), slots_[0], W_.view());
      case GramCall::product:
        return pass_.product(W_.view(), D_.view(), out_.view());
    }
  }
  double flops(GramCall call) const {
    const double unit = static_cast<double>(n_) * static_cast<double>(n_) * static_cast<double>(r_);
    switch (call) {
      case GramCall::hessian:
        return 28 * unit;
      case GramCall::update:
        return 4 * unit;
      case GramCall::product:
        return 8 * unit;
      default:
        return 12 * unit;
    }
  }
  void square() { be_.gemm(Op::none, Op::transpose, 1.0, a_.view(), a_.view(), 0.0, b_.view()); }
  void wait() {
    std::array<double, 1> out{};
    be_.fetch(slots_[1], out);
  }
  template <class Body>
  double seconds(const Body& body) {
    wait();
    const auto start = std::chrono::steady_clock::now();
    body();
    wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  double dot(const std::vector<double>& a, Index p, const std::vector<double>& b, Index q) const {
    double sum = 0;
    for (Index k = 0; k < r_; ++k) {
      sum +=
          a[static_cast<std::size_t>(p + 2 * n_ * k)] * b[static_cast<std::size_t>(q + 2 * n_ * k)];
    }
    return sum;
  }
  // Rows of the output, from the formulas. The tiny penalty of an update leaves W as it is to the
  // tolerance, and its product shows that it did.
  bool right(GramCall call) {
    if (call == GramCall::update) pass_.product(W_.view(), D_.view(), out_.view());
    std::vector<double> got(k_.size());
    be_.fetch(out_.view(), got);
    const double size = kSigma * std::sqrt(static_cast<double>(r_));
    const bool formed = call != GramCall::product && call != GramCall::update;
    for (const Index p : {Index{0}, n_ / 2, n_ + 1, 2 * n_ - 1}) {
      std::vector<double> row(static_cast<std::size_t>(r_));
      for (Index q = 0; q < 2 * n_; ++q) {
        if (p == q + n_ || q == p + n_) continue;
        const double w = call == GramCall::without_multipliers ? 0.0 : multiplier(p, q, n_, size);
        const double m = formed ? std::max(0.0, w - kSigma * dot(k_, p, k_, q)) : w;
        const bool bent = call == GramCall::hessian && m > 0;
        const double h = bent ? -kSigma * (dot(k_, p, d_, q) + dot(d_, p, k_, q)) : 0.0;
        const auto& v = call == GramCall::hessian || !formed ? d_ : k_;
        for (Index k = 0; k < r_; ++k) {
          const auto entry = static_cast<std::size_t>(q + 2 * n_ * k);
          row[static_cast<std::size_t>(k)] += m * v[entry] + h * k_[entry];
        }
      }
      for (Index k = 0; k < r_; ++k) {
        const double expected = row[static_cast<std::size_t>(k)];
        const double error = got[static_cast<std::size_t>(p + 2 * n_ * k)] - expected;
        if (!(std::abs(error) <= 1e-9 * (1 + static_cast<double>(n_)))) return false;
      }
    }
    return true;
  }

  benchmark::State& state_;
  Index n_, r_;
  B be_;
  GramPass<B> pass_;
  typename B::Matrix K_, D_, out_, W_, a_, b_;
  typename B::Slots slots_;
  std::vector<double> k_, d_;
};

// samples: values of n; ranks: of r. square_order: of the matrices that measure the device.
template <class B>
void register_gram_pass(const std::string& name, GramShape shape, Index square_order,
                        const std::vector<std::int64_t>& samples,
                        const std::vector<std::int64_t>& ranks) {
  const std::array<std::pair<const char*, GramCall>, 6> calls = {
      {{"gradient", GramCall::gradient},
       {"gradient_without_multipliers", GramCall::without_multipliers},
       {"objective_and_gradient", GramCall::with_objective},
       {"hessian", GramCall::hessian},
       {"update", GramCall::update},
       {"product", GramCall::product}}};
  for (const auto& [words, call] : calls) {
    benchmark::RegisterBenchmark((name + "/gram_" + words).c_str(),
                                 [shape, square_order, call = call](benchmark::State& state) {
                                   GramBench<B>(state, shape, square_order).run(call);
                                 })
        ->ArgsProduct({samples, ranks})
        ->ArgNames({"n", "r"})
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(10);
  }
}

}  // namespace relulift::bench
