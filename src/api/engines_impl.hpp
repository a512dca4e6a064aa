// SPDX-License-Identifier: Apache-2.0
// Instantiates every solver for one backend. Included by one translation unit per backend.
#pragma once

#include <algorithm>
#include <utility>

#include "src/api/engines.hpp"
#include "src/solvers/block_scaling.hpp"
#include "src/solvers/circular_lasso.hpp"
#include "src/solvers/dense_admm.hpp"
#include "src/solvers/gated_program.hpp"
#include "src/solvers/group_lasso.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "src/solvers/pattern_admm.hpp"
#include "src/solvers/pattern_interior.hpp"
#include "src/solvers/pattern_lagrangian.hpp"
#include "src/solvers/split_bound.hpp"
#include "src/solvers/train_network.hpp"

namespace relulift {

template <Backend B>
class BackendEngines final : public Engines {
 public:
  BackendEngines(B backend, const FreeMemory& memory) : be_(std::move(backend)), memory_(memory) {}

  std::string name() const override { return be_.name(); }
  FreeMemory memory() const override { return memory_; }

  TrainReport train(const ReducedProblem& problem, const TrainOptions& options,
                    const Control& control, const OnTrainCheck& on_check,
                    const Scanner& scanner) override {
    return NetworkTrainer<B>(be_, problem, options).run(control, on_check, scanner);
  }

  TrainReport improve(const ReducedProblem& problem, const Weights& start,
                      const TrainOptions& options, const Control& control,
                      const OnTrainCheck& on_check, const Scanner& scanner) override {
    return NetworkTrainer<B>(be_, problem, options).improve(start, control, on_check, scanner);
  }

  GroupLassoPoint refit(const Matrix& X, const Matrix& Y, double weight_decay, const Matrix& S,
                        const GroupLassoPoint& start, double tolerance,
                        const Control& control) override {
    return GroupLasso<B>(be_, X, Y, weight_decay, S).solve(start, tolerance, control);
  }

  GroupLassoPoint circular(const Matrix& A, const Matrix& Y, double tolerance, double constant,
                           const Control& control) override {
    return CircularLasso<B>(be_, A, Y).solve(tolerance, constant, control);
  }

  PatternPoint gated(const ProgramRequest& request, const Control& control,
                     const OnProgram& on_check) override {
    return solve_gated(be_, request, memory_.shared ? kTileHost : kTileDevice, control, on_check);
  }
  EngineBytes gated_bytes(const ProgramRequest& request) const override {
    return relulift::gated_bytes<B>(request, memory_.shared ? kTileHost : kTileDevice);
  }

  PatternPoint alternating(const ProgramRequest& request, PatternProgram program,
                           const Control& control, const OnProgram& on_check) override {
    return solve_by_admm(be_, request, program, memory_.shared ? kTileHost : kTileDevice, control,
                         on_check);
  }
  EngineBytes alternating_bytes(const ProgramRequest& request,
                                PatternProgram program) const override {
    return admm_bytes<B>(request, program, memory_.shared ? kTileHost : kTileDevice);
  }

  PatternPoint lagrangian(const ProgramRequest& request, const Control& control,
                          const OnProgram& on_check) override {
    return solve_by_lagrangian(be_, request, memory_.shared ? kTileHost : kTileDevice, control,
                               on_check);
  }
  EngineBytes lagrangian_bytes(const ProgramRequest& request) const override {
    return relulift::lagrangian_bytes<B>(request, memory_.shared ? kTileHost : kTileDevice);
  }

  PatternPoint patterns_interior(const Matrix& X, const Matrix& Y, double weight_decay,
                                 const GatedPatterns& patterns, PatternProgram program,
                                 double tolerance, const Control& control) override {
    return PatternInterior<B>(be_, X, Y, weight_decay, patterns, program).solve(tolerance, control);
  }

  EngineOutcome dense(const ReducedProblem& problem, const EngineRequest& request,
                      const Control& control, const OnCheck& on_check) override {
    DenseAdmmOptions options;
    if (request.max_iterations > 0) options.limits.max_iterations = request.max_iterations;
    const BlockScaling scaling = block_scaling(problem, *request.warm);
    DenseAdmm<B> engine(be_, problem, scaling, options);
    engine.warm_start(*request.warm);
    return engine.run(control, on_check);
  }

  EngineOutcome low_rank(const ReducedProblem& problem, const EngineRequest& request,
                         const Control& control, const OnCheck& on_check) override {
    LowRankOptions options;
    options.max_iterations = request.max_iterations;
    options.seed = request.seed;
    LowRankState start =
        request.resume ? *request.resume : low_rank_start(problem, *request.warm, options);
    const ScanShape shape = memory_.shared ? kScanShapeHost : kScanShapeDevice;
    if (request.precision == Precision::mixed) {
      return LowRankAlm<B, float>(be_, problem, std::move(start), options, shape)
          .run(control, on_check);
    }
    return LowRankAlm<B>(be_, problem, std::move(start), options, shape).run(control, on_check);
  }

  EngineOutcome interior(const ReducedProblem& problem, const EngineRequest& request,
                         const Control& control, const OnCheck& on_check) override {
    PairsOptions options;
    options.max_iterations = request.max_iterations;
    options.memory_limit_bytes = request.memory_bytes;
    options.max_pairs = affordable_pairs(problem);
    if (options.max_pairs < 14 * problem.n()) options.neighbours = 2;
    if (request.start) {
      options.start = std::move(*request.start);
      options.primal = request.primal - problem.constant;
      options.tolerance = kHandedOverTolerance;
    }
    return PairsInteriorPoint<B>(be_, problem, options).run(control, on_check);
  }

  SplitOutcome split(const ReducedProblem& problem, PairsPoint start, const SplitOptions& options,
                     const Control& control, const OnSplit& on_stage) override {
    return SplitBound<B>(be_, problem, std::move(start), options).run(control, on_stage);
  }

 private:
  // The first digits of p_sdp come from the low-rank engine, from above; more than these need many
  // rounds of the interior engine, which gain next to nothing.
  static constexpr double kHandedOverTolerance = 1e-4;

  B be_;
  FreeMemory memory_;
};

}  // namespace relulift
