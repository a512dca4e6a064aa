// SPDX-License-Identifier: Apache-2.0
// The low-rank engine against the interior point method, which proves its optima from both sides.
#include <gtest/gtest.h>

#include <cmath>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

template <class T = double>
EngineOutcome low_rank(const ReducedProblem& problem) {
  CpuBackend be(1);
  const Weights none{Matrix(problem.d(), 0), Matrix(problem.c(), 0)};
  return LowRankAlm<CpuBackend, T>(be, problem, low_rank_start(problem, none, {}))
      .run(Control(60.0), {});
}
EngineOutcome interior(const ReducedProblem& problem, const PairsOptions& options = {}) {
  CpuBackend be(1);
  return PairsInteriorPoint<CpuBackend>(be, problem, options).run(Control(), {});
}

Problem numbered_problem(int number) {
  Random random(static_cast<std::uint64_t>(number));
  const Index n = 15 + 5 * (number % 4), d = 3 + number % 5, c = 1 + number % 3;
  Problem problem = random_problem(random, n, d, c, 0.1);
  if (number % 2 == 1) make_parallel(problem, 2, 0, -0.5);
  return problem;
}

class TwelveSets : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    given_ = numbered_problem(GetParam());
    presolved_ = presolve(given_);
  }
  Problem given_;
  Presolved presolved_;
};

// Started far away, without a network.
TEST_P(TwelveSets, ReachTheOptimumOfTheRelaxation) {
  const EngineOutcome exact = interior(presolved_.reduced);
  ASSERT_EQ(exact.status, Status::optimal);

  for (const EngineOutcome& out :
       {low_rank(presolved_.reduced), low_rank<float>(presolved_.reduced)}) {
    EXPECT_EQ(out.status, Status::optimal);
    EXPECT_GE(out.primal, exact.dual * (1.0 - 1e-9));  // a feasible point
    EXPECT_LE(out.primal, 1.01 * exact.primal);
    EXPECT_NEAR(out.dual, exact.dual, 0.05 * exact.dual);  // an estimate
  }
}

TEST_P(TwelveSets, TheMultipliersProveMostOfIt) {
  const EngineOutcome exact = interior(presolved_.reduced);

  for (const EngineOutcome& out :
       {low_rank(presolved_.reduced), low_rank<float>(presolved_.reduced)}) {
    const Bound bound = certify_multipliers(given_, presolved_.dual_candidate(out.multipliers));

    EXPECT_LE(bound.value, exact.primal);
    EXPECT_GE(bound.value, 0.5 * exact.dual);
  }
}

INSTANTIATE_TEST_SUITE_P(Random, TwelveSets, ::testing::Range(0, 12));

// To the same optimum, and the sooner for it: on every set but for a few iterations, and on the
// whole.
TEST(TwelveSetsTogether, TheInteriorEngineGoesOnFromThere) {
  Index from_there = 0, afresh = 0;
  for (int set = 0; set < 12; ++set) {
    const Presolved presolved = presolve(numbered_problem(set));
    const EngineOutcome exact = interior(presolved.reduced);
    PairsOptions options;
    const EngineOutcome near = low_rank(presolved.reduced);
    options.start = pairs_point(near.multipliers, near.S);

    const EngineOutcome out = interior(presolved.reduced, options);

    EXPECT_EQ(out.status, Status::optimal) << set;
    EXPECT_NEAR(out.dual, exact.dual, 3e-5 * exact.dual) << set;
    EXPECT_LE(out.iterations, exact.iterations + 5) << set;
    from_there += out.iterations;
    afresh += exact.iterations;
  }
  EXPECT_LT(from_there, 0.9 * static_cast<double>(afresh));
}

// Products round differently on two threads, and a few hundred steps of L-BFGS magnify that.
TEST(LowRankEngine, TheNumberOfThreadsHardlyMatters) {
  Random random(3);
  const ReducedProblem problem = presolve(random_problem(random, 80, 6, 2, 0.1)).reduced;
  const Weights none{Matrix(problem.d(), 0), Matrix(problem.c(), 0)};
  double dual[2];
  for (const int threads : {1, 2}) {
    CpuBackend be(threads);
    LowRankOptions options;
    options.max_iterations = 3;
    dual[threads - 1] =
        LowRankAlm<CpuBackend>(be, problem, low_rank_start(problem, none, options), options)
            .run(Control(), {})
            .dual;
  }
  EXPECT_NEAR(dual[0], dual[1], 1e-3 * std::abs(dual[0]));
}

// What a checkpoint holds is all it takes.
TEST(LowRankEngine, GoesOnFromItsState) {
  Random random(7);
  const Problem given = random_problem(random, 40, 5, 2, 0.1);
  const ReducedProblem problem = presolve(given).reduced;
  const Weights none{Matrix(problem.d(), 0), Matrix(problem.c(), 0)};
  const EngineOutcome whole = low_rank(problem);
  CpuBackend be(1);
  LowRankAlm<CpuBackend> first(be, problem, low_rank_start(problem, none, {}));
  LowRankState kept;
  first.run(Control(), [&](const EngineCheck& check) {
    kept = check.state();
    return check.iteration < 12;
  });

  const EngineOutcome rest = LowRankAlm<CpuBackend>(be, problem, kept).run(Control(60.0), {});

  EXPECT_EQ(kept.iteration, 11);  // before the update of the twelfth
  EXPECT_EQ(rest.status, whole.status);
  EXPECT_NEAR(rest.primal, whole.primal, 2e-3 * whole.primal);
  EXPECT_GT(rest.iterations, 12);
}

// No multipliers of any iteration claim more than the optimum, and what they prove is true of a
// network.
template <class T>
void expect_no_false_proof() {
  for (const std::uint64_t seed : {11u, 12u, 13u}) {
    Random random(seed);
    const Problem given = random_problem(random, 25, 4, 2, 0.2);
    const Presolved presolved = presolve(given);
    const double optimum = interior(presolved.reduced).primal;
    const Weights none{Matrix(presolved.reduced.d(), 0), Matrix(presolved.reduced.c(), 0)};
    CpuBackend be(1);
    LowRankAlm<CpuBackend, T> engine(be, presolved.reduced,
                                     low_rank_start(presolved.reduced, none, {}));
    Index proofs = 0;

    engine.run(Control(60.0), [&](const EngineCheck& check) {
      if (!check.multipliers) return true;
      const Bound bound = certify_multipliers(given, presolved.dual_candidate(check.multipliers()));
      EXPECT_LE(bound.value, optimum * (1.0 + 1e-6)) << check.iteration;
      ++proofs;
      return true;
    });

    EXPECT_GT(proofs, 3);
  }
}
TEST(LowRankEngine, NoIterateProvesTooMuch) { expect_no_false_proof<double>(); }
TEST(LowRankEngine, NoIterateProvesTooMuchInMixedPrecision) { expect_no_false_proof<float>(); }

TEST(LowRankEngine, StopsWhenTold) {
  Random random(4);
  const ReducedProblem problem = presolve(random_problem(random, 30, 4, 2, 0.1)).reduced;
  const Weights none{Matrix(problem.d(), 0), Matrix(problem.c(), 0)};
  CpuBackend be(1);
  LowRankAlm<CpuBackend> engine(be, problem, low_rank_start(problem, none, {}));

  const EngineOutcome out = engine.run(Control(), [](const EngineCheck&) { return false; });

  EXPECT_EQ(out.status, Status::interrupted);
  EXPECT_EQ(out.iterations, 1);
  EXPECT_TRUE(out.multipliers.G.allFinite());
}

}  // namespace
}  // namespace relulift::testing
