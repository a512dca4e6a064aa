// SPDX-License-Identifier: Apache-2.0
// A test of the test: StrictBackend must notice every fault it claims to notice, while the plain
// CPU backend runs the same faulty code without complaint.
#include "tests/support/strict_backend.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace relulift::testing {
namespace {

enum class Fault { none, fetch_per_iteration, host_read, allocation_in_loop };

struct Square {
  MatrixView<double> x;
  Slot scale;
  RELULIFT_HD void operator()(Index i, Index j) const { x(i, j) = scale.get() * x(i, j) * x(i, j); }
};
struct Entry {
  MatrixView<const double> x;
  RELULIFT_HD double operator()(Index i, Index j) const { return x(i, j); }
};
struct Fill {
  MatrixView<double> x;
  double value;
  RELULIFT_HD void operator()(Index i, Index j) const { x(i, j) = value; }
};

// x <- scale x^2, eight times, with a check at every fourth iteration: a solver in miniature.
template <class B>
double run(B& be, Fault fault) {
  auto x = be.matrix(5, 3);
  auto slots = be.slots(2);
  be.launch({5, 3}, Fill{x.view(), 1.25});
  be.upload(std::vector<double>{0.9}, slots[0]);
  const auto step = be.record([&] { be.launch({5, 3}, Square{x.view(), slots[0]}); });
  const auto measure = be.record([&] { be.sum({5, 3}, Entry{x.view()}, slots[1]); });
  std::array<double, 1> total{};
  for (int k = 1; k <= 8; ++k) {
    step.replay();
    if (fault == Fault::fetch_per_iteration) be.fetch(slots[0], total);
    if (fault == Fault::host_read && slots[0].get() > 2.0) break;
    if (fault == Fault::allocation_in_loop) static_cast<void>(be.matrix(1, 1));
    if (k % 4 != 0) continue;
    measure.replay();
    be.fetch(slots[1], total);
  }
  return total[0];
}

double expected() {
  double x = 1.25;
  for (int k = 0; k < 8; ++k) x = 0.9 * x * x;
  return 15.0 * x;
}

TEST(StrictBackend, RunsCorrectCodeLikeTheCpu) {
  CpuBackend cpu;
  StrictBackend strict;

  const double on_cpu = run(cpu, Fault::none);
  const double on_strict = run(strict, Fault::none);

  EXPECT_NEAR(on_cpu, expected(), 1e-12 * std::abs(expected()));
  EXPECT_EQ(on_cpu, on_strict);
  EXPECT_EQ(strict.counts().fetches, 2);  // one per check
  EXPECT_EQ(strict.counts().allocations, 2);
  EXPECT_EQ(strict.counts().replays, 10);
  EXPECT_TRUE(strict.fences_intact());
}

TEST(StrictBackend, TheCpuBackendDoesNotNoticeTheFaults) {
  CpuBackend cpu;

  for (const Fault f : {Fault::fetch_per_iteration, Fault::host_read, Fault::allocation_in_loop}) {
    EXPECT_NEAR(run(cpu, f), expected(), 1e-12 * std::abs(expected()));
  }
}

TEST(StrictBackend, CountsAFetchPerIteration) {
  StrictBackend strict;

  run(strict, Fault::fetch_per_iteration);

  EXPECT_EQ(strict.counts().fetches, 2 + 8);
}

TEST(StrictBackend, CountsAllocationsInTheLoop) {
  StrictBackend strict;

  run(strict, Fault::allocation_in_loop);

  EXPECT_EQ(strict.counts().allocations, 2 + 8);
}

TEST(StrictBackendDeathTest, AHostReadOfASlotCrashes) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // BLAS has threads
  EXPECT_DEATH(
      {
        StrictBackend strict;
        run(strict, Fault::host_read);
      },
      "");
}

TEST(StrictBackendDeathTest, AHostWriteToAMatrixCrashes) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // BLAS has threads
  EXPECT_DEATH(
      {
        StrictBackend strict;
        auto x = strict.matrix(2, 2);
        x.view()(0, 0) = 1.0;
      },
      "");
}

TEST(StrictBackend, RecordingExecutesNothingAndFreezesArguments) {
  StrictBackend be;
  auto x = be.matrix(2, 2);
  auto slots = be.slots(1);
  double value = 3.0;
  std::array<double, 1> total{};

  const auto fill = be.record([&] { be.launch({2, 2}, Fill{x.view(), value}); });
  be.sum({2, 2}, Entry{x.view()}, slots[0]);
  be.fetch(slots[0], total);
  EXPECT_EQ(total[0], 0.0);
  value = 5.0;
  fill.replay();
  be.sum({2, 2}, Entry{x.view()}, slots[0]);
  be.fetch(slots[0], total);

  EXPECT_EQ(total[0], 12.0);
}

TEST(StrictBackend, WhatCannotBeCapturedThrowsAndLeavesTheBackendUsable) {
  StrictBackend be;
  auto x = be.matrix(2, 2);
  auto slots = be.slots(3);
  std::array<double, 1> out{};
  const std::vector<double> in{1.0};
  const auto indices = std::vector<std::int32_t>{0};
  auto device_indices = be.indices(1);

  EXPECT_THROW(be.record([&] { be.matrix(1, 1); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.slots(1); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.indices(1); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.upload(in, slots[0]); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.upload(indices, device_indices); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.fetch(slots[0], out); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.syevd(x.view(), slots[0], slots[2]); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.eigenvalues(x.view(), slots[0], slots[2]); }), std::logic_error);
  const auto empty = be.record([] {});
  EXPECT_THROW(be.record([&] { empty.replay(); }), std::logic_error);

  be.launch({2, 2}, Fill{x.view(), 1.0});
  be.sum({2, 2}, Entry{x.view()}, slots[0]);
  be.fetch(slots[0], out);
  EXPECT_EQ(out[0], 4.0);
}

TEST(StrictBackend, AFunctorThatPointsToHostMemoryIsRefused) {
  StrictBackend be;
  std::vector<double> host(4);
  double on_stack = 0.0;
  auto x = be.matrix(2, 2);

  EXPECT_THROW(be.launch({2, 2}, Fill{{host.data(), 2, 2, 2}, 1.0}), std::logic_error);
  EXPECT_THROW(be.launch({2, 2}, Square{x.view(), {&on_stack}}), std::logic_error);
  EXPECT_NO_THROW(be.launch({2, 2}, Fill{x.view(), 1e300}));
  EXPECT_THROW(be.syrk(Op::none, 1.0, {host.data(), 2, 2, 2}, 0.0, x.view()), std::logic_error);
}

TEST(StrictBackend, SeesCodeThatTakesColumnsForPacked) {
  StrictBackend be;
  auto x = be.matrix(3, 2);
  const MatrixView<double> packed{x.view().data, 3, 2, 3};

  be.launch({3, 2}, Fill{packed, 1.0});

  EXPECT_FALSE(be.fences_intact());
}

TEST(StrictBackend, AFreedMatrixReadsAsNaN) {
  StrictBackend be;
  auto slots = be.slots(1);
  MatrixView<double> stale;
  std::array<double, 1> total{};

  {
    auto x = be.matrix(2, 2);
    stale = x.view();
  }
  be.sum({2, 2}, Entry{stale}, slots[0]);
  be.fetch(slots[0], total);

  EXPECT_TRUE(std::isnan(total[0]));
}

}  // namespace
}  // namespace relulift::testing
