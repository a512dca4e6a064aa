// SPDX-License-Identifier: Apache-2.0
// Bounds where squares underflow, differences cancel and rows differ by hundreds of orders of
// magnitude. Networks written down by hand are the oracles: no bound may exceed any of them.
#include <gtest/gtest.h>

#include <cmath>
#include <relulift/solve.hpp>

#include "src/certificate/cone_search.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/certificate/residual_bound.hpp"
#include "src/certificate/slack.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift {
namespace {

using testing::brute_force;
using testing::BruteForce;
using testing::exact_kappa;
using testing::naive_objective;
using testing::random_problem;

Matrix matrix(const std::vector<double>& entries, Index rows, Index cols) {
  return Eigen::Map<const Matrix>(entries.data(), rows, cols);
}

Matrix residual_of(const Problem& p, const Network& network) {
  const std::vector<double> f = predict(network, p.X, p.samples);
  return matrix(p.Y, p.samples, p.outputs) - matrix(f, p.samples, p.outputs);
}

double cone_bound(const Problem& p, const Matrix& E, const ConeSearchOptions& options = {}) {
  const Matrix X = matrix(p.X, p.samples, p.features);
  return rescaled_bound(p, E, search_cones(X, E, options).kappa_upper);
}

// Data, and a network that is good on them.
struct Known {
  const char* name;
  Problem problem;
  Network network;
};

void PrintTo(const Known& known, std::ostream* out) { *out << known.name; }

std::vector<Known> underflowing() {
  const auto network = [](Index d, std::vector<double> U, std::vector<double> V) {
    return Network{.features = d,
                   .outputs = 1,
                   .neurons = static_cast<Index>(V.size()),
                   .U = std::move(U),
                   .V = std::move(V)};
  };
  const double a = std::sqrt(1e165), b = std::sqrt(1e164);  // ||u|| = ||v|| that fit 1e10 and 1e9
  return {
      // The long row has the target 0 and no say in kappa.
      {"line",
       {.samples = 2,
        .features = 1,
        .outputs = 1,
        .X = {1e10, -1e-155},
        .Y = {0, 1e10},
        .weight_decay = 1e-150},
       network(1, {-a}, {a})},
      // Each row is long where the other's target is: products of 1e-165 on both.
      {"plane",
       {.samples = 2,
        .features = 2,
        .outputs = 1,
        .X = {1, 0, 0, 1e-165},
        .Y = {1e-165, 1},
        .weight_decay = 1e-167},
       network(2, {0, a}, {a})},
      {"space",
       {.samples = 4,
        .features = 3,
        .outputs = 1,
        .X = {1e10, -1e-155, 0, 0, 1e10, 0, -1e-155, 0, -1e10, 0, 0, 1e-155},
        .Y = {0, 1e10, 1e10, 1e9},
        .weight_decay = 1e-150},
       network(3, {-a, 0, 0, 0, -a, 0, 0, 0, b}, {a, a, b})},
  };
}

class Underflowing : public ::testing::TestWithParam<Known> {};

TEST_P(Underflowing, NoBoundByConesExceedsTheKnownNetwork) {
  const auto& [name, p, network] = GetParam();
  const double known = naive_objective(p, network);
  ASSERT_LT(known, 0.1 * 0.5 * matrix(p.Y, p.samples, 1).squaredNorm());

  const double by_target = cone_bound(p, matrix(p.Y, p.samples, 1));
  const Result result = solve(p, {.engine = Engine::none, .time_limit_seconds = 2.0});

  EXPECT_LE(by_target, known);
  EXPECT_LE(result.certificate.lower_bound, known);
  EXPECT_LE(result.certificate.lower_bound, naive_objective(p, result.network));
}
INSTANTIATE_TEST_SUITE_P(Data, Underflowing, ::testing::ValuesIn(underflowing()),
                         [](const auto& info) { return std::string(info.param.name); });

// (2^k x_i, 2^-k e_i) is the same term of E'(Xu)_+ for every k.
TEST(ExtremeScales, KappaDoesNotDependOnHowARowSharesItsScaleWithItsResidual) {
  Random random(41);
  for (int trial = 0; trial < 18; ++trial) {
    const Index d = 1 + trial % 3, n = 4 + trial % 5;
    const Problem p = random_problem(random, n, d, 2, 1);
    Matrix X = matrix(p.X, n, d), E = matrix(p.Y, n, 2);
    const double exact = exact_kappa(X, E);
    for (Index i = 0; i < n; ++i) {
      const int shift = static_cast<int>(random.bits() % 1601) - 800;
      for (double& x : X.row(i)) x = std::ldexp(x, shift);
      for (double& e : E.row(i)) e = std::ldexp(e, -shift);
    }

    const ConeSearchResult found = search_cones(X, E, {.tolerance = 0.01});

    EXPECT_TRUE(found.complete) << trial;
    EXPECT_GE(found.kappa_upper, exact * (1 - 1e-12)) << trial;
    EXPECT_LE(found.kappa_upper, exact * 1.0101) << trial;
  }
}

TEST(ExtremeScales, RowsThatHaveNoSayInKappaDoNotSpoilIt) {
  Random random(42);
  for (int trial = 0; trial < 12; ++trial) {
    const Index d = 1 + trial % 3;
    const Problem p = random_problem(random, 6, d, 1, 1);
    const Matrix X = matrix(p.X, 6, d), E = matrix(p.Y, 6, 1);
    Matrix wide(8, d), residual(8, 1);
    wide << 1e-200 * X, Matrix::Constant(1, d, 1e100), Matrix::Zero(1, d);
    residual << 1e-100 * E, 0.0, 1e100;

    const ConeSearchResult found = search_cones(wide, residual, {.tolerance = 0.01});

    const double exact = exact_kappa(X, E) * 1e-300;
    EXPECT_GE(found.kappa_upper, exact * (1 - 1e-12)) << trial;
    EXPECT_LE(found.kappa_upper, exact * 1.0101) << trial;
  }
}

TEST(ExtremeScales, TreeInSpaceAgreesWithTheEnumerationOfAllCells) {
  Random random(43);
  for (int trial = 0; trial < 12; ++trial) {
    const Index n = 4 + trial;
    const Problem p = random_problem(random, n, 3, 1 + trial % 3, 1);
    const Matrix X = matrix(p.X, n, 3), E = matrix(p.Y, n, p.outputs);
    const double exact = exact_kappa(X, E), tolerance = trial % 2 ? 1e-3 : 0.05;

    const ConeSearchResult found = search_cones(X, E, {.tolerance = tolerance});

    EXPECT_TRUE(found.complete);
    EXPECT_GE(found.kappa_upper, exact * (1 - 1e-12)) << trial;
    EXPECT_LE(found.kappa_upper, exact * (1 + tolerance) * (1 + 1e-9)) << trial;
    EXPECT_LE(found.kappa_lower, exact * (1 + 1e-12)) << trial;
  }
}

TEST(ExtremeScales, NonFiniteDataProveNothing) {
  const double infinity = std::numeric_limits<double>::infinity();
  Matrix E = Matrix::Ones(4, 1);
  E(2, 0) = infinity;

  const ConeSearchResult found = search_cones(Matrix::Random(4, 3), E, {});

  EXPECT_EQ(found.kappa_upper, infinity);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.violators.cols(), 0);
}

// The whole chain of the session: network, residual, search, bound.
TEST(ExtremeScales, BoundsByConesNeverExceedTheOptimumAndReachIt) {
  Random random(44);
  for (int trial = 0; trial < 15; ++trial) {
    const Index n = 4 + static_cast<Index>(random.bits() % 4), d = 1 + trial % 3;
    Problem p = random_problem(random, n, d, 1 + trial % 2, 0.1 + random.uniform());
    if (trial % 4 == 3) testing::make_parallel(p, 1, 0, -2);
    const BruteForce best = brute_force(p, 1e-6);

    const double tight = cone_bound(p, residual_of(p, best.network));

    EXPECT_LE(tight, best.upper) << trial;
    EXPECT_GE(tight, best.upper * (1 - 0.01)) << trial;
    for (int k = 0; k < 5; ++k) {
      const Network any = testing::random_network(random, d, p.outputs, 3, 0.4);
      EXPECT_LE(cone_bound(p, residual_of(p, any)), best.upper) << trial;
    }
  }
}

// Multiples by integers are exactly parallel and their quotients round. The targets are those of
// the network, so that all it costs is its penalty.
TEST(ExtremeScales, FittedTargetsOfMergedRowsLeaveNoConstant) {
  Random random(45);
  const auto integer = [&](int from, int to) {
    return from + static_cast<double>(random.bits() % static_cast<std::uint64_t>(to - from + 1));
  };
  for (int trial = 0; trial < 60; ++trial) {
    const Index d = 1 + trial % 3, n = 9;
    Problem p{.samples = n,
              .features = d,
              .outputs = 1,
              .X = {},
              .Y = {},
              .weight_decay = std::pow(10.0, -30 - trial % 25)};
    p.X.resize(static_cast<std::size_t>(n * d));
    for (Index l = 0; l < d; ++l)
      for (Index i = 0; i < n; i += 3) p.X[i + l * n] = integer(1, 9);
    for (Index i = 0; i < n; ++i) {
      const double factor = integer(1, 11) * (trial % 2 && i % 3 == 2 ? -1 : 1);
      for (Index l = 0; l < d; ++l) p.X[i + l * n] = factor * p.X[i / 3 * 3 + l * n];
    }
    Network network{.features = d, .outputs = 1, .neurons = 2, .U = {}, .V = {1, -2}};
    for (Index l = 0; l < d; ++l) network.U.push_back(integer(1, 3));
    for (Index l = 0; l < d; ++l) network.U.push_back(-integer(1, 3));
    p.Y = predict(network, p.X, n);
    ASSERT_EQ(residual_of(p, network).norm(), 0.0);

    DualCandidate dual;  // proves the constant and no more
    const Index k = merge_data(p, {}).directions();
    dual.G = Matrix::Zero(k, 1);

    EXPECT_LE(certify_multipliers(p, dual).value, naive_objective(p, network)) << trial;
  }
}

TEST(ExtremeScales, TheFittedLineIsBoundedByItsPenaltyAlone) {
  for (const double g : {1e-38, 1e-45, 1e-60})
    for (const Engine engine : {Engine::interior, Engine::low_rank, Engine::dense}) {
      const Problem p{.samples = 3,
                      .features = 1,
                      .outputs = 1,
                      .X = {3, 1, 5},
                      .Y = {3, 1, 5},
                      .weight_decay = g};

      const Result result = solve(
          p, {.engine = engine, .gap = 0.0, .time_limit_seconds = 5.0, .max_iterations = 200});

      EXPECT_LE(result.certificate.lower_bound, g) << g;  // u = v = 1
    }
}

// One sample: kappa = ||x|| |y|, p_nn = t y^2 - t^2 y^2/2 for t = g / kappa.
TEST(ExtremeScales, NormsOfDenormalDataAreRoundedUp) {
  const double x = 5e-324, y = 1e70, g = 4.95e-254;
  const Problem p{
      .samples = 1, .features = 2, .outputs = 1, .X = {x, x}, .Y = {y}, .weight_decay = g};
  const long double t = g / (std::sqrt(2.0L) * x * y), square = static_cast<long double>(y) * y;
  const auto optimum = static_cast<double>(t * square - t * t * square / 2);

  const Result result = solve(p, {.engine = Engine::none, .time_limit_seconds = 1.0});

  EXPECT_GE(static_cast<long double>(spectral_norm_bound(matrix(p.X, 1, 2))), std::sqrt(2.0L) * x);
  EXPECT_LE(solver_free_floor(p), optimum);
  EXPECT_LE(result.certificate.lower_bound, optimum);
  EXPECT_EQ(spectral_norm_bound(Matrix::Zero(2, 2)), 0.0);
}

// X = 0: no network beats the zero one, whatever the one in hand costs.
TEST(ExtremeScales, AllZeroDataAreNotBoundedByTheGivenNetwork) {
  const Problem p{
      .samples = 2, .features = 1, .outputs = 1, .X = {0, 0}, .Y = {1, 1}, .weight_decay = 1};
  const Network given{.features = 1, .outputs = 1, .neurons = 1, .U = {1}, .V = {1}};

  const Result result = certify(p, given);

  EXPECT_EQ(result.objective, 2.0);
  EXPECT_LE(result.certificate.lower_bound, 1.0);
  EXPECT_GE(result.certificate.lower_bound, 1.0 - 1e-12);
  EXPECT_EQ(result.status, Status::optimal);
  EXPECT_EQ(solve(p, {.gap = 0.0}).status, Status::optimal);
}

TEST(ExtremeScales, ANanBehindThePivotsIsNoProof) {
  Slack<double> slack{Matrix::Identity(3, 3), Matrix::Zero(3, 3)};
  Shift<double> shift{Vector::Zero(1), Matrix::Zero(1, 1), Matrix::Zero(1, 1), 0.0};
  ASSERT_TRUE(proves_psd(slack, shift, 0.0));
  for (const auto& [row, col] : {std::pair{1, 0}, {2, 0}, {2, 1}}) {
    Slack<double> bad = slack;
    bad.Q(row, col) = std::nan("");

    EXPECT_FALSE(proves_psd(bad, shift, 0.0)) << row << ' ' << col;
  }
}

// Tiny rows matter where the weight decay is smaller still.
TEST(ExtremeScales, ShortRowsAreLearntWhereTheyPay) {
  const Network known{
      .features = 2, .outputs = 1, .neurons = 1, .U = {0, 1e7}, .V = {1e7}};  // J = 1e14 g
  Problem p{.samples = 2,
            .features = 2,
            .outputs = 1,
            .X = {1, 0, 0, 1e-14},
            .Y = {0, 1},
            .weight_decay = 1e-16};
  ASSERT_NEAR(naive_objective(p, known), 0.01, 1e-12);

  EXPECT_LE(solve(p, {.engine = Engine::none, .time_limit_seconds = 5.0}).objective, 0.0101);
  p.X = {1, 0, 0, 1e-17};  // below the rounding of the long row
  p.weight_decay = 1e-19;
  EXPECT_LE(solve(p, {.engine = Engine::none, .time_limit_seconds = 5.0}).objective, 0.0101);
}

}  // namespace
}  // namespace relulift
