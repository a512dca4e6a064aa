// SPDX-License-Identifier: Apache-2.0
// Bounds from lists of multipliers, whose kappa is estimated before it is proved: as good as those
// of the same candidate given densely, never above a network, and never the estimate itself.
#include <gtest/gtest.h>

#include <cmath>

#include "src/api/bound_keeper.hpp"
#include "src/certificate/dual_bound.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/candidates.hpp"
#include "tests/support/generators.hpp"
#include "tests/support/naive.hpp"

namespace relulift {
namespace {

using testing::brute_force;
using testing::BruteForce;
using testing::random_problem;

// The residuals of a network with the large entries of the multipliers that suit them.
DualCandidate listed_candidate(const Problem& p, const Network& network, double keep) {
  const Presolved pre = presolve(p);
  Multipliers dual = testing::residual_multipliers(pre.reduced, pre.weights(network));
  const Matrix W = dual.dense;
  dual.dense.resize(0, 0);
  const double least = keep * W.cwiseAbs().maxCoeff();
  for (Index i = 0; i < W.rows(); ++i)
    for (Index j = 0; j <= i; ++j)
      if (std::abs(W(i, j)) > least || i - j == W.rows() / 2)
        dual.entries.push_back({i, j, W(i, j)});
  return pre.dual_candidate(dual);
}

DualCandidate with_dense_part(const DualCandidate& listed) {
  DualCandidate out = listed;
  const Index k = listed.G.rows();
  out.entries.clear();
  out.dense = Matrix::Zero(2 * k, 2 * k);
  for (const auto& [i, j, value] : listed.entries) {
    out.dense(i, j) += value;
    if (i != j) out.dense(j, i) += value;
  }
  return out;
}

Network sometimes_good(Random& random, const Problem& p, int trial) {
  return testing::random_network(random, p.features, p.outputs, 1 + trial % 4, 0.3);
}

TEST(ListCertificate, ProvesWhatTheSameCandidateProvesDensely) {
  Random random(71);
  int positive = 0;
  for (int trial = 0; trial < 15; ++trial) {
    const Problem p = random_problem(random, 8 + 6 * trial, 2 + trial % 4, 1 + trial % 3, 0.5);
    const DualCandidate listed =
        listed_candidate(p, sometimes_good(random, p, trial), 0.1 * (trial % 5));

    const Bound list = certify_multipliers(p, listed);
    const Bound dense = certify_multipliers(p, with_dense_part(listed));

    EXPECT_NEAR(list.value, dense.value, 1e-3 * std::abs(dense.value)) << trial;
    positive += list.value > 0.0;
  }
  EXPECT_GE(positive, 12);
}

TEST(ListCertificate, IsNeverAboveANetwork) {
  Random random(72);
  for (int trial = 0; trial < 25; ++trial) {
    Problem p = random_problem(random, 4 + trial % 5, 1 + trial % 3, 1 + trial % 2, 0.3);
    if (trial % 4 == 1) testing::make_parallel(p, 2, 0, -0.5);
    if (trial % 4 == 3) testing::make_zero(p, 1);
    const BruteForce best = brute_force(p, 1e-3);

    for (const Network& network : {best.network, sometimes_good(random, p, trial)}) {
      const DualCandidate listed = listed_candidate(p, network, 0.05 * (trial % 4));
      EXPECT_LE(certify_multipliers(p, listed, {.objective_upper = best.upper}).value, best.upper)
          << trial;
      EXPECT_LE(certify_multipliers(p, listed).value, best.upper) << trial;
    }
  }
}

TEST(ListCertificate, WithoutRoomThereIsAnEstimateAndNoBound) {
  Random random(73);
  for (int trial = 0; trial < 6; ++trial) {
    const Problem p = random_problem(random, 60 + 20 * trial, 3, 2, 0.5);
    const DualCandidate listed = listed_candidate(p, sometimes_good(random, p, trial), 0.2);
    const Index thin = p.features + p.outputs, order = p.samples + thin;
    DualCandidate nothing;
    nothing.G = Matrix::Zero(p.samples, p.outputs);
    const double floor = certify_multipliers(p, nothing).value;

    const Bound without =
        certify_multipliers(p, listed, {.memory_bytes = certificate_bytes(order, thin) - 1});
    const Bound with =
        certify_multipliers(p, listed, {.memory_bytes = certificate_bytes(order, thin)});

    EXPECT_STREQ(without.kind, "floor");
    EXPECT_LE(without.value, floor);
    EXPECT_EQ(without.factorisations, 0);
    EXPECT_STREQ(with.kind, "cholesky");
    EXPECT_TRUE(std::isnan(with.estimate));
    EXPECT_NEAR(without.estimate, with.value, 1e-3 * with.value) << trial;
  }
}

TEST(ListCertificate, TheKeeperKeepsTheBestEstimateBesideTheBound) {
  Random random(74);
  const Problem p = random_problem(random, 80, 3, 2, 0.5);
  const DualCandidate good = listed_candidate(p, sometimes_good(random, p, 1), 0.1);
  DualCandidate weak = good;
  weak.G *= 0.01;
  BoundKeeper keeper(p);
  const double floor = keeper.value();
  EXPECT_TRUE(std::isnan(keeper.certificate().estimate));

  keeper.offer(weak, {.objective_upper = 1e9, .memory_bytes = 0});
  const double low = keeper.certificate().estimate;
  keeper.offer(good, {.objective_upper = 1e9, .memory_bytes = 0});
  const double high = keeper.certificate().estimate;
  keeper.offer(weak, {.objective_upper = 1e9, .memory_bytes = 0});

  EXPECT_GT(high, low);
  EXPECT_EQ(keeper.certificate().estimate, high);
  EXPECT_EQ(keeper.certificate().kind, "floor");
  EXPECT_EQ(keeper.value(), floor);
  keeper.offer(2.0 * floor, "cones");
  EXPECT_EQ(keeper.certificate().estimate, high);
  EXPECT_TRUE(keeper.refuted_by(floor));
  EXPECT_TRUE(std::isnan(keeper.certificate().estimate));
}

TEST(ListCertificate, HostileListsProveTheFloorAtLeastAndNothingWrong) {
  Random random(75);
  const Problem p = random_problem(random, 20, 2, 1, 0.5);
  const double zero_network =
      testing::naive_objective(p, {.features = 2, .outputs = 1, .neurons = 0, .U = {}, .V = {}});
  const DualCandidate good = listed_candidate(p, sometimes_good(random, p, 1), 0.1);
  DualCandidate nan = good, empty = good, zeros = good, huge = good, repeated = good;
  nan.entries[3].value = std::nan("");
  empty.entries.clear();
  for (auto& entry : zeros.entries) entry.value = 0.0;
  for (auto& entry : huge.entries) entry.value *= 1e300;
  repeated.entries.insert(repeated.entries.end(), good.entries.begin(), good.entries.end());

  for (const Index memory : {Index{0}, std::numeric_limits<Index>::max()}) {
    const BoundOptions options{.memory_bytes = memory};
    EXPECT_STREQ(certify_multipliers(p, nan, options).kind, "floor");
    EXPECT_TRUE(std::isnan(certify_multipliers(p, nan, options).estimate));
    for (const DualCandidate* candidate : {&empty, &zeros, &huge, &repeated}) {
      const Bound bound = certify_multipliers(p, *candidate, options);
      EXPECT_GE(bound.value, -1e-300);
      EXPECT_LE(bound.value, zero_network);
    }
  }
  EXPECT_EQ(certify_multipliers(p, empty).value, certify_multipliers(p, zeros).value);
}

TEST(ListCertificate, RowsOfAllSizesProveNothingWrong) {
  Random random(76);
  for (int trial = 0; trial < 20; ++trial) {
    Problem p = random_problem(random, 6, 2 + trial % 2, 1, 0.4);
    const double spread = 3.0 * (1 + trial);
    for (Index i = 0; i < 6; ++i)
      for (Index l = 0; l < p.features; ++l)
        p.X[i + l * 6] *= std::pow(10.0, spread * (random.uniform() - 0.5));
    DualCandidate candidate;
    candidate.G = Matrix::Random(6, 1);
    for (Index i = 0; i < 6; ++i) {
      const double size = std::pow(10.0, -spread * random.uniform());
      candidate.entries.push_back({i, 6 + i, -size});
      candidate.entries.push_back({i, (i + 1) % 6, size});
    }
    double best = testing::naive_objective(
        p, {.features = p.features, .outputs = 1, .neurons = 0, .U = {}, .V = {}});
    for (int net = 0; net < 40; ++net)
      best = std::min(
          best, testing::naive_objective(p, testing::random_network(random, p.features, 1, 2,
                                                                    std::pow(10.0, net % 8 - 6))));

    EXPECT_LE(certify_multipliers(p, candidate).value, best) << trial;
    EXPECT_LE(certify_multipliers(p, candidate, {.memory_bytes = 0}).value, best) << trial;
    EXPECT_LE(certify_multipliers(p, with_dense_part(candidate)).value, best) << trial;
  }
}

}  // namespace
}  // namespace relulift
