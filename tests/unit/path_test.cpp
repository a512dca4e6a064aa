// SPDX-License-Identifier: Apache-2.0
// Regularization paths against cold solves, and cross-validation against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <relulift/path.hpp>
#include <set>

#include "src/core/random.hpp"
#include "tests/support/files.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

Options gated(Index gates = 20) {
  Options options;
  options.device = Device::cpu;
  options.method = Method::gated;
  options.program.outputs = Outputs::one_vs_all;
  options.program.gates = gates;
  options.program.tolerance = 1e-7;
  return options;
}

Problem problem() {
  Random random(5);
  return random_problem(random, 30, 3, 1, 1.0);
}

// Features of very different scale, and targets that depend on them.
Dataset table(Index samples, Index features) {
  Random random(11);
  Dataset data;
  data.source = "t.csv";
  data.schema.kind = TargetKind::values;
  data.schema.features.assign(static_cast<std::size_t>(features), "x");
  data.schema.outputs = {"y"};
  data.samples = samples;
  data.features = features;
  data.outputs = 1;
  for (Index k = 0; k < samples * features; ++k)
    data.X.push_back(3.0 + (1.0 + static_cast<double>(k / samples)) * random.normal());
  for (Index i = 0; i < samples; ++i)
    data.Y.push_back(std::abs(data.X[static_cast<std::size_t>(i)]) + 0.1 * random.normal());
  return data;
}

Dataset labelled(const std::vector<Index>& counts) {
  Dataset data;
  data.source = "t.csv";
  data.schema.kind = TargetKind::labels;
  data.outputs = static_cast<Index>(counts.size());
  std::vector<Index> labels;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    data.schema.outputs.push_back("c" + std::to_string(k));
    labels.insert(labels.end(), static_cast<std::size_t>(counts[k]), static_cast<Index>(k));
  }
  data.samples = static_cast<Index>(labels.size());
  data.Y.assign(labels.size() * counts.size(), 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i)
    data.Y[i + static_cast<std::size_t>(labels[i]) * labels.size()] = 1.0;
  return data;
}

double penalty(const Network& network) {
  double squares = 0.0;
  for (const double u : network.U) squares += u * u;
  for (const double v : network.V) squares += v * v;
  return 0.5 * squares;
}

TEST(WeightDecays, FallByTheSameShareBetweenTheirEnds) {
  const std::vector<double> got = geometric_weight_decays(0.01, 10.0, 4);

  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got.front(), 10.0);
  EXPECT_EQ(got.back(), 0.01);
  EXPECT_DOUBLE_EQ(got[1], 1.0);
  EXPECT_DOUBLE_EQ(got[2], 0.1);
  EXPECT_EQ(geometric_weight_decays(2.0, 2.0, 1), std::vector<double>{2.0});
  EXPECT_THROW(geometric_weight_decays(1.0, 2.0, 0), InvalidInput);
  EXPECT_THROW(geometric_weight_decays(2.0, 1.0, 3), InvalidInput);
  EXPECT_THROW(geometric_weight_decays(0.0, 1.0, 3), InvalidInput);
}

// Also between the two solvers: what one proves, the objective of the other respects.
TEST(Path, EachPointIsThatOfAColdSolve) {
  for (const ProgramSolver solver : {ProgramSolver::gradient, ProgramSolver::interior}) {
    Options options = gated();
    options.program.solver = solver;
    Problem p = problem();

    const auto points = solve_path(p, {0.1, 10.0, 1.0, 0.3}, options);

    ASSERT_EQ(points.size(), 4U);
    options.program.solver = ProgramSolver::interior;
    for (const PathPoint& point : points) {
      p.weight_decay = point.weight_decay;
      const Result cold = solve(p, options);
      EXPECT_EQ(point.result.status, Status::optimal);
      EXPECT_NEAR(point.result.objective, cold.objective, 2e-7 * cold.objective);
      EXPECT_EQ(point.result.program.patterns, cold.program.patterns);
    }
  }
}

// Of exact minima at g > h: the objective at g is no less, the penalty no more. Of minima up to a
// relative tolerance e, the penalty may be more by e J / (g - h).
TEST(Path, WithTheWeightDecayTheObjectiveGrowsAndThePenaltyShrinks) {
  const auto points = solve_path(problem(), geometric_weight_decays(0.05, 20.0, 8), gated());

  ASSERT_EQ(points.size(), 8U);
  for (std::size_t k = 1; k < points.size(); ++k) {
    const PathPoint &large = points[k - 1], &small = points[k];
    EXPECT_GT(large.weight_decay, small.weight_decay);
    EXPECT_GE(large.result.objective, small.result.objective * (1.0 - 1e-7));
    const double slack = 4e-7 * large.result.objective / (large.weight_decay - small.weight_decay);
    EXPECT_LE(penalty(large.result.network), penalty(small.result.network) + slack);
  }
}

TEST(Path, TheGradientSolverStartsFromThePointBefore) {
  Options options = gated();
  options.program.solver = ProgramSolver::gradient;
  Problem p = problem();
  const std::vector<double> decays{1.0, 0.99, 0.98, 0.97};

  const auto points = solve_path(p, decays, options);

  Index warm = 0, cold = 0;
  for (std::size_t k = 1; k < points.size(); ++k) {
    p.weight_decay = points[k].weight_decay;
    warm += points[k].result.program.iterations;
    cold += solve(p, options).program.iterations;
  }
  EXPECT_LT(warm, cold);
}

TEST(Path, StopsWhereTheCallerSaysAndKeepsWhatIsDone) {
  const auto points = solve_path(problem(), {3.0, 2.0, 1.0}, gated(),
                                 [](const PathStep& step) { return step.weight_decay > 1.5; });

  EXPECT_EQ(points.size(), 2U);
}

TEST(Path, ATimeLimitThatHasPassedStillGivesEveryPointAValidResult) {
  Options options = gated();
  options.program.solver = ProgramSolver::gradient;
  options.program.tolerance = 1e-15;
  options.time_limit_seconds = 1e-9;
  Problem p = problem();

  const auto points = solve_path(p, {3.0, 2.0, 1.0}, options);

  ASSERT_EQ(points.size(), 3U);
  for (const PathPoint& point : points) {
    EXPECT_EQ(point.result.status, Status::time_limit);
    p.weight_decay = point.weight_decay;
    EXPECT_DOUBLE_EQ(point.result.objective, objective(p, point.result.network));
  }
}

TEST(Path, RefusesWeightDecaysThatAreNoneNotPositiveOrNamedTwice) {
  EXPECT_THROW(solve_path(problem(), {}, gated()), InvalidInput);
  EXPECT_THROW(solve_path(problem(), {1.0, 0.0}, gated()), InvalidInput);
  EXPECT_THROW(solve_path(problem(), {1.0, 2.0, 1.0}, gated()), InvalidInput);
  Options options = gated();
  options.checkpoint = "c";
  EXPECT_THROW(solve_path(problem(), {1.0}, options), InvalidInput);
}

TEST(Folds, SpreadEachClassAndAllRowsEvenly) {
  const std::vector<Index> counts{17, 9, 3, 11};
  const Dataset data = labelled(counts);

  const std::vector<Index> fold = assign_folds(data, 4, 3);

  ASSERT_EQ(fold.size(), 40U);
  std::vector<Index> total(4, 0);
  Index row = 0;
  for (const Index count : counts) {
    std::vector<Index> held(4, 0);
    for (Index i = 0; i < count; ++i, ++row) {
      const Index f = fold[static_cast<std::size_t>(row)];
      ASSERT_TRUE(f >= 0 && f < 4);
      ++held[static_cast<std::size_t>(f)];
      ++total[static_cast<std::size_t>(f)];
    }
    const auto [least, most] = std::ranges::minmax(held);
    EXPECT_LE(most - least, 1);
  }
  EXPECT_EQ(total, std::vector<Index>(4, 10));
  EXPECT_EQ(assign_folds(data, 4, 3), fold);
  EXPECT_NE(assign_folds(data, 4, 4), fold);
}

TEST(Folds, OfNumericTargetsHoldEqualNumbersOfRows) {
  const std::vector<Index> fold = assign_folds(table(23, 1), 5, 1);

  std::vector<Index> total(5, 0);
  for (const Index f : fold) ++total.at(static_cast<std::size_t>(f));
  for (const Index count : total) EXPECT_TRUE(count == 4 || count == 5);
  EXPECT_FALSE(std::ranges::is_sorted(fold));
}

TEST(Folds, RefuseMoreFoldsThanRowsAndNameAScarceClass) {
  const Dataset data = labelled({5, 1, 4});

  EXPECT_EQ(test::error_of([&] { assign_folds(data, 11, 0); }),
            "t.csv: has 10 rows, fewer than 11 folds");
  EXPECT_THROW(assign_folds(data, 1, 0), InvalidInput);
  EXPECT_NE(fold_warning(data, 3).find("class c1 has 1 row"), std::string::npos);
  EXPECT_EQ(fold_warning(labelled({5, 3}), 3), "");
  EXPECT_EQ(fold_warning(table(4, 1), 4), "");
}

PathRow scored(std::vector<double> accuracies) {
  PathRow row;
  for (const double accuracy : accuracies) row.folds.push_back({.accuracy = accuracy});
  return row;
}

TEST(Choice, TakesTheBestMeanAndOfEqualOnesTheLargestWeightDecay) {
  // Means .5, .7, .8, .8: the first .8; within its standard error sqrt(.02/2) = .1 the .7.
  const PathChoice choice =
      choose({scored({0.4, 0.6}), scored({0.71, 0.71}), scored({0.7, 0.9}), scored({0.9, 0.7})},
             Criterion::accuracy);

  EXPECT_EQ(choice.best, 2);
  EXPECT_EQ(choice.one_standard_error, 1);
}

TEST(Choice, LeavesOutPointsWithoutAScore) {
  EXPECT_FALSE(choose({scored({}), scored({NAN, 1.0})}, Criterion::accuracy).best);
  EXPECT_EQ(choose({scored({NAN, 1.0}), scored({0.1, 0.2})}, Criterion::accuracy).best, 1);
}

// Mean and population standard deviation of the rows of one fold's training part, by plain loops.
TEST(CrossValidation, ScoresAreThoseOfModelsThatSawTheOtherRowsAlone) {
  const Dataset data = table(24, 2);
  const Options options = gated(8);
  const std::vector<double> decays{5.0, 0.5};
  const Index folds = 3;

  const RegularizationPath path = regularization_path({.data = data,
                                                       .standardize = Standardize::yes,
                                                       .weight_decays = decays,
                                                       .folds = folds,
                                                       .options = options});

  const std::vector<Index> fold_of = assign_folds(data, folds, options.seed);
  const auto x = [&](Index i, Index j) {
    return data.X[static_cast<std::size_t>(i + j * data.samples)];
  };
  for (std::size_t k = 0; k < decays.size(); ++k) {
    std::vector<double> errors;
    for (Index f = 0; f < folds; ++f) {
      std::vector<Index> rows, held;
      for (Index i = 0; i < data.samples; ++i)
        (fold_of[static_cast<std::size_t>(i)] == f ? held : rows).push_back(i);
      std::vector<double> mean(2, 0.0), scale(2, 0.0);
      for (Index j = 0; j < 2; ++j) {
        const auto at = static_cast<std::size_t>(j);
        for (const Index i : rows) mean[at] += x(i, j) / static_cast<double>(rows.size());
        for (const Index i : rows)
          scale[at] += std::pow(x(i, j) - mean[at], 2) / static_cast<double>(rows.size());
        scale[at] = std::sqrt(scale[at]);
      }
      Problem p{static_cast<Index>(rows.size()), 2, 1, {}, {}, decays[k]};
      for (Index j = 0; j < 2; ++j)
        for (const Index i : rows)
          p.X.push_back((x(i, j) - mean[static_cast<std::size_t>(j)]) /
                        scale[static_cast<std::size_t>(j)]);
      for (const Index i : rows) p.Y.push_back(data.Y[static_cast<std::size_t>(i)]);
      const Network net = solve(p, options).network;
      double squares = 0.0;
      for (const Index i : held) {
        double answer = 0.0;
        for (Index m = 0; m < net.neurons; ++m) {
          double gate = 0.0, inner = 0.0;
          for (Index j = 0; j < 2; ++j) {
            const double z =
                (x(i, j) - mean[static_cast<std::size_t>(j)]) / scale[static_cast<std::size_t>(j)];
            gate += z * net.G[static_cast<std::size_t>(j + 2 * m)];
            inner += z * net.U[static_cast<std::size_t>(j + 2 * m)];
          }
          if (gate >= 0.0) answer += inner * net.V[static_cast<std::size_t>(m)];
        }
        squares += std::pow(answer - data.Y[static_cast<std::size_t>(i)], 2);
      }
      errors.push_back(std::sqrt(squares / static_cast<double>(held.size())));
      EXPECT_NEAR(path.rows[k].folds[static_cast<std::size_t>(f)].rmse, errors.back(), 1e-6);
      EXPECT_NEAR(path.rows[k].folds[static_cast<std::size_t>(f)].loss,
                  0.5 * errors.back() * errors.back(), 1e-5);
    }
    const double mean = (errors[0] + errors[1] + errors[2]) / 3.0;
    double squares = 0.0;
    for (const double e : errors) squares += (e - mean) * (e - mean);
    const MeanScore got = mean_score(path.rows[k].folds, &Scores::rmse);
    EXPECT_NEAR(got.mean, mean, 1e-6);
    EXPECT_NEAR(got.error, std::sqrt(squares / 2.0 / 3.0), 1e-6);
  }
  EXPECT_EQ(path.criterion, Criterion::rmse);
  EXPECT_TRUE(path.choice.best);
}

TEST(CrossValidation, HeldOutRowsChangeNothingOfTheirFoldsModel) {
  const Dataset data = table(12, 2);
  const Options options = gated(8);
  const PathRequest request{.data = data,
                            .standardize = Standardize::yes,
                            .weight_decays = {1.0},
                            .folds = 3,
                            .options = options};
  const std::vector<Index> fold_of = assign_folds(data, 3, options.seed);
  // The targets of one row of fold 0: its score changes by a known amount, its model does not.
  Dataset changed = data;
  Index row = 0;
  while (fold_of[static_cast<std::size_t>(row)] != 0) ++row;
  changed.Y[static_cast<std::size_t>(row)] += 100.0;
  PathRequest other{.data = changed,
                    .standardize = Standardize::yes,
                    .weight_decays = {1.0},
                    .folds = 3,
                    .options = options};

  const Scores before = regularization_path(request).rows[0].folds[0];
  const Scores after = regularization_path(other).rows[0].folds[0];

  // sum (r + s)^2 - sum r^2 over the four rows is s^2 - 2 s (f - y) of that row: linear in s.
  changed.Y[static_cast<std::size_t>(row)] += 100.0;
  const Scores twice = regularization_path(other).rows[0].folds[0];
  const double first = 4.0 * (after.rmse * after.rmse - before.rmse * before.rmse);
  const double second = 4.0 * (twice.rmse * twice.rmse - after.rmse * after.rmse);
  EXPECT_NEAR(second - first, 2.0 * 100.0 * 100.0, 1e-5);
}

TEST(CrossValidation, TestTargetsThatTheLossCannotTakeAreRefusedWithTheirTable) {
  Dataset data = table(12, 2);
  for (Index i = 0; i < 12; ++i) data.Y[static_cast<std::size_t>(i)] = i % 3 == 0 ? 1.0 : -1.0;
  Dataset held = data;
  held.source = "held.csv";
  held.Y[2] = 0.5;
  Options options = gated(8);
  options.program.loss = Loss::logistic;

  const std::string error = test::error_of([&] {
    regularization_path({.data = data, .test = &held, .weight_decays = {1.0}, .options = options});
  });

  EXPECT_EQ(error.find("held.csv: "), 0U) << error;
}

TEST(CrossValidation, AnInterruptionLeavesThePathAndChoosesNothing) {
  const Dataset data = table(12, 2);
  const RegularizationPath path =
      regularization_path({.data = data,
                           .weight_decays = {1.0, 2.0},
                           .folds = 3,
                           .options = gated(8),
                           .on_step = [](const PathStep& step) { return step.fold < 2; }});

  EXPECT_TRUE(path.interrupted);
  EXPECT_EQ(path.rows.size(), 2U);
  EXPECT_EQ(path.folds_done, 1);
  EXPECT_FALSE(path.choice.best);
}

}  // namespace
}  // namespace relulift::testing
