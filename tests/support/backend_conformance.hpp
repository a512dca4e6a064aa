// SPDX-License-Identifier: Apache-2.0
// What every Backend must do, against long double loops. One suite for all backends:
//   struct Factory { using Type = ...; static Type make(); static std::string unavailable(); };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, BackendConformance, ::testing::Types<Factory>);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/conformance.hpp"
#include "tests/support/conformance_functors.hpp"
#include "tests/support/guarded.hpp"

namespace relulift::testing {

inline constexpr double kEps = std::numeric_limits<double>::epsilon();
inline const std::vector<Extent> kExtents = {{1, 1},    {31, 257},  {257, 31}, {1000, 1},
                                             {1, 1000}, {0, 5},     {5, 0},    {1000, 257},
                                             {3, 5001}, {70001, 2}, {9000, 1}, {33, 65}};

template <class Factory>
class BackendConformance : public ConformanceTest<Factory> {
 protected:
  using B = typename Factory::Type;

  static std::vector<double> read(B& be, Slot from, Index count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    be.fetch(from, values);
    return values;
  }
  static double read(B& be, Slot from) { return read(be, from, 1)[0]; }
};

inline long double naive_entry(Op op, const HostMatrix& m, Index i, Index j) {
  return op == Op::none ? m(i, j) : m(j, i);
}

// alpha op(A) op(B) + beta C, entry by entry.
inline HostMatrix naive_gemm(Op op_a, Op op_b, double alpha, const HostMatrix& a,
                             const HostMatrix& b, double beta, const HostMatrix& c) {
  HostMatrix out(c.rows, c.cols);
  const Index inner = op_a == Op::none ? a.cols : a.rows;
  for (Index j = 0; j < c.cols; ++j) {
    for (Index i = 0; i < c.rows; ++i) {
      long double sum = 0;
      for (Index k = 0; k < inner; ++k) {
        sum += naive_entry(op_a, a, i, k) * naive_entry(op_b, b, k, j);
      }
      out(i, j) = static_cast<double>(alpha * sum + (beta == 0 ? 0.0L : beta * c(i, j)));
    }
  }
  return out;
}

inline double largest_difference(const HostMatrix& a, const HostMatrix& b) {
  double most = 0;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    const double d = std::abs(a.values[k] - b.values[k]);
    most = d <= most ? most : d;  // a NaN is kept
  }
  return most;
}

// Positive definite: M M' / order + I with entries of M in (-1, 1); eigenvalues in [1, order + 1].
inline HostMatrix random_spd(Index order, std::uint64_t seed) {
  const HostMatrix m = random_matrix(order, std::min<Index>(order, 16), seed);
  HostMatrix unit(order, order);
  for (Index i = 0; i < order; ++i) unit(i, i) = 1.0;
  return naive_gemm(Op::none, Op::transpose, 1.0 / static_cast<double>(order), m, m, 1.0, unit);
}

inline HostMatrix lower_of(const HostMatrix& m) {
  HostMatrix l = m;
  for (Index j = 0; j < m.cols; ++j) {
    for (Index i = 0; i < j; ++i) l(i, j) = 0.0;
  }
  return l;
}

TYPED_TEST_SUITE_P(BackendConformance);

TYPED_TEST_P(BackendConformance, StorageStartsAtZero) {
  auto be = TypeParam::make();
  const auto m = be.matrix(33, 7);
  const auto s = be.slots(19);
  std::vector<double> values(33 * 7, 1.0);

  be.fetch(m.view(), values);

  EXPECT_EQ(values, std::vector<double>(33 * 7));
  EXPECT_EQ(this->read(be, s[0], 19), std::vector<double>(19));
}

TYPED_TEST_P(BackendConformance, UploadAndFetchKeepStrides) {
  auto be = TypeParam::make();
  for (const Extent e : kExtents) {
    const HostMatrix m = random_matrix(e.rows, e.cols, 1);
    const Guarded block(be, m);

    EXPECT_EQ(block.get().values, m.values);
    EXPECT_TRUE(block.margin_intact());
  }
}

TYPED_TEST_P(BackendConformance, LaunchVisitsEveryEntryOnce) {
  auto be = TypeParam::make();
  for (const Extent e : kExtents) {
    Guarded block(be, HostMatrix(e.rows, e.cols));

    be.launch(e, conformance::AddPosition{block.view()});
    be.launch(e, conformance::AddPosition{block.view()});

    const HostMatrix got = block.get();
    for (Index j = 0; j < e.cols; ++j) {
      for (Index i = 0; i < e.rows; ++i) {
        ASSERT_EQ(got(i, j), 2 * conformance::position(i, j)) << i << ' ' << j;
      }
    }
    EXPECT_TRUE(block.margin_intact());
  }
}

// Naive summation of m terms errs by at most m eps sum |x|.
TYPED_TEST_P(BackendConformance, SumsMatchLongDoubleAndRepeat) {
  auto be = TypeParam::make();
  const auto slots = be.slots(3);
  for (const Extent e : kExtents) {
    const HostMatrix m = random_matrix(e.rows, e.cols, 2);
    const Guarded block(be, m);
    long double exact = 0, size = 0;
    for (const double x : m.values) {
      exact += static_cast<long double>(x) * x - 0.25L * x;
      size += std::abs(static_cast<long double>(x) * x) + 0.25L * std::abs(x);
    }

    be.sum(e, conformance::Quadratic{block.view()}, slots[1]);
    const double first = this->read(be, slots[1]);
    be.sum(e, conformance::Quadratic{block.view()}, slots[1]);
    const double second = this->read(be, slots[1]);

    EXPECT_NEAR(first, static_cast<double>(exact),
                kEps * static_cast<double>(size) *
                    static_cast<double>(std::min<Index>(e.rows * e.cols + 3, 2000)));
    EXPECT_EQ(first, second);
    EXPECT_EQ(this->read(be, slots[0]), 0.0);
    EXPECT_EQ(this->read(be, slots[2]), 0.0);
  }
}

TYPED_TEST_P(BackendConformance, ColumnSumsMatchLongDoubleAndRepeat) {
  auto be = TypeParam::make();
  for (const Extent e : kExtents) {
    const HostMatrix m = random_matrix(e.rows, e.cols, 3);
    const Guarded block(be, m);
    const auto slots = be.slots(e.cols + 2);
    be.upload(std::vector<double>(static_cast<std::size_t>(e.cols + 2), 7.0), slots[0]);

    be.sum_columns(e, conformance::Quadratic{block.view()}, slots[1]);
    const auto first = this->read(be, slots[0], e.cols + 2);
    be.sum_columns(e, conformance::Quadratic{block.view()}, slots[1]);

    EXPECT_EQ(first, this->read(be, slots[0], e.cols + 2));
    EXPECT_EQ(first.front(), 7.0);
    EXPECT_EQ(first.back(), 7.0);
    for (Index j = 0; j < e.cols; ++j) {
      long double exact = 0;
      for (Index i = 0; i < e.rows; ++i) {
        exact += static_cast<long double>(m(i, j)) * m(i, j) - 0.25L * m(i, j);
      }
      const auto rows = static_cast<double>(e.rows);
      ASSERT_NEAR(first[static_cast<std::size_t>(j + 1)], static_cast<double>(exact),
                  2 * kEps * (rows + 3) * std::sqrt(rows + 1));
    }
  }
}

TYPED_TEST_P(BackendConformance, TeamsKnowTheirColumns) {
  auto be = TypeParam::make();
  for (const Extent e : kExtents) {
    const HostMatrix m = random_matrix(e.rows, e.cols, 4);
    const Guarded block(be, m);
    const auto slots = be.slots(4 * e.cols);
    be.launch_columns(e, conformance::ColumnFacts{block.view(), slots[0].address});
    const auto known = this->read(be, slots[0], 4 * e.cols);
    const auto n = static_cast<double>(e.rows), bound = 4 * kEps * (n + 3) * (n + 1);
    for (Index j = 0; j < e.cols; ++j) {
      const double* const of = &known[static_cast<std::size_t>(4 * j)];
      double total = 0, moment = 0, most = -HUGE_VAL;
      for (Index i = 0; i < e.rows; ++i) {
        total += m(i, j);
        moment += static_cast<double>(i) * m(i, j);
        most = std::max(most, m(i, j));
      }
      ASSERT_NEAR(of[0], total, bound);
      ASSERT_EQ(of[1], most);
      ASSERT_NEAR(of[2], n + of[0] * total, (1.0 + n) * bound);
      ASSERT_NEAR(of[3], n * (n - 1) / 2 + of[0] * moment, (1.0 + n) * n * bound);
    }
  }
}

TYPED_TEST_P(BackendConformance, TheMaximumOfAColumnWithNaNIsNaN) {
  auto be = TypeParam::make();
  const auto slots = be.slots(8);
  for (const Index at : {0, 1, 31, 32, 40, 99}) {
    HostMatrix m = random_matrix(100, 2, 5);
    m(at, 1) = std::numeric_limits<double>::quiet_NaN();
    be.launch_columns({100, 2}, conformance::ColumnFacts{Guarded(be, m).view(), slots[0].address});
    EXPECT_TRUE(std::isfinite(this->read(be, slots[1])));
    EXPECT_TRUE(std::isnan(this->read(be, slots[5]))) << at;
  }
}

struct GemmShape {
  Index m, n, k;
};

// |error| <= (k + 2) eps (|alpha| |A| |B| + |beta C|), all entries below one.
TYPED_TEST_P(BackendConformance, GemmMatchesLongDouble) {
  auto be = TypeParam::make();
  const std::vector<GemmShape> shapes = {{1, 1, 1},   {31, 7, 257}, {257, 31, 1}, {40, 1, 257},
                                         {1, 33, 12}, {5, 6, 0},    {0, 3, 4},    {130, 129, 67}};
  for (const auto& [m, n, k] : shapes) {
    for (const Op op_a : {Op::none, Op::transpose}) {
      for (const Op op_b : {Op::none, Op::transpose}) {
        const HostMatrix a = op_a == Op::none ? random_matrix(m, k, 4) : random_matrix(k, m, 4);
        const HostMatrix b = op_b == Op::none ? random_matrix(k, n, 5) : random_matrix(n, k, 5);
        const HostMatrix c = random_matrix(m, n, 6);
        const Guarded on_a(be, a), on_b(be, b), on_c(be, c);

        be.gemm(op_a, op_b, -1.5, on_a.view(), on_b.view(), 0.75, on_c.view());

        const double bound = 4 * kEps * static_cast<double>((k + 2) * (k + 2));
        EXPECT_LE(largest_difference(on_c.get(), naive_gemm(op_a, op_b, -1.5, a, b, 0.75, c)),
                  bound);
        EXPECT_TRUE(on_c.margin_intact());
      }
    }
  }
}

// The same in float, whose entries live in matrices of double.
TYPED_TEST_P(BackendConformance, GemmInFloatMatchesLongDouble) {
  auto be = TypeParam::make();
  using Be = decltype(be);
  struct Floats {
    Be& be;
    typename Be::Matrix memory;
    MatrixView<float> view;
    Floats(Be& backend, const HostMatrix& m)
        : be(backend),
          memory(be.matrix(((m.rows + 3) * m.cols + 1) / 2, 1)),
          view{reinterpret_cast<float*>(memory.view().data), m.rows, m.cols, m.rows + 3} {
      const Guarded wide(be, m);
      be.launch({m.rows, m.cols}, conformance::Convert<double, float>{wide.view(), view});
    }
    HostMatrix get() const {
      const Guarded wide(be, view.rows, view.cols);
      be.launch({view.rows, view.cols}, conformance::Convert<float, double>{view, wide.view()});
      return wide.get();
    }
  };
  const std::vector<GemmShape> shapes = {{1, 1, 1}, {25, 3, 5000}, {257, 1, 31},  {40, 1, 257},
                                         {5, 6, 0}, {0, 3, 4},     {130, 129, 67}};
  for (const auto& [m, n, k] : shapes) {
    for (const Op op_a : {Op::none, Op::transpose}) {
      for (const Op op_b : {Op::none, Op::transpose}) {
        const Floats a(be, op_a == Op::none ? random_matrix(m, k, 4) : random_matrix(k, m, 4));
        const Floats b(be, op_b == Op::none ? random_matrix(k, n, 5) : random_matrix(n, k, 5));
        const Floats c(be, random_matrix(m, n, 6));
        const HostMatrix exact = naive_gemm(op_a, op_b, -1.5, a.get(), b.get(), 0.75, c.get());

        be.gemm(op_a, op_b, -1.5, a.view, b.view, 0.75, c.view);

        const double bound = 4 * 0x1p-24 * static_cast<double>(k + 2);
        EXPECT_LE(largest_difference(c.get(), exact), bound) << m << " " << n << " " << k;
      }
    }
  }
}

TYPED_TEST_P(BackendConformance, BetaZeroForgetsWhatStoodThere) {
  auto be = TypeParam::make();
  const HostMatrix a = random_matrix(9, 4, 7);
  HostMatrix nan(9, 9);
  std::fill(nan.values.begin(), nan.values.end(), std::nan(""));
  const Guarded on_a(be, a), product(be, nan), square(be, nan), column(be, nan);

  be.gemm(Op::none, Op::transpose, 1.0, on_a.view(), on_a.view(), 0.0, product.view());
  be.syrk(Op::none, 1.0, on_a.view(), 0.0, square.view());
  be.gemm(Op::none, Op::none, 1.0, on_a.view(), on_a.view().block(0, 0, 4, 1), 0.0,
          column.view().col(0));

  const HostMatrix exact = naive_gemm(Op::none, Op::transpose, 1.0, a, a, 0.0, HostMatrix(9, 9));
  EXPECT_LE(largest_difference(product.get(), exact), 16 * kEps);
  EXPECT_LE(largest_difference(square.get(), exact), 16 * kEps);
  for (Index i = 0; i < 9; ++i) EXPECT_FALSE(std::isnan(column.get()(i, 0)));
}

TYPED_TEST_P(BackendConformance, SyrkFillsBothTrianglesAlike) {
  auto be = TypeParam::make();
  for (const Index n : {1, 31, 129}) {
    for (const Index k : {1, 67}) {
      for (const Op op : {Op::none, Op::transpose}) {
        const HostMatrix a = op == Op::none ? random_matrix(n, k, 8) : random_matrix(k, n, 8);
        HostMatrix c = random_matrix(n, n, 9), symmetric(n, n);
        for (Index j = 0; j < n; ++j) {
          for (Index i = 0; i < n; ++i) symmetric(i, j) = c(std::max(i, j), std::min(i, j));
          for (Index i = 0; i < j; ++i) c(i, j) = std::nan("");  // beta reads the lower triangle
        }
        const Guarded on_a(be, a), on_c(be, c);

        be.syrk(op, 2.0, on_a.view(), -0.5, on_c.view());

        const HostMatrix got = on_c.get();
        const Op other = op == Op::none ? Op::transpose : Op::none;
        EXPECT_LE(largest_difference(got, naive_gemm(op, other, 2.0, a, a, -0.5, symmetric)),
                  4 * kEps * static_cast<double>((k + 2) * (k + 2)));
        for (Index j = 0; j < n; ++j) {
          for (Index i = 0; i < j; ++i) ASSERT_EQ(got(i, j), got(j, i));
        }
        EXPECT_TRUE(on_c.margin_intact());
      }
    }
  }
}

TYPED_TEST_P(BackendConformance, PotrfReproducesItsInputAndClearsTheUpperTriangle) {
  auto be = TypeParam::make();
  const auto info = be.slots(1);
  for (const Index n : {1, 31, 129}) {
    const HostMatrix spd = random_spd(n, 10);
    const Guarded a(be, spd);

    be.potrf(a.view(), info[0]);

    EXPECT_EQ(this->read(be, info[0]), 0.0);
    const HostMatrix l = a.get();
    EXPECT_EQ(lower_of(l).values, l.values);
    const HostMatrix back = naive_gemm(Op::none, Op::transpose, 1.0, l, l, 0.0, HostMatrix(n, n));
    EXPECT_LE(largest_difference(back, spd), 8 * kEps * static_cast<double>(n));
    EXPECT_TRUE(a.margin_intact());
  }
}

TYPED_TEST_P(BackendConformance, PotrfNamesTheFirstBadMinor) {
  auto be = TypeParam::make();
  const auto info = be.slots(1);
  for (const Index n : {5, 129}) {
    for (const Index bad : {Index{1}, Index{4}, n}) {
      HostMatrix m = random_spd(n, 11);
      m(bad - 1, bad - 1) = -1.0;
      const Guarded a(be, m);

      be.potrf(a.view(), info[0]);

      EXPECT_EQ(this->read(be, info[0]), static_cast<double>(bad));
      EXPECT_TRUE(a.margin_intact());
    }
  }
}

TYPED_TEST_P(BackendConformance, TrsmSolvesOnBothSides) {
  auto be = TypeParam::make();
  for (const Index n : {1, 31, 129}) {
    HostMatrix l = lower_of(random_spd(n, 12));
    HostMatrix stored = l;
    for (Index j = 0; j < n; ++j) {
      for (Index i = 0; i < j; ++i) stored(i, j) = std::nan("");  // never read
    }
    const Guarded on_l(be, stored);
    for (const Side side : {Side::left, Side::right}) {
      for (const Op op : {Op::none, Op::transpose}) {
        const HostMatrix b = side == Side::left ? random_matrix(n, 9, 13) : random_matrix(9, n, 13);
        const Guarded on_b(be, b);

        be.trsm(side, op, on_l.view(), on_b.view());

        const HostMatrix x = on_b.get();
        const HostMatrix back = side == Side::left ? naive_gemm(op, Op::none, 1.0, l, x, 0.0, b)
                                                   : naive_gemm(Op::none, op, 1.0, x, l, 0.0, b);
        EXPECT_LE(largest_difference(back, b), 64 * kEps * static_cast<double>(n));
        EXPECT_TRUE(on_b.margin_intact());
      }
    }
  }
}

TYPED_TEST_P(BackendConformance, PotrsSolvesTheFactoredSystem) {
  auto be = TypeParam::make();
  const auto info = be.slots(1);
  for (const Index n : {1, 31, 129}) {
    const HostMatrix spd = random_spd(n, 14), b = random_matrix(n, 3, 15);
    const Guarded a(be, spd), x(be, b);

    be.potrf(a.view(), info[0]);
    be.potrs(a.view(), x.view());

    const HostMatrix back = naive_gemm(Op::none, Op::none, 1.0, spd, x.get(), 0.0, b);
    EXPECT_LE(largest_difference(back, b), 64 * kEps * static_cast<double>(n));
    EXPECT_TRUE(x.margin_intact());
  }
}

// Checks A V = V diag(w), V'V = I and the order of w; vectors of repeated eigenvalues are not
// unique, these conditions are.
inline void expect_eigenpairs(const HostMatrix& a, const HostMatrix& v,
                              const std::vector<double>& w) {
  const Index n = a.rows;
  double norm = 0;
  for (const double x : w) norm = std::max(norm, std::abs(x));
  HostMatrix scaled = v, unit(n, n);
  for (Index j = 0; j < n; ++j) {
    unit(j, j) = 1.0;
    for (Index i = 0; i < n; ++i) scaled(i, j) *= w[static_cast<std::size_t>(j)];
  }
  const double tolerance = 16 * kEps * static_cast<double>(n);
  EXPECT_TRUE(std::is_sorted(w.begin(), w.end()));
  EXPECT_LE(largest_difference(naive_gemm(Op::none, Op::none, 1.0, a, v, 0.0, a), scaled),
            tolerance * norm);
  EXPECT_LE(largest_difference(naive_gemm(Op::transpose, Op::none, 1.0, v, v, 0.0, a), unit),
            tolerance);
}

TYPED_TEST_P(BackendConformance, SyevdDiagonalisesWhateverTheSpectrum) {
  auto be = TypeParam::make();
  for (const Index n : {1, 2, 31, 129}) {
    HostMatrix random = random_matrix(n, n, 16), repeated(n, n), zero(n, n);
    for (Index j = 0; j < n; ++j) {
      repeated(j, j) = j % 3 == 0 ? 2.0 : -1.0;
      for (Index i = 0; i < j; ++i) random(i, j) = random(j, i);
    }
    for (const HostMatrix& symmetric : {random, repeated, zero}) {
      HostMatrix stored = symmetric;
      for (Index j = 0; j < n; ++j) {
        for (Index i = 0; i < j; ++i) stored(i, j) = std::nan("");  // the lower one is read
      }
      const Guarded vectors(be, stored), values_only(be, stored);
      const auto slots = be.slots(2 * n + 3);
      const Slot values = slots[1], info = slots[0], again = slots[n + 2];

      be.syevd(vectors.view(), values, info);
      be.eigenvalues(values_only.view(), again, slots[n + 1]);

      const auto w = this->read(be, values, n), w2 = this->read(be, again, n);
      EXPECT_EQ(this->read(be, info), 0.0);
      EXPECT_EQ(this->read(be, slots[n + 1]), 0.0);
      EXPECT_EQ(this->read(be, slots[2 * n + 2]), 0.0);  // not ours to write
      expect_eigenpairs(symmetric, vectors.get(), w);
      for (std::size_t k = 0; k < w.size(); ++k) {
        EXPECT_NEAR(w[k], w2[k], 16 * kEps * static_cast<double>(n * n));
      }
      EXPECT_TRUE(vectors.margin_intact());
      EXPECT_TRUE(values_only.margin_intact());
    }
  }
}

TYPED_TEST_P(BackendConformance, GathersThroughIndices) {
  auto be = TypeParam::make();
  const HostMatrix table = random_matrix(7, 3, 17);
  const std::vector<std::int32_t> rows{6, 0, 3, 3, 5};
  const Guarded from(be, table), to(be, HostMatrix(5, 3));
  auto indices = be.indices(8);
  be.upload(rows, indices);

  be.launch({5, 3}, conformance::Gather{indices.view(), from.view(), to.view()});

  const HostMatrix got = to.get();
  for (Index j = 0; j < 3; ++j) {
    for (Index k = 0; k < 5; ++k) EXPECT_EQ(got(k, j), table(rows[static_cast<std::size_t>(k)], j));
  }
}

// A recording reads slots when it is replayed, and everything else as it was when recorded.
TYPED_TEST_P(BackendConformance, ReplaysSurviveAChangeOfSlotAndOfData) {
  auto be = TypeParam::make();
  const auto slots = be.slots(4);
  const HostMatrix low = lower_of(random_spd(6, 18)), m = random_matrix(6, 6, 19);
  const Guarded a(be, m), b(be, HostMatrix(6, 6)), l(be, low), x(be, m);
  const auto body = [&] {
    be.launch({6, 6}, conformance::Scale{a.view(), slots[0]});
    be.gemm(Op::none, Op::transpose, 1.0, a.view(), a.view(), 0.0, b.view());
    be.sum({6, 6}, conformance::Quadratic{a.view()}, slots[1]);
    be.trsm(Side::left, Op::none, l.view(), x.view());
    be.syrk(Op::none, 1.0, x.view(), 0.0, b.view());
  };
  const auto segment = be.record(body);
  HostMatrix scaled = m;

  for (const double factor : {2.0, -0.5}) {
    be.upload(std::vector<double>{factor}, slots[0]);
    be.upload(m.values, x.view());
    segment.replay();

    for (double& v : scaled.values) v *= factor;
    EXPECT_EQ(a.get().values, scaled.values);
    const HostMatrix back = naive_gemm(Op::none, Op::none, 1.0, low, x.get(), 0.0, m);
    EXPECT_LE(largest_difference(back, m), 256 * kEps);
  }
}

TYPED_TEST_P(BackendConformance, ABodyThatThrowsLeavesTheBackendUsable) {
  auto be = TypeParam::make();
  const Guarded a(be, HostMatrix(3, 3));
  const auto body = [&] {
    be.launch({3, 3}, conformance::AddPosition{a.view()});
    throw std::runtime_error("planted");
  };

  EXPECT_THROW(be.record(body).replay(), std::runtime_error);

  be.upload(HostMatrix(3, 3).values, a.view());
  be.launch({3, 3}, conformance::AddPosition{a.view()});
  EXPECT_EQ(a.get()(2, 1), conformance::position(2, 1));
}

// Freivalds: with random x, C x = A (B x) up to rounding, for sizes too large for three loops.
TYPED_TEST_P(BackendConformance, LargeProductsPassAProbe) {
  auto be = TypeParam::make();
  const Index n = 1000;
  const HostMatrix a = random_matrix(n, n, 20), b = random_matrix(n, n, 21);
  const HostMatrix x = random_matrix(n, 1, 22), zero(n, 1);
  const Guarded on_a(be, a), on_b(be, b), c(be, n, n), square(be, n, n);

  be.gemm(Op::none, Op::none, 1.0, on_a.view(), on_b.view(), 0.0, c.view());
  be.syrk(Op::transpose, 1.0, on_a.view(), 0.0, square.view());

  const auto times = [&](Op op, const HostMatrix& m, const HostMatrix& v) {
    return naive_gemm(op, Op::none, 1.0, m, v, 0.0, zero);
  };
  // n eps times the largest possible n^(3/2) / 2; observed errors are a thousand times smaller.
  const double bound = kEps * 1e3 * 2e4;
  EXPECT_LE(
      largest_difference(times(Op::none, c.get(), x), times(Op::none, a, times(Op::none, b, x))),
      bound);
  EXPECT_LE(largest_difference(times(Op::none, square.get(), x),
                               times(Op::transpose, a, times(Op::none, a, x))),
            bound);
  EXPECT_TRUE(c.margin_intact());
  EXPECT_TRUE(square.margin_intact());
}

// Each task squares its block through the scratch of its lane; blocks do not meet.
TYPED_TEST_P(BackendConformance, ConcurrentTasksRunOnceAndOwnTheScratchOfTheirLane) {
  auto be = TypeParam::make();
  const Index order = 20;
  ASSERT_GE(be.lanes(), 1);
  const auto scratch = be.matrix(order, order * be.lanes());
  for (const Index count : {0, 1, 2, 37}) {
    const HostMatrix m = random_matrix(order, order * count, 31);
    Guarded in(be, m), out(be, HostMatrix(order, order * count));

    be.concurrently(count, [&](Index k, Index lane, auto& on) {
      const auto block = in.view().block(0, k * order, order, order);
      const auto mine = scratch.view().block(0, lane * order, order, order);
      on.gemm(Op::none, Op::none, 1.0, block, block, 0.0, mine);
      on.launch({order, order}, conformance::AddPosition{mine});
      on.gemm(Op::none, Op::none, 1.0, mine, block, 1.0,
              out.view().block(0, k * order, order, order));
    });

    const HostMatrix got = out.get();
    for (Index k = 0; k < count; ++k) {
      HostMatrix block(order, order), sum(order, order), result(order, order);
      for (Index j = 0; j < order; ++j) {
        for (Index i = 0; i < order; ++i) {
          block(i, j) = m(i, k * order + j);
          sum(i, j) = conformance::position(i, j);
          result(i, j) = got(i, k * order + j);
        }
      }
      const HostMatrix square = naive_gemm(Op::none, Op::none, 1.0, block, block, 1.0, sum);
      const HostMatrix cube = naive_gemm(Op::none, Op::none, 1.0, square, block, 0.0, square);
      EXPECT_LE(largest_difference(result, cube), 1e-11) << k;
    }
    EXPECT_TRUE(out.margin_intact());
  }
}

REGISTER_TYPED_TEST_SUITE_P(BackendConformance, StorageStartsAtZero, UploadAndFetchKeepStrides,
                            LaunchVisitsEveryEntryOnce, SumsMatchLongDoubleAndRepeat,
                            ColumnSumsMatchLongDoubleAndRepeat, TeamsKnowTheirColumns,
                            TheMaximumOfAColumnWithNaNIsNaN, GemmMatchesLongDouble,
                            GemmInFloatMatchesLongDouble, BetaZeroForgetsWhatStoodThere,
                            SyrkFillsBothTrianglesAlike,
                            PotrfReproducesItsInputAndClearsTheUpperTriangle,
                            PotrfNamesTheFirstBadMinor, TrsmSolvesOnBothSides,
                            PotrsSolvesTheFactoredSystem, SyevdDiagonalisesWhateverTheSpectrum,
                            GathersThroughIndices, ReplaysSurviveAChangeOfSlotAndOfData,
                            ABodyThatThrowsLeavesTheBackendUsable, LargeProductsPassAProbe,
                            ConcurrentTasksRunOnceAndOwnTheScratchOfTheirLane);

}  // namespace relulift::testing
