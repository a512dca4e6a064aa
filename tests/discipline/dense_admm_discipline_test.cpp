// SPDX-License-Identifier: Apache-2.0
// The dense engine on a backend that behaves like a device: nothing is allocated or uploaded in the
// loop, the host waits once per check, and the answer is that of the CPU, bit for bit.
#include <gtest/gtest.h>

#include "src/presolve/presolve.hpp"
#include "src/solvers/block_scaling.hpp"
#include "src/solvers/dense_admm.hpp"
#include "tests/support/discipline.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

struct Setting {
  ReducedProblem problem;
  BlockScaling scaling;
  DenseAdmmOptions options;
};

Setting setting(Index n, Index d, Index c) {
  Random random(static_cast<std::uint64_t>(100 * n + 10 * d + c));
  Problem given = random_problem(random, n, d, c, 0.1);
  if (n > 3) make_parallel(given, 2, 0, -0.5);  // a beta row
  Setting s{presolve(given).reduced, {}, {}};
  s.scaling = block_scaling(s.problem, Weights{Matrix(s.problem.d(), 0), Matrix(s.problem.c(), 0)});
  s.options.check_every = 10;
  s.options.limits.max_iterations = 60;
  s.options.limits.tolerance = 1e-300;
  return s;
}

TEST(DenseAdmmDiscipline, OneFetchPerCheckAndNothingElse) {
  const Setting s = setting(17, 3, 2);
  StrictBackend be;
  CheckCounts counts(be);
  DenseAdmm<StrictBackend> engine(be, s.problem, s.scaling, s.options);

  engine.run(Control(), counts.on_check());

  ASSERT_EQ(counts.checks(), 6u);
  for (std::size_t k = 1; k < counts.checks(); ++k) {
    EXPECT_EQ(counts.iterations(k) - counts.iterations(k - 1), 10);
    EXPECT_EQ(counts.fetches(k), 1);
    EXPECT_EQ(counts.allocations(k), 0);
    EXPECT_EQ(counts.uploads(k), 0);
    EXPECT_EQ(counts.eigensolves(k), 10);
    EXPECT_LE(counts.recordings(k), 1);  // when the number of columns kept changes
  }
  EXPECT_TRUE(be.fences_intact());
}

TEST(DenseAdmmDiscipline, SameAnswerAsOnTheCpu) {
  for (const auto& [n, d, c] : {std::array<Index, 3>{17, 3, 2}, {8, 1, 1}, {3, 5, 1}}) {
    const Setting s = setting(n, d, c);
    StrictBackend strict;
    CpuBackend cpu(1);
    DenseAdmm<StrictBackend> on_strict(strict, s.problem, s.scaling, s.options);
    DenseAdmm<CpuBackend> on_cpu(cpu, s.problem, s.scaling, s.options);

    const EngineOutcome a = on_strict.run(Control(), {}), b = on_cpu.run(Control(), {});

    EXPECT_EQ(a.iterations, b.iterations);
    EXPECT_TRUE(std::isfinite(a.dual));
    // Same loops; the libraries may pick other kernels for another stride.
    EXPECT_NEAR(a.dual, b.dual, 1e-9 * (1 + std::abs(b.dual)));
    EXPECT_NEAR(a.primal, b.primal, 1e-9 * (1 + std::abs(b.primal)));
    EXPECT_LE((a.S - b.S).norm(), 1e-8 * (1 + b.S.norm()));
    EXPECT_TRUE(strict.fences_intact());
  }
}

}  // namespace
}  // namespace relulift::testing
