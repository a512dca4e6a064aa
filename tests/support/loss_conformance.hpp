// SPDX-License-Identifier: Apache-2.0
// The launches over rows of kernels/loss.hpp against plain loops over the formulas of [eq:loss], on
// any backend. One suite for all of them, with the factories of backend_conformance.hpp.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "src/core/backend.hpp"
#include "src/model/loss.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/guarded.hpp"

namespace relulift::testing {

inline const std::vector<Loss> kLosses = {Loss::squared, Loss::logistic, Loss::hinge, Loss::huber,
                                          Loss::absolute};
inline constexpr double kDelta = 0.4;  // of the huber loss

// Targets that the loss takes.
inline HostMatrix loss_targets(Loss loss, Index n, Index c, std::uint64_t seed) {
  HostMatrix Y = random_matrix(n, c, seed);
  if (loss != Loss::logistic && loss != Loss::hinge) return Y;
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    const auto of = static_cast<Index>(random.bits() % static_cast<std::uint64_t>(c + (c == 1)));
    for (Index k = 0; k < c; ++k) Y(i, k) = c == 1 ? (of == 0 ? 1 : -1) : k == of ? 1 : 0;
  }
  return Y;
}

// l(f_i, y_i) by its definition.
inline long double naive_row_loss(Loss loss, const HostMatrix& F, const HostMatrix& Y, Index i) {
  long double sum = 0, exponentials = 0;
  const bool softmax = loss == Loss::logistic && F.cols > 1;
  for (Index k = 0; k < F.cols; ++k) {
    const long double f = F(i, k), y = Y(i, k), r = std::abs(f - y), s = y > 0 ? 1 : -1;
    exponentials += std::exp(f);
    if (softmax) sum -= y * f;
    if (loss == Loss::squared) sum += r * r / 2;
    if (loss == Loss::logistic && !softmax) sum += std::log(1 + std::exp(-s * f));
    if (loss == Loss::hinge) sum += std::max(0.0L, 1 - s * f);
    if (loss == Loss::huber) sum += r <= kDelta ? r * r / 2 : kDelta * r - kDelta * kDelta / 2;
    if (loss == Loss::absolute) sum += r;
  }
  return softmax ? sum + std::log(exponentials) : sum;
}

template <class Factory>
class LossConformance : public ConformanceTest<Factory> {
 protected:
  using B = typename Factory::Type;

  // body(backend, loss, row loss, F, Y) for every loss, one output and more, sizes across tiles.
  template <class Body>
  static void for_each_case(const Body& body) {
    B be = Factory::make();
    for (const Loss loss : kLosses) {
      for (const auto& [n, c] : {std::array<Index, 2>{1, 1}, {300, 1}, {37, 3}, {1025, 10}}) {
        SCOPED_TRACE(std::string(to_string(loss)) + " " + std::to_string(n) + " x " +
                     std::to_string(c));
        HostMatrix F = random_matrix(n, c, 31);
        for (double& f : F.values) f *= 5;
        const HostMatrix Y = loss_targets(loss, n, c, 32);
        with_row_loss<double>(loss, c, kDelta,
                              [&](const auto& row_loss) { body(be, loss, row_loss, F, Y); });
      }
    }
  }
  static double fetched(B& be, Slot slot) {
    std::array<double, 1> v{};
    be.fetch(slot, v);
    return v[0];
  }
};

TYPED_TEST_SUITE_P(LossConformance);

TYPED_TEST_P(LossConformance, ValueIsTheSumOfItsDefinitionOverRows) {
  this->for_each_case([&](auto& be, Loss loss, const auto& row_loss, auto& F, auto& Y) {
    using L = std::decay_t<decltype(row_loss)>;
    using B = std::decay_t<decltype(be)>;
    const Guarded<B> f(be, F), y(be, Y);
    const auto slot = be.slots(1);
    long double expected = 0;
    for (Index i = 0; i < F.rows; ++i) expected += naive_row_loss(loss, F, Y, i);

    be.sum({F.rows, 1}, kernels::LossValue<L>{row_loss, f.view(), y.view()}, slot[0]);

    EXPECT_NEAR(this->fetched(be, slot[0]), expected, 1e-13 * (1 + expected));
  });
}

// exp and log differ in the last bits between libraries; the rest is the same arithmetic.
TYPED_TEST_P(LossConformance, GradientAndProxOverRowsAreThoseOfEveryRow) {
  this->for_each_case([&](auto& be, Loss, const auto& row_loss, auto& F, auto& Y) {
    using L = std::decay_t<decltype(row_loss)>;
    using B = std::decay_t<decltype(be)>;
    const Index n = F.rows, c = F.cols;
    const double rho = 0.3;
    const Guarded<B> f(be, F), y(be, Y), gradient(be, n, c), prox(be, F);
    const auto slot = be.slots(1);
    be.upload(std::array<double, 1>{rho}, slot[0]);

    be.launch({n, 1}, kernels::LossGradient<L>{row_loss, f.view(), y.view(), gradient.view()});
    be.launch({n, 1}, kernels::LossProx<L>{row_loss, prox.view(), y.view(), prox.view(), slot[0]});

    const HostMatrix G = gradient.get(), P = prox.get();
    std::vector<double> row(static_cast<std::size_t>(c));
    const MatrixView<const double> Fv{F.values.data(), n, c, n}, Yv{Y.values.data(), n, c, n};
    const kernels::RowView<double> out{row.data(), 1};
    for (Index i = 0; i < n; ++i) {
      row_loss.gradient(kernels::row(Fv, i), kernels::row(Yv, i), c, out);
      for (Index k = 0; k < c; ++k) ASSERT_NEAR(G(i, k), out[k], 1e-15) << i;
      row_loss.prox(kernels::row(Fv, i), kernels::row(Yv, i), c, rho, out);
      for (Index k = 0; k < c; ++k) ASSERT_NEAR(P(i, k), out[k], 1e-13) << i;
    }
    EXPECT_TRUE(gradient.margin_intact() && prox.margin_intact());
  });
}

// L(f) + L*(u) = <f, u> at u = grad L(f), so the bound of E = -u with t = 1 is L(f) - <f, u>.
TYPED_TEST_P(LossConformance, BoundOfTheGradientIsTheValueLessTheProduct) {
  this->for_each_case([&](auto& be, Loss loss, const auto& row_loss, auto& F, auto& Y) {
    using L = std::decay_t<decltype(row_loss)>;
    using B = std::decay_t<decltype(be)>;
    const Guarded<B> f(be, F), y(be, Y), gradient(be, F.rows, F.cols);
    const auto slots = be.slots(2);
    be.upload(std::array<double, 1>{-1.0}, slots[0]);  // E = -u

    be.launch({F.rows, 1}, kernels::LossGradient<L>{row_loss, f.view(), y.view(), gradient.view()});
    be.sum({F.rows, 1}, kernels::LossBound<L>{row_loss, gradient.view(), y.view(), slots[0]},
           slots[1]);

    const HostMatrix u = gradient.get();
    long double expected = 0, size = 1;
    for (Index i = 0; i < F.rows; ++i) expected += naive_row_loss(loss, F, Y, i);
    for (std::size_t k = 0; k < u.values.size(); ++k) {
      expected -= static_cast<long double>(u.values[k]) * F.values[k];
      size += std::abs(static_cast<long double>(u.values[k]) * F.values[k]);
    }
    EXPECT_NEAR(this->fetched(be, slots[1]), expected, 1e-14 * size);
  });
}

REGISTER_TYPED_TEST_SUITE_P(LossConformance, ValueIsTheSumOfItsDefinitionOverRows,
                            GradientAndProxOverRowsAreThoseOfEveryRow,
                            BoundOfTheGradientIsTheValueLessTheProduct);

}  // namespace relulift::testing
