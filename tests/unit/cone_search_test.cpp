// SPDX-License-Identifier: Apache-2.0
// kappa by the sweep and by branch and bound against brute force: dense grids, sampling, ascents.
#include "src/certificate/cone_search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "src/certificate/angle_sweep.hpp"
#include "src/certificate/cone_search_tree.hpp"
#include "src/core/random.hpp"

namespace relulift {
namespace {

Matrix normal(Index rows, Index cols, std::uint64_t seed) {
  Random random(seed, 7);
  Matrix A(rows, cols);
  for (double& a : A.reshaped()) a = random.normal();
  return A;
}

double value(const Matrix& X, const Matrix& E, const Vector& u) {
  return (E.transpose() * (X * u).cwiseMax(0.0)).norm() / u.norm();
}

// Largest value over `count` random directions: a lower bound that shares nothing with the search.
double sampled(const Matrix& X, const Matrix& E, Index count, std::uint64_t seed) {
  double best = 0.0;
  Random random(seed, 9);
  Vector u(X.cols());
  for (Index s = 0; s < count; ++s) {
    for (double& x : u) x = random.normal();
    best = std::max(best, value(X, E, u));
  }
  return best;
}

double grid(const Matrix& X, const Matrix& E, Index steps) {
  double best = 0.0;
  for (Index k = 0; k < steps; ++k) {
    const double angle =
        2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(steps);
    best = std::max(best, value(X, E, Vector{{std::cos(angle), std::sin(angle)}}));
  }
  return best;
}

void expect_consistent(const Matrix& X, const Matrix& E, const ConeSearchResult& result) {
  EXPECT_GE(result.kappa_upper, result.kappa_lower * (1.0 - 1e-13));
  if (result.kappa_lower > 0.0) {
    EXPECT_NEAR(value(X, E, result.best), result.kappa_lower, 1e-9 * result.kappa_lower);
  }
  for (Index k = 0; k < result.violators.cols(); ++k) {
    EXPECT_NEAR(result.violators.col(k).norm(), 1.0, 1e-12);
    EXPECT_NEAR(value(X, E, result.violators.col(k)), result.values[k], 1e-9 * result.values[k]);
    if (k > 0) {
      EXPECT_LE(result.values[k], result.values[k - 1]);
    }
  }
}

TEST(ConeSearch, RankOneByHand) {
  const Matrix X{{2.0}, {-1.0}, {3.0}}, E{{1.0, 0.0}, {0.0, 5.0}, {-1.0, 1.0}};
  // u = 1: 2 (1, 0) + 3 (-1, 1) = (-1, 3). u = -1: (0, 5).
  const ConeSearchResult result = search_cones(X, E, {});
  EXPECT_TRUE(result.complete);
  EXPECT_GE(result.kappa_upper, 5.0);
  EXPECT_LT(result.kappa_upper, 5.0 + 1e-12);
  EXPECT_LT(result.best[0], 0.0);
}

TEST(ConeSearch, SweepAgainstDenseGrid) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Index n = 1 + static_cast<Index>(seed % 20), c = 1 + static_cast<Index>(seed % 4);
    const Matrix X = normal(n, 2, seed), E = normal(n, c, seed + 1000);
    const ConeSearchResult result = search_cones(X, E, {});
    const double best = grid(X, E, 20000);
    EXPECT_GE(result.kappa_upper, best) << seed;
    EXPECT_LT(result.kappa_upper, best * (1.0 + 1e-3)) << seed;
    EXPECT_LT(result.kappa_upper, result.kappa_lower * (1.0 + 1e-11)) << seed;
    expect_consistent(X, E, result);
  }
}

TEST(ConeSearch, SweepWithEventsOnTheBranchCut) {
  // Lines on the axes, doubled and opposed: events at -pi, -pi/2, 0, pi/2, pi, several at once.
  const Matrix X{{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {0, 2}, {0, -2}, {1, 0}, {1e-300, -1}};
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Matrix E = normal(X.rows(), 2, seed);
    const double best = grid(X, E, 40000);
    const ConeSearchResult result = search_cones(X, E, {});
    EXPECT_GE(result.kappa_upper, best) << seed;
    EXPECT_LT(result.kappa_upper, best * (1.0 + 1e-6)) << seed;
  }
}

// The tree is not used in the plane; run there it must agree with the sweep.
TEST(ConeSearch, TreeInThePlaneAgainstTheSweep) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Index n = 2 + static_cast<Index>(seed);
    const ConeData data = prepare(normal(n, 2, seed), normal(n, 3, seed + 50));
    std::vector<ConeDirection> found;
    const double exact = angle_sweep(data, 1e300, found);
    ConePass pass;
    pass.tolerance = 1e-6;
    pass.best = found.front();
    pass.threshold = pass.best.value * (1.0 + pass.tolerance);
    run_pass(data, {}, 1'000'000, pass);
    EXPECT_TRUE(pass.finished);
    EXPECT_GE(pass.upper, exact * (1.0 - 1e-12)) << seed;
    EXPECT_LE(pass.upper, exact * (1.0 + 1.1e-6)) << seed;
  }
}

class ConeSearchRank : public ::testing::TestWithParam<int> {};

TEST_P(ConeSearchRank, BoundsEverySampleAndIsTight) {
  const int r = GetParam();
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Index n = 5 + 6 * static_cast<Index>(seed), c = 1 + static_cast<Index>(seed % 3);
    const Matrix X = normal(n, r, seed), E = normal(n, c, seed + 100);
    ConeSearchOptions options;
    options.tolerance = 0.01;
    const ConeSearchResult result = search_cones(X, E, options);
    EXPECT_TRUE(result.complete);
    EXPECT_LE(result.kappa_upper, result.kappa_lower * 1.01 * (1.0 + 1e-9));
    EXPECT_GE(result.kappa_upper, sampled(X, E, 20000, seed));
    expect_consistent(X, E, result);
  }
}
INSTANTIATE_TEST_SUITE_P(Ranks, ConeSearchRank, ::testing::Values(3, 4, 5, 6));

TEST(ConeSearch, PruneListsEveryRegionAboveTheThreshold) {
  const Matrix X = normal(40, 3, 1), E = normal(40, 2, 2);
  const double kappa = search_cones(X, E, {}).kappa_lower;
  ConeSearchOptions options;
  options.mode = ConeSearchOptions::Mode::prune;
  options.threshold = 0.9 * kappa;
  const ConeSearchResult result = search_cones(X, E, options);
  EXPECT_TRUE(result.complete);
  EXPECT_GT(result.violators.cols(), 0);
  EXPECT_NEAR(result.values[0], kappa, 0.01 * kappa);
  EXPECT_GE(result.kappa_upper, kappa);
  expect_consistent(X, E, result);
  // Every sampled direction above the threshold has one of the list in its neighbourhood.
  Random random(3);
  for (int s = 0; s < 2000; ++s) {
    Vector u(3);
    for (double& x : u) x = random.normal();
    if (value(X, E, u) <= options.threshold) continue;
    EXPECT_GT((result.violators.transpose() * u.normalized()).maxCoeff(), 0.7);
  }
  options.threshold = 1.01 * kappa;
  const ConeSearchResult none = search_cones(X, E, options);
  EXPECT_TRUE(none.complete);
  EXPECT_EQ(none.violators.cols(), 0);
  EXPECT_LE(none.kappa_upper, options.threshold * (1.0 + 1e-12));
}

TEST(ConeSearch, StoppedEarlyTheBoundStillHolds) {
  const Matrix X = normal(80, 4, 4), E = normal(80, 3, 5);
  const double best = sampled(X, E, 20000, 6);
  double last = std::numeric_limits<double>::infinity();
  for (const Index nodes : {0, 1, 100, 3000, 30000, 1000000}) {
    ConeSearchOptions options;
    options.max_nodes = nodes;
    const ConeSearchResult result = search_cones(X, E, options);
    EXPECT_GE(result.kappa_upper, best);
    EXPECT_LE(result.kappa_upper, 1.2 * last);
    EXPECT_TRUE(std::isfinite(result.kappa_upper));
    last = result.kappa_upper;
  }
  ConeSearchOptions options;
  options.control = Control(0.0);
  const ConeSearchResult result = search_cones(X, E, options);
  EXPECT_FALSE(result.complete);
  EXPECT_GE(result.kappa_upper, best);
}

TEST(ConeSearch, SameResultForAnyNumberOfThreads) {
  const Matrix X = normal(60, 4, 8), E = normal(60, 3, 9);
  for (const auto mode : {ConeSearchOptions::Mode::maximise, ConeSearchOptions::Mode::prune}) {
    ConeSearchOptions options;
    options.mode = mode;
    options.threshold = 0.8 * sampled(X, E, 1000, 1);
    options.threads = 1;
    const ConeSearchResult one = search_cones(X, E, options);
    options.threads = 3;
    const ConeSearchResult three = search_cones(X, E, options);
    EXPECT_EQ(one.kappa_upper, three.kappa_upper);
    EXPECT_EQ(one.nodes, three.nodes);
    EXPECT_EQ(one.values, three.values);
    EXPECT_EQ(one.violators, three.violators);
  }
}

TEST(ConeSearch, ZeroResidualAndZeroRows) {
  const Matrix X = normal(5, 3, 1);
  const ConeSearchResult zero = search_cones(X, Matrix::Zero(5, 2), {});
  EXPECT_TRUE(zero.complete);
  EXPECT_EQ(zero.kappa_upper, 0.0);
  EXPECT_EQ(zero.violators.cols(), 0);
  EXPECT_EQ(search_cones(Matrix::Zero(5, 3), normal(5, 2, 1), {}).kappa_upper, 0.0);
}

TEST(ConeSearch, OneSampleDuplicatesAndDeficientRank) {
  for (const Index r : {1, 2, 3, 4}) {
    // One sample: kappa = ||e|| ||x||.
    const Matrix x = normal(1, r, 3), e = normal(1, 2, 4);
    ConeSearchResult result = search_cones(x, e, {});
    EXPECT_GE(result.kappa_upper, x.norm() * e.norm() * (1.0 - 1e-15));
    EXPECT_LE(result.kappa_upper, x.norm() * e.norm() * 1.0011);
    // Twice, and opposed twice: each half-space has its own.
    Matrix X(4, r), E(4, 2);
    X << x, x, -x, -x;
    E << e, e, 0.5 * e, e;
    result = search_cones(X, E, {});
    EXPECT_TRUE(result.complete);
    EXPECT_GE(result.kappa_upper, 2.0 * x.norm() * e.norm() * (1.0 - 1e-15));
    EXPECT_LE(result.kappa_upper, 2.0 * x.norm() * e.norm() * 1.0011);
  }
}

TEST(ConeSearch, ScalesWithTheData) {
  const Matrix X = normal(30, 3, 1), E = normal(30, 2, 2);
  const ConeSearchResult plain = search_cones(X, E, {});
  for (const double s : {0x1p-500, 0x1p-30, 0x1p400}) {
    const ConeSearchResult scaled = search_cones(s * X, E, {});
    EXPECT_EQ(scaled.kappa_upper, s * plain.kappa_upper);
    EXPECT_EQ(scaled.nodes, plain.nodes);
  }
  // Columns of very different size: still a bound, still tight.
  Matrix D = X;
  D.col(0) *= 1e6;
  D.col(1) *= 1e-4;
  ConeSearchOptions options;
  options.tolerance = 0.01;
  options.max_nodes = 300000;
  const ConeSearchResult bad = search_cones(D, E, options);
  EXPECT_GE(bad.kappa_upper, sampled(D, E, 20000, 3));
  EXPECT_LE(bad.kappa_upper, bad.kappa_lower * 1.02);
  // Products below the smallest number: never a bound of zero.
  EXPECT_GT(search_cones(1e-200 * X, 1e-200 * E, {}).kappa_upper, 0.0);
}

TEST(ConeSearch, HighRankStopsWithAValidBound) {
  const Matrix X = normal(50, 20, 1), E = normal(50, 3, 2);
  ConeSearchOptions options;
  options.control = Control(0.5);
  const ConeSearchResult result = search_cones(X, E, options);
  EXPECT_FALSE(result.complete);
  EXPECT_GE(result.kappa_upper, result.kappa_lower);
  EXPECT_LE(result.kappa_upper, X.norm() * E.norm());
  EXPECT_LT(options.control.seconds(), 5.0);
}

TEST(ConeSearch, ScannerFindsWhatAscentsFind) {
  const Matrix X = normal(60, 4, 21), E = normal(60, 2, 22);
  const double kappa = search_cones(X, E, {}).kappa_lower;
  const ConeSearchResult result = scan_sphere(X, E, 0.6 * kappa, Matrix(4, 0), 50, Control(20.0));
  EXPECT_NEAR(result.values[0], kappa, 0.01 * kappa);
  EXPECT_LE(result.violators.cols(), 50);
  expect_consistent(X, E, result);
}

}  // namespace
}  // namespace relulift
