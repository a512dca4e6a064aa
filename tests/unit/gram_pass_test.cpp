// SPDX-License-Identifier: Apache-2.0
// The Gram pass on the CPU, serial and with more threads than cores, where its tiles are stored,
// and that threads leave no trace in its results.
#include "src/solvers/gram_pass.hpp"

#include <relulift/system.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/gram_pass_conformance.hpp"

namespace relulift::testing {

// Named, not anonymous: the names of the tests carry them.
template <int threads>
struct GramCpu {
  using Type = CpuBackend;
  static Type make() { return CpuBackend(threads); }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(CpuSerial, GramPassConformance, GramCpu<1>);
INSTANTIATE_TYPED_TEST_SUITE_P(CpuThreads, GramPassConformance, GramCpu<5>);

TEST(GramTiles, EveryEntryOfTheUpperTriangleHasOnePlace) {
  for (const auto& [order, height] : {std::array<Index, 2>{1, 1}, {10, 4}, {12, 4}, {7, 20}}) {
    const GramTiles tiles(order, height);
    std::vector<int> taken(static_cast<std::size_t>(tiles.height() * tiles.columns()));
    for (Index p = 0; p < order; ++p) {
      for (Index q = p; q < order; ++q) {
        const auto at = tiles.place(p, q);
        ASSERT_LT(at.row, tiles.height());
        ASSERT_LT(at.col, tiles.columns());
        EXPECT_EQ(taken[static_cast<std::size_t>(at.row + at.col * tiles.height())]++, 0);
      }
    }
  }
}

TEST(GramTiles, RoundsVisitEveryTileOnceAndNoBlockFromTwoTasks) {
  for (const Index order : {4, 20, 23, 40, 41, 200, 203}) {
    const GramTiles tiles(order, 5);
    std::vector<int> visits(static_cast<std::size_t>(tiles.count()));
    for (Index round = 0; round < tiles.groups(); ++round) {
      std::vector<Index> owner(static_cast<std::size_t>(tiles.blocks()), -1);
      for (Index k = 0; k < tiles.groups(); ++k) {
        tiles.for_each_tile(round, k, [&](const GramTile& t) {
          EXPECT_LE(t.row_block, t.col_block);
          ++visits[static_cast<std::size_t>(t.number)];
          for (const Index block : {t.row_block, t.col_block}) {
            Index& task = owner[static_cast<std::size_t>(block)];
            EXPECT_TRUE(task == -1 || task == k) << order << ' ' << round;
            task = k;
          }
        });
      }
    }
    EXPECT_EQ(visits, std::vector<int>(visits.size(), 1)) << order;
  }
}

TEST(GramPass, StatesItsMemory) {
  Needs needs;
  GramPass<CpuBackend>::count(needs, 96, 10, 2);  // three blocks of 64, six tiles
  const Index doubles = 2 * (64 * 128 + 64 * 30) + 3 * 192 * 10 + 6;
  EXPECT_GE(needs.storage_bytes, 8 * doubles);
  EXPECT_LE(needs.storage_bytes, 8 * doubles + 8 * 256);
}

TEST(GramPass, ResultsDoNotDependOnTheNumberOfThreads) {
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 5}) {
    set_blas_threads(threads);
    CpuBackend be(threads);
    GramFixture<CpuBackend> f(be, {703, 81, {}}, true);
    std::vector<double> all = f.gradient().values;
    const std::vector<double> hessian = f.hessian(f.host.D).values;
    all.insert(all.end(), hessian.begin(), hessian.end());
    f.pass.update(f.K.view(), f.slots[0], f.W.view());
    f.pass.product(f.W.view(), f.D.view(), f.out.view());
    const std::vector<double> product = f.out.get().values;
    all.insert(all.end(), product.begin(), product.end());
    all.push_back(f.objective());
    results.push_back(std::move(all));
  }
  set_blas_threads(1);

  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace relulift::testing
