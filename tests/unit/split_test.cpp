// SPDX-License-Identifier: Apache-2.0
// Partitions of weight space, the points on them, and where they are cut [eq:split].
#include <gtest/gtest.h>

#include <set>

#include "src/solvers/pairs_start.hpp"
#include "tests/support/split.hpp"

namespace relulift {

bool operator==(const FixedRow& a, const FixedRow& b) {
  return a.row == b.row && a.active == b.active;
}

namespace testing {
namespace {

ReducedProblem merged_problem(std::uint64_t seed, Index n = 11, Index d = 3, Index c = 2) {
  Random random(seed);
  Problem given = random_problem(random, n, d, c, 0.2);
  make_parallel(given, 4, 1, 2.0);
  make_parallel(given, 6, 0, -0.5);  // a beta row
  make_zero(given, 7);
  return presolve(given).reduced;
}

// Strictly feasible multipliers on all pairs, without an engine.
SplitPoint analytic_point(const ReducedProblem& p) {
  std::vector<LiftedPair> pairs;
  for (std::int32_t i = 0; i < 2 * p.n(); ++i)
    for (std::int32_t j = i + 1; j < 2 * p.n(); ++j)
      if (j != i + p.n()) pairs.push_back({i, j});
  PairsPoint point = PairsStart(p).point(pairs);
  point.G = -1e-3 * p.Y;
  point.H = -1e-3 * p.Y_beta;
  return whole_space(std::move(point));
}

TEST(SplitTree, NumbersLeavesInPreorderWithTheActiveSideFirst) {
  SplitTree tree;
  EXPECT_EQ(tree.nodes(), std::vector<Index>{-1});
  EXPECT_EQ(tree.cones(), std::vector<Cone>{Cone{}});

  tree.cut(0, 3);
  EXPECT_EQ(tree.nodes(), (std::vector<Index>{3, -1, -1}));
  tree.cut(1, 5);
  EXPECT_EQ(tree.nodes(), (std::vector<Index>{3, -1, 5, -1, -1}));
  tree.cut(0, 7);
  EXPECT_EQ(tree.nodes(), (std::vector<Index>{3, 7, -1, -1, 5, -1, -1}));

  const std::vector<Cone> expected{{{3, true}, {7, true}},
                                   {{3, true}, {7, false}},
                                   {{3, false}, {5, true}},
                                   {{3, false}, {5, false}}};
  EXPECT_EQ(tree.cones(), expected);
}

// Whatever is cut: every direction lies in a cone, and in one alone where no row is zero.
TEST(SplitTree, ConesPartitionTheSpace) {
  const ReducedProblem p = merged_problem(1);
  Random random(2);
  SplitTree tree;
  for (int k = 0; k < 20; ++k) {
    const std::vector<Cone> cones = tree.cones();
    const auto leaf = static_cast<Index>(random.bits() % cones.size());
    const std::vector<Index> open = open_rows(p.n(), cones[static_cast<std::size_t>(leaf)]);
    if (!open.empty()) tree.cut(leaf, open[random.bits() % open.size()]);
  }
  for (int s = 0; s < 200; ++s) {
    Vector u(p.d());
    for (double& x : u) x = random.normal();
    int inside = 0;
    for (const Cone& cone : tree.cones())
      inside += std::all_of(cone.begin(), cone.end(), [&](const FixedRow& fixed) {
        return (p.X.row(fixed.row).dot(u) > 0.0) == fixed.active;
      });
    EXPECT_EQ(inside, 1);
  }
}

TEST(SplitTree, EveryNeuronOfAConeIsOnItsFace) {
  const ReducedProblem p = merged_problem(3);
  const Index n = p.n(), d = p.d(), c = p.c();
  Random random(4);
  for (int trial = 0; trial < 50; ++trial) {
    Vector u(d), v(c);
    for (double& x : u) x = random.normal();
    for (double& x : v) x = random.normal();
    const Vector t = p.X * u;
    Cone cone;
    for (Index i = n - 1; i >= 0; --i)
      if (random.uniform() < 0.4) cone.push_back({i, t[i] >= 0.0});

    const std::vector<Index> open = open_rows(n, cone);
    const std::vector<bool> zero = zero_rows(n, cone);
    const Matrix T = face_of_cone(p, cone);

    EXPECT_EQ(open.size() + cone.size(), static_cast<std::size_t>(n));
    EXPECT_TRUE(std::is_sorted(open.begin(), open.end()));
    Vector z(T.cols()), neuron(n + d + c);
    z << Vector(t.cwiseAbs()(open)), u, v;
    neuron << t.cwiseAbs(), u, v;
    EXPECT_LE((T * z - neuron).norm(), 1e-14 * neuron.norm());
    EXPECT_EQ(T.cols(), n + d + c - static_cast<Index>(cone.size()));
    EXPECT_EQ(Eigen::FullPivLU<Matrix>(T).rank(), T.cols());
    EXPECT_EQ(std::count(zero.begin(), zero.end(), true), static_cast<Index>(cone.size()));
    for (Index i = 0; i < n; ++i) {
      EXPECT_TRUE(!zero[static_cast<std::size_t>(i)] || t[i] <= 0.0);
      EXPECT_TRUE(!zero[static_cast<std::size_t>(n + i)] || t[i] >= 0.0);
    }
  }
}

// K of a cone by plain loops: inner products of alpha and beta, those of rows that are zero apart.
TEST(SplitPoint, TheGramMatrixOfAConeIsThatOfItsActivations) {
  const ReducedProblem p = merged_problem(5);
  const Index n = p.n(), d = p.d();
  Random random(6);
  Matrix U(d, 4), lifted = Matrix::Zero(2 * n, 4);
  for (double& x : U.reshaped()) x = random.normal();
  const Vector t = p.X * U.col(0);
  const Cone cone{{2, t[2] > 0.0}, {0, t[0] > 0.0}};
  Matrix z(n - 2 + d + p.c(), 4);
  for (Index k = 0; k < 4; ++k) {
    if (k > 0) U.col(k) = U.col(0) + 1e-3 * U.col(k);  // in the cone too
    const Vector x = p.X * U.col(k);
    lifted.col(k) << x.cwiseMax(0.0), (-x).cwiseMax(0.0);
    z.col(k) << Vector(x.cwiseAbs()(open_rows(n, cone))), U.col(k), Vector::Ones(p.c());
  }

  const Matrix K = gram_of_cone(p, cone, z * z.transpose());

  const std::vector<bool> zero = zero_rows(n, cone);
  for (Index i = 0; i < 2 * n; ++i)
    for (Index j = 0; j < 2 * n; ++j) {
      const bool gone = zero[static_cast<std::size_t>(i)] || zero[static_cast<std::size_t>(j)];
      const double expected = !gone ? lifted.row(i).dot(lifted.row(j)) : i == j ? 1.0 : 0.0;
      EXPECT_NEAR(K(i, j), expected, 1e-13) << i << " " << j;
    }
}

TEST(SplitPoint, ACutKeepsAFeasiblePointFeasible) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const ReducedProblem p = merged_problem(seed);
    ASSERT_GT(p.p(), 0);
    SplitPoint point = analytic_point(p);
    const double dual = plain_dual(p, point);
    ASSERT_GT(least_eigenvalue(p, point), 0.0);
    const double trace = point.cones[0].S.trace();
    Random random(seed);
    for (int k = 0; k < 12; ++k) {
      const std::vector<Cone> cones = point.tree.cones();
      const auto leaf = static_cast<Index>(random.bits() % cones.size());
      const std::vector<Index> open = open_rows(p.n(), cones[static_cast<std::size_t>(leaf)]);
      if (open.empty()) continue;
      const Index row = open[random.bits() % open.size()];

      cut(p, point, leaf, row);

      EXPECT_EQ(point.cones.size(), cones.size() + 1);
      EXPECT_GT(least_eigenvalue(p, point), 0.0) << seed << " " << k;
    }
    EXPECT_EQ(plain_dual(p, point), dual);
    const std::vector<Cone> cones = point.tree.cones();
    double traces = 0.0;
    for (std::size_t k = 0; k < cones.size(); ++k) {
      const PairsPoint& at = point.cones[k];
      traces += at.S.trace();
      EXPECT_EQ(at.S.rows(), face_of_cone(p, cones[k]).cols());
      EXPECT_EQ(at.w.size(), static_cast<Index>(at.pairs.size()));
      EXPECT_TRUE(std::is_sorted(at.pairs.begin(), at.pairs.end()));
    }
    EXPECT_LE(traces, trace);
  }
}

// X = I, so alpha_i and beta_i are the parts of u_i. Row 0 is on one side alone, row 1 on both with
// lengths 3 and 4, row 2 with 1 and 2 and a larger residual.
TEST(SplitPoint, ScoresAreResidualTimesTheShorterSide) {
  const ReducedProblem p{.X = Matrix::Identity(3, 3),
                         .Y = Matrix::Zero(3, 1),
                         .beta_rows = {2},
                         .beta_weight = Vector::Ones(1),
                         .Y_beta = Matrix::Zero(1, 1),
                         .weight_decay = 1.0,
                         .constant = 0.0};
  Matrix U(3, 2);
  U << 5, 1, -3, 4, 2, -1;
  Matrix neurons = Matrix::Zero(7, 2);
  neurons.topRows(3) = U.cwiseAbs();
  neurons.middleRows(3, 3) = U;
  PairsPoint root = PairsStart(p).point({});
  root.S = neurons * neurons.transpose();
  root.G = Eigen::Vector3d(7.0, -0.5, 3.0);
  root.H = Matrix::Constant(1, 1, 4.0);
  SplitPoint point = whole_space(root);

  const Vector scores = cut_scores(p, point, 0);
  EXPECT_NEAR(scores[0], 0.0, 1e-12);
  EXPECT_NEAR(scores[1], 0.5 * 3.0, 1e-12);
  EXPECT_NEAR(scores[2], 5.0 * 1.0, 1e-12);

  cut_where_it_pays(p, point, 2);
  EXPECT_EQ(point.tree.nodes(), (std::vector<Index>{2, -1, -1}));
  EXPECT_EQ(cut_scores(p, point, 0)[2], 0.0);  // fixed
}

TEST(SplitCuts, NeverMoreConesThanAllowedAndNoConeTwiceInARound) {
  const ReducedProblem p = merged_problem(7);
  SplitPoint point = analytic_point(p);
  for (const Index most : {1, 2, 3, 7, 7, 50, 64}) {
    const auto before = static_cast<Index>(point.cones.size());

    cut_where_it_pays(p, point, most);

    const auto cones = static_cast<Index>(point.cones.size());
    EXPECT_EQ(point.tree.cones().size(), point.cones.size());
    EXPECT_LE(cones, std::max(before, most));
    EXPECT_LE(cones, 2 * before);
    EXPECT_TRUE(cones > before || before >= most) << most;
    EXPECT_GT(least_eigenvalue(p, point), 0.0);
  }
}

TEST(SplitCuts, RowsAreCutOncePerConeUntilNoneIsLeft) {
  const ReducedProblem p = merged_problem(8, 9, 2, 1);
  SplitPoint point = analytic_point(p);
  for (int round = 0; round < 20; ++round) {
    cut_where_it_pays(p, point, 1 << 20);
    for (const Cone& cone : point.tree.cones()) {
      std::set<Index> rows;
      for (const FixedRow& fixed : cone) rows.insert(fixed.row);
      ASSERT_EQ(rows.size(), cone.size());
    }
    EXPECT_TRUE(round < 7 || point.cones.size() > 16U);
  }
  EXPECT_LE(point.cones.size(), std::size_t{1} << p.n());
}

TEST(SplitCuts, MoreTimeAndMemoryAffordNoFewerCones) {
  const ReducedProblem p = merged_problem(9, 40, 5, 2);
  const std::int64_t plenty = std::int64_t{1} << 50;
  EXPECT_EQ(affordable_cones(p, 100, 0.0, plenty), 0);
  EXPECT_EQ(affordable_cones(p, 100, 1e9, 0), 0);
  Index last = 0;
  for (double seconds = 1e-6; seconds < 1e6; seconds *= 1.7) {
    const Index cones = affordable_cones(p, 100, seconds, plenty);
    EXPECT_GE(cones, last);
    EXPECT_TRUE(cones == 0 || (cones >= 2 && (cones & (cones - 1)) == 0)) << cones;
    EXPECT_LE(affordable_cones(p, 5000, seconds, plenty), cones);
    last = cones;
  }
  EXPECT_GT(last, 2);
  const Index most = last;
  last = 0;
  for (std::int64_t bytes = 1; bytes < plenty; bytes *= 3) {
    const Index cones = affordable_cones(p, 100, 1e6, bytes);
    EXPECT_GE(cones, last);
    last = cones;
  }
  EXPECT_EQ(last, most);
}

}  // namespace
}  // namespace testing
}  // namespace relulift
