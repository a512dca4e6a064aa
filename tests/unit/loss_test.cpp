// SPDX-License-Identifier: Apache-2.0
// Losses against their definitions, differences and brute force; labels refused.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <relulift/error.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "tests/support/loss_conformance.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {

// Named, not anonymous: the names of the tests carry them.
template <int threads>
struct LossCpu {
  using Type = CpuBackend;
  static Type make() { return CpuBackend(threads); }
  static std::string unavailable() { return {}; }
  static bool required() { return true; }
};

namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(CpuSerial, LossConformance, LossCpu<1>);
INSTANTIATE_TYPED_TEST_SUITE_P(CpuThreads, LossConformance, LossCpu<5>);

using Row = std::vector<double>;

template <class T>
kernels::RowView<T> view(std::vector<T>& row) {
  return {row.data(), 1};
}
HostMatrix as_matrix(const Row& row) {
  HostMatrix m(1, static_cast<Index>(row.size()));
  m.values = row;
  return m;
}
long double naive(Loss loss, const Row& f, const Row& y) {
  return naive_row_loss(loss, as_matrix(f), as_matrix(y), 0);
}
double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}
Row moved(Row f, std::size_t k, double by) {
  f[k] += by;
  return f;
}

// One row of a loss on so many outputs, in double.
struct OneRow {
  Loss loss;
  Index c;
  Row y;
  template <class Body>
  auto with(const Body& body) const {
    return with_row_loss<double>(loss, c, kDelta, body);
  }
  Row gradient(Row f) const {
    Row out(f.size()), target = y;
    with([&](const auto& l) { l.gradient(view(f), view(target), c, view(out)); });
    return out;
  }
  Row prox(Row z, double rho) const {
    Row out(z.size()), target = y;
    with([&](const auto& l) { l.prox(view(z), view(target), c, rho, view(out)); });
    return out;
  }
  double conjugate(Row u, double t = 1.0) const {
    Row target = y;
    return with([&](const auto& l) { return l.conjugate(t, view(u), view(target), c); });
  }
  double value(Row f) const {
    Row target = y;
    return with([&](const auto& l) { return l.value(view(f), view(target), c); });
  }
};

// body(row, random) for every loss on 1, 2 and 5 outputs, many times.
template <class Body>
void for_random_rows(const Body& body) {
  for (const Loss loss : kLosses) {
    for (const Index c : {1, 2, 5}) {
      SCOPED_TRACE(std::string(to_string(loss)) + ", outputs " + std::to_string(c));
      Random random(static_cast<std::uint64_t>(c) + 10 * static_cast<std::uint64_t>(loss));
      for (std::uint64_t k = 0; k < 60; ++k)
        body(OneRow{loss, c, loss_targets(loss, 1, c, k).values}, random);
    }
  }
}
Row random_row(Random& random, Index c, double size) {
  Row row(static_cast<std::size_t>(c));
  for (double& x : row) x = size * (2 * random.uniform() - 1);
  return row;
}

// A kink within the step has probability 1e-5 per draw, and the seeds are fixed.
TEST(Loss, GradientIsTheSlopeOfItsDefinition) {
  for_random_rows([](const OneRow& row, Random& random) {
    const Row f = random_row(random, row.c, 3);
    const Row gradient = row.gradient(f);

    const double h = 1e-5;
    for (std::size_t k = 0; k < f.size(); ++k) {
      const auto slope =
          (naive(row.loss, moved(f, k, h), row.y) - naive(row.loss, moved(f, k, -h), row.y)) /
          (2 * h);
      ASSERT_NEAR(gradient[k], slope, 1e-8);
    }
  });
}

// Convex in f: a point that no one-sided slope along an axis leads down from is the minimum where
// the kinks are those of single entries, and all of them here are.
TEST(Loss, ProxSatisfiesTheConditionsOfOptimality) {
  for_random_rows([](const OneRow& row, Random& random) {
    const double rho = std::exp(4 * (2 * random.uniform() - 1));
    const Row z = random_row(random, row.c, 4);
    const Row p = row.prox(z, rho);

    const double h = 1e-6;
    for (std::size_t k = 0; k < p.size(); ++k) {
      const auto here = naive(row.loss, p, row.y);
      const auto right = (naive(row.loss, moved(p, k, h), row.y) - here) / h;
      const auto left = (here - naive(row.loss, moved(p, k, -h), row.y)) / h;
      ASSERT_LE(left - 2e-6, rho * (z[k] - p[k]));
      ASSERT_GE(right + 2e-6, rho * (z[k] - p[k]));
    }
  });
}

double golden_section(double low, double high, const std::function<long double(double)>& f) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  while (high - low > 1e-9) {
    const double a = high - ratio * (high - low), b = low + ratio * (high - low);
    (f(a) < f(b) ? high : low) = f(a) < f(b) ? b : a;
  }
  return 0.5 * (low + high);
}

TEST(Loss, ProxOfOneOutputIsTheMinimumThatAGoldenSectionFinds) {
  for_random_rows([](const OneRow& row, Random& random) {
    if (row.c != 1) return;
    const double rho = std::exp(3 * (2 * random.uniform() - 1)), z = random_row(random, 1, 4)[0];

    const double found = golden_section(-60, 60, [&](double f) -> long double {
      const long double off = static_cast<long double>(f) - z;
      return naive(row.loss, {f}, row.y) + rho / 2 * off * off;
    });

    ASSERT_NEAR(row.prox({z}, rho)[0], found, 2e-7);
  });
}

TEST(Loss, ProxOfSmoothLossesCancelsTheGradientToRounding) {
  for (const Index c : {1, 2, 5, 40}) {
    Random random(static_cast<std::uint64_t>(c));
    for (const double rho : {1e-10, 1e-3, 1.0, 1e3, 1e10}) {
      for (const double size : {0.0, 1.0, 40.0, 1e4}) {
        SCOPED_TRACE(std::to_string(c) + " " + std::to_string(rho) + " " + std::to_string(size));
        const OneRow row{Loss::logistic, c, loss_targets(Loss::logistic, 1, c, 7).values};
        const Row z = random_row(random, c, size);

        const Row p = row.prox(z, rho), gradient = row.gradient(p);

        double largest = 0;  // the gradient cannot see less than the rounding of p
        for (const double x : p) largest = std::max(largest, std::abs(x));
        for (std::size_t k = 0; k < p.size(); ++k) {
          const double moved_by = rho * (p[k] - z[k]);
          const double tolerance = 1e-14 * (1 + rho * std::abs(z[k])) + 4e-16 * largest;
          ASSERT_NEAR(gradient[k] + moved_by, 0, tolerance) << k;
        }
      }
    }
  }
}

// 1e6 away the exponentials are 0 or infinite; the loss is linear there, or 0.
TEST(Loss, LogisticLossesDoNotOverflow) {
  const OneRow binary{Loss::logistic, 1, {-1}}, classes{Loss::logistic, 3, {0, 1, 0}};

  EXPECT_EQ(binary.value({1e6}), 1e6);
  EXPECT_EQ(binary.value({-1e6}), 0);
  EXPECT_NEAR(binary.value({-40}) / std::exp(-40.0), 1, 1e-14);
  EXPECT_EQ(classes.value({1e6, 0, -1e6}), 1e6);
  EXPECT_NEAR(classes.value({0, 40, -1e6}) / std::exp(-40.0), 1, 1e-14);
  EXPECT_EQ(binary.gradient({1e6}), Row{1});
  EXPECT_EQ(classes.gradient({1e6, 0, -1e6}), (Row{1, -1, 0}));
}

// A point of the domain of L*: the gradient at a random point, shortened.
TEST(Loss, FenchelYoungHoldsOnTheWholeDomainWithEqualityAtTheGradient) {
  for_random_rows([](const OneRow& row, Random& random) {
    const Row f = random_row(random, row.c, 4), other = random_row(random, row.c, 4);
    const double t = random.uniform();
    Row u = row.gradient(f);

    const double at_gradient = row.conjugate(u);
    const double shortened = row.conjugate(u, t);

    const auto value = static_cast<double>(naive(row.loss, f, row.y));
    ASSERT_NEAR(value + at_gradient, dot(u, f), 1e-13);
    for (double& x : u) x *= t;
    ASSERT_TRUE(std::isfinite(shortened));
    ASSERT_GE(static_cast<double>(naive(row.loss, other, row.y)) + shortened + 1e-13,
              dot(u, other));
  });
}

// sup_f <u, f> - L(f) on a grid: never above, and near it.
TEST(Loss, ConjugateOfOneOutputIsTheSupremum) {
  for_random_rows([](const OneRow& row, Random& random) {
    if (row.c != 1) return;
    const double u =
        (0.05 + 0.9 * random.uniform()) * row.gradient({random_row(random, 1, 4)[0]})[0];
    long double best = -1e9;
    for (double f = -12; f < 12; f += 1e-3)
      best = std::max(best, u * f - naive(row.loss, {f}, row.y));

    ASSERT_NEAR(row.conjugate({u}), static_cast<double>(best), 1e-3);
    ASSERT_GE(row.conjugate({u}), static_cast<double>(best) - 1e-12);
  });
}

TEST(Loss, ConjugateIsInfiniteOutsideItsDomain) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double off = 1 + 1e-9;

  EXPECT_EQ((OneRow{Loss::absolute, 1, {3}}).conjugate({off}), infinity);
  EXPECT_EQ((OneRow{Loss::huber, 1, {3}}).conjugate({kDelta * off}), infinity);
  EXPECT_EQ((OneRow{Loss::hinge, 1, {1}}).conjugate({-off}), infinity);
  EXPECT_EQ((OneRow{Loss::hinge, 1, {-1}}).conjugate({-1e-9}), infinity);
  EXPECT_EQ((OneRow{Loss::logistic, 1, {-1}}).conjugate({off}), infinity);
  EXPECT_EQ((OneRow{Loss::logistic, 1, {1}}).conjugate({1e-9}), infinity);
  EXPECT_EQ((OneRow{Loss::logistic, 2, {1, 0}}).conjugate({-0.5, 0.4}), infinity);
  EXPECT_EQ((OneRow{Loss::logistic, 2, {1, 0}}).conjugate({1e-9, -1e-9}), infinity);
}

// [eq:loss-dual] with A = X alone and Omega(W) = sum_k ||W e_k||.
struct LinearProgram {
  Loss loss;
  Index n, c;
  double g;
  HostMatrix Y;
  Matrix X;

  double value(const Matrix& W) const {
    const Matrix f = X * W;
    const std::span<const double> flat(f.data(), static_cast<std::size_t>(f.size()));
    return loss_value(loss, flat, Y.values, n, c, kDelta) + g * W.colwise().norm().sum();
  }
  // Of E = -t grad L(f).
  double bound(Matrix f) const {
    return with_row_loss<double>(loss, c, kDelta, [&](const auto& row_loss) {
      using L = std::decay_t<decltype(row_loss)>;
      CpuBackend be(1);
      const MatrixView<double> E{f.data(), n, c, n};
      const MatrixView<const double> targets{Y.values.data(), n, c, n};
      be.launch({n, 1}, kernels::LossGradient<L>{row_loss, E, targets, E});
      f = -f;
      double t = g / std::max(g, (X.transpose() * f).colwise().norm().maxCoeff()), sum = 0;
      be.sum({n, 1}, kernels::LossBound<L>{row_loss, E, targets, Slot{&t}}, Slot{&sum});
      return sum;
    });
  }
};

// At the points of a random search that narrows. A third: no theorem, but the bound says something
// even for the losses whose subgradient is one of many.
TEST(Loss, BoundOfAScaledGradientIsBelowTheProgramEverywhere) {
  for (const Loss loss : kLosses) {
    for (const Index c : {1, 3}) {
      SCOPED_TRACE(std::string(to_string(loss)) + ", outputs " + std::to_string(c));
      Random random(9);
      const LinearProgram p{
          loss, 30, c, 2.0, loss_targets(loss, 30, c, 5), random_matrix(random, 30, 4)};
      Matrix best = Matrix::Zero(4, c);
      double bound = 0;

      for (int k = 0; k < 400; ++k) {
        const Matrix W = best + std::exp(-k / 60.0) * random_matrix(random, 4, c);
        bound = std::max(bound, p.bound(p.X * W));
        best = p.value(W) < p.value(best) ? W : best;
      }

      EXPECT_LE(bound, p.value(best));
      EXPECT_GT(bound, p.value(best) / 3);
    }
  }
}

// In single precision the gradient is in the domain too, and the equality holds to its rounding.
TEST(Loss, SinglePrecisionAgreesWithDouble) {
  for_random_rows([](const OneRow& row, Random& random) {
    const Row f = random_row(random, row.c, 4);
    std::vector<float> f32(f.begin(), f.end()), y32(row.y.begin(), row.y.end()), out(f.size());
    const double rho = 0.7;

    with_row_loss<float>(row.loss, row.c, static_cast<float>(kDelta), [&](const auto& l) {
      const float value = l.value(view(f32), view(y32), row.c);
      EXPECT_NEAR(value, row.value(f), 2e-5);
      l.gradient(view(f32), view(y32), row.c, view(out));
      for (std::size_t k = 0; k < f.size(); ++k) EXPECT_NEAR(out[k], row.gradient(f)[k], 1e-5);
      EXPECT_NEAR(l.conjugate(1.0F, view(out), view(y32), row.c), row.conjugate(row.gradient(f)),
                  5e-5);
      l.prox(view(f32), view(y32), row.c, static_cast<float>(rho), view(out));
      for (std::size_t k = 0; k < f.size(); ++k) EXPECT_NEAR(out[k], row.prox(f, rho)[k], 1e-5);
    });
  });
}

TEST(Loss, ValueOfSpansSumsItsDefinition) {
  for (const Loss loss : kLosses) {
    for (const Index c : {1, 3}) {
      const HostMatrix F = random_matrix(20, c, 1), Y = loss_targets(loss, 20, c, 2);
      long double expected = 0;
      for (Index i = 0; i < 20; ++i) expected += naive_row_loss(loss, F, Y, i);

      EXPECT_NEAR(loss_value(loss, F.values, Y.values, 20, c, kDelta), expected, 1e-12);
    }
  }
}

std::string refusal(Loss loss, const Row& Y, Index n, Index c) {
  try {
    validate_targets(loss, Y, n, c);
  } catch (const InvalidInput& refused) {
    return refused.what();
  }
  return {};
}

TEST(Loss, TargetsThatItCannotTakeAreRefusedWithTheirRow) {
  const double nan = std::numeric_limits<double>::quiet_NaN();

  EXPECT_NE(refusal(Loss::logistic, {1, -1, 0}, 3, 1).find("row 2"), std::string::npos);
  EXPECT_NE(refusal(Loss::hinge, {1, 0.5, 1}, 3, 1).find("row 1"), std::string::npos);
  EXPECT_NE(refusal(Loss::logistic, {1, 0, 0, 0}, 2, 2).find("row 1"), std::string::npos);
  EXPECT_NE(refusal(Loss::hinge, {1, 1, 0, 1}, 2, 2).find("row 1"), std::string::npos);
  EXPECT_NE(refusal(Loss::hinge, {-1, 1, 1, 0}, 2, 2).find("row 0"), std::string::npos);
  EXPECT_NE(refusal(Loss::absolute, {1, nan}, 2, 1).find("row 1"), std::string::npos);
  EXPECT_NE(refusal(Loss::squared, {1, 2, 3}, 2, 1).find("3 entries"), std::string::npos);
  EXPECT_EQ(refusal(Loss::logistic, {1, -1}, 2, 1), "");
  EXPECT_EQ(refusal(Loss::hinge, {1, 0, 0, 1}, 2, 2), "");
  EXPECT_EQ(refusal(Loss::huber, {1, 0.3}, 2, 1), "");
}

}  // namespace
}  // namespace relulift::testing
