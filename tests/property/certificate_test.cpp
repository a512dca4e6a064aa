// SPDX-License-Identifier: Apache-2.0
// A bound may be weak, never wrong: against closed forms, enumeration and arbitrary multipliers.
#include <gtest/gtest.h>

#include <cmath>

#include "src/certificate/cone_search.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/certificate/residual_bound.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/candidates.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift {
namespace {

using testing::brute_force;
using testing::BruteForce;
using testing::random_problem;

Problem identity_data() {
  return {.samples = 3,
          .features = 3,
          .outputs = 1,
          .X = {1, 0, 0, 0, 1, 0, 0, 0, 1},
          .Y = {3, 4, -5},
          .weight_decay = 1};
}

// Tiny data with one degeneracy of each kind in turn.
Problem tiny_problem(Random& random, int kind) {
  const Index n = 4 + static_cast<Index>(random.bits() % 5);
  const Index d = 1 + static_cast<Index>(random.bits() % 3);
  Problem p = random_problem(random, n, d, 1 + kind % 2, 0.05 + random.uniform());
  if (kind % 5 == 1) testing::make_parallel(p, 2, 0, 4.0);
  if (kind % 5 == 2) testing::make_parallel(p, 3, 1, -0.5);
  if (kind % 5 == 3) testing::make_zero(p, 1);
  if (kind % 5 == 4 && d > 1) testing::make_dependent(p, d - 1, random);
  if (kind % 7 == 6)
    for (double& x : p.X) x *= 1e3;
  return p;
}

// p_nn = 9, see BruteForce.IdentityDataReachesNine. The multipliers that attain it: G = R =
// (-3/5, -4/5, 1), W(alpha_i, alpha_j) = (-G_i G_j)_+ / 2, W(alpha_i, beta_i) = -1/2.
TEST(Certificate, AttainsTheOptimumOfIdentityData) {
  DualCandidate dual;
  dual.G.resize(3, 1);
  dual.G << -0.6, -0.8, 1.0;
  dual.entries = {{0, 2, 0.3}, {1, 2, 0.4}, {0, 3, -0.5}, {1, 4, -0.5}, {2, 5, -0.5}};

  const Bound bound = certify_multipliers(identity_data(), dual, {.objective_upper = 9});

  EXPECT_STREQ(bound.kind, "cholesky");
  EXPECT_LE(bound.value, 9.0);
  EXPECT_NEAR(bound.value, 9.0, 1e-5);
}

// x = 1, y = 2 twice and an antiparallel twin: two separate one-sided problems.
TEST(Certificate, AttainsTheOptimumOfMergedRows) {
  const double g = 0.5;
  // alpha: 1/2 (f-2)^2 + 1/2 (2f-3)^2 + g f = 5/2 f^2 - (8-g) f + const: min (13 - (8-g)^2/5)/2.
  // beta: 1/2 (f-4)^2 + g f: 4 g - g^2/2.
  const Problem p{.samples = 3,
                  .features = 1,
                  .outputs = 1,
                  .X = {1, 2, -1},
                  .Y = {2, 3, 4},
                  .weight_decay = g};
  const double best = (13 - (8 - g) * (8 - g) / 5) / 2 + 4 * g - g * g / 2;
  DualCandidate dual;  // residuals: A f - A Ya = -g/A, and -g/B with A^2 = 5, B = 1
  dual.G = Matrix::Constant(1, 1, -g / std::sqrt(5.0));
  dual.H = Matrix::Constant(1, 1, -g);
  // Q on (s, u, v) is then g/2 [1 0 -1; 0 0 0; -1 0 1]: PSD with nothing to spare.
  dual.entries = {{0, 1, -g}};

  const Bound bound = certify_multipliers(p, dual);

  EXPECT_LE(bound.value, best);
  EXPECT_NEAR(bound.value, best, 1e-5);
}

TEST(Certificate, NeverExceedsTheOptimumForArbitraryMultipliers) {
  Random random(21);
  for (int kind = 0; kind < 40; ++kind) {
    const Problem p = tiny_problem(random, kind);
    const BruteForce best = brute_force(p, 1e-3);  // `upper` is valid at any gap
    const Presolved pre = presolve(p);
    for (int trial = 0; trial < 6; ++trial) {
      const double size = std::pow(10.0, trial - 4);

      const DualCandidate dual = pre.dual_candidate(
          testing::random_multipliers(random, pre.reduced, size, trial % 2 == 0));
      const Bound known = certify_multipliers(p, dual, {.objective_upper = best.upper});
      const Bound unknown = certify_multipliers(p, dual);

      EXPECT_LE(known.value, best.upper) << kind;
      EXPECT_LE(unknown.value, known.value + 1e-4 * std::abs(known.value)) << kind;
      EXPECT_GE(unknown.value, pre.reduced.constant * (1 - 1e-12) - 1e-300) << kind;
    }
  }
}

TEST(Certificate, ResidualMultipliersGiveBoundsWorthTheName) {
  Random random(22);
  int useful = 0;
  for (int kind = 0; kind < 30; ++kind) {
    const Problem p = tiny_problem(random, kind);
    const BruteForce best = brute_force(p, 1e-4);
    const Presolved pre = presolve(p);

    const Multipliers dual = testing::residual_multipliers(pre.reduced, pre.weights(best.network));
    const Bound bound =
        certify_multipliers(p, pre.dual_candidate(dual), {.objective_upper = best.upper});

    EXPECT_LE(bound.value, best.upper) << kind;
    EXPECT_GE(bound.value, pre.reduced.constant * (1 - 1e-12)) << kind;
    useful += bound.value > 0.5 * best.upper;
    EXPECT_LE(solver_free_floor(p), best.upper);
  }
  EXPECT_GE(useful, 15);
}

TEST(Certificate, DenseAndListedMultipliersAgree) {
  Random random(23);
  const Problem p = random_problem(random, 9, 2, 2, 0.3);
  const Presolved pre = presolve(p);
  const Multipliers dense = testing::residual_multipliers(
      pre.reduced, pre.weights(testing::random_network(random, 2, 2, 3, 0.3)));
  Multipliers listed = dense;
  listed.dense.resize(0, 0);
  for (Index i = 0; i < dense.dense.rows(); ++i)
    for (Index j = 0; j <= i; ++j)
      if (dense.dense(i, j) != 0.0) listed.entries.push_back({i, j, dense.dense(i, j)});

  const Bound a = certify_multipliers(p, pre.dual_candidate(dense));
  const Bound b = certify_multipliers(p, pre.dual_candidate(listed));

  EXPECT_GT(a.value, 0.0);
  EXPECT_NEAR(a.value, b.value, 1e-4 * a.value);
}

TEST(Certificate, CanonicalMultipliersDoNotDependOnScaleOrRotation) {
  // The slack of the reduced problem, built here by its definition, is PSD exactly when the one of
  // the data is: both have the same number of negative eigenvalues and the bound is the same.
  Random random(24);
  Problem p = random_problem(random, 6, 3, 2, 0.2);
  testing::make_parallel(p, 4, 1, -2);
  testing::make_dependent(p, 2, random);
  const Presolved pre = presolve(p);
  const BruteForce best = brute_force(p, 1e-4);
  const Multipliers dual = testing::residual_multipliers(pre.reduced, pre.weights(best.network));
  Problem reduced{.samples = pre.reduced.n() + pre.reduced.p(),
                  .features = pre.reduced.d(),
                  .outputs = 2,
                  .X = {},
                  .Y = {},
                  .weight_decay = pre.reduced.weight_decay};
  const Matrix X = pre.reduced.stacked_X(), Y = pre.reduced.stacked_Y();
  reduced.X.assign(X.data(), X.data() + X.size());
  reduced.Y.assign(Y.data(), Y.data() + Y.size());
  const Presolved again = presolve(reduced);
  ASSERT_EQ(again.reduced.n(), pre.reduced.n());

  const Bound on_data = certify_multipliers(p, pre.dual_candidate(dual));
  const Bound on_reduced = certify_multipliers(reduced, [&] {
    DualCandidate same = again.dual_candidate(dual);  // the same directions, other units
    const double unit = std::sqrt(again.sigma);
    Vector factor(2 * pre.reduced.n());
    factor << unit * again.weight.cwiseInverse(), unit * again.weight.cwiseInverse();
    same.dense = factor.asDiagonal() * same.dense * factor.asDiagonal();
    return same;
  }());

  EXPECT_GT(on_data.value, 0.0);
  EXPECT_NEAR(on_data.value, on_reduced.value + pre.reduced.constant, 1e-3 * on_data.value);
}

TEST(Certificate, NearlyParallelRowsPayForTheirMerging) {
  Random random(25);
  for (int trial = 0; trial < 12; ++trial) {
    Problem exact = random_problem(random, 7, 2, 1, 0.4);
    testing::make_parallel(exact, 3, 0, trial % 2 ? 2.0 : -0.5);
    const double far = std::pow(10.0, -4 - trial % 4);
    Problem p = exact;
    p.X[3] += far;
    const BruteForce best = brute_force(p, 1e-5);
    const Presolved pre = presolve(p, {.merge_tolerance = 5 * far, .max_cost = 1.0});
    ASSERT_EQ(pre.reduced.n(), 6);
    ASSERT_FALSE(pre.exact);
    ASSERT_LE(pre.perturbation, far);
    const Multipliers dual = testing::residual_multipliers(pre.reduced, pre.weights(best.network));

    const Bound bound =
        certify_multipliers(p, pre.dual_candidate(dual), {.objective_upper = best.upper});

    EXPECT_LE(bound.value, best.upper);
    DualCandidate same = pre.dual_candidate(dual);  // of the exactly parallel neighbour: no cost
    same.representative.clear();
    const Bound unpaid = certify_multipliers(exact, same, {.objective_upper = best.upper});
    const double move = far * best.upper / p.weight_decay;
    const double cost = move * std::sqrt(2 * best.upper) + move * move / 2;
    EXPECT_GE(bound.value, unpaid.value - 3 * cost - 1e-4 * unpaid.value);
    EXPECT_LE(bound.value, unpaid.value + 3 * cost + 1e-4 * unpaid.value);
  }
}

TEST(Certificate, AWrongGroupingCostsBoundButNeverTruth) {
  Random random(26);
  for (int trial = 0; trial < 10; ++trial) {
    const Problem p = random_problem(random, 6, 2, 1, 0.4);
    const BruteForce best = brute_force(p, 1e-4);
    DualCandidate dual;
    dual.representative = {0, 1, 0, -1, 1, 5};
    dual.G = Matrix::Random(3, 1);
    dual.entries = {{0, 3, -0.1}, {1, 4, -0.1}, {2, 5, -0.1}};

    EXPECT_LE(certify_multipliers(p, dual, {.objective_upper = best.upper}).value, best.upper);
  }
}

TEST(Certificate, RefusesWhatDoesNotFit) {
  const Problem p = identity_data();
  DualCandidate dual;
  dual.G = Matrix::Zero(2, 1);
  EXPECT_THROW(certify_multipliers(p, dual), std::logic_error);
  dual.G = Matrix::Zero(3, 1);
  dual.entries = {{0, 6, 1.0}};
  EXPECT_THROW(certify_multipliers(p, dual), std::logic_error);
  dual.entries.clear();
  dual.representative = {0, 2, 2};
  EXPECT_THROW(certify_multipliers(p, dual), std::logic_error);
  Problem with_zero_row = p;
  testing::make_zero(with_zero_row, 1);
  dual.representative = {0, 1, 2};
  EXPECT_THROW(certify_multipliers(with_zero_row, dual), std::logic_error);
  dual.representative.clear();
  dual.G(0) = std::nan("");
  EXPECT_STREQ(certify_multipliers(p, dual).kind, "floor");
}

TEST(Certificate, ZeroDataProvesTheConstant) {
  const Problem p{
      .samples = 2, .features = 1, .outputs = 1, .X = {0, 0}, .Y = {3, 4}, .weight_decay = 1};
  DualCandidate dual;
  dual.G = Matrix::Zero(0, 1);

  const Bound bound = certify_multipliers(p, dual);

  EXPECT_LE(bound.value, 12.5);
  EXPECT_NEAR(bound.value, 12.5, 1e-12);
}

TEST(ResidualBound, IsExactAtTheOptimumAndValidElsewhere) {
  Random random(27);
  for (int kind = 0; kind < 15; ++kind) {
    const Problem p = tiny_problem(random, kind);
    const BruteForce best = brute_force(p, 1e-4);
    const Eigen::Map<const Matrix> X(p.X.data(), p.samples, p.features);
    const Eigen::Map<const Matrix> Y(p.Y.data(), p.samples, p.outputs);
    const auto residual_of = [&](const Network& net) {
      const std::vector<double> f = predict(net, p.X, p.samples);
      return Matrix(Y - Eigen::Map<const Matrix>(f.data(), p.samples, p.outputs));
    };

    const Matrix E = residual_of(best.network);
    const double at_optimum = rescaled_bound(p, E, testing::exact_kappa(X, E) * (1 + 1e-12));

    EXPECT_LE(at_optimum, best.upper);
    EXPECT_NEAR(at_optimum, best.upper, 1e-3 * best.upper);
    for (int trial = 0; trial < 5; ++trial) {
      const Matrix F = residual_of(testing::random_network(random, p.features, p.outputs, 3, 0.4));
      const double kappa = testing::exact_kappa(X, F) * (1 + 1e-12);
      EXPECT_LE(rescaled_bound(p, F, kappa), best.upper);
      EXPECT_LE(kappa, spectral_norm_bound(X) * spectral_norm_bound(F) * (1 + 1e-11));
    }
  }
}

// One sample x = 1, y = 3: min 1/2 (s - y)^2 + g s over s = |u||v| is at s = y - g, and there
// J = g y - g^2/2 and E = g.
TEST(ResidualBound, IsExactForOneSample) {
  const Problem p{
      .samples = 1, .features = 1, .outputs = 1, .X = {1}, .Y = {3}, .weight_decay = 0.5};
  const Matrix E = Matrix::Constant(1, 1, p.weight_decay);
  const double best = 0.5 * 3.0 - 0.5 * 0.5 * 0.5;

  const double bound = rescaled_bound(p, E, search_cones(Matrix::Ones(1, 1), E, {}).kappa_upper);

  EXPECT_LE(bound, best);
  EXPECT_NEAR(bound, best, 1e-10);
}

// With kappa as the search over cones bounds it, and with residuals of no network.
TEST(ResidualBound, WithAKappaFromConesIsNeverAboveANetwork) {
  Random random(31);
  for (int data = 0; data < 20; ++data) {
    const Problem p = random_problem(random, 12, 3, 2, 0.5);
    const Eigen::Map<const Matrix> X(p.X.data(), p.samples, p.features);
    Matrix E = Eigen::Map<const Matrix>(p.Y.data(), p.samples, p.outputs);
    for (double& e : E.reshaped()) e += 0.1 * random.normal();
    ConeSearchOptions options;
    options.tolerance = 0.05;

    const double bound = rescaled_bound(p, E, search_cones(X, E, options).kappa_upper);

    EXPECT_GT(bound, 0.0);
    EXPECT_LE(bound, objective(p, {.features = 3, .outputs = 2, .neurons = 0, .U = {}, .V = {}}));
    for (int net = 0; net < 50; ++net)
      EXPECT_LE(bound, objective(p, testing::random_network(random, 3, 2, 4, 0.5)));
  }
}

TEST(ResidualBound, OfAZeroResidualIsZero) {
  const double bound = rescaled_bound(identity_data(), Matrix::Zero(3, 1), 0.0);

  EXPECT_LE(bound, 0.0);
  EXPECT_NEAR(bound, 0.0, 1e-12);
}

TEST(ResidualBound, SpectralNormBoundIsTight) {
  Matrix A(2, 3);
  A << 3, 0, 0, 0, 4, 0;
  EXPECT_GE(spectral_norm_bound(A), 4.0);
  EXPECT_NEAR(spectral_norm_bound(A), 4.0, 1e-6);
  EXPECT_EQ(spectral_norm_bound(Matrix::Zero(2, 2)), 0.0);
}

}  // namespace
}  // namespace relulift
