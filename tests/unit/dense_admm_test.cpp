// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/dense_admm.hpp"

#include <gtest/gtest.h>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/block_scaling.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

ReducedProblem reduced(Index n, double weight_decay) {
  Random random(9);
  return presolve(random_problem(random, n, 3, 1, weight_decay)).reduced;
}

EngineOutcome run(const ReducedProblem& p, const DenseAdmmOptions& options,
                  const Control& control) {
  CpuBackend be(1);
  return DenseAdmm<CpuBackend>(be, p, block_scaling(p, {}), options).run(control, {});
}

// With g above ||E'(Xu)_+|| of every u the zero network is optimal: p_sdp = ||Y||^2/2.
TEST(DenseAdmm, AZeroSolutionIsNoBreakdown) {
  const ReducedProblem p = reduced(30, 1e3);

  const EngineOutcome out = run(p, {}, Control());

  const double optimum = 0.5 * p.Y.squaredNorm() + p.constant;
  EXPECT_EQ(out.status, Status::optimal);
  EXPECT_NEAR(out.primal, optimum, 1e-5 * optimum);
  EXPECT_NEAR(out.dual, optimum, 1e-5 * optimum);
}

TEST(DenseAdmm, ALimitEndsTheNextIterationNotTheNextCheck) {
  DenseAdmmOptions options;
  options.check_every = 1000;
  options.limits.tolerance = 1e-300;
  int polls = 0;
  const Control interrupt(1e300, [&] { return ++polls >= 3; });

  const EngineOutcome interrupted = run(reduced(30, 0.1), options, interrupt);
  const EngineOutcome late = run(reduced(30, 0.1), options, Control(0.0));

  EXPECT_EQ(interrupted.status, Status::interrupted);
  EXPECT_EQ(interrupted.iterations, 3);
  EXPECT_GT(interrupted.multipliers.G.size(), 0);  // and it brings what it has
  EXPECT_EQ(late.status, Status::time_limit);
  EXPECT_EQ(late.iterations, 1);
}

}  // namespace
}  // namespace relulift::testing
