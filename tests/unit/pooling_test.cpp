// SPDX-License-Identifier: Apache-2.0
// Networks of filters with average pooling [eq:pooled]: patches against loops over pixels, solvers
// against each other and against brute force, and the order that optima must have.
#include <gtest/gtest.h>

#include <relulift/error.hpp>
#include <relulift/solve.hpp>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/patterns/all_patterns.hpp"
#include "src/patterns/patches.hpp"
#include "src/solvers/gated_program.hpp"
#include "src/solvers/pattern_admm.hpp"
#include "src/solvers/pattern_interior.hpp"
#include "src/solvers/pattern_network.hpp"
#include "tests/support/filters.hpp"
#include "tests/support/gated_products_conformance.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

PatchGrid grid_of(const Images& images) {
  return {
      {images.height, images.width, images.planes}, images.patch, images.stride, images.features()};
}

const std::vector<Images> kImages{{1, 4, 1, 2, 1},       {5, 4, 2, 3, 1}, {6, 7, 1, 3, 2},
                                  {3, 8, 2, 5, 2, true}, {4, 4, 3, 9, 5}, {2, 2, 1, 1, 1, true}};

Matrix random_images(const Images& images, Index n, std::uint64_t seed) {
  Random random(seed);
  Matrix X = random_matrix(random, n, images.features());
  if (images.bias) X.rightCols(1).setOnes();
  return X;
}

std::vector<double> entries(const Matrix& A) { return {A.data(), A.data() + A.size()}; }

TEST(Patches, AreThoseOfLoopsOverPixels) {
  for (const Images& images : kImages) {
    const Matrix X = random_images(images, 3, 5);

    const PatchGrid grid = grid_of(images);
    const Matrix stacked = grid.stacked(X);

    for (Index r = 0; r < 3; ++r) {
      const std::vector<Vector> patches = naive_patches(images, X.row(r).transpose());
      const auto K = static_cast<Index>(patches.size());
      ASSERT_EQ(grid.patches(), K);
      ASSERT_EQ(grid.entries(), patches[0].size());
      for (Index k = 0; k < K; ++k)
        EXPECT_EQ(Vector(stacked.row(k * 3 + r).transpose()),
                  patches[static_cast<std::size_t>(k)] / static_cast<double>(K));
    }
  }
}

TEST(Patches, OfANetworkOfFiltersGiveThePlainNetworkOfTheSameFunctionAndWeightDecay) {
  for (const Images& images : kImages) {
    const Matrix X = random_images(images, 9, 6);
    const PatchGrid grid = grid_of(images);
    Random random(7);
    const Index p = grid.entries();
    const Matrix U = random_matrix(random, p, 4), V = random_matrix(random, 2, 4);
    Network filters;
    filters.features = p;
    filters.outputs = 2;
    filters.neurons = 4;
    filters.U = entries(U);
    filters.V = entries(V);

    const Network network = pooled_network(filters, grid, images.features());

    EXPECT_EQ(network.neurons, 4 * grid.patches());
    Matrix f = Matrix::Zero(9, 2);
    for (Index j = 0; j < 4; ++j) f += naive_filter(images, X, U.col(j)) * V.col(j).transpose();
    const std::vector<double> predicted = predict(network, entries(X), 9);
    EXPECT_LE((Eigen::Map<const Matrix>(predicted.data(), 9, 2) - f).norm(), 1e-13 * f.norm());
    double squares = 0.0;
    for (const auto* weights : {&network.U, &network.V})
      for (const double w : *weights) squares += w * w;
    EXPECT_NEAR(squares, U.squaredNorm() + V.squaredNorm(), 1e-12 * squares);
  }
}

struct Case {
  Matrix X, Y;  // X: stacked patches
  GatedPatterns gated;
  double g = 0.05;
  ProgramRequest request(const ProgramOptions& options) const {
    return {X, Y, g, gated, options, false, 100'000};
  }
};

// Noise in which some patches, and the whole of the last sample, are zero.
Case pooled_case(Index n, Index c, Index gates, bool zeros = false) {
  const Images images{3, 4, 1, 2, 1};
  Random random(static_cast<std::uint64_t>(n));
  Matrix pixels = random_matrix(random, n, images.features());
  if (zeros) {
    pixels.leftCols(8).topRows(n / 2).setZero();
    pixels.row(n - 1).setZero();
  }
  Matrix X = grid_of(images).stacked(pixels), Y = random_matrix(random, n, c);
  GatedPatterns gated = random_patterns(random, X, gates);
  return {std::move(X), std::move(Y), std::move(gated)};
}

// Point and bound by plain loops; the gap is what was asked for.
void expect_gated_proof(const Case& in, const PatternPoint& point, double tolerance) {
  const Index n = in.Y.rows(), c = in.Y.cols();
  const Matrix f = naive_forward(in.X, in.gated.patterns, point.V, n, c);
  const double objective = 0.5 * (f - in.Y).squaredNorm() + in.g * point.V.colwise().norm().sum();
  EXPECT_NEAR(point.objective, objective, 1e-9 * objective);
  const Matrix G = naive_adjoint(in.X, in.gated.patterns, point.E);
  EXPECT_LE(G.colwise().norm().maxCoeff(), in.g * (1.0 + 1e-9));
  const double bound = point.E.cwiseProduct(in.Y).sum() - 0.5 * point.E.squaredNorm();
  EXPECT_NEAR(point.bound, bound, 1e-9 * objective);
  EXPECT_LE(objective - bound, tolerance * objective);
}

TEST(PooledGated, ThreeSolversProveTheSameOptimum) {
  for (const bool zeros : {false, true}) {
    const Case in = pooled_case(40, 2, 30, zeros);
    CpuBackend be;
    const ProgramRequest asked = in.request({.outputs = Outputs::one_vs_all, .tolerance = 1e-7});

    const PatternPoint interior =
        PatternInterior<CpuBackend>(be, in.X, in.Y, in.g, in.gated, PatternProgram::gated)
            .solve(1e-7, Control());
    const PatternPoint gradient = solve_gated(be, asked, kTileHost, Control(), {});
    const PatternPoint admm =
        solve_by_admm(be, asked, PatternProgram::gated, kTileHost, Control(), {});

    for (const PatternPoint* point : {&interior, &gradient, &admm}) {
      expect_gated_proof(in, *point, 1.01e-7);
      EXPECT_LT(point->objective, 0.4 * in.Y.squaredNorm());  // the filters do something
    }
  }
}

TEST(PooledGated, JointBlocksByTwoSolversHaveOneOptimum) {
  const Case in = pooled_case(30, 3, 20);
  CpuBackend be;
  const ProgramRequest asked = in.request({.tolerance = 1e-6});

  const PatternPoint gradient = solve_gated(be, asked, 500, Control(), {});
  const PatternPoint admm = solve_by_admm(be, asked, PatternProgram::gated, 500, Control(), {});

  EXPECT_NEAR(gradient.objective, admm.objective, 2e-6 * admm.objective);
  EXPECT_LE(gradient.bound, admm.objective);
  EXPECT_LE(admm.bound, gradient.objective);
}

TEST(PooledRelu, InteriorPointAndAlternatingDirectionsProveTheSameOptimum) {
  for (const bool zeros : {false, true}) {
    const Case in = pooled_case(16, 1, 8, zeros);
    CpuBackend be;
    const ProgramRequest asked = in.request({.tolerance = 1e-4});

    const PatternPoint interior =
        PatternInterior<CpuBackend>(be, in.X, in.Y, in.g, in.gated, PatternProgram::relu)
            .solve(1e-7, Control());
    const PatternPoint admm =
        solve_by_admm(be, asked, PatternProgram::relu, kTileHost, Control(), {});

    EXPECT_LE(interior.objective - interior.bound, 1e-7 * interior.objective);
    EXPECT_LE(admm.objective - admm.bound, 1e-4 * admm.objective);
    EXPECT_NEAR(interior.objective, admm.objective, 1e-4 * admm.objective);
    for (const PatternPoint* point : {&interior, &admm}) {
      const Matrix W = point->V - point->N;
      const Matrix f = naive_forward(in.X, in.gated.patterns, W, 16, 1);
      const double norms = point->V.colwise().norm().sum() + point->N.colwise().norm().sum();
      const double objective = 0.5 * (f - in.Y).squaredNorm() + in.g * norms;
      EXPECT_NEAR(point->objective, objective, 1e-9 * objective);
    }
  }
}

// The matrix that couples the samples, by conjugate gradients instead of panels.
TEST(PooledRelu, ConjugateGradientsReachTheOptimumOfTheFactorisation) {
  const Case in = pooled_case(14, 2, 6);
  for (const PatternProgram program : {PatternProgram::gated, PatternProgram::relu}) {
    CpuBackend be;
    const ProgramRequest asked = in.request({.outputs = Outputs::one_vs_all, .tolerance = 1e-4});
    AdmmOptions options = admm_options(14, in.X.cols(), program, kTileHost, asked.patches());
    const PatternPoint formed = solve_by_admm(be, asked, program, options, Control(), {});
    options.system.max_order = 0;

    const PatternPoint iterated = solve_by_admm(be, asked, program, options, Control(), {});

    EXPECT_LE(iterated.objective - iterated.bound, 1e-4 * iterated.objective);
    EXPECT_NEAR(iterated.objective, formed.objective, 1e-4 * formed.objective);
  }
}

TEST(PooledPrograms, WorkOnADevice) {
  const Case in = pooled_case(10, 2, 5, true);
  const ProgramRequest asked = in.request({.outputs = Outputs::one_vs_all, .tolerance = 1e-3});
  CpuBackend cpu;
  StrictBackend be;
  for (const PatternProgram program : {PatternProgram::gated, PatternProgram::relu}) {
    const PatternPoint here = PatternInterior<CpuBackend>(cpu, in.X, in.Y, in.g, in.gated, program)
                                  .solve(1e-6, Control());

    const PatternPoint interior =
        PatternInterior<StrictBackend>(be, in.X, in.Y, in.g, in.gated, program)
            .solve(1e-6, Control());
    const PatternPoint admm = solve_by_admm(be, asked, program, 512, Control(), {});

    EXPECT_NEAR(interior.objective, here.objective, 2e-6 * here.objective);
    EXPECT_NEAR(admm.objective, here.objective, 1e-3 * here.objective);
  }
  const PatternPoint gradient = solve_gated(be, asked, 512, Control(), {});
  EXPECT_LE(gradient.objective - gradient.bound, 1e-3 * gradient.objective);
  EXPECT_TRUE(be.fences_intact());
}

Problem problem_of(const Matrix& X, const Matrix& Y, double g) {
  return {X.rows(), X.cols(), Y.cols(), entries(X), entries(Y), g};
}

Options pooled(Method method, const Images& images) {
  Options options;
  options.method = method;
  options.program.outputs = Outputs::one_vs_all;
  options.program.pooling = Pooling::average;
  options.program.image_height = images.height;
  options.program.image_width = images.width;
  options.program.image_planes = images.planes;
  options.program.patch = images.patch;
  options.program.stride = images.stride;
  options.threads = 2;
  return options;
}

// Filters of two pixels in rows of four: the plane's directions can be tried one by one.
TEST(PooledExact, IsTheOptimumThatBruteForceFinds) {
  const Images images{1, 4, 1, 2, 1};
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix X = random_images(images, 6, seed);
    Random random(seed, 1);
    const Matrix Y = random_matrix(random, 6, 1);
    const Problem problem = problem_of(X, Y, 0.03);

    Options options = pooled(Method::exact, images);
    options.engine = Engine::none;
    const Result result = solve(problem, options);

    // 18 lines through the origin of the plane.
    EXPECT_EQ(most_patterns(18, 2), 36.0);
    EXPECT_GE(result.program.patterns, 35);  // one may have no active row
    EXPECT_LE(result.program.patterns, 36);
    EXPECT_TRUE(result.program.all_patterns);
    EXPECT_EQ(result.status, Status::optimal);
    const double brute = brute_force_of_two(images, X, Y, 0.03, 3000);
    EXPECT_LT(brute, 0.4 * Y.squaredNorm());
    EXPECT_LE(result.program.bound, brute);
    EXPECT_NEAR(result.objective, brute, 1e-4 * brute);
    EXPECT_NEAR(objective(problem, result.network), result.program.objective, 1e-6 * brute);
    EXPECT_EQ(result.network.neurons, 3 * result.program.filters);
  }
}

// More patterns than are solved at once. For the convex program over all of them it is necessary
// and sufficient that no filter gains: |e'phi(u)| <= g for every unit u.
TEST(PooledExact, LeavesNoFilterThatGains) {
  const Images images{2, 3, 1, 2, 1, true};
  const Matrix X = random_images(images, 9, 4);
  Random random(8);
  const Matrix Y = random_matrix(random, 9, 1);
  const double g = 0.05;
  const Problem problem = problem_of(X, Y, g);
  Options options = pooled(Method::exact, images);
  options.engine = Engine::none;
  options.program.patch = 2;

  const Result result = solve(problem, options);

  ASSERT_EQ(result.status, Status::optimal);
  EXPECT_GT(result.program.rounds, 0);
  EXPECT_LE(static_cast<double>(result.program.patterns), most_patterns(18, 5));
  const std::vector<double> f = predict(result.network, problem.X, 9);
  const Vector e = Y.col(0) - Eigen::Map<const Vector>(f.data(), 9);
  double most = 0.0;
  for (int k = 0; k < 4000; ++k) {
    const Vector u = random_matrix(random, 5, 1).col(0).normalized();
    most = std::max(most, std::abs(e.dot(naive_filter(images, X, u))));
  }
  EXPECT_LE(most, g * (1.0 + 1e-3));
  EXPECT_GT(most, 0.5 * g);
}

TEST(PooledPrograms, HaveOptimaInTheirOrder) {
  const Images images{1, 4, 1, 2, 1};
  for (const std::uint64_t seed : {11, 12, 13}) {
    const Matrix X = random_images(images, 8, seed);
    Random random(seed, 1);
    const Matrix Y = random_matrix(random, 8, 1);
    const Problem problem = problem_of(X, Y, 0.05);
    const auto solved = [&](Method method, Index gates) {
      Options options = pooled(method, images);
      options.program.gates = gates;
      return solve(problem, options);
    };

    const Result exact = solved(Method::exact, 1);
    const Result relu = solved(Method::relu, 6), gated = solved(Method::gated, 6);
    Options plain;
    plain.method = Method::exact;
    const Result every = solve(problem, plain);

    EXPECT_LE(exact.program.bound, relu.program.objective * (1.0 + 1e-9));
    EXPECT_LE(gated.program.bound, relu.program.objective * (1.0 + 1e-9));
    // Of ReLU networks of any kind: filter networks are among them.
    EXPECT_LE(every.program.bound, exact.program.objective * (1.0 + 1e-9));
    EXPECT_EQ(exact.certificate.claim, Claim::every_network);
    EXPECT_LE(exact.certificate.lower_bound, every.objective * (1.0 + 1e-9));
    EXPECT_GT(exact.certificate.lower_bound, 0.0);
    for (const Result* result : {&exact, &relu, &gated}) {
      EXPECT_NEAR(result->objective, objective(problem, result->network), 1e-12);
      EXPECT_NEAR(result->objective, result->program.objective, 2e-6 * result->objective);
      EXPECT_EQ(result->network.neurons, 3 * result->program.filters);
    }
  }
}

TEST(PooledPrograms, RefinementReachesTheOptimumOverAllPatterns) {
  const Images images{1, 5, 1, 2, 1};
  const Matrix X = random_images(images, 8, 21);
  Random random(22);
  const Problem problem = problem_of(X, random_matrix(random, 8, 1), 0.05);
  Options options = pooled(Method::relu, images);
  options.engine = Engine::none;
  options.program.gates = 3;
  options.program.refine = true;
  Options all = pooled(Method::exact, images);
  all.engine = Engine::none;

  const Result refined = solve(problem, options), exact = solve(problem, all);

  EXPECT_GE(refined.objective, exact.program.bound);
  EXPECT_NEAR(refined.objective, exact.objective, 1e-4 * exact.objective);
}

void expect_refused(const Problem& problem, const Options& options, const std::string& words) {
  try {
    solve(problem, options);
    FAIL() << "not refused: " << words;
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(PooledPrograms, RefuseWhatTheyCannotDoByName) {
  const Images images{2, 3, 1, 2, 1};
  Random random(1);
  const Problem problem = problem_of(random_matrix(random, 5, 6), random_matrix(random, 5, 2), 0.1);
  const Options good = pooled(Method::relu, images);
  Options bad = good;

  bad.program.outputs = Outputs::joint;
  expect_refused(problem, bad, "choose one-vs-all");
  bad = good;
  bad.method = Method::linear;
  expect_refused(problem, bad, "pooling is for");
  bad.method = Method::sdp;
  bad.program.outputs = Outputs::joint;
  expect_refused(problem, bad, "pooling is for");
  bad = good;
  bad.program.image_width = 4;
  expect_refused(problem, bad, "image height x width x planes");
  bad = good;
  bad.program.image_height = 0;
  expect_refused(problem, bad, "at least 1");
  bad = good;
  bad.program.stride = 0;
  expect_refused(problem, bad, "stride");
  bad = good;
  bad.program.gate_kind = GateKind::network;
  expect_refused(problem, bad, "gates of filters");
  bad = good;
  bad.program.gate_matrix = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
  expect_refused(problem, bad, "gate_matrix");
}

}  // namespace
}  // namespace relulift::testing
