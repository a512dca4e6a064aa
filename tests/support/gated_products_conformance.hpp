// SPDX-License-Identifier: Apache-2.0
// What GatedProducts owes on every backend, against sums entry by entry.
#pragma once

#include <gtest/gtest.h>

#include "src/core/transfer.hpp"
#include "src/solvers/gated_products.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {

struct GatedShape {
  Index n, d, gates, c, tile, patches = 1;
};

// Sizes across the borders of words, bytes and tiles; one has more columns than a tile. Patches of
// samples begin anywhere in a word and a byte.
inline const std::vector<GatedShape> kGatedShapes{
    {1, 1, 1, 1, 64},        {7, 2, 5, 3, 64},      {64, 3, 9, 1, 512},
    {65, 4, 20, 2, 1},       {130, 5, 70, 3, 4096}, {600, 3, 300, 1, 20'000},
    {1, 2, 4, 2, 64, 3},     {7, 2, 5, 3, 64, 20},  {13, 3, 40, 1, 512, 11},
    {150, 4, 20, 2, 256, 5}, {64, 3, 9, 1, 512, 4}, {201, 3, 300, 2, 20'000, 3}};

inline GatedPatterns random_patterns(Random& random, const Matrix& X, Index gates) {
  return patterns_of(X, random_matrix(random, X.cols(), gates));
}

// S sum_i D_i X W_i and X' D_i S'R by the definition; S sums rows that are R.rows() apart.
inline Matrix naive_forward(const Matrix& X, const PatternSet& patterns, const Matrix& W, Index n,
                            Index c) {
  Matrix F = Matrix::Zero(n, c);
  for (Index i = 0; i < patterns.size(); ++i)
    for (Index r = 0; r < X.rows(); ++r)
      if (patterns.active(r, i)) F.row(r % n) += X.row(r) * W.middleCols(i * c, c);
  return F;
}
inline Matrix naive_adjoint(const Matrix& X, const PatternSet& patterns, const Matrix& R) {
  Matrix G = Matrix::Zero(X.cols(), patterns.size() * R.cols());
  for (Index i = 0; i < patterns.size(); ++i)
    for (Index r = 0; r < X.rows(); ++r)
      if (patterns.active(r, i))
        G.middleCols(i * R.cols(), R.cols()) += X.row(r).transpose() * R.row(r % R.rows());
  return G;
}

// Machine: Type, make(), unavailable(), required(), as the other suites have it.
template <class Machine>
class GatedProductsConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = Machine::unavailable();
    if (why.empty()) return;
    if (Machine::required()) FAIL() << why;
    GTEST_SKIP() << why;
  }

  template <class T>
  void compare(double tolerance) {
    auto be = Machine::make();
    using B = decltype(be);
    for (const GatedShape& s : kGatedShapes) {
      Random random(17, static_cast<std::uint64_t>(s.n));
      const Matrix X = random_matrix(random, s.n * s.patches, s.d);
      const PatternSet patterns = random_patterns(random, X, s.gates).patterns;
      GatedProducts<B, T> products(be, X, patterns, s.c, s.tile, s.patches);
      const Index columns = products.columns();
      const Matrix W = random_matrix(random, s.d, columns), R = random_matrix(random, s.n, s.c);
      auto w = be.matrix(doubles_for<T>(W.size()), 1), r = be.matrix(doubles_for<T>(R.size()), 1);
      auto f = be.matrix(doubles_for<T>(R.size()), 1), g = be.matrix(doubles_for<T>(W.size()), 1);
      const auto as = [](const auto& m, Index rows, Index cols) {
        return MatrixView<T>{reinterpret_cast<T*>(m.view().data), rows, cols, rows};
      };
      upload_as<T>(be, W, w.view());
      upload_as<T>(be, R, r.view());

      products.forward(as(w, s.d, columns), as(f, s.n, s.c));
      products.adjoint(as(r, s.n, s.c), as(g, s.d, columns));

      const Matrix F = fetch_as<T>(be, f.view(), s.n, s.c);
      const Matrix G = fetch_as<T>(be, g.view(), s.d, columns);
      EXPECT_LE((F - naive_forward(X, patterns, W, s.n, s.c)).norm(), tolerance * F.norm()) << s.n;
      EXPECT_LE((G - naive_adjoint(X, patterns, R)).norm(), tolerance * G.norm()) << s.n;
    }
  }
};

TYPED_TEST_SUITE_P(GatedProductsConformance);

TYPED_TEST_P(GatedProductsConformance, InDoubleAreTheSumsOfTheDefinition) {
  this->template compare<double>(1e-13);
}
TYPED_TEST_P(GatedProductsConformance, InFloatAreTheSumsOfTheDefinition) {
  this->template compare<float>(1e-5);
}

REGISTER_TYPED_TEST_SUITE_P(GatedProductsConformance, InDoubleAreTheSumsOfTheDefinition,
                            InFloatAreTheSumsOfTheDefinition);

}  // namespace relulift::testing
