// SPDX-License-Identifier: Apache-2.0
// Circular networks against transforms and convolutions by their definitions, a closed form, and
// networks trained by descent.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <relulift/convolution.hpp>
#include <relulift/error.hpp>

#include "src/solvers/circular_convolution.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

using Complex = std::complex<double>;

Problem random_problem(Index n, Index d, Index c, double g, double scale = 1.0) {
  Random random(static_cast<std::uint64_t>(n + 100 * d + 10000 * c));
  Problem p{.samples = n, .features = d, .outputs = c, .X = {}, .Y = {}, .weight_decay = g};
  for (Index k = 0; k < n * d; ++k) p.X.push_back(random.normal());
  for (Index k = 0; k < n * c; ++k) p.Y.push_back(scale * random.normal());
  return p;
}
CircularNetwork random_network(Random& random, Index d, Index c, Index m, double size) {
  CircularNetwork net{.features = d, .outputs = c, .filters = m, .U = {}, .W = {}};
  for (Index k = 0; k < d * m; ++k) net.U.push_back(size * random.normal());
  for (Index k = 0; k < d * c * m; ++k) net.W.push_back(size * random.normal());
  return net;
}
double at(const std::vector<double>& v, Index k) { return v[static_cast<std::size_t>(k)]; }

// The network by its definition: convolve, weigh, add.
double naive_output(const CircularNetwork& net, const Problem& p, Index i, Index k) {
  const Index d = net.features;
  double f = 0;
  for (Index j = 0; j < net.filters; ++j) {
    for (Index t = 0; t < d; ++t) {
      double convolved = 0;
      for (Index s = 0; s < d; ++s)
        convolved += at(p.X, i + s * p.samples) * at(net.U, (t - s + d) % d + j * d);
      f += convolved * at(net.W, t + d * (k + net.outputs * j));
    }
  }
  return f;
}
double naive_objective(const CircularNetwork& net, const Problem& p) {
  double sum = 0;
  for (Index i = 0; i < p.samples; ++i) {
    for (Index k = 0; k < p.outputs; ++k) {
      const double r = naive_output(net, p, i, k) - at(p.Y, i + k * p.samples);
      sum += r * r / 2;
    }
  }
  for (const double u : net.U) sum += p.weight_decay * u * u / 2;
  for (const double w : net.W) sum += p.weight_decay * w * w / 2;
  return sum;
}

Complex dft(const Matrix& v, Index column, Index k) {
  const Index d = v.rows();
  Complex sum = 0;
  for (Index t = 0; t < d; ++t) {
    const double angle =
        -2 * std::numbers::pi * static_cast<double>(k * t % d) / static_cast<double>(d);
    sum += v(t, column) * std::polar(1.0, angle);
  }
  return sum;
}
// sqrt(sum_o |v_ko|^2) for every one of the d frequencies.
Vector naive_spectrum(const Matrix& V) {
  Vector norms(V.rows());
  for (Index k = 0; k < V.rows(); ++k) {
    double sum = 0;
    for (Index o = 0; o < V.cols(); ++o) sum += std::norm(dft(V, o, k));
    norms[k] = std::sqrt(sum);
  }
  return norms;
}
Matrix inputs(const Problem& p) {
  return Eigen::Map<const Matrix>(p.X.data(), p.samples, p.features);
}
Matrix targets(const Problem& p) {
  return Eigen::Map<const Matrix>(p.Y.data(), p.samples, p.outputs);
}
// V of f(x) = V'x: the outputs of the unit signals.
Matrix linear_model(const CircularNetwork& net) {
  const Matrix I = Matrix::Identity(net.features, net.features);
  const std::vector<double> f =
      predict(net, std::span(I.data(), static_cast<std::size_t>(I.size())), net.features);
  return Eigen::Map<const Matrix>(f.data(), net.features, net.outputs);
}

struct Size {
  Index n, d, c;
};
// One feature, two, odd, even and prime lengths; fewer samples than features and more.
const std::vector<Size> kSizes = {{5, 1, 1},  {6, 2, 1},  {4, 7, 1},   {30, 7, 1}, {20, 16, 1},
                                  {9, 12, 3}, {40, 5, 2}, {12, 31, 2}, {50, 24, 4}};

TEST(CircularConvolution, CoordinatesAreThoseOfTheFourierTransformOfEveryLength) {
  Random random(3);
  for (Index d = 1; d <= 33; ++d) {
    const Matrix X = random_matrix(random, 3, d);

    const Matrix Z = fourier_rows(X);
    const Matrix back = from_fourier(Z.transpose(), d);

    const Index K = frequencies(d);
    ASSERT_LT((back - X.transpose()).cwiseAbs().maxCoeff(), 1e-14) << d;
    for (Index i = 0; i < 3; ++i) {
      ASSERT_NEAR(Z.row(i).norm(), X.row(i).norm(), 1e-14) << d;
      for (Index k = 0; k < K; ++k) {
        const bool once = k == 0 || 2 * k == d;
        const double size = std::sqrt(static_cast<double>(d) / (once ? 1.0 : 2.0));
        const Complex expected = dft(X.transpose(), i, k);
        ASSERT_NEAR(Z(i, k) * size, expected.real(), 1e-13) << d << " " << k;
        ASSERT_NEAR(Z(i, K + k) * size, -expected.imag(), 1e-13) << d << " " << k;
      }
    }
  }
}

TEST(CircularConvolution, ObjectiveAndPredictionAreThoseOfPlainConvolutions) {
  Random random(4);
  for (const auto& [n, d, c] : kSizes) {
    const Problem p = random_problem(n, d, c, 0.3);
    const CircularNetwork net = random_network(random, d, c, 3, 0.5);

    const double expected = naive_objective(net, p);

    EXPECT_NEAR(objective(p, net), expected, 1e-12 * expected);
    const std::vector<double> f = predict(net, p.X, n);
    EXPECT_NEAR(at(f, n * c - 1), naive_output(net, p, n - 1, c - 1), 1e-12);
  }
}

// The penalty of the best network with the linear model V is g/d sum_k ||v_k|| over the plain
// transform: no network with this V has less, and the rebuilt one has it.
TEST(CircularConvolution, RebuiltNetworkHasTheModelAndTheLeastPenaltyOfAny) {
  Random random(5);
  for (const auto& [n, d, c] : kSizes) {
    const CircularNetwork any = random_network(random, d, c, 4, 1.0);
    const Matrix V = linear_model(any);

    const CircularNetwork net = circular_network(fourier_rows(V.transpose()).transpose(), d);

    Problem nothing{.samples = 1, .features = d, .outputs = c, .X = {}, .Y = {}};
    nothing.X.assign(static_cast<std::size_t>(d), 0.0);
    nothing.Y.assign(static_cast<std::size_t>(c), 0.0);
    nothing.weight_decay = 0.7;
    const double least = 0.7 / static_cast<double>(d) * naive_spectrum(V).sum();
    EXPECT_LT((linear_model(net) - V).norm(), 1e-13 * V.norm());
    EXPECT_NEAR(naive_objective(net, nothing), least, 1e-12 * least);
    EXPECT_GE(naive_objective(any, nothing), least * (1 - 1e-12));
  }
}

// X = I: the frequencies part, and each is shrunk by itself.
TEST(CircularConvolution, UnitSignalsAreSolvedByShrinkingEveryFrequency) {
  for (const auto& [n, d, c] : kSizes) {
    Problem p = random_problem(d, d, c, 0.5 * std::sqrt(static_cast<double>(d)));
    const Matrix I = Matrix::Identity(d, d);
    p.X.assign(I.data(), I.data() + I.size());
    const Vector y = naive_spectrum(targets(p));
    double expected = 0;  // of the transform: 1/2 ||v - y||^2 / d + g/d ||v||
    for (Index k = 0; k < d; ++k) {
      const double v = std::max(0.0, y[k] - p.weight_decay);
      expected += ((v - y[k]) * (v - y[k]) / 2 + p.weight_decay * v) / static_cast<double>(d);
    }

    const CircularFit fit = fit_circular(p);

    EXPECT_NEAR(fit.objective, expected, 1e-8 * expected);
    const Vector found = naive_spectrum(linear_model(fit.network));
    for (Index k = 0; k < d; ++k) {
      EXPECT_NEAR(found[k], std::max(0.0, y[k] - p.weight_decay), 1e-3);
      if (y[k] < 0.99 * p.weight_decay) {
        EXPECT_LT(found[k], 1e-12);
      }
    }
  }
}

TEST(CircularConvolution, GapIsMetByTheNetworksOwnObjectiveAtEverySizeAndDecay) {
  for (const auto& [n, d, c] : kSizes) {
    for (const double g : {1e-6, 1e-2, 1.0, 10.0}) {
      for (const double scale : {1e-6, 1.0, 1e6}) {
        SCOPED_TRACE(std::to_string(n) + " x " + std::to_string(d) + ", " + std::to_string(c) +
                     ", g " + std::to_string(g) + ", scale " + std::to_string(scale));
        const Problem p = random_problem(n, d, c, g * scale, scale);

        const CircularFit fit = fit_circular(p);

        EXPECT_LE(fit.objective - fit.bound, 1e-8 * fit.objective);
        EXPECT_GE(fit.objective - fit.bound, -1e-12 * fit.objective);
        EXPECT_NEAR(fit.objective, naive_objective(fit.network, p), 1e-11 * fit.objective);
        EXPECT_LE(fit.network.filters, 1);
      }
    }
  }
}

// The subgradient conditions of [eq:circular-lasso] with plain transforms: they hold at its
// minimum and nowhere else. A gap of 1e-11 leaves residuals of its root.
TEST(CircularConvolution, SolutionSatisfiesTheConditionsOfOptimality) {
  for (const auto& [n, d, c] : kSizes) {
    const Problem p = random_problem(n, d, c, 1.5);
    const CircularFit fit = fit_circular(p, {.gap = 1e-11});
    const Matrix V = linear_model(fit.network);
    const Matrix pull = inputs(p).transpose() * (targets(p) - inputs(p) * V);

    const Vector pulled = naive_spectrum(pull), kept = naive_spectrum(V);
    for (Index k = 0; k < d; ++k) {
      EXPECT_LE(pulled[k], p.weight_decay * (1 + 1e-5));
      if (kept[k] > 1e-3) {
        EXPECT_NEAR(pulled[k], p.weight_decay, 1e-5 * p.weight_decay);
      }
    }
  }
}

TEST(CircularConvolution, NoNetworkOfAnyNumberOfFiltersIsBelowTheBound) {
  Random random(6);
  for (const auto& [n, d, c] : kSizes) {
    const Problem p = random_problem(n, d, c, 0.4);
    const CircularFit fit = fit_circular(p);
    for (int k = 0; k < 20; ++k) {
      CircularNetwork near = fit.network;  // around the optimum
      for (double& u : near.U) u += 1e-3 * random.normal();
      EXPECT_GE(naive_objective(near, p), fit.bound);
      EXPECT_GE(naive_objective(random_network(random, d, c, 1 + k % 5, 0.3), p), fit.bound);
    }
  }
}

// Gradient descent on U and W with the gradient of f(x) = V'x, V_s = sum_j sum_t u_(t-s) w_t.
double descend(CircularNetwork net, const Problem& p) {
  const Index d = p.features, c = p.outputs;
  const Matrix X = inputs(p), Y = targets(p);
  double step = 0.1, here = naive_objective(net, p);
  for (int k = 0; k < 4000; ++k) {
    const Matrix G = X.transpose() * (X * linear_model(net) - Y);  // dL/dV
    CircularNetwork next = net;
    const auto u = [&](Index t, Index j) { return static_cast<std::size_t>((t + d) % d + j * d); };
    const auto w = [&](Index t, Index o, Index j) {
      return static_cast<std::size_t>(t + d * (o + c * j));
    };
    for (double& x : next.U) x -= step * p.weight_decay * x;
    for (double& x : next.W) x -= step * p.weight_decay * x;
    for (Index j = 0; j < net.filters; ++j) {
      for (Index o = 0; o < c; ++o) {
        for (Index t = 0; t < d; ++t) {
          for (Index s = 0; s < d; ++s) {
            next.U[u(t - s, j)] -= step * G(s, o) * net.W[w(t, o, j)];
            next.W[w(t, o, j)] -= step * G(s, o) * net.U[u(t - s, j)];
          }
        }
      }
    }
    const double there = naive_objective(next, p);
    step *= there < here ? 1.1 : 0.5;
    if (there < here) {
      here = there;
      net = std::move(next);
    }
  }
  return here;
}

// The equivalence itself: descent on the non-convex problem ends at the convex optimum, from above.
TEST(CircularConvolution, TrainedNetworksReachTheConvexOptimumAndNeverPassIt) {
  Random random(7);
  for (const auto& [n, d, c] : {Size{6, 3, 1}, Size{5, 4, 1}, Size{8, 5, 1}, Size{6, 4, 2}}) {
    const Problem p = random_problem(n, d, c, 0.3);
    const CircularFit fit = fit_circular(p);

    double best = std::numeric_limits<double>::infinity();
    for (int start = 0; start < 4; ++start) {
      best = std::min(best, descend(random_network(random, d, c, 1 + start, 0.5), p));
      EXPECT_GE(best, fit.bound);
    }

    EXPECT_NEAR(best, fit.objective, 1e-5 * fit.objective);
  }
}

TEST(CircularConvolution, HeavyDecayLeavesTheZeroNetwork) {
  const Problem p = random_problem(10, 6, 2, 1e4);

  const CircularFit fit = fit_circular(p);

  EXPECT_EQ(fit.network.filters, 0);
  EXPECT_NEAR(fit.objective, targets(p).squaredNorm() / 2, 1e-12);
  EXPECT_NEAR(fit.bound, fit.objective, 1e-12);
  EXPECT_EQ(predict(fit.network, p.X, 10), std::vector<double>(20, 0.0));
}

// Repeated rows, constant signals, targets of zero: no rank, no harm.
TEST(CircularConvolution, DegenerateDataMeetTheGap) {
  Problem repeated = random_problem(12, 6, 1, 0.1);
  for (Index s = 0; s < 6; ++s) {
    for (Index i = 6; i < 12; ++i)
      repeated.X[static_cast<std::size_t>(i + 12 * s)] = at(repeated.X, i - 6 + 12 * s);
  }
  Problem constant = random_problem(20, 8, 2, 0.1);
  std::fill(constant.X.begin(), constant.X.end(), 2.0);
  Problem silent = random_problem(5, 8, 2, 0.1);
  std::fill(silent.X.begin(), silent.X.end(), 0.0);
  Problem zero = random_problem(5, 8, 2, 0.1);
  std::fill(zero.Y.begin(), zero.Y.end(), 0.0);

  for (const Problem& p : {repeated, constant, silent, zero}) {
    const CircularFit fit = fit_circular(p);
    EXPECT_LE(fit.objective - fit.bound, 1e-8 * fit.objective);
    EXPECT_GE(fit.objective - fit.bound, -1e-12 * fit.objective);
  }
}

// Products of 1e300 and more: no proof, but a network, and nothing wrong.
TEST(CircularConvolution, ScalesTooFarApartGiveAWholeNetworkAndNoFalseBound) {
  Problem p = random_problem(5, 6, 2, 1e-200, 1e70);
  for (double& x : p.X) x *= 1e70;

  const CircularFit fit = fit_circular(p);

  EXPECT_TRUE(std::isfinite(fit.objective) && std::isfinite(fit.bound));
  EXPECT_LE(fit.bound, fit.objective);
  EXPECT_NEAR(fit.objective / naive_objective(fit.network, p), 1, 1e-11);
}

TEST(CircularConvolution, WithoutTimeTheBoundIsStillBelowAndTheNetworkWhole) {
  const Problem p = random_problem(30, 20, 2, 0.1);

  const CircularFit exact = fit_circular(p), fit = fit_circular(p, {.time_limit_seconds = 1e-9});

  EXPECT_LE(fit.bound, exact.objective);
  EXPECT_NEAR(fit.objective, naive_objective(fit.network, p), 1e-11 * fit.objective);
}

TEST(CircularConvolution, BadOptionsAndNetworksAreRefused) {
  const Problem p = random_problem(3, 4, 1, 0.1);
  CircularNetwork net{.features = 4, .outputs = 1, .filters = 1, .U = {1, 2, 3}, .W = {1, 2, 3, 4}};

  EXPECT_THROW(fit_circular(p, {.gap = 1}), InvalidInput);
  EXPECT_THROW(fit_circular(p, {.time_limit_seconds = 0}), InvalidInput);
  EXPECT_THROW(fit_circular(p, {.threads = -1}), InvalidInput);
  EXPECT_THROW(objective(p, net), InvalidInput);
  net.U.push_back(4);
  EXPECT_NO_THROW(objective(p, net));
  EXPECT_THROW(predict(net, p.X, 4), InvalidInput);
  EXPECT_THROW(objective(random_problem(3, 5, 1, 0.1), net), InvalidInput);
}

}  // namespace
}  // namespace relulift::testing
