// SPDX-License-Identifier: Apache-2.0
#include "src/api/plan.hpp"

#include <gtest/gtest.h>

#include <relulift/error.hpp>

#include "src/solvers/train_setup.hpp"

namespace relulift {
namespace {

constexpr Index kGiga = 1'000'000'000;

PlanInput input(Engine engine, const FreeMemory& memory) {
  return {.n = 100,
          .d = 10,
          .c = 1,
          .features = 10,
          .engine = engine,
          .interior = {.engine = 6 * kGiga, .host = kGiga},
          .interior_affordable = true,
          .dense = {.engine = 3 * kGiga, .host = 2 * kGiga},
          .low_rank = {.engine = 1000 * kGiga},
          .memory = memory};
}

ReducedProblem empty_problem(Index n, Index d, Index c) {
  ReducedProblem p;
  p.X = Matrix::Zero(n, d);
  p.Y = Matrix::Zero(n, c);
  p.Y_beta.resize(0, c);
  return p;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(Plan, OnTheCpuDeviceAndHostShareOneMemory) {
  EXPECT_TRUE(make_plan(input(Engine::automatic, {.engine = 7 * kGiga})).interior);
  EXPECT_TRUE(make_plan(input(Engine::automatic, {.engine = 7 * kGiga - 1})).dense);
  EXPECT_TRUE(make_plan(input(Engine::automatic, {.engine = 5 * kGiga})).dense);
  EXPECT_FALSE(make_plan(input(Engine::automatic, {.engine = 5 * kGiga - 1})).dense);
}

TEST(Plan, AGpuNeedsRoomOnBothSides) {
  const auto dense_fits = [](Index device, Index host) {
    return make_plan(input(Engine::automatic, {.engine = device, .host = host, .shared = false}))
        .dense;
  };

  EXPECT_TRUE(dense_fits(3 * kGiga, 2 * kGiga));
  EXPECT_FALSE(dense_fits(3 * kGiga - 1, 100 * kGiga));
  EXPECT_FALSE(dense_fits(3 * kGiga, 2 * kGiga - 1));
}

TEST(Plan, AnEngineThatWasAskedForAndDoesNotFitIsRefusedWithTheSizes) {
  const std::string shared =
      message_of([] { make_plan(input(Engine::dense, {.engine = 4 * kGiga})); });
  const std::string apart = message_of([] {
    make_plan(input(Engine::dense, {.engine = 4 * kGiga, .host = kGiga, .shared = false}));
  });

  EXPECT_NE(shared.find("5.00 GB"), std::string::npos) << shared;
  EXPECT_NE(shared.find("4.00 GB are free"), std::string::npos) << shared;
  EXPECT_NE(apart.find("2.00 GB on the host"), std::string::npos) << apart;
}

TEST(Plan, TheLowRankEngineGoesFirstWhereTheInteriorOneIsSlow) {
  PlanInput in = input(Engine::automatic, {.engine = 100 * kGiga});
  in.low_rank = {.engine = kGiga};

  in.n = kLowRankFrom - 1;
  EXPECT_FALSE(make_plan(in).low_rank);
  in.n = kLowRankFrom;
  EXPECT_TRUE(make_plan(in).low_rank);
  EXPECT_TRUE(make_plan(in).interior);
  EXPECT_TRUE(make_plan(in).dense_instead);
  EXPECT_FALSE(make_plan(in).dense);
}

TEST(Plan, TheLowRankEngineStandsAloneWhereTheInteriorOneIsTooLarge) {
  PlanInput in = input(Engine::automatic, {.engine = 6 * kGiga});
  in.low_rank = {.engine = kGiga};

  EXPECT_TRUE(make_plan(in).low_rank);
  EXPECT_FALSE(make_plan(in).interior);
  in.interior_affordable = false;
  in.memory = {.engine = 100 * kGiga};
  EXPECT_TRUE(make_plan(in).low_rank);
  EXPECT_FALSE(make_plan(in).interior);
  EXPECT_NE(make_plan(in).reason.find("too many rows"), std::string::npos);
}

TEST(Plan, AnExplicitLowRankEngineRunsAlone) {
  PlanInput in = input(Engine::low_rank, {.engine = 100 * kGiga});
  EXPECT_THROW(make_plan(in), InvalidInput);
  in.low_rank = {.engine = kGiga};

  EXPECT_TRUE(make_plan(in).low_rank);
  EXPECT_FALSE(make_plan(in).interior);
  EXPECT_FALSE(make_plan(in).dense_instead);
}

// One matrix of order N and 650 N doubles of the estimate and the thin blocks; up to order 1200 in
// extended precision.
TEST(InteriorBytes, TheCertificateOfAListFactorsInOneMatrix) {
  const double large = 3000 + 20 + 5, small = 1000 + 20 + 5;

  const auto host_large = static_cast<double>(interior_bytes(empty_problem(3000, 20, 5)).host);
  const auto host_small = static_cast<double>(interior_bytes(empty_problem(1000, 20, 5)).host);

  EXPECT_GT(host_large, 8.0 * large * large);
  EXPECT_LT(host_large, 1.01 * 8.0 * large * (large + 650.0));
  EXPECT_GT(host_small, 16.0 * small * small);
  EXPECT_LT(host_small, 1.4 * 16.0 * small * small);
}

TEST(PlanWidth, TheDefaultShrinksUntilItFits) {
  const ReducedProblem p = empty_problem(1000, 10, 2);
  const Index usual = default_width(1000);

  const Index width = plan_width(p, 0, {.engine = 100'000'000});

  EXPECT_EQ(plan_width(p, 0, {.engine = 100 * kGiga}), usual);
  EXPECT_LT(width, usual);
  EXPECT_GT(width, 1);
  EXPECT_TRUE(FreeMemory{.engine = 100'000'000}.holds(train_bytes(1000, 10, 2, width)));
}

TEST(PlanWidth, AnExplicitWidthIsTakenOrRefusedWhateverItsSize) {
  const ReducedProblem p = empty_problem(1000, 10, 2);

  EXPECT_EQ(plan_width(p, 700, {.engine = kGiga}), 700);
  for (const Index asked : {Index{2'000'000'000}, std::numeric_limits<Index>::max() / 2}) {
    const std::string message = message_of([&] { plan_width(p, asked, {.engine = kGiga}); });

    EXPECT_NE(message.find("training " + std::to_string(asked) + " neurons needs"),
              std::string::npos)
        << message;
    EXPECT_NE(message.find("1.00 GB are free"), std::string::npos) << message;
  }
}

// 3 n m doubles of activations, m^2 of the refit where the engine works and 3 m^2 on the host are
// what grows; everything else together stays below what is left of the estimate.
TEST(TrainBytes, GrowsWithTheProductOfSamplesAndNeurons) {
  const double n = 20'000, m = 7'500 + 200;

  const EngineBytes bytes = train_bytes(20'000, 10, 1, 7'500);

  EXPECT_GT(static_cast<double>(bytes.engine), 8.0 * (3.0 * n * m + m * m));
  EXPECT_LT(static_cast<double>(bytes.engine), 8.0 * (3.5 * n * m + m * m) + 0.5e9);
  EXPECT_GT(static_cast<double>(bytes.host), 8.0 * 3.0 * m * m);
  EXPECT_LT(static_cast<double>(bytes.host), 8.0 * 4.0 * m * m);
}

}  // namespace
}  // namespace relulift
