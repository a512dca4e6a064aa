// SPDX-License-Identifier: Apache-2.0
// CpuBackend against long double loops, serial and with more threads than columns, and what is
// particular to it: results that do not depend on the number of threads.
#include "src/backends/cpu/cpu_backend.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "src/backends/blas_int.hpp"
#include "tests/support/backend_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {

// Named, not anonymous: the names of the tests carry them.
template <int threads>
struct Cpu {
  using Type = CpuBackend;
  static Type make() { return CpuBackend(threads); }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};
struct Strict {
  using Type = StrictBackend;
  static Type make() { return {}; }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(CpuSerial, BackendConformance, Cpu<1>);
INSTANTIATE_TYPED_TEST_SUITE_P(CpuThreads, BackendConformance, Cpu<5>);
INSTANTIATE_TYPED_TEST_SUITE_P(Strict, BackendConformance, Strict);

TEST(CpuBackend, StorageIsAlignedToCacheLines) {
  const CpuBackend be;
  for (const Index n : {1, 3, 17}) {
    const auto m = be.matrix(n, n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(m.view().data) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(be.slots(n)[0].address) % 64, 0u);
  }
}

TEST(CpuBackend, AddressesSurviveAMove) {
  const CpuBackend be;
  auto m = be.matrix(3, 3);
  const double* before = m.view().data;

  const auto moved = std::move(m);

  EXPECT_EQ(moved.view().data, before);
}

TEST(CpuBackend, ReductionsDoNotDependOnTheNumberOfThreads) {
  for (const Extent e : kExtents) {
    const HostMatrix m = random_matrix(e.rows, e.cols, 23);
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 2, 7}) {
      CpuBackend be(threads);
      const Guarded block(be, m);
      const auto slots = be.slots(e.cols + 1);
      be.sum(e, conformance::Quadratic{block.view()}, slots[0]);
      be.sum_columns(e, conformance::Quadratic{block.view()}, slots[1]);
      results.emplace_back(static_cast<std::size_t>(e.cols + 1));
      be.fetch(slots[0], results.back());
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

// Jobs that follow each other at once, so that workers of one are still awake at the next.
TEST(Workers, EveryTileRunsOnceInEveryJob) {
  cpu::Workers workers(4);
  for (int job = 0; job < 3000; ++job) {
    const Index count = job % 70;
    std::vector<int> visits(static_cast<std::size_t>(count));
    const auto visit = [&](Index k) { visits[static_cast<std::size_t>(k)] += job; };
    workers.run(count, cpu::TaskRef(visit));
    ASSERT_EQ(visits, std::vector<int>(static_cast<std::size_t>(count), job));
  }
}

TEST(CpuBackend, SizesBeyondBlasAreRefused) {
  EXPECT_EQ(blas_int(2147483647), 2147483647);
  EXPECT_THROW(blas_int(Index{2147483648}), InvalidInput);
  EXPECT_THROW(blas_int(-1), InvalidInput);
}

TEST(CpuBackend, ProductsOfUnequalSizesAreRefused) {
  CpuBackend be;
  const auto a = be.matrix(3, 4), b = be.matrix(3, 2);
  auto c = be.matrix(3, 2);

  EXPECT_THROW(be.gemm(Op::none, Op::none, 1.0, a.view(), b.view(), 0.0, c.view()),
               std::logic_error);
  EXPECT_THROW(be.syrk(Op::none, 1.0, a.view(), 0.0, c.view()), std::logic_error);
  EXPECT_THROW(be.potrf(c.view(), be.slots(1)[0]), std::logic_error);
}

TEST(Needs, AddsStorageAndKeepsTheLargestOrder) {
  const Needs needs = Needs{}.matrix(4, 8).slots(1).indices(65).syevd(10).syevd(4).potrf(3);

  EXPECT_EQ(needs.storage_bytes, 256 + 256 + 512);
  EXPECT_EQ(needs.syevd_order, 10);
  EXPECT_EQ(needs.eigenvalues_order, 0);
  EXPECT_EQ(needs.potrf_order, 3);
}

}  // namespace
}  // namespace relulift::testing
