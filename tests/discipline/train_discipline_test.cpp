// SPDX-License-Identifier: Apache-2.0
// The trainer on a backend that behaves like a device: all memory at construction, nothing but
// replays in the loops, and the answer of the CPU.
#include <gtest/gtest.h>

#include "src/solvers/train_network.hpp"
#include "tests/support/discipline.hpp"

namespace relulift::testing {
namespace {

TrainOptions small_search() {
  TrainOptions options;
  options.max_neurons = 24;
  options.starts = 2;
  options.ascents = 30;
  options.ascent_iterations = 5;
  options.new_directions = 8;
  options.first_smoothing = options.smoothing = {0.03, 1e-3};
  options.evaluations = 50;
  options.patience = 2;
  return options;
}

struct Started {
  TrainCoordinates at;
  Matrix x;  // two starts of five neurons
};

Started started(const ReducedProblem& problem) {
  Started s{train_coordinates(problem, 0.5), {}};
  Random random(7);
  const Matrix X = problem.stacked_X();
  const Weights a = random_weights(s.at, X, 5, random), b = random_weights(s.at, X, 5, random);
  s.x = s.at.parameters({Matrix(X.cols(), 10), Matrix(problem.c(), 10)});
  s.x << s.at.parameters(a), s.at.parameters(b);
  return s;
}

// `steps` of L-BFGS; the point they reach.
template <Backend B, class AtLoop>
Matrix descend(B& be, const Started& s, Index steps, const AtLoop& at_loop) {
  SmoothedObjective<B> objective(be, s.at.samples, s.x.cols(), 2);
  Lbfgs<B, SmoothedObjective<B>> lbfgs(be, objective, s.x.cols(), 2);
  lbfgs.begin(s.x, 2);
  objective.set_smoothing(0.01);
  at_loop();
  lbfgs.advance(steps, [] { return false; });
  at_loop();
  return lbfgs.point();
}

TEST(TrainDiscipline, StepsOfLbfgsAreReplaysAlone) {
  const Started s = started(reduced(17, 3, 2));
  StrictBackend be;
  std::vector<StrictCounts> counts;

  descend(be, s, 25, [&] { counts.push_back(be.counts()); });

  EXPECT_EQ(counts[1].replays - counts[0].replays, 25);
  EXPECT_EQ(counts[1].allocations, counts[0].allocations);
  EXPECT_EQ(counts[1].uploads, counts[0].uploads);
  EXPECT_EQ(counts[1].fetches, counts[0].fetches);
  EXPECT_EQ(counts[1].recordings, counts[0].recordings);
  EXPECT_TRUE(be.fences_intact());
}

TEST(TrainDiscipline, LbfgsTakesTheStepsOfTheCpu) {
  const Started s = started(reduced(17, 3, 2));
  StrictBackend strict;
  CpuBackend cpu(1);

  const Matrix a = descend(strict, s, 12, [] {}), b = descend(cpu, s, 12, [] {});

  // Same loops; the libraries may pick other kernels for another stride, and steps amplify that.
  EXPECT_GT((b - s.x).norm(), 0.01 * s.x.norm());
  EXPECT_LE((a - b).norm(), 1e-8 * b.norm());
}

TEST(TrainDiscipline, AscentsReadBackOncePerBlock) {
  const ReducedProblem problem = reduced(17, 3, 2);
  const Matrix X = problem.stacked_X(), E = problem.stacked_Y();
  Random random(8);
  Matrix S(X.cols(), 12);
  for (Index j = 0; j < S.cols(); ++j)
    for (Index i = 0; i < S.rows(); ++i) S(i, j) = random.normal();
  const auto ascend = [&](auto& be, Index capacity) {
    DirectionSearch search(be, X, E.cols(), capacity);
    return search.ascend(E, S, 6, [] { return false; });
  };
  StrictBackend strict;
  CpuBackend cpu(1);

  const Directions whole = ascend(cpu, 12), blocks = ascend(strict, 4);

  EXPECT_EQ(strict.counts().fetches, 3 * 2);  // directions and values
  EXPECT_LE((whole.value - blocks.value).norm(), 1e-10 * whole.value.norm());
  EXPECT_LE((whole.S - blocks.S).norm(), 1e-8 * whole.S.norm());
  EXPECT_TRUE(strict.fences_intact());
}

TEST(TrainDiscipline, AllMemoryAtConstructionAndTheAnswerOfTheCpu) {
  const ReducedProblem problem = reduced(17, 3, 2);
  StrictBackend strict;
  CpuBackend cpu(1);
  NetworkTrainer<StrictBackend> on_strict(strict, problem, small_search());
  NetworkTrainer<CpuBackend> on_cpu(cpu, problem, small_search());
  const StrictCounts before = strict.counts();

  const TrainReport a = on_strict.run(Control()), b = on_cpu.run(Control());

  EXPECT_EQ(strict.counts().allocations, before.allocations);
  EXPECT_GT(strict.counts().replays, 0);
  EXPECT_NEAR(a.objective, b.objective, 0.02 * b.objective);  // a search: paths part, ends agree
  EXPECT_TRUE(strict.fences_intact());
}

}  // namespace
}  // namespace relulift::testing
