// SPDX-License-Identifier: Apache-2.0
// Pattern sets, enumeration of all patterns against the count of the theory, sampled gates.
#include <gtest/gtest.h>

#include <set>

#include "src/patterns/all_patterns.hpp"
#include "src/patterns/sample.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

TEST(PatternSet, KeepsEachPatternOnceInTheOrderOfArrival) {
  PatternSet set(70);
  const std::vector<std::uint64_t> a{5, 1}, b{5, 2};

  EXPECT_TRUE(set.add(a));
  EXPECT_TRUE(set.add(b));
  EXPECT_FALSE(set.add(a));

  EXPECT_EQ(set.size(), 2);
  EXPECT_TRUE(set.contains(b));
  EXPECT_TRUE(set.active(2, 0));
  EXPECT_FALSE(set.active(1, 0));
  EXPECT_TRUE(set.active(65, 1));
  EXPECT_EQ(set.count(0), 3);
}

TEST(PatternSet, PatternsAreTheSignsOfTheGates) {
  Random random(1);
  const Matrix X = random_matrix(random, 67, 3), H = random_matrix(random, 3, 300);

  const GatedPatterns got = patterns_of(X, H);

  ASSERT_EQ(got.gates.cols(), got.patterns.size());
  for (Index i = 0; i < got.patterns.size(); ++i)
    for (Index r = 0; r < 67; ++r)
      ASSERT_EQ(got.patterns.active(r, i), X.row(r).dot(got.gates.col(i)) >= 0.0);
  std::set<std::vector<bool>> distinct;
  const Matrix S = X * H;
  for (Index j = 0; j < 300; ++j) {
    std::vector<bool> column;
    for (Index r = 0; r < 67; ++r) column.push_back(S(r, j) >= 0.0);
    distinct.insert(column);
  }
  distinct.erase(std::vector<bool>(67, false));
  EXPECT_EQ(got.patterns.size(), static_cast<Index>(distinct.size()));
}

// The pattern without active samples is left out where it is a cell: in general position the
// opposite of "all active".
Index expected_count(const Matrix& X, double cells) {
  const GatedPatterns sampled = patterns_of(X, gaussian_gates(X.cols(), 200'000, 7));
  for (Index i = 0; i < sampled.patterns.size(); ++i)
    if (sampled.patterns.count(i) == X.rows()) return static_cast<Index>(cells) - 1;
  return static_cast<Index>(cells);
}

TEST(AllPatterns, InGeneralPositionTheyAreAsManyAsTheFormulaSays) {
  Random random(2);
  for (const auto& [n, d] : {std::pair<Index, Index>{1, 1},
                             {9, 1},
                             {12, 2},
                             {40, 2},
                             {5, 3},
                             {20, 3},
                             {9, 4},
                             {14, 4},
                             {11, 5},
                             {3, 5}}) {
    const Matrix X = random_matrix(random, n, d);
    const double cells = most_patterns(d == 1 ? 1 : n, std::min(n, d));

    const auto all = all_patterns(X, 100'000);

    ASSERT_TRUE(all);
    EXPECT_EQ(all->patterns.size(), expected_count(X, cells)) << n << " x " << d;
  }
}

TEST(AllPatterns, HoldEveryPatternThatSamplingMeetsWhateverThePosition) {
  Random random(3);
  // Rows that repeat, point the opposite way, vanish, and lie in a plane of the space.
  Matrix X = random_matrix(random, 16, 3);
  X.row(1) = 2.0 * X.row(0);
  X.row(2) = -X.row(0);
  X.row(3).setZero();
  X.row(4) << 1, 0, 0;
  X.row(5) << 0, 1, 0;
  X.row(6) << 1, 1, 0;
  X.row(7) << 1, -1, 0;
  Matrix wide(16, 5);  // rank 3 in five columns
  wide << X, X.col(0) + X.col(1), X.col(2) - X.col(0);

  const auto all = all_patterns(wide, 10'000);

  ASSERT_TRUE(all);
  const GatedPatterns sampled = patterns_of(wide, gaussian_gates(5, 100'000, 5));
  for (Index i = 0; i < sampled.patterns.size(); ++i)
    EXPECT_TRUE(all->patterns.contains(sampled.patterns.pattern(i)));
  for (Index i = 0; i < all->patterns.size(); ++i)
    for (Index r = 0; r < 16; ++r)
      ASSERT_EQ(all->patterns.active(r, i), wide.row(r).dot(all->gates.col(i)) >= 0.0);
  EXPECT_GE(all->patterns.size(), sampled.patterns.size());
}

TEST(AllPatterns, AreRefusedWhereTheyAreTooManyOrTheCallerStops) {
  Random random(4);
  const Matrix X = random_matrix(random, 30, 4);

  EXPECT_FALSE(all_patterns(X, 100));
  EXPECT_FALSE(all_patterns(X, 100'000, [] { return false; }));
}

TEST(Gates, OfPatchesAndSparseOnesAreZeroElsewhere) {
  const Matrix sparse = sparse_gates(20, 2, 50, 1);
  const Matrix patches = patch_gates({6, 7, 2}, 3, 50, 1);

  for (Index j = 0; j < 50; ++j) {
    EXPECT_EQ((sparse.col(j).array() != 0.0).count(), 2);
    EXPECT_EQ((patches.col(j).array() != 0.0).count(), 18);
    Index low = 7, high = -1;
    for (Index k = 0; k < 84; ++k)
      if (patches(k, j) != 0.0) {
        low = std::min(low, k % 7);
        high = std::max(high, k % 7);
      }
    EXPECT_EQ(high - low, 2);
  }
  EXPECT_EQ(gaussian_gates(3, 4, 9), gaussian_gates(3, 4, 9));
  EXPECT_EQ(gaussian_gates(3, 8, 9).leftCols(4), gaussian_gates(3, 4, 9));
  EXPECT_NE(gaussian_gates(3, 4, 9), gaussian_gates(3, 4, 10));
}

}  // namespace
}  // namespace relulift::testing
