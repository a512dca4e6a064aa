// SPDX-License-Identifier: Apache-2.0
// Alternating directions with conjugate gradients on a CUDA device: through the engines its
// matrices are factorised at any size that a test can take. Needs a GPU.
#include <gtest/gtest.h>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/backends/cuda/cuda_backend.cuh"
#include "src/solvers/pattern_admm.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/matrices.hpp"

namespace relulift::testing {
namespace {

constexpr double kTolerance = 1e-5;

template <class B>
PatternPoint by_conjugate_gradients(B& be, const ProgramRequest& request, PatternProgram program) {
  AdmmOptions options = admm_options(request.X.rows(), request.X.cols(), program, kTileHost);
  options.system.max_order = 0;
  return solve_by_admm(be, request, program, options, Control(60.0), {});
}

TEST(CudaPatternAdmm, ConjugateGradientsProveTheSameOptimum) {
  if (const std::string missing = gpu_unavailable(); !missing.empty()) {
    if (gpu_required()) FAIL() << missing;
    GTEST_SKIP() << missing;
  }
  CudaBackend gpu;
  CpuBackend cpu(2);
  Random random(7);
  const Matrix X = random_matrix(random, 150, 5), Y = random_matrix(random, 150, 2);
  const GatedPatterns gated = patterns_of(X, random_matrix(random, 5, 20));
  for (const PatternProgram program : {PatternProgram::gated, PatternProgram::relu}) {
    const ProgramRequest request{
        X, Y, 0.3, gated, {.outputs = Outputs::one_vs_all, .tolerance = 0.5 * kTolerance}};

    const PatternPoint a = by_conjugate_gradients(cpu, request, program);
    const PatternPoint b = by_conjugate_gradients(gpu, request, program);

    EXPECT_LE(b.objective - b.bound, kTolerance * b.objective);
    EXPECT_NEAR(b.objective, a.objective, kTolerance * a.objective);
    EXPECT_LE(a.bound, b.objective * (1.0 + 1e-12));
    EXPECT_LE(b.bound, a.objective * (1.0 + 1e-12));
  }
}

}  // namespace
}  // namespace relulift::testing
