// SPDX-License-Identifier: Apache-2.0
// CudaBackend against the long double loops that also judge CpuBackend, entrywise equality of the
// two, and what only a device can show: capture, determinism, memory. Needs a GPU.
#include <gtest/gtest.h>

#include <bit>
#include <relulift/error.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/backends/cuda/cuda_backend.cuh"
#include "tests/support/backend_conformance.hpp"
#include "tests/support/gpu.hpp"

namespace relulift::testing {

struct Cuda {
  using Type = CudaBackend;
  static Type make() { return CudaBackend(); }
  static std::string unavailable() { return gpu_unavailable(); }
  static bool required() { return gpu_required(); }
};
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Cuda, BackendConformance, Cuda);

class CudaParity : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = gpu_unavailable();
    if (missing.empty()) return;
    if (gpu_required()) {
      FAIL() << missing;
    } else {
      GTEST_SKIP() << missing;
    }
  }
};

// Every operation a functor may use, with branches on ties and signs. Nothing here may contract.
struct Entrywise {
  MatrixView<const double> a, b;
  MatrixView<double> out;
  RELULIFT_HD void operator()(Index i, Index j) const {
    const double x = a(i, j), y = b(i, j);
    const double w = x * y + 0.3 * x - y / 7.0;
    const double root = sqrt(w < 0.0 ? -w : w);
    out(i, j) = x == y ? root : (x < y ? root * x + y : (w > 0.0 ? w : 0.0) - root / 3.0);
  }
};
struct Product {
  MatrixView<const double> a, b;
  RELULIFT_HD double operator()(Index i, Index j) const { return a(i, j) * b(i, j); }
};

TEST_F(CudaParity, EntrywiseKernelsAgreeBitwise) {
  CpuBackend cpu;
  CudaBackend gpu;
  for (const Extent e : kExtents) {
    const HostMatrix a = random_matrix(e.rows, e.cols, 1);
    HostMatrix b = random_matrix(e.rows, e.cols, 2);
    for (std::size_t k = 0; k < b.values.size(); k += 5) b.values[k] = a.values[k];  // ties
    const auto on = [&](auto& be) {
      const Guarded in_a(be, a), in_b(be, b), out(be, e.rows, e.cols);
      be.launch(e, Entrywise{in_a.view(), in_b.view(), out.view()});
      EXPECT_TRUE(out.margin_intact());
      return out.get().values;
    };

    const auto left = on(cpu), right = on(gpu);

    for (std::size_t k = 0; k < left.size(); ++k) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(left[k]), std::bit_cast<std::uint64_t>(right[k])) << k;
    }
  }
}

TEST_F(CudaParity, EveryOperationRepeatsBitwise) {
  CudaBackend be;
  const Index n = 257;
  const HostMatrix m = random_matrix(n, n, 3), spd = random_spd(n, 4);
  const auto run = [&] {
    const Guarded a(be, m), c(be, n, n), l(be, spd), v(be, spd);
    const auto slots = be.slots(2 * n + 4);
    be.gemm(Op::none, Op::transpose, 1.0, a.view(), a.view(), 0.0, c.view());
    be.potrf(l.view(), slots[0]);
    be.potrs(l.view(), c.view());
    be.sum({n, n}, Product{a.view(), c.view()}, slots[1]);
    be.sum_columns({n, n}, Product{a.view(), c.view()}, slots[2]);
    be.syevd(v.view(), slots[n + 2], slots[2 * n + 2]);
    std::vector<double> out(static_cast<std::size_t>(2 * n + 3));
    be.fetch(slots[0], out);
    for (const auto& block : {&c, &l, &v}) {
      const auto values = block->get().values;
      out.insert(out.end(), values.begin(), values.end());
    }
    return out;
  };

  EXPECT_EQ(run(), run());
}

// Loop operations must really be captured; falling back to the callable would only be slow.
TEST_F(CudaParity, LoopOperationsAreCaptured) {
  CudaBackend be;
  const Index n = 64;
  const Guarded a(be, random_matrix(n, n, 5)), c(be, n, n);
  const Guarded l(be, random_spd(n, 6));
  const auto slots = be.slots(n + 2);

  EXPECT_TRUE(be.record([&] {
                  be.launch({n, n}, Entrywise{a.view(), a.view(), c.view()});
                }).captured());
  EXPECT_TRUE(be.record([&] { be.sum({n, n}, Product{a.view(), c.view()}, slots[0]); }).captured());
  EXPECT_TRUE(be.record([&] {
                  be.sum_columns({n, n}, Product{a.view(), c.view()}, slots[0]);
                }).captured());
  EXPECT_TRUE(be.record([&] {
                  be.gemm(Op::none, Op::none, 1.0, a.view(), a.view(), 0.0, c.view());
                }).captured());
  EXPECT_TRUE(be.record([&] { be.syrk(Op::none, 1.0, a.view(), 0.0, c.view()); }).captured());
  EXPECT_TRUE(be.record([&] { be.trsm(Side::left, Op::none, l.view(), c.view()); }).captured());
}

TEST_F(CudaParity, WhatCannotBeRecordedThrows) {
  CudaBackend be;
  const Guarded a(be, random_spd(8, 7));
  const auto slots = be.slots(10);
  std::vector<double> out(1);

  EXPECT_THROW(be.record([&] { be.syevd(a.view(), slots[0], slots[9]); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.potrf(a.view(), slots[9]); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.fetch(slots[0], out); }), std::logic_error);
  EXPECT_THROW(be.record([&] { be.upload(out, slots[0]); }), std::logic_error);

  be.syevd(a.view(), slots[0], slots[9]);
  be.fetch(slots[9], out);
  EXPECT_EQ(out[0], 0.0);
}

TEST_F(CudaParity, OutOfMemoryNamesTheBytes) {
  CudaBackend be;
  const Index rows = Index{1} << 24;

  try {
    be.matrix(rows, rows / 1024);  // 2 TiB
    FAIL() << "2 TiB were allocated";
  } catch (const DeviceError& e) {
    EXPECT_NE(std::string(e.what()).find("2199023255552 bytes"), std::string::npos) << e.what();
  }
  EXPECT_EQ(be.matrix(2, 2).rows(), 2);  // and the backend goes on
}

TEST_F(CudaParity, TheEstimateOfTheWorkspaceIsAnUpperBound) {
  for (const Index n : {64, 1000, 5000}) {
    for (const Needs& needs : {Needs{}.syevd(n), Needs{}.eigenvalues(n), Needs{}.potrf(n)}) {
      CudaBackend be;
      be.reserve(needs);
      EXPECT_LE(be.allocated_workspace_bytes(), CudaBackend::workspace_bytes(needs)) << n;
    }
  }
}

TEST_F(CudaParity, AnAbsentDeviceIsUnavailable) {
  EXPECT_THROW(CudaBackend(99), DeviceUnavailable);
  EXPECT_THROW(CudaBackend(-1), DeviceUnavailable);
}

// Read-backs on both sides of the pinned buffer's size.
TEST_F(CudaParity, LargeMatricesComeBackWhole) {
  CudaBackend be;
  const HostMatrix m = random_matrix(1000, 1000, 8);
  const Guarded a(be, m);

  EXPECT_EQ(a.get().values, m.values);
}

}  // namespace
}  // namespace relulift::testing
