// SPDX-License-Identifier: Apache-2.0
// The Gram pass against loops over all pairs, on any backend. One suite for all of them, with the
// factories of backend_conformance.hpp.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "src/core/random.hpp"
#include "src/solvers/gram_pass.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/guarded.hpp"

namespace relulift::testing {

struct GramCase {
  Index samples, rank;
  GramShape shape;
};

// Tiles that divide nothing, that are larger than everything, an even and an odd number of blocks,
// a last block of one row, pairs (alpha_i, beta_i) inside diagonal tiles, columns in one piece and
// in several.
inline const std::vector<GramCase> kGramCases = {
    {1, 1, {}},       {1, 3, {1, 1}},      {2, 1, {3, 3}},  {3, 8, {4, 4}},    {7, 2, {5, 7}},
    {20, 1, {8, 24}}, {20, 9, {13, 4}},    {37, 3, {8, 8}}, {37, 5, {50, 64}}, {40, 3, {20, 2}},
    {150, 4, {}},     {150, 70, {64, 32}}, {150, 130, {}}};

// K, W, directions and what the loops make of them. W is symmetric, nonnegative, zero on the pairs
// of one sample and on a third of the rest.
struct GramData {
  Index n, order, rank;
  double sigma = 0.7;
  HostMatrix K, D, E, W;

  GramData(Index samples, Index r, bool multipliers)
      : n(samples),
        order(2 * samples),
        rank(r),
        K(order, r),
        D(random_matrix(order, r, 12)),
        E(random_matrix(order, r, 13)),
        W(order, order) {
    Random random(static_cast<std::uint64_t>(order + r));
    for (double& x : K.values) x = 2 * random.uniform() - 1;  // no zeros: no entry at its kink
    for (Index q = 0; q < order && multipliers; ++q) {
      for (Index p = 0; p <= q; ++p) {
        const double w = std::max(0.0, 1.5 * random.uniform() - 0.5) * std::sqrt(double(r));
        W(p, q) = W(q, p) = pair(p, q) ? 0.0 : w;
      }
    }
  }

  bool pair(Index p, Index q) const { return p - q == n || q - p == n; }
  static double dot(const HostMatrix& a, Index p, const HostMatrix& b, Index q) {
    long double sum = 0;
    for (Index k = 0; k < a.cols; ++k) sum += static_cast<long double>(a(p, k)) * b(q, k);
    return static_cast<double>(sum);
  }
  double multiplier(Index p, Index q) const {
    return pair(p, q) ? 0.0 : std::max(0.0, W(p, q) - sigma * dot(K, p, K, q));
  }
  HostMatrix multipliers() const {
    HostMatrix m(order, order);
    for (Index q = 0; q < order; ++q) {
      for (Index p = 0; p < order; ++p) m(p, q) = multiplier(p, q);
    }
    return m;
  }
  double objective() const {
    long double sum = 0;
    for (const double m : multipliers().values) sum += static_cast<long double>(m) * m;
    return static_cast<double>(sum / (2 * sigma));
  }
  static HostMatrix times(const HostMatrix& a, const HostMatrix& v) {
    HostMatrix out(a.rows, v.cols);
    for (Index j = 0; j < v.cols; ++j) {
      for (Index p = 0; p < a.rows; ++p) {
        long double sum = 0;
        for (Index q = 0; q < a.cols; ++q) sum += static_cast<long double>(a(p, q)) * v(q, j);
        out(p, j) = static_cast<double>(sum);
      }
    }
    return out;
  }
  HostMatrix hessian() const {
    const HostMatrix m = multipliers();
    HostMatrix change(order, order), out = times(m, D);
    for (Index q = 0; q < order; ++q) {
      for (Index p = 0; p < order; ++p) {
        if (m(p, q) > 0) change(p, q) = -sigma * (dot(K, p, D, q) + dot(D, p, K, q));
      }
    }
    const HostMatrix more = times(change, K);
    for (std::size_t k = 0; k < out.values.size(); ++k) out.values[k] += more.values[k];
    return out;
  }
};

// Packed tiles; what belongs to no entry is NaN, so that its use is seen.
inline HostMatrix pack(const GramTiles& tiles, const HostMatrix& W) {
  HostMatrix packed(tiles.height(), tiles.columns());
  for (double& x : packed.values) x = std::numeric_limits<double>::quiet_NaN();
  for (Index p = 0; p < tiles.order(); ++p) {
    for (Index q = p / tiles.height() * tiles.height(); q < tiles.order(); ++q) {
      const auto at = tiles.place(p, q);
      packed(at.row, at.col) = W(p, q);
    }
  }
  return packed;
}

inline double inner_product(const HostMatrix& a, const HostMatrix& b) {
  long double sum = 0;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    sum += static_cast<long double>(a.values[k]) * b.values[k];
  }
  return static_cast<double>(sum);
}

// A pass and its data on a backend.
template <class B>
struct GramFixture {
  GramData host;
  GramPass<B> pass;
  Guarded<B> K, D, W, out;
  typename B::Slots slots;  // sigma, value
  B& be;
  bool stored;

  GramFixture(B& backend, const GramCase& c, bool multipliers)
      : host(c.samples, c.rank, multipliers),
        pass(backend, c.samples, c.rank, c.shape),
        K(backend, host.K),
        D(backend, host.D),
        W(backend, pack(pass.tiles(), host.W)),
        out(backend, host.order, host.rank),
        slots(backend.slots(2)),
        be(backend),
        stored(multipliers) {
    be.upload(std::array<double, 1>{host.sigma}, slots[0]);
  }
  GramPoint at() const {
    return {K.view(), slots[0], stored ? MatrixView<const double>(W.view()) : GramPoint{}.W};
  }
  double value() {
    std::array<double, 1> v{};
    be.fetch(slots[1], v);
    return v[0];
  }
  double objective() {
    pass.objective(at(), slots[1]);
    return value();
  }
  HostMatrix gradient() {
    pass.gradient(at(), out.view());
    return out.get();
  }
  HostMatrix hessian(const HostMatrix& direction) {
    D.put(direction);
    pass.hessian(at(), D.view(), out.view());
    return out.get();
  }
  bool margins_intact() const {
    return K.margin_intact() && D.margin_intact() && W.margin_intact() && out.margin_intact();
  }
};

template <class Factory>
class GramPassConformance : public ConformanceTest<Factory> {
 protected:
  using B = typename Factory::Type;

  // body(fixture) for every case, with and without multipliers.
  template <class Body>
  static void for_each_case(const Body& body) {
    B be = Factory::make();
    for (const GramCase& c : kGramCases) {
      for (const bool multipliers : {false, true}) {
        SCOPED_TRACE("n = " + std::to_string(c.samples) + ", rank " + std::to_string(c.rank) +
                     ", tile " + std::to_string(c.shape.height) + (multipliers ? ", W" : ", no W"));
        GramFixture<B> f(be, c, multipliers);
        body(f);
        EXPECT_TRUE(f.margins_intact());
      }
    }
  }
  // Sums of 2n products of entries, each of r products, all factors of size one or r: the error of
  // any order of summation, with room.
  static void expect_near(const HostMatrix& got, const HostMatrix& expected, Index terms) {
    double size = 1;
    for (const double x : expected.values) size = std::max(size, std::abs(x));
    ASSERT_EQ(got.values.size(), expected.values.size());
    for (std::size_t k = 0; k < got.values.size(); ++k) {
      ASSERT_NEAR(got.values[k], expected.values[k], 1e-14 * size * static_cast<double>(terms + 10))
          << k;
    }
  }
};

TYPED_TEST_SUITE_P(GramPassConformance);

TYPED_TEST_P(GramPassConformance, GradientMatchesTheLoops) {
  this->for_each_case([&](auto& f) {
    const HostMatrix expected = GramData::times(f.host.multipliers(), f.host.K);

    this->expect_near(f.gradient(), expected, f.host.order);
  });
}

TYPED_TEST_P(GramPassConformance, ObjectiveMatchesTheLoopsAloneAndWithTheGradient) {
  this->for_each_case([&](auto& f) {
    const double expected = f.host.objective();
    const HostMatrix gradient = f.gradient();

    const double alone = f.objective();
    f.pass.objective_and_gradient(f.at(), f.slots[1], f.out.view());

    EXPECT_NEAR(alone, expected, 1e-13 * (1 + expected));
    EXPECT_NEAR(f.value(), alone, 1e-14 * (1 + expected));  // another order of summation
    EXPECT_EQ(f.out.get().values, gradient.values);
  });
}

TYPED_TEST_P(GramPassConformance, HessianProductMatchesTheLoops) {
  this->for_each_case(
      [&](auto& f) { this->expect_near(f.hessian(f.host.D), f.host.hessian(), 2 * f.host.order); });
}

TYPED_TEST_P(GramPassConformance, HessianProductIsSymmetric) {
  this->for_each_case([&](auto& f) {
    const double left = inner_product(f.host.E, f.hessian(f.host.D));
    const double right = inner_product(f.host.D, f.hessian(f.host.E));

    EXPECT_NEAR(left, right, 1e-12 * (1 + std::abs(left)) * static_cast<double>(f.host.order));
  });
}

// Steps of 1e-5: the error of a central difference is of order 1e-10, rounding of order 1e-11. An
// entry whose sign changes within a step adds at most the square of the step.
TYPED_TEST_P(GramPassConformance, GradientIsTheSlopeOfTheObjective) {
  this->for_each_case([&](auto& f) {
    const double step = 1e-5;
    const double slope = -2 * inner_product(f.gradient(), f.host.D);
    double value[2];
    for (const int side : {0, 1}) {
      HostMatrix moved = f.host.K;
      for (std::size_t k = 0; k < moved.values.size(); ++k) {
        moved.values[k] += (side == 0 ? -step : step) * f.host.D.values[k];
      }
      f.K.put(moved);
      value[side] = f.objective();
    }

    EXPECT_NEAR((value[1] - value[0]) / (2 * step), slope, 1e-7 * (1 + std::abs(value[0])));
  });
}

// The same, but an entry whose sign changes within a step counts in full. Among the few of the
// small cases there is none.
TYPED_TEST_P(GramPassConformance, HessianProductIsTheSlopeOfTheGradient) {
  this->for_each_case([&](auto& f) {
    if (f.host.n > 40) return;
    const double step = 1e-6;
    const HostMatrix product = f.hessian(f.host.D);
    std::vector<HostMatrix> moved_gradient;
    for (const double t : {-step, step}) {
      HostMatrix moved = f.host.K;
      for (std::size_t k = 0; k < moved.values.size(); ++k) {
        moved.values[k] += t * f.host.D.values[k];
      }
      f.K.put(moved);
      moved_gradient.push_back(f.gradient());
    }

    for (std::size_t k = 0; k < product.values.size(); ++k) {
      const double slope = (moved_gradient[1].values[k] - moved_gradient[0].values[k]) / (2 * step);
      ASSERT_NEAR(slope, product.values[k], 1e-5 * static_cast<double>(f.host.order)) << k;
    }
  });
}

TYPED_TEST_P(GramPassConformance, UpdateStoresTheMultipliersForTheProduct) {
  this->for_each_case([&](auto& f) {
    const HostMatrix expected = f.host.multipliers();
    f.pass.apply(f.at(), f.D.view(), f.out.view());
    const HostMatrix unstored = f.out.get();

    f.pass.update(f.K.view(), f.slots[0], f.W.view());
    f.pass.product(f.W.view(), f.D.view(), f.out.view());

    const HostMatrix packed = f.W.get(), wanted = pack(f.pass.tiles(), expected);
    for (std::size_t k = 0; k < packed.values.size(); ++k) {
      if (std::isnan(wanted.values[k])) {
        ASSERT_TRUE(std::isnan(packed.values[k])) << k;
      } else {
        ASSERT_NEAR(packed.values[k], wanted.values[k],
                    1e-14 * static_cast<double>(f.host.rank + 10))
            << k;
      }
    }
    EXPECT_EQ(f.out.get().values, unstored.values);
    this->expect_near(unstored, GramData::times(expected, f.host.D), f.host.order);
  });
}

TYPED_TEST_P(GramPassConformance, APairOfOneSampleIsLeftOutWhateverItsMultiplier) {
  auto be = TypeParam::make();
  GramFixture<typename TypeParam::Type> f(be, {20, 3, {8, 24}}, true);
  const HostMatrix expected = f.gradient();
  HostMatrix W = f.host.W;
  for (Index i = 0; i < f.host.n; ++i) W(i, i + f.host.n) = W(i + f.host.n, i) = 100.0;

  f.W.put(pack(f.pass.tiles(), W));

  EXPECT_EQ(f.gradient().values, expected.values);
}

TYPED_TEST_P(GramPassConformance, NoSamplesAreNoWork) {
  auto be = TypeParam::make();
  GramFixture<typename TypeParam::Type> f(be, {0, 3, {}}, false);

  EXPECT_EQ(f.objective(), 0.0);
  EXPECT_TRUE(f.gradient().values.empty());
}

// sigma is a slot and the shape of the work depends on sizes alone.
TYPED_TEST_P(GramPassConformance, ARecordingSeesLaterPenaltiesAndPoints) {
  auto be = TypeParam::make();
  GramFixture<typename TypeParam::Type> f(be, {37, 5, {13, 30}}, true);
  const auto both =
      be.record([&] { f.pass.objective_and_gradient(f.at(), f.slots[1], f.out.view()); });
  f.host.sigma = 1.9;
  f.host.K = f.host.E;

  be.upload(std::array<double, 1>{f.host.sigma}, f.slots[0]);
  f.K.put(f.host.K);
  both.replay();

  EXPECT_NEAR(f.value(), f.host.objective(), 1e-13 * (1 + f.host.objective()));
  this->expect_near(f.out.get(), GramData::times(f.host.multipliers(), f.host.K), f.host.order);
}

REGISTER_TYPED_TEST_SUITE_P(GramPassConformance, GradientMatchesTheLoops,
                            ObjectiveMatchesTheLoopsAloneAndWithTheGradient,
                            HessianProductMatchesTheLoops, HessianProductIsSymmetric,
                            GradientIsTheSlopeOfTheObjective, HessianProductIsTheSlopeOfTheGradient,
                            UpdateStoresTheMultipliersForTheProduct,
                            APairOfOneSampleIsLeftOutWhateverItsMultiplier, NoSamplesAreNoWork,
                            ARecordingSeesLaterPenaltiesAndPoints);

}  // namespace relulift::testing
