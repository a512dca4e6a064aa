// SPDX-License-Identifier: Apache-2.0
// Data made from a seed. Oracles: the mathematics library for the normal draws, plain loops for the
// planted network, moments of the normal distribution, and tables that a second implementation of
// generate.hpp's formulas, in another language, printed.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <relulift/generate.hpp>
#include <relulift/io.hpp>
#include <set>

#include "src/core/portable_normal.hpp"
#include "tests/support/files.hpp"
#include "tests/support/naive.hpp"

namespace relulift::test {
namespace {

Generation teacher(Index n, Index d, Index c, double noise, std::uint64_t seed) {
  return {.recipe = Recipe::teacher,
          .samples = n,
          .features = d,
          .outputs = c,
          .noise = noise,
          .seed = seed};
}

Generation random(Index n, Index d, Index c, double noise, std::uint64_t seed) {
  Generation g = teacher(n, d, c, noise, seed);
  g.recipe = Recipe::random;
  return g;
}

Generation spiral(Index n, Index c, double noise, std::uint64_t seed) {
  Generation g = teacher(n, 2, c, noise, seed);
  g.recipe = Recipe::spiral;
  return g;
}

std::string error_of_making(const Generation& g) {
  return error_of([&] { generate(g); });
}

std::string text_of(const Generation& g) {
  const TemporaryFolder folder;
  write_table(folder / "t.csv", generate(g).problem);
  return content_of(folder / "t.csv");
}

// Half the squared error of the planted network.
double planted_loss(Generated made) {
  made.problem.weight_decay = 0.0;
  return testing::naive_objective(made.problem, made.planted);
}

// The first four moments are those of N(0, variance), within five standard deviations of theirs.
void expect_normal(const std::vector<double>& entries, double variance) {
  const double expected[] = {0.0, 1.0, 0.0, 3.0};
  const double spread[] = {1.0, 2.0, 15.0, 96.0};
  const auto count = static_cast<double>(entries.size());
  for (int power = 1; power <= 4; ++power) {
    double moment = 0.0;
    for (const double x : entries) moment += std::pow(x / std::sqrt(variance), power) / count;
    EXPECT_NEAR(moment, expected[power - 1], 5.0 * std::sqrt(spread[power - 1] / count))
        << "moment " << power;
  }
}

TEST(PortableNormal, LogarithmAndDirectionAreThoseOfTheMathematicsLibrary) {
  // 4e-16: a few roundings. Near a zero of cos or sin the error is that of 2 pi itself.
  Random draw(5);
  for (int k = 0; k < 20000; ++k) {
    const double x = std::ldexp(draw.uniform(), -(k % 60));
    const double turns = (k % 7 - 3) * 5.0 + draw.uniform();
    const long double angle = 2.0L * std::numbers::pi_v<long double> * turns;
    const portable::Direction at = portable::direction(turns);

    ASSERT_NEAR(portable::log(x) / std::log(x), 1.0, 4e-16) << x;
    ASSERT_NEAR(at.cos, static_cast<double>(std::cos(angle)), 4e-16) << turns;
    ASSERT_NEAR(at.sin, static_cast<double>(std::sin(angle)), 4e-16) << turns;
  }
  EXPECT_EQ(portable::log(1.0), 0.0);
  EXPECT_EQ(portable::direction(0.25).cos, 0.0);
  EXPECT_EQ(portable::direction(-0.5).cos, -1.0);
  EXPECT_EQ(portable::direction(0.75).sin, -1.0);
}

TEST(PortableNormal, IsTheNormalDrawOfTheGenerator) {
  Random one(11), other(11);
  for (int k = 0; k < 1000; ++k) ASSERT_NEAR(portable::normal(one), other.normal(), 1e-14);
}

TEST(Generate, WritesTheSameBytesOnEveryMachine) {
  EXPECT_EQ(text_of(teacher(2, 2, 1, 0.1, 1)),
            "x0,x1,y0\n"
            "1.3256718696671204,0.4268106002247359,1.5715129097062546\n"
            "0.26608840236698433,0.01844639703239009,0.39196541203752333\n");
  EXPECT_EQ(text_of(random(2, 1, 2, 0.1, 7)),
            "x0,y0,y1\n"
            "-0.4761291157271781,3.20417986281542,1.6448873388581278\n"
            "-0.8680472231770233,5.771310465931263,3.2501760044925163\n");
  EXPECT_EQ(text_of(spiral(5, 2, 0.1, 3)),
            "x0,x1,y0,y1\n"
            "0,0,1,0\n"
            "-0.3593176303372049,-0.34769360150692413,1,0\n"
            "0,0,0,1\n"
            "-0.09554339677838361,0.23102263813758242,0,1\n"
            "0.4953928706645062,-0.06771930075524885,0,1\n");
}

TEST(Generate, AnotherSeedGivesOtherData) {
  for (const Recipe recipe : {Recipe::teacher, Recipe::random, Recipe::spiral}) {
    std::set<std::string> texts;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Generation g = teacher(12, 2, 3, 0.1, seed);
      g.recipe = recipe;
      texts.insert(text_of(g));
      EXPECT_EQ(generate(g).problem.X, generate(g).problem.X);
    }
    EXPECT_EQ(texts.size(), 20U);
  }
}

TEST(Generate, NoiseFreeDataAreFittedByThePlantedNetwork) {
  for (const Generation& g : {teacher(200, 7, 3, 0.0, 1), random(200, 7, 3, 0.0, 1)}) {
    const Generated made = generate(g);
    double square = 0.0;
    for (const double y : made.problem.Y) square += y * y;

    EXPECT_EQ(made.planted.neurons, g.recipe == Recipe::teacher ? 10 : 100);
    EXPECT_GT(square, 100.0);
    EXPECT_LT(planted_loss(made), 1e-28 * square);  // roundings of sums of at most 100 terms
  }
}

TEST(Generate, NoiseIsNormalAndChangesNothingElse) {
  const Generated clean = generate(teacher(3000, 4, 2, 0.0, 3));
  const Generated noisy = generate(teacher(3000, 4, 2, 0.5, 3));

  EXPECT_EQ(noisy.problem.X, clean.problem.X);
  EXPECT_EQ(noisy.planted.U, clean.planted.U);
  EXPECT_EQ(noisy.planted.V, clean.planted.V);
  std::vector<double> errors = noisy.problem.Y;
  for (std::size_t k = 0; k < errors.size(); ++k) errors[k] -= clean.problem.Y[k];
  expect_normal(errors, 0.25);
}

TEST(Generate, FeaturesAndWeightsAreIndependentNormals) {
  const Generated a = generate(random(5000, 40, 30, 0.1, 9));
  const Generated b = generate(teacher(5000, 400, 300, 0.1, 9));

  expect_normal(a.problem.X, 1.0);
  expect_normal(a.planted.U, 1.0);
  expect_normal(a.planted.V, 1.0);
  expect_normal(b.problem.X, 1.0);
  expect_normal(b.planted.U, 1.0 / 400.0);
  expect_normal(b.planted.V, 0.25);
  // Sample correlations of neighbours in a row, in a column, and between U and V: N(0, 1 / count).
  const auto correlation = [](const std::vector<double>& x, const std::vector<double>& y,
                              std::size_t shift) {
    const std::size_t count = std::min(x.size(), y.size() - shift);
    double sum = 0.0;
    for (std::size_t k = 0; k < count; ++k) sum += x[k] * y[k + shift];
    return sum / std::sqrt(static_cast<double>(count));
  };
  EXPECT_LT(std::abs(correlation(a.problem.X, a.problem.X, 5000)), 5.0);
  EXPECT_LT(std::abs(correlation(a.problem.X, a.problem.X, 1)), 5.0);
  EXPECT_LT(std::abs(correlation(a.planted.U, a.planted.V, 0)), 5.0);
}

TEST(Generate, FewerSamplesAreTheFirstOfMore) {
  for (const Recipe recipe : {Recipe::teacher, Recipe::random}) {
    Generation g = teacher(50, 3, 2, 0.1, 4);
    g.recipe = recipe;
    const Problem many = generate(g).problem;
    g.samples = 7;
    const Problem few = generate(g).problem;

    for (Index i = 0; i < 7; ++i) {
      for (Index j = 0; j < 3; ++j) EXPECT_EQ(few.X[i + 7 * j], many.X[i + 50 * j]);
      for (Index k = 0; k < 2; ++k) EXPECT_EQ(few.Y[i + 7 * k], many.Y[i + 50 * k]);
    }
  }
}

// Without noise the sizes of the bundled set: three arms of 20 points.
TEST(Generate, ASpiralWithoutNoiseIsItsFormula) {
  const Generated made = generate(spiral(60, 3, 0.0, 0));

  EXPECT_EQ(made.planted.neurons, 0);
  for (Index k = 0; k < 3; ++k)
    for (Index i = 0; i < 20; ++i) {
      const Index row = 20 * k + i;
      const double s = static_cast<double>(i) / 19.0, t = 4.0 * (static_cast<double>(k) + s);
      EXPECT_NEAR(made.problem.X[row], 0.5 * s * std::sin(t), 1e-15);
      EXPECT_NEAR(made.problem.X[row + 60], 0.5 * s * std::cos(t), 1e-15);
      for (Index l = 0; l < 3; ++l) EXPECT_EQ(made.problem.Y[row + 60 * l], l == k ? 1.0 : 0.0);
    }
}

TEST(Generate, NoiseTurnsTheArmsOfASpiralAndKeepsTheirRadii) {
  const Problem p = generate(spiral(4000, 2, 0.2, 8)).problem;

  std::vector<double> turned;
  for (Index row = 1; row < 2000; ++row) {
    const double s = static_cast<double>(row) / 1999.0;
    const double x = p.X[row], y = p.X[row + 4000];
    EXPECT_NEAR(std::hypot(x, y), s / 2.0, 1e-15);
    turned.push_back(std::remainder(std::atan2(x, y) - 4.0 * s, 2.0 * std::numbers::pi));
  }
  expect_normal(turned, 0.04);
}

TEST(Generate, EveryArmOfASpiralGetsItsShare) {
  for (const Index c : {2, 3, 7, 11})
    for (const Index n : {c, c + 1, Index{37}, Index{1000}}) {
      const Problem p = generate(spiral(n, c, 0.1, 0)).problem;
      for (Index k = 0; k < c; ++k) {
        const double arm = std::count(p.Y.begin() + k * n, p.Y.begin() + (k + 1) * n, 1.0);
        EXPECT_LT(std::abs(arm - static_cast<double>(n) / static_cast<double>(c)), 1.0);
      }
      validate(p);
    }
}

TEST(Generate, SizesOutOfRangeAreNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_of_making(teacher(0, 1, 1, 0.1, 0)), "samples must be at least 1, not 0");
  EXPECT_EQ(error_of_making(teacher(1, -2, 1, 0.1, 0)), "features must be at least 1, not -2");
  EXPECT_EQ(error_of_making(random(1, 1, 0, 0.1, 0)), "outputs must be at least 1, not 0");
  EXPECT_EQ(error_of_making(teacher(1, 1, 1, -0.5, 0)),
            "noise must be between 0 and 1e6, not -0.5");
  EXPECT_EQ(error_of_making(teacher(1, 1, 1, kNan, 0)), "noise must be between 0 and 1e6, not nan");
  Generation deep = spiral(9, 3, 0.1, 0);
  deep.features = 3;
  EXPECT_EQ(error_of_making(deep), "spiral needs 2 features, not 3");
  EXPECT_EQ(error_of_making(spiral(9, 1, 0.1, 0)),
            "spiral needs 2 to 11 outputs, one for each arm, not 1");
  EXPECT_EQ(error_of_making(spiral(99, 12, 0.1, 0)),
            "spiral needs 2 to 11 outputs, one for each arm, not 12");
  EXPECT_EQ(error_of_making(spiral(2, 3, 0.1, 0)),
            "spiral needs a sample for each of its 3 arms, not 2 in all");
}

TEST(Generate, TheEndsOfTheRangesAreMade) {
  for (const double noise : {0.0, 1e6}) {
    validate(generate(teacher(1, 1, 1, noise, ~std::uint64_t{0})).problem);
    validate(generate(random(1, 1, 1, noise, 0)).problem);
    validate(generate(spiral(2, 2, noise, 0)).problem);
    validate(generate(spiral(11, 11, noise, 0)).problem);
  }
}

TEST(Generate, WhatCannotFitIsRefusedBeforeItIsAllocated) {
  constexpr Index kMost = std::numeric_limits<Index>::max();
  for (const Generation& g :
       {teacher(kMost, 1, 1, 0.1, 0), teacher(1, kMost, kMost, 0.1, 0), random(1, 1, kMost, 0.1, 0),
        teacher(kMost, kMost, kMost, 0.1, 0), spiral(kMost, 3, 0.1, 0)})
    EXPECT_NE(error_of_making(g).find("of memory"), std::string::npos) << error_of_making(g);
}

TEST(WriteTable, ReadsBackBitForBit) {
  const TemporaryFolder folder;
  Problem p = generate(teacher(3, 2, 2, 0.1, 5)).problem;
  p.X[0] = 5e-324;
  p.X[1] = -1.2345678901234567e-300;
  p.X[2] = 1e22;
  p.Y[0] = 0.1;

  ASSERT_TRUE(write_table(folder / "t.csv", p));
  const Dataset back = read_dataset(folder / "t.csv", {.value_columns = {"y0", "y1"}});

  EXPECT_EQ(back.schema.features, (std::vector<std::string>{"x0", "x1"}));
  EXPECT_EQ(back.X, p.X);
  EXPECT_EQ(back.Y, p.Y);
}

// Larger than the megabyte that is held at a time.
TEST(WriteTable, LongTablesAreWholeToo) {
  const TemporaryFolder folder;
  const Problem p = generate(random(30000, 3, 1, 0.1, 5)).problem;

  ASSERT_TRUE(write_table(folder / "t.csv", p, [] { return true; }));

  const Dataset back = read_dataset(folder / "t.csv", {.value_columns = {"y0"}});
  EXPECT_GT(fs::file_size(folder / "t.csv"), 2000000U);
  EXPECT_EQ(back.X, p.X);
  EXPECT_EQ(back.Y, p.Y);
}

TEST(WriteTable, StoppedAtAnyPointItLeavesWhatWasThere) {
  const TemporaryFolder folder;
  folder.write("t.csv", "precious");
  const Problem p = generate(random(30000, 3, 1, 0.1, 5)).problem;

  for (const int stop : {1, 2, 3}) {
    int asked = 0;
    EXPECT_FALSE(write_table(folder / "t.csv", p, [&] { return ++asked < stop; }));
    EXPECT_EQ(asked, stop);
    EXPECT_EQ(content_of(folder / "t.csv"), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  }
}

TEST(WriteTable, OnlyRegularFilesAreReplaced) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "d");
  folder.write("old.csv", "old");
  fs::create_symlink("old.csv", folder / "link.csv");
  const Problem p = generate(spiral(4, 2, 0.1, 0)).problem;

  EXPECT_EQ(error_of([&] { write_table("/dev/null", p); }), "/dev/null: is not a regular file");
  EXPECT_NE(error_of([&] { write_table(folder / "d", p); }).find("is a folder"), std::string::npos);
  EXPECT_NE(error_of([&] { write_table(folder / "no/t.csv", p); }).find("cannot be written"),
            std::string::npos);
  EXPECT_TRUE(write_table(folder / "link.csv", p));

  EXPECT_TRUE(fs::is_symlink(folder / "link.csv"));
  EXPECT_EQ(content_of(folder / "old.csv").rfind("x0,x1,y0,y1\n", 0), 0U);
}

TEST(WriteTable, RefusesArraysThatContradictTheirSizes) {
  const TemporaryFolder folder;
  Problem p = generate(spiral(4, 2, 0.1, 0)).problem;
  p.samples = 5;

  EXPECT_NE(error_of([&] { write_table(folder / "t.csv", p); }).find("X holds 8 entries"),
            std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace relulift::test
