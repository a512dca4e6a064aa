// SPDX-License-Identifier: Apache-2.0
// Parts of the low-rank engine against plain loops, finite differences and dense algebra.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>
#include <tuple>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/lanczos.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_primal.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/naive_lagrangian.hpp"

namespace relulift::testing {
namespace {

ReducedProblem reduced_problem(Index n, Index d, Index c) {
  Random random(static_cast<std::uint64_t>(n + 100 * d));
  Problem given = random_problem(random, n, d, c, 0.1);
  if (n > 2) make_parallel(given, 2, 0, -0.5);  // a beta row
  return presolve(given).reduced;
}

// Z, pairs and multipliers nobody chose.
LowRankState random_state(const ReducedProblem& problem, Index r, Random& random) {
  const Index n = problem.n();
  LowRankState state;
  state.Z = random_matrix(random, r, n + problem.d() + problem.c());
  for (std::int32_t p = 0; p < 2 * n; ++p)
    for (std::int32_t q = p + 1; q < 2 * n; ++q)
      if (q - p != n && random.uniform() < 0.4) state.pairs.push_back({p, q});
  state.w = random_matrix(random, static_cast<Index>(state.pairs.size()), 1).cwiseMax(0.0);
  state.y = random_matrix(random, n, 1);
  state.sigma = 0.7;
  return state;
}

// The objective on the CPU at state.Z, unscaled.
struct Evaluated {
  double value;
  Matrix gradient;
  LowRankPoint point;
};
Evaluated evaluate(const ReducedProblem& problem, const LowRankState& state, const Matrix& factor) {
  CpuBackend be(1);
  const UnitRows rows(problem);
  const Index r = state.Z.rows(), order = state.Z.cols();
  LowRankObjective<CpuBackend> objective(be, problem, rows, r + 3,
                                         static_cast<Index>(state.pairs.size()) + 5);
  objective.set_pairs(state);
  objective.set_scaling(factor);
  objective.shape(r, 1);
  Matrix x = state.Z.cwiseQuotient(factor), g(r, order);
  double value = 0.0;
  objective.evaluate({x.data(), order, r, order}, {g.data(), order, r, order}, Slot{&value});
  return {value, g, objective.read()};
}

TEST(LowRankObjective, ValueAndGradientAreThoseOfTheDefinition) {
  for (const auto& [n, d, c, r] : {std::tuple<Index, Index, Index, Index>{1, 1, 1, 1},
                                   {2, 3, 1, 2},
                                   {7, 2, 3, 5},
                                   {9, 3, 2, 4}}) {
    const ReducedProblem problem = reduced_problem(n, d, c);
    Random random(static_cast<std::uint64_t>(n));
    const LowRankState state = random_state(problem, r, random);
    const Matrix factor = random_matrix(random, r, state.Z.cols()).cwiseAbs().array() + 1.0;

    const Evaluated at = evaluate(problem, state, factor);

    EXPECT_NEAR(at.value, naive_lagrangian(problem, state, state.Z), 1e-11 * at.value);
    constexpr double kStep = 1e-5;
    for (Index j = 0; j < state.Z.cols(); ++j)
      for (Index k = 0; k < r; ++k) {
        Matrix up = state.Z, down = state.Z;
        up(k, j) += kStep * factor(k, j);
        down(k, j) -= kStep * factor(k, j);
        const double slope =
            (naive_lagrangian(problem, state, up) - naive_lagrangian(problem, state, down)) /
            (2.0 * kStep);
        EXPECT_NEAR(at.gradient(k, j), slope, 1e-6 * (1.0 + at.gradient.norm())) << k << " " << j;
      }
  }
}

// In s and v, where the residuals are linear, the curvature is the second difference of the
// Lagrangian; what the multiplier of an alpha-beta pair takes from it is left out.
TEST(EntryScaling, IsTheCurvatureOfTheLagrangian) {
  const ReducedProblem problem = reduced_problem(9, 3, 2);
  const Index n = problem.n(), r = 4, order = n + problem.d() + problem.c();
  Random random(21);
  const LowRankState state = random_state(problem, r, random);
  const LowRankPoint point = evaluate(problem, state, Matrix::Ones(r, order)).point;
  const UnitRows rows(problem);
  Matrix K(r, 2 * n);
  for (Index p = 0; p < 2 * n; ++p) K.col(p) = naive_lifted_row(rows, state.Z, p);

  const Matrix factor = entry_scaling(problem, rows, state, point, K);

  constexpr double kStep = 1e-4;
  const double middle = naive_lagrangian(problem, state, state.Z);
  for (Index j = 0; j < order; ++j) {
    if (j >= n && j < n + problem.d()) continue;
    Vector own(r);
    for (Index k = 0; k < r; ++k) {
      Matrix up = state.Z, down = state.Z;
      up(k, j) += kStep;
      down(k, j) -= kStep;
      own[k] = (naive_lagrangian(problem, state, up) + naive_lagrangian(problem, state, down) -
                2.0 * middle) /
               (kStep * kStep);
      if (j < n) own[k] += 0.5 * std::max(0.0, point.free[j]);
    }
    const Vector expected = 0.5 * (own.array() + own.mean());
    const Vector curvature = factor.col(j).cwiseAbs2().cwiseInverse();
    EXPECT_LT((curvature - expected).norm(), 1e-4 * expected.norm()) << j;
    EXPECT_NEAR(std::pow(column_scaling(factor)[j], -2.0), own.mean(), 1e-4 * own.mean());
  }
}

TEST(LowRankObjective, AStretchOfAColumnIsTheEntriesOneByOne) {
  Random random(3);
  const Matrix K = random_matrix(random, 9, 8);
  const Matrix m = random_matrix(random, 3, 1).cwiseMax(0.0), free = random_matrix(random, 4, 1);
  const PairLists lists({{0, 1}, {0, 6}, {3, 5}}, 4);
  const auto view = [](const Matrix& a) {
    return MatrixView<const double>{a.data(), a.rows(), a.cols(), a.rows()};
  };
  const auto integers = [](const std::vector<std::int32_t>& a) {
    return IndexView{a.data(), static_cast<Index>(a.size())};
  };
  Matrix entries(9, 8), columns(9, 8);
  const auto gather = [&](Matrix& out) {
    return kernels::GatherPairs{view(K),
                                view(m),
                                view(free),
                                integers(lists.begin),
                                integers(lists.other),
                                integers(lists.pair),
                                {out.data(), 9, 8, 9}};
  };

  for (Index p = 0; p < 8; ++p) {
    for (Index k = 0; k < 9; ++k) gather(entries)(k, p);
    gather(columns).column(p, 0, 4);
    gather(columns).column(p, 4, 9);
  }

  EXPECT_LE((entries - columns).norm(), 1e-14 * entries.norm());
}

TEST(LowRankSlack, HalfTheGradientIsZTimesQ) {
  const ReducedProblem problem = reduced_problem(8, 3, 2);
  Random random(5);
  const LowRankState state = random_state(problem, 4, random);
  const Index order = state.Z.cols();
  const Evaluated at = evaluate(problem, state, Matrix::Ones(state.Z.rows(), order));
  const UnitRows rows(problem);
  Matrix Q(order, order);

  for (Index j = 0; j < order; ++j)
    Q.col(j) = apply_slack(problem, rows, state, at.point, Vector::Unit(order, j));

  EXPECT_LE((Q - Q.transpose()).norm(), 1e-13 * Q.norm());
  EXPECT_LE((2.0 * state.Z * Q - at.gradient).norm(), 1e-12 * at.gradient.norm());
}

// <Q, S> is linear in S: what the multipliers say of a network's S must be what Q says.
TEST(LowRankSlack, TheMultipliersHandedOutAreThoseOfQ) {
  const ReducedProblem problem = reduced_problem(6, 2, 2);
  Random random(6);
  const LowRankState state = random_state(problem, 3, random);
  const Evaluated at = evaluate(problem, state, Matrix::Ones(state.Z.rows(), state.Z.cols()));
  const UnitRows rows(problem);
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const Matrix V = random_matrix(random, 2, n + d + c);  // a factor of some S, unit rows

  double by_slack = 0.0;
  for (Index k = 0; k < V.rows(); ++k)
    by_slack += V.row(k).dot(apply_slack(problem, rows, state, at.point, V.row(k).transpose()));

  const Multipliers given = low_rank_multipliers(problem, rows, state, at.point);
  const Matrix S = low_rank_gram(rows, V), K = lifted_gram(problem, S);
  double by_parts = 0.5 * problem.weight_decay * S.diagonal().tail(d + c).sum();
  for (const auto& [i, j, value] : given.entries) by_parts -= 2.0 * value * K(i, j);
  const Matrix sv = S.block(0, n + d, n, c), tv = problem.X * S.block(n, n + d, d, c);
  by_parts += given.G.cwiseProduct(0.5 * (sv + tv)).sum();
  for (Index b = 0; b < problem.p(); ++b) {
    const Index i = problem.beta_rows[b];
    by_parts += 0.5 * problem.beta_weight[b] * given.H.row(b).dot(sv.row(i) - tv.row(i));
  }
  EXPECT_NEAR(by_slack, by_parts, 1e-12 * (1.0 + std::abs(by_parts)));
}

TEST(PairScan, FindsThePairsThatLoopsFind) {
  for (const Index n : {1, 2, 15, 16, 17, 32, 33, 50, 64, 65}) {
    for (const Index r : {1, 3, 70}) {
      Random random(static_cast<std::uint64_t>(n + r));
      CpuBackend be(2);
      const Matrix K = random_matrix(random, r, 2 * n);
      const ScanShape shape = n % 2 == 0 ? kScanShapeHost : ScanShape{32, 16};
      PairScan<CpuBackend> scan(be, n, r, shape);
      PairScan<CpuBackend, float> narrow(be, n, r, shape);
      for (const double margin : {-0.3, 0.0, 0.2}) {
        std::vector<LiftedPair> expected;
        for (std::int32_t q = 0; q < 2 * n; ++q)
          for (std::int32_t p = 0; p < q; ++p)
            if (q - p != n && K.col(p).dot(K.col(q)) < margin * K.col(p).norm() * K.col(q).norm())
              expected.push_back({p, q});

        const auto found = scan.below({K.data(), r, 2 * n, r}, margin, 1 << 30);

        EXPECT_EQ(found, expected) << n << " " << r << " " << margin;
        EXPECT_EQ(narrow.below({K.data(), r, 2 * n, r}, margin, 1 << 30), expected)
            << n << " " << r << " " << margin;
      }
    }
  }
}

// Many stripes, and an end as soon as there are too many.
TEST(PairScan, StripesMakeNoDifference) {
  Random random(4);
  CpuBackend be(2);
  const Index n = 150;
  const Matrix K = random_matrix(random, 5, 2 * n);
  const MatrixView<const double> view{K.data(), 5, 2 * n, 5};
  PairScan<CpuBackend> whole(be, n, K.rows(), kScanShapeHost),
      striped(be, n, K.rows(), {32, 64, 1});

  const auto all = whole.below(view, 0.0, 1 << 30), same = striped.below(view, 0.0, 1 << 30);
  const auto some = striped.below(view, 0.0, 1000);

  EXPECT_EQ(all, same);
  EXPECT_GT(some.size(), 1000u);
  EXPECT_LT(some.size(), all.size());
}

TEST(PairScan, RowsThatVanishViolateNothing) {
  CpuBackend be(1);
  const Matrix K = Matrix::Zero(3, 8);

  EXPECT_TRUE(PairScan<CpuBackend>(be, 4, 3, {}).below({K.data(), 3, 8, 3}, 0.1, 100).empty());
}

TEST(Lanczos, FindsTheSmallestEigenvalues) {
  Random random(8);
  const Matrix half = random_matrix(random, 60, 60);
  const Matrix A = half + half.transpose();
  const Vector exact = Eigen::SelfAdjointEigenSolver<Matrix>(A).eigenvalues();

  const auto found =
      smallest_ritz_pairs([&](const Vector& v) -> Vector { return A * v; }, 60, 3, 60, 1);

  ASSERT_EQ(found.values.size(), 3);
  for (Index k = 0; k < 3; ++k) {
    EXPECT_NEAR(found.values[k], exact[k], 1e-9 * exact.norm());
    const Vector v = found.vectors.col(k);
    EXPECT_LE((A * v - found.values[k] * v).norm(), 1e-9 * exact.norm());
  }
}

TEST(Lanczos, StopsInAnInvariantSubspace) {
  const auto found =
      smallest_ritz_pairs([](const Vector& v) -> Vector { return 2.0 * v; }, 10, 4, 10, 1);

  ASSERT_EQ(found.values.size(), 1);
  EXPECT_NEAR(found.values[0], 2.0, 1e-12);
}

TEST(PairList, KeepsWhatHasAMultiplierAndWhatWasFound) {
  LowRankState state;
  state.pairs = {{0, 1}, {0, 2}, {1, 4}};
  state.w = Vector{{0.0, 2.0, 3.0}};

  relist(state, {{2, 3}, {1, 4}}, 10);

  EXPECT_EQ(state.pairs, (std::vector<LiftedPair>{{0, 2}, {1, 4}, {2, 3}}));
  EXPECT_EQ(state.w, (Vector{{2.0, 3.0, 0.0}}));
}

TEST(PairList, TheLargestMultipliersStayWhereThereIsNoRoom) {
  LowRankState state;
  state.pairs = {{0, 1}, {0, 2}, {1, 4}};
  state.w = Vector{{1.0, 2.0, 3.0}};

  relist(state, {{2, 3}}, 2);

  EXPECT_EQ(state.pairs, (std::vector<LiftedPair>{{0, 2}, {1, 4}}));
  EXPECT_EQ(state.w, (Vector{{2.0, 3.0}}));
}

TEST(PairList, TheMarginFollowsTheNumberFound) {
  EXPECT_LT(next_margin(0.05, 101, 100), 0.05);
  EXPECT_EQ(next_margin(0.05, 60, 100), 0.05);
  EXPECT_GT(next_margin(0.05, 10, 100), 0.05);
  EXPECT_LE(next_margin(0.09, 0, 100), 0.1);
  double margin = 0.05;  // however many are violated, the margin comes to an end
  for (int k = 0; k < 100; ++k) margin = next_margin(margin, 1000, 100);
  EXPECT_EQ(next_margin(margin, 1000, 100), margin);
  EXPECT_LT(margin, 0.0);
}

class PenaltyRule : public ::testing::Test {
 protected:
  LowRankOptions options{.tolerance = 5e-7};
  // One more iteration that ended with this violation of one pair and this inner residual.
  double sigma_after(double violation, double residual, double before = 1e-2) {
    LowRankState state;
    state.pairs = {{0, 3}};
    state.w = Vector{{0.0}};
    state.y = Vector::Zero(2);
    state.sigma = 1.0;
    state.tolerance = 1e-3;
    state.violation = before;
    LowRankPoint at;
    at.m = Vector{{violation}};
    at.free = Vector::Zero(2);
    at.norms = Vector::Constant(4, std::sqrt(2.0) / 4.0);  // the scale of the violation is one
    update_multipliers(state, at, residual, options);
    return state.sigma;
  }
};

TEST_F(PenaltyRule, GrowsWhereASolvedProblemLeftTheViolation) {
  EXPECT_EQ(sigma_after(0.51e-2, 1.6e-3), options.growth);
}
TEST_F(PenaltyRule, StaysWhereTheViolationHalved) { EXPECT_EQ(sigma_after(0.49e-2, 1e-3), 1.0); }
TEST_F(PenaltyRule, WaitsForTheInnerSolve) { EXPECT_EQ(sigma_after(0.8e-2, 2.1e-3), 1.0); }
TEST_F(PenaltyRule, LeavesAViolationNearTheInnerResidualAlone) {
  EXPECT_EQ(sigma_after(5.9e-3, 1.95e-3), options.growth);
  EXPECT_EQ(sigma_after(5.8e-3, 1.95e-3), 1.0);
}
TEST_F(PenaltyRule, StaysOnceTheViolationIsWithinTolerance) {
  EXPECT_EQ(sigma_after(1.1 * options.tolerance, 0.0, options.tolerance), options.growth);
  EXPECT_EQ(sigma_after(0.9 * options.tolerance, 0.0, options.tolerance), 1.0);
}

TEST(FactorRank, FollowsTheSolutionDownAndUp) {
  Random random(9);
  LowRankState state;
  state.violation = 1e-4;
  state.Z = random_matrix(random, 20, 3) * random_matrix(random, 3, 30);
  const Matrix S = state.Z.transpose() * state.Z;

  adapt_rank(state, 40, 1);

  EXPECT_EQ(state.Z.rows(), 3 + 4);  // and spare rows
  EXPECT_LE((state.Z.transpose() * state.Z - S).norm(), 1e-4 * S.norm());

  state.Z = random_matrix(random, 8, 30);
  adapt_rank(state, 9, 1);
  EXPECT_EQ(state.Z.rows(), 9);  // a full factor grows, as far as it may
}

// A factor of rank one at a stationary point that is none of the full problem.
TEST(FactorRank, NegativeCurvatureLeadsOutOfASpuriousPoint) {
  const ReducedProblem problem = reduced_problem(8, 3, 2);
  Random random(5);
  LowRankState state = random_state(problem, 2, random);
  const Evaluated before = evaluate(problem, state, Matrix::Ones(2, state.Z.cols()));
  const UnitRows rows(problem);

  escape(problem, rows, state, before.point, Vector::Ones(state.Z.cols()), 20);

  const Index added = state.Z.rows() - 2;
  ASSERT_GT(added, 0);
  // New rows change nothing to first order: only the curvature counts, and it is negative.
  state.Z.bottomRows(added) *= 1e-2;
  const Matrix unscaled = Matrix::Ones(state.Z.rows(), state.Z.cols());
  EXPECT_LT(evaluate(problem, state, unscaled).value, before.value);
}

TEST(FeasiblePrimal, OfAFactorIsThatOfItsGramMatrix) {
  const ReducedProblem problem = reduced_problem(30, 3, 2);
  Random random(12);
  for (const double noise : {0.0, 1e-3}) {
    const Weights weights{random_matrix(random, 3, 5), random_matrix(random, 2, 5)};
    LowRankOptions options;
    options.rank = 10;
    LowRankState state = low_rank_start(problem, weights, options);
    state.Z += noise * random_matrix(random, state.Z.rows(), state.Z.cols());
    const UnitRows rows(problem);

    const double by_gram = feasible_primal(problem, low_rank_gram(rows, state.Z));
    const double by_factor = feasible_primal_of_factor(problem, unscaled_factor(rows, state.Z));

    EXPECT_NEAR(by_factor, by_gram, 1e-9 * by_gram);
  }
}

TEST(LowRankStart, IsTheGramMatrixOfTheNetworkAndALittleNoise) {
  const ReducedProblem problem = reduced_problem(20, 3, 2);
  Random random(13);
  Weights weights{random_matrix(random, 3, 30), random_matrix(random, 2, 30)};
  for (Index j = 0; j < 30; ++j)  // balanced
    weights.V.col(j) *= weights.U.col(j).norm() / weights.V.col(j).norm();
  LowRankOptions options;
  options.rank = 25;  // more than the order: nothing is cut off

  const LowRankState state = low_rank_start(problem, weights, options);

  const UnitRows rows(problem);
  const Matrix S = low_rank_gram(rows, state.Z);
  const Index d = problem.d();
  const Matrix uu = weights.U * weights.U.transpose();
  EXPECT_LE((S.block(problem.n(), problem.n(), d, d) - uu).norm(), 0.1 * uu.norm());
  EXPECT_GT(state.sigma, 0.0);
}

TEST(LowRankStart, NeedsNoNetwork) {
  const ReducedProblem problem = reduced_problem(20, 3, 2);

  const LowRankState state =
      low_rank_start(problem, {Matrix(problem.d(), 0), Matrix(problem.c(), 0)}, {});

  EXPECT_TRUE(state.Z.allFinite());
  EXPECT_GT(state.Z.norm(), 0.0);
  EXPECT_GT(state.sigma, 0.0);
}

}  // namespace
}  // namespace relulift::testing
