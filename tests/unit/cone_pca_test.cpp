// SPDX-License-Identifier: Apache-2.0
// Cone-constrained PCA, working sets and joint ReLU programs against enumeration, sampling and the
// certified solver.
#include "src/solvers/cone_pca.hpp"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <numbers>
#include <relulift/solve.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/patterns/all_patterns.hpp"
#include "src/patterns/sample.hpp"
#include "src/solvers/group_lasso.hpp"
#include "src/solvers/joint_relu.hpp"
#include "src/solvers/pattern_interior.hpp"
#include "src/solvers/working_set.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

TEST(ConePca, WithoutAConeItIsTheLargestSingularValue) {
  Random random(1);
  for (const Index c : {1, 2, 3, 4}) {
    const Matrix B = random_matrix(random, 5, c);

    const ConePca found = cone_pca(Matrix::Zero(1, 5), B, {.relative = 1e-4, .nodes = 100'000});

    const double largest = Eigen::JacobiSVD<Matrix>(B).singularValues()[0];
    EXPECT_NEAR(found.value, largest, 2e-4 * largest);
    EXPECT_GE(found.upper, largest * (1.0 - 1e-12));
    EXPECT_LE(found.upper, largest * (1.0 + 2e-4));
  }
}

// In the plane a cone is an arc of angles: the maximum over a fine grid of them.
TEST(ConePca, InThePlaneItIsTheMaximumOverTheArc) {
  Random random(2);
  for (int trial = 0; trial < 30; ++trial) {
    const Matrix K = random_matrix(random, 2, 2), B = random_matrix(random, 2, 3);
    double most = 0.0;
    for (int k = 0; k < 200'000; ++k) {
      const double angle = 2.0 * std::numbers::pi * k / 200'000;
      const Vector u{{std::cos(angle), std::sin(angle)}};
      if ((K * u).minCoeff() >= 0.0) most = std::max(most, (B.transpose() * u).norm());
    }

    const ConePca found = cone_pca(K, B, {.relative = 1e-4, .nodes = 100'000});

    EXPECT_NEAR(found.value, most, 2e-4 * B.norm());
    EXPECT_GE(found.upper, most * (1.0 - 1e-9));
    EXPECT_LE(found.upper, found.value * (1.0 + 1e-4) + 1e-12);
    if (found.value > 0.0) {
      EXPECT_GE((K * found.u).minCoeff(), -1e-9);
    }
  }
}

TEST(ConePca, NoDirectionOfTheConeGainsMoreThanItsBound) {
  Random random(3);
  const Matrix K = random_matrix(random, 6, 4), B = random_matrix(random, 4, 3);

  const ConePca rough = cone_pca(K, B, {.relative = 1e-3, .nodes = 10});

  for (int k = 0; k < 20'000; ++k) {
    Vector u = random_matrix(random, 4, 1);
    u.normalize();
    if ((K * u).minCoeff() < 0.0) continue;
    EXPECT_LE((B.transpose() * u).norm(), rough.upper);
  }
}

struct Data {
  Matrix X, Y;
  Problem problem(double g) const {
    return {.samples = X.rows(),
            .features = X.cols(),
            .outputs = Y.cols(),
            .X = {X.data(), X.data() + X.size()},
            .Y = {Y.data(), Y.data() + Y.size()},
            .weight_decay = g};
  }
};

Data random_data(std::uint64_t seed, Index n, Index d, Index c) {
  Random random(seed);
  return {random_matrix(random, n, d), random_matrix(random, n, c)};
}

// One output: the program over all patterns is the training problem itself, which the exchange
// method of Method::sdp solves without a list of patterns.
TEST(WorkingSet, OverAllPatternsItsValueIsThatOfTheBestNetwork) {
  const Data data = random_data(4, 16, 3, 1);
  const double g = 0.5;
  CpuBackend be;
  const auto all = all_patterns(data.X, 100'000);
  ASSERT_TRUE(all);
  std::vector<Index> first{0, 1, 2};

  const WorkingSetResult result = solve_by_working_set(
      subset(*all, first), data.Y, g, 1e-7,
      [&](const GatedPatterns& some) {
        return PatternInterior<CpuBackend>(be, data.X, data.Y, g, some, PatternProgram::relu)
            .solve(1e-9, Control(60.0));
      },
      oracle_of(data.X, *all, g, 1e-8, 10), Control(60.0), {});

  const Result best = solve(data.problem(g), {.engine = Engine::none, .gap = 1e-6});
  EXPECT_TRUE(result.complete ||
              result.point.objective - result.point.bound <= 1e-7 * result.point.objective);
  // The network may cost 1e-5 more for having fewer neurons.
  EXPECT_LE(result.point.objective, best.objective * (1.0 + 1e-6));
  EXPECT_GE(result.point.objective, best.objective * (1.0 - 2e-5));
  EXPECT_GE(result.point.objective, best.certificate.lower_bound * (1.0 - 1e-9));
  EXPECT_LE(result.point.bound, best.objective * (1.0 + 1e-9));
  EXPECT_LT(result.gated.patterns.size(), all->patterns.size());
}

// The search climbs and may miss a neuron that would gain little.
TEST(WorkingSet, RefinementBySearchComesWithinATenThousandthOfTheBestNetwork) {
  const Data data = random_data(5, 20, 3, 1);
  const double g = 0.4;
  CpuBackend be;
  const WorkingSetResult result = solve_by_working_set(
      patterns_of(data.X, gaussian_gates(3, 2, 1)), data.Y, g, 1e-7,
      [&](const GatedPatterns& some) {
        return PatternInterior<CpuBackend>(be, data.X, data.Y, g, some, PatternProgram::relu)
            .solve(1e-9, Control(60.0));
      },
      ascent_oracle(data.X, g, 1e-8, 200, 50, 1, Control(60.0)), Control(60.0), {});

  const Result best = solve(data.problem(g), {.engine = Engine::none, .gap = 1e-6});
  EXPECT_NEAR(result.point.objective, best.objective, 1e-4 * best.objective);
}

DirectionSolver directions(CpuBackend& be, const Data& data, double g) {
  return [&be, &data, g](const Matrix& S, const GroupLassoPoint& from, double tolerance) {
    return GroupLasso<CpuBackend>(be, data.X, data.Y, g, S).solve(from, tolerance, Control(60.0));
  };
}

// Several outputs, all patterns: again the training problem.
TEST(JointRelu, OverAllPatternsItsValueIsThatOfTheBestNetwork) {
  const Data data = random_data(6, 12, 2, 3);
  const double g = 0.4;
  CpuBackend be;
  const auto all = all_patterns(data.X, 1000);
  ASSERT_TRUE(all);

  const JointRelu joint =
      solve_joint_relu(data.X, data.Y, g, all->patterns,
                       Network{.features = 2, .outputs = 3, .neurons = 0, .U = {}, .V = {}},
                       {.tolerance = 1e-5}, directions(be, data, g), Control(60.0), {});

  const Result best = solve(data.problem(g), {.engine = Engine::none, .gap = 1e-6});
  EXPECT_LE(joint.point.objective - joint.bound, 1e-5 * joint.point.objective);
  EXPECT_NEAR(joint.point.objective, best.objective, 2e-5 * best.objective);
  EXPECT_LE(joint.bound, best.objective * (1.0 + 1e-9));
}

TEST(JointRelu, ItsNeuronsLieInTheConesOfItsPatterns) {
  const Data data = random_data(7, 30, 3, 2);
  CpuBackend be;
  const GatedPatterns gated = patterns_of(data.X, gaussian_gates(3, 6, 2));

  const JointRelu joint =
      solve_joint_relu(data.X, data.Y, 0.3, gated.patterns,
                       Network{.features = 3, .outputs = 2, .neurons = 0, .U = {}, .V = {}},
                       {.tolerance = 1e-5}, directions(be, data, 0.3), Control(60.0), {});

  ASSERT_GT(joint.S.cols(), 0);
  for (Index j = 0; j < joint.S.cols(); ++j) {
    double least = -1.0;  // over patterns, of the worst row
    for (Index i = 0; i < gated.patterns.size(); ++i) {
      double worst = 1.0;
      for (Index r = 0; r < 30; ++r) {
        const double s = data.X.row(r).dot(joint.S.col(j));
        worst = std::min(worst, gated.patterns.active(r, i) ? s : -s);
      }
      least = std::max(least, worst);
    }
    EXPECT_GE(least, -1e-9);
  }
}

}  // namespace
}  // namespace relulift::testing
