// SPDX-License-Identifier: Apache-2.0
// Proofs by cones of weight space [eq:proved-split]: what a tree and its multipliers must not do.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/support/certificates.hpp"
#include "tests/support/generators.hpp"

namespace relulift::test {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

// One sample x = 1, y = 3: -<G, f> = t (u)_+ v <= g/2 (u^2 + v^2) for t <= g, and where u <= 0 for
// every t.
Proof one_row(double t, std::vector<Index> splits, std::vector<Index> counts,
              std::vector<Proof::Entry> entries = {}) {
  Proof proof;
  proof.kind = "split";
  proof.G = {-t};
  proof.splits = std::move(splits);
  proof.leaf_entries = std::move(counts);
  proof.entries = std::move(entries);
  return proof;
}

const Problem kOneRow{
    .samples = 1, .features = 1, .outputs = 1, .X = {1}, .Y = {3}, .weight_decay = 0.5};

TEST(VerifySplit, OneRowProvesItsOptimumWithoutMultipliers) {
  const double t = 0.5 * (1.0 - 1e-12);
  EXPECT_NEAR(verify(kOneRow, one_row(t, {0, -1, -1}, {0, 0})).lower_bound, 1.375, 1e-11);
  EXPECT_EQ(verify(kOneRow, one_row(0.5 * (1.0 + 1e-12), {0, -1, -1}, {0, 0})).lower_bound,
            kNothing);
}

// W = 0 serves any t where u <= 0, and no t anywhere else.
TEST(VerifySplit, MultipliersOfOneConeProveNothingOfTheWholeSpace) {
  EXPECT_EQ(verify(kOneRow, one_row(0.4, {-1}, {0})).lower_bound, kNothing);
  EXPECT_EQ(verify(kOneRow, one_row(0.4, {0, -1}, {0})).lower_bound, kNothing);
  Proof whole = one_row(0.4, {}, {});
  whole.kind = "cholesky";
  EXPECT_EQ(verify(kOneRow, whole).lower_bound, kNothing);

  // The free multiplier makes up for it: s^2 <= u^2 both ways.
  whole.entries = {{0, 1, -0.25}};
  EXPECT_GT(verify(kOneRow, whole).lower_bound, 1.0);
  whole.kind = "split";
  whole.splits = {-1};
  whole.leaf_entries = {1};
  EXPECT_GT(verify(kOneRow, whole).lower_bound, 1.0);
}

// x = (1, 2): W_aa between the two alphas helps no cone, and one that is negative proves too much.
TEST(VerifySplit, SignsCountOnEveryFace) {
  const Problem p{
      .samples = 2, .features = 1, .outputs = 1, .X = {1, 2}, .Y = {3, 6}, .weight_decay = 0.5};
  const auto proof = [](double t, double alphas) {
    Proof out = one_row(0.0, {0, 1, -1, -1, 1, -1, -1}, {1, 0, 0, 0}, {{0, 1, alphas}});
    out.G = {-t, -2 * t};
    return out;
  };
  EXPECT_GT(verify(p, proof(0.09, 0.0)).lower_bound, 0.0);
  EXPECT_EQ(verify(p, proof(0.11, 0.0)).lower_bound, kNothing);  // t (1, 2)'(1, 2) <= g
  EXPECT_EQ(verify(p, proof(0.11, -1.0)).lower_bound, kNothing);
  EXPECT_EQ(verify(p, proof(0.09, std::nan(""))).lower_bound, kNothing);
}

class SplitProof : public ::testing::Test {
 protected:
  SplitProof() {
    Random random(23);
    problem_ = relulift::testing::random_problem(random, 14, 4, 2, 0.3);
    relulift::testing::make_parallel(problem_, 6, 1, -0.5);
    relulift::testing::make_zero(problem_, 9);
    result_ =
        solve(problem_, {.engine = Engine::interior, .gap = 0.0, .split = 6, .keep_proof = true});
  }
  void SetUp() override {
    ASSERT_EQ(result_.proof.kind, "split");
    ASSERT_EQ(found(result_.proof), result_.certificate.lower_bound);
    ASSERT_GE(result_.proof.leaf_entries.size(), 4U);
  }
  double found(const Proof& proof) const {
    const Proved proved = verify(problem_, proof, result_.objective);
    EXPECT_EQ(proved.failure.empty(), proved.lower_bound > kNothing);
    return proved.lower_bound;
  }
  Problem problem_;
  Result result_;
};

TEST_F(SplitProof, ATreeThatIsNoneProvesNothing) {
  const Proof& good = result_.proof;
  const std::vector<Index>& tree = good.splits;
  const auto with = [&](std::vector<Index> splits) {
    Proof proof = good;
    proof.splits = std::move(splits);
    return found(proof);
  };
  for (std::size_t size = 0; size < tree.size(); ++size)
    EXPECT_EQ(with({tree.begin(), tree.begin() + static_cast<Index>(size)}), kNothing) << size;
  for (const std::vector<Index>& more : {std::vector<Index>{-1}, {0}, {0, -1, -1}, {-1, -1, -1}}) {
    std::vector<Index> longer = tree;
    longer.insert(longer.end(), more.begin(), more.end());
    EXPECT_EQ(with(longer), kNothing);
  }
  for (std::size_t node = 0; node < tree.size(); ++node) {
    std::vector<Index> bad = tree;
    for (const Index row : {Index{-2}, Index{6}, Index{9}, problem_.samples, 2 * problem_.samples,
                            std::numeric_limits<Index>::max(), std::numeric_limits<Index>::min()}) {
      bad[node] = row;  // 6 and 9 have been merged and dropped
      EXPECT_EQ(with(bad), kNothing) << node << " " << row;
    }
    bad = tree;
    bad.erase(bad.begin() + static_cast<Index>(node));
    EXPECT_EQ(with(bad), kNothing) << node;
    if (node > 0 && tree[node] >= 0) {
      bad = tree;
      bad[node] = tree[0];  // on every path a second time
      EXPECT_EQ(with(bad), kNothing) << node;
    }
    // Another row: the multipliers are those of another cone.
    for (Index row = 0; tree[node] >= 0 && row < problem_.samples; ++row) {
      bad = tree;
      bad[node] = row;
      EXPECT_TRUE(row == tree[node] || with(bad) == kNothing) << node << " " << row;
    }
  }
}

TEST_F(SplitProof, CountsThatDoNotMatchTheLeavesProveNothing) {
  const Proof& good = result_.proof;
  const auto with = [&](std::vector<Index> counts) {
    Proof proof = good;
    proof.leaf_entries = std::move(counts);
    return found(proof);
  };
  const std::vector<Index>& counts = good.leaf_entries;
  EXPECT_EQ(with({}), kNothing);
  EXPECT_EQ(with({counts.begin(), counts.end() - 1}), kNothing);
  std::vector<Index> bad = counts;
  bad.push_back(0);
  EXPECT_EQ(with(bad), kNothing);
  for (std::size_t leaf = 0; leaf < counts.size(); ++leaf)
    for (const Index count :
         {counts[leaf] - 1, counts[leaf] + 1, Index{-1}, Index{-2}, Index{0},
          std::numeric_limits<Index>::max(), std::numeric_limits<Index>::min()}) {
      bad = counts;
      bad[leaf] = count;
      EXPECT_EQ(with(bad), kNothing) << leaf << " " << count;
    }
  Proof fewer = good;
  fewer.entries.pop_back();
  EXPECT_EQ(found(fewer), kNothing);
  fewer.leaf_entries.clear();
  fewer.splits.clear();
  EXPECT_EQ(found(fewer), kNothing);
}

// Every cone needs its own multipliers.
TEST_F(SplitProof, LeavesThatChangePlacesProveNothing) {
  const Proof& good = result_.proof;
  std::vector<std::vector<Proof::Entry>> leaves;
  auto from = good.entries.begin();
  for (const Index count : good.leaf_entries) {
    leaves.emplace_back(from, from + count);
    from += count;
  }
  const auto with = [&](const std::vector<std::vector<Proof::Entry>>& order) {
    Proof proof = good;
    proof.entries.clear();
    proof.leaf_entries.clear();
    for (const auto& leaf : order) {
      proof.entries.insert(proof.entries.end(), leaf.begin(), leaf.end());
      proof.leaf_entries.push_back(static_cast<Index>(leaf.size()));
    }
    return found(proof);
  };
  ASSERT_EQ(with(leaves), result_.certificate.lower_bound);
  for (std::size_t a = 0; a < leaves.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      auto swapped = leaves;
      std::swap(swapped[a], swapped[b]);
      EXPECT_EQ(with(swapped), kNothing) << a << " " << b;
    }
    auto emptied = leaves;
    emptied[a].clear();
    EXPECT_EQ(with(emptied), kNothing) << a;
    if (a > 0) {  // the free multiplier of the first open row goes next door
      auto moved = leaves;
      moved[a - 1].push_back(moved[a].front());
      moved[a].erase(moved[a].begin());
      EXPECT_EQ(with(moved), kNothing) << a;
    }
  }
  auto reversed = leaves;
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(with(reversed), kNothing);
  // The multipliers of one leaf for the whole space.
  for (const auto& leaf : leaves) {
    Proof proof = good;
    proof.entries = leaf;
    proof.splits = {-1};
    proof.leaf_entries = {static_cast<Index>(leaf.size())};
    EXPECT_EQ(found(proof), kNothing);
    proof.kind = "cholesky";
    EXPECT_EQ(found(proof), kNothing);
  }
}

// The walk is a loop: how deep a tree is, a file decides.
TEST(VerifySplit, ATreeOfManyNodesEndsInOrder) {
  constexpr Index kRows = 50'000;
  Problem p{.samples = kRows,
            .features = 1,
            .outputs = 1,
            .X = std::vector<double>(kRows, 1.0),
            .Y = std::vector<double>(kRows, 1.0),
            .weight_decay = 1.0};
  Proof proof = one_row(0.0, {}, {});
  proof.G.assign(kRows, -1e-6);
  std::vector<Index> path(kRows);
  std::iota(path.begin(), path.end(), Index{0});
  const auto failure = [&](std::vector<Index> splits) {
    proof.splits = std::move(splits);
    const Proved proved = verify(p, proof);
    EXPECT_EQ(proved.lower_bound, kNothing);
    return proved.failure;
  };

  EXPECT_EQ(failure(path), "its tree of cones breaks off");
  EXPECT_EQ(failure(std::vector<Index>(100'000, 3)),
            "its tree of cones cuts by a row that is not there");
  std::vector<Index> comb = path;
  comb.resize(2 * kRows + 1, -1);
  EXPECT_EQ(failure(comb), "its cones and their multipliers do not match");
  // The deepest two know every sign; one row is open beside them, and nothing speaks for it.
  proof.leaf_entries.assign(kRows + 1, 0);
  EXPECT_EQ(failure(comb), "its matrix is not proved to be positive semidefinite");
}

// What only a file can hold.
TEST(VerifySplit, NumbersThatAreNoneAreRefusedInFiles) {
  const TemporaryFolder folder;
  Random random(29);
  const Problem p = relulift::testing::random_problem(random, 12, 4, 1, 0.3);
  std::string text = "x0,x1,x2,x3,y\n";
  for (Index i = 0; i < p.samples; ++i) {
    for (Index l = 0; l < 4; ++l) text += std::to_string(p.X[i + l * p.samples]) + ",";
    text += std::to_string(p.Y[i]) + "\n";
  }
  folder.write("t.csv", text);
  const Certified base = certify_table(folder, "t", {.value_columns = {"y"}}, 0.3,
                                       {.engine = Engine::interior, .gap = 0.0, .split = 4});
  ASSERT_EQ(base.result.proof.kind, "split");
  const auto valid = [&](const Certified& c) {
    return verify_certificate(folder.write("c", sealed(c.content)), base.data, base.model).valid;
  };
  ASSERT_TRUE(valid(base));
  for (const char* name : {"splits", "leaf_entries"})
    for (std::size_t k = 0; k < base.content.tensors.at(name).entries.size(); ++k)
      for (const double value : {0.5, -0.5, 1e300, -1e300, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        Certified c = base;
        c.tensor(name)[k] += value;
        EXPECT_FALSE(valid(c)) << name << " " << k << " " << value;
      }
  Certified c = base;
  c.content.metadata["kind"] = "cholesky";
  EXPECT_FALSE(valid(c));
}

}  // namespace
}  // namespace relulift::test
