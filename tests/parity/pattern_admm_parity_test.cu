// SPDX-License-Identifier: Apache-2.0
// Alternating directions with conjugate gradients on a CUDA device: through the engines its
// matrices are factorised at any size that a test can take. Needs a GPU.
#include <gtest/gtest.h>

#include "src/api/engines.hpp"
#include "src/backends/cuda/cuda_backend.cuh"
#include "src/solvers/pattern_admm.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

constexpr double kTolerance = 1e-5;

// What the factor leads to on the CPU, conjugate gradients lead to there.
TEST(CudaPatternAdmm, ConjugateGradientsProveTheSameOptimum) {
  if (const std::string missing = gpu_unavailable(); !missing.empty()) {
    if (gpu_required()) FAIL() << missing;
    GTEST_SKIP() << missing;
  }
  CudaBackend gpu;
  const auto cpu = make_cpu_engines(2);
  Random random(7);
  const Matrix X = random_matrix(random, 150, 5), Y = random_matrix(random, 150, 2);
  const GatedPatterns gated = patterns_of(X, random_matrix(random, 5, 20));
  for (const PatternProgram program : {PatternProgram::gated, PatternProgram::relu}) {
    const ProgramRequest request{
        X, Y, 1.0, gated, {.outputs = Outputs::one_vs_all, .tolerance = 0.5 * kTolerance}};
    AdmmOptions options = admm_options(X.rows(), X.cols(), program, kTileHost);
    options.system.max_order = 0;

    const PatternPoint a = cpu->alternating(request, program, Control(60.0), {});
    const PatternPoint b = solve_by_admm(gpu, request, program, options, Control(60.0), {});

    EXPECT_LE(b.objective - b.bound, kTolerance * b.objective);
    EXPECT_NEAR(b.objective, a.objective, kTolerance * a.objective);
    EXPECT_LE(a.bound, b.objective * (1.0 + 1e-12));
    EXPECT_LE(b.bound, a.objective * (1.0 + 1e-12));
  }
}

}  // namespace
}  // namespace relulift::testing
