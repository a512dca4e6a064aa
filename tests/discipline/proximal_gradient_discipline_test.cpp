// SPDX-License-Identifier: Apache-2.0
// The proximal gradient method on a backend that behaves like a device.
#include <gtest/gtest.h>

#include "src/solvers/gated_program.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/strict_backend.hpp"

namespace relulift::testing {
namespace {

struct Kind {
  Outputs outputs;
  Group group;
};
constexpr std::array<Kind, 3> kKinds{{{Outputs::one_vs_all, Group::neuron},
                                      {Outputs::joint, Group::neuron},
                                      {Outputs::joint, Group::feature}}};

class ProximalGradientDiscipline : public ::testing::Test {
 protected:
  ProgramRequest request(const Kind& kind, bool single = false) const {
    ProgramOptions options;
    options.outputs = kind.outputs;
    options.group = kind.group;
    options.tolerance = 1e-12;
    return {X_, Y_, 0.3, gated_, options, single, 200};
  }

  Random random_{5};
  Matrix X_ = random_matrix(random_, 70, 5), Y_ = random_matrix(random_, 70, 2);
  GatedPatterns gated_ = patterns_of(X_, random_matrix(random_, 5, 12));
};

TEST_F(ProximalGradientDiscipline, AnIterationWaitsTwiceAndOnceMoreForAStepThatIsTooLong) {
  for (const Kind& kind : kKinds) {
    StrictBackend be;
    std::vector<StrictCounts> at;
    const PatternPoint point = solve_gated(be, request(kind), 512, Control(), [&](const auto&) {
      at.push_back(be.counts());
      return true;
    });

    ASSERT_GE(at.size(), 100U);
    EXPECT_TRUE(be.fences_intact());
    EXPECT_LE(point.bound, point.objective);
    Index twice = 0;
    for (std::size_t k = 1; k < at.size(); ++k) {
      EXPECT_EQ(at[k].allocations, at[k - 1].allocations);
      EXPECT_EQ(at[k].uploads, at[k - 1].uploads);
      const Index waits = at[k].fetches - at[k - 1].fetches;
      EXPECT_GE(waits, 2);
      twice += waits == 2 ? 1 : 0;
    }
    // The step grows by a twentieth each time and falls by a fifth: most fit at once.
    EXPECT_GE(twice, static_cast<Index>(at.size()) / 2);
  }
}

TEST_F(ProximalGradientDiscipline, WhatIsCountedIsWhatIsAllocated) {
  const Index n = X_.rows(), d = X_.cols(), c = Y_.cols(), P = gated_.patterns.size();
  const MetricBasis basis = unrotated(X_);
  const auto expect = [&]<class Method>(Method*) {
    StrictBackend be;
    Needs needs;
    Method::count(needs, n, d, P, c, 512);

    const Method method(be, X_, Y_, 0.3, gated_.patterns, basis.metric, {}, {.tile_entries = 512});

    EXPECT_EQ(be.live_bytes(), needs.storage_bytes);
    EXPECT_EQ(be.most_bytes(), needs.storage_bytes);
  };
  using B = StrictBackend;
  using Any = kernels::AnyLoss<double>;
  using AnySingle = kernels::AnyLoss<float>;
  expect(static_cast<ProximalGradient<B, double, Any, NeuronPenalty>*>(nullptr));
  expect(static_cast<ProximalGradient<B, double, Any, FeaturePenalty>*>(nullptr));
  expect(static_cast<ProximalGradient<B, double, Any, NuclearPenalty>*>(nullptr));
  expect(static_cast<ProximalGradient<B, float, AnySingle, NeuronPenalty>*>(nullptr));
}

TEST_F(ProximalGradientDiscipline, AWholeSolveTakesWhatThePlanWasTold) {
  for (const Kind& kind : kKinds) {
    for (const bool single : {false, true}) {
      StrictBackend be;
      const ProgramRequest asked = request(kind, single);

      solve_gated(be, asked, 512, Control(), {});

      EXPECT_EQ(be.most_bytes(), gated_bytes<StrictBackend>(asked, 512).engine);
      EXPECT_EQ(be.live_bytes(), 0);
    }
  }
}

}  // namespace
}  // namespace relulift::testing
