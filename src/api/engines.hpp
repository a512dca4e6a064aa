// SPDX-License-Identifier: Apache-2.0
// The engines behind one virtual seam: the only place where a backend is chosen. Each
// implementation instantiates the solver templates for one backend in one translation unit.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <relulift/options.hpp>
#include <string>

#include "src/core/control.hpp"
#include "src/core/needs.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/presolve/reduced_problem.hpp"
#include "src/solvers/engine.hpp"
#include "src/solvers/group_lasso_step.hpp"
#include "src/solvers/pairs_point.hpp"
#include "src/solvers/pattern_point.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/split_options.hpp"
#include "src/solvers/train_options.hpp"

namespace relulift {

// What an engine may use beside the problem.
struct EngineRequest {
  Index max_iterations = 0;       // 0: no limit
  Index memory_bytes = 0;         // at most this much for matrices of the engine
  const Weights* warm = nullptr;  // a trained network, reduced coordinates
  std::uint64_t seed = 0;
  Precision precision = Precision::fp64;  // of the low-rank engine
  // Of the interior engine: where another one ended, and its feasible value, constant included.
  PairsPoint* start = nullptr;  // moved from
  double primal = std::numeric_limits<double>::quiet_NaN();
  // Where an earlier run stood (EngineCheck::state), sizes and ranges checked; null without one.
  const LowRankState* resume = nullptr;
};

// Active pairs the interior engine may carry: beyond this order of its Schur matrix a factorisation
// (m^3/3 flops: 0.9 Tflop, ten seconds of two cores) costs more than its round is worth.
inline constexpr Index kSchurOrder = 14'000;
inline Index affordable_pairs(const ReducedProblem& problem) { return kSchurOrder - problem.n(); }
// Flops of one elimination of the residual multipliers beyond which the same holds.
inline constexpr double kEliminationFlops = 1.5e12;
// Whether the interior engine is of use at this size at all.
bool interior_affordable(const ReducedProblem& problem);

class Engines {
 public:
  virtual ~Engines() = default;
  virtual std::string name() const = 0;   // "cpu" or "cuda: NAME"
  virtual FreeMemory memory() const = 0;  // for matrices of an engine
  virtual TrainReport train(const ReducedProblem&, const TrainOptions&, const Control&,
                            const OnTrainCheck&, const Scanner&) = 0;
  // Polishes `start`; the result is never worse.
  virtual TrainReport improve(const ReducedProblem&, const Weights& start, const TrainOptions&,
                              const Control&, const OnTrainCheck&, const Scanner&) = 0;
  // [eq:refit] over the unit directions S, to high accuracy.
  virtual GroupLassoPoint refit(const Matrix& X, const Matrix& Y, double weight_decay,
                                const Matrix& S, const GroupLassoPoint& start, double tolerance,
                                const Control&) = 0;
  // [eq:circular-lasso] over A = (XQ)_k / g_k, r x 2K, as CircularLasso takes it.
  virtual GroupLassoPoint circular(const Matrix& A, const Matrix& Y, double tolerance,
                                   double constant, const Control&) = 0;
  // A gated program [eq:gated] with a smooth loss.
  virtual PatternPoint gated(const ProgramRequest&, const Control&, const OnProgram&) = 0;
  virtual EngineBytes gated_bytes(const ProgramRequest&) const = 0;
  // [eq:gated] or [eq:relu-cones] with any loss, by alternating directions.
  virtual PatternPoint alternating(const ProgramRequest&, PatternProgram, const Control&,
                                   const OnProgram&) = 0;
  virtual EngineBytes alternating_bytes(const ProgramRequest&, PatternProgram) const = 0;
  // [eq:relu-cones] with a smooth loss, one output per neuron, by the augmented Lagrangian.
  virtual PatternPoint lagrangian(const ProgramRequest&, const Control&, const OnProgram&) = 0;
  virtual EngineBytes lagrangian_bytes(const ProgramRequest&) const = 0;
  // [eq:gated] or [eq:relu-cones] over given patterns, to high accuracy.
  virtual PatternPoint patterns_interior(const Matrix& X, const Matrix& Y, double weight_decay,
                                         const GatedPatterns&, PatternProgram, double tolerance,
                                         const Control&) = 0;
  virtual EngineOutcome dense(const ReducedProblem&, const EngineRequest&, const Control&,
                              const OnCheck&) = 0;
  virtual EngineOutcome low_rank(const ReducedProblem&, const EngineRequest&, const Control&,
                                 const OnCheck&) = 0;
  virtual EngineOutcome interior(const ReducedProblem&, const EngineRequest&, const Control&,
                                 const OnCheck&) = 0;
  // From a point that is nearly optimal on the whole space.
  virtual SplitOutcome split(const ReducedProblem&, PairsPoint start, const SplitOptions&,
                             const Control&, const OnSplit&) = 0;
};

std::unique_ptr<Engines> make_cpu_engines(int threads);
// Throws DeviceUnavailable without a CUDA build or a device.
std::unique_ptr<Engines> make_cuda_engines();
// False without a CUDA build or a usable device; never throws.
bool cuda_available();
struct ChosenEngines {
  std::unique_ptr<Engines> engines;
  std::string why;  // a GPU that is there was left aside; empty otherwise
};
// Device::automatic takes CUDA where there is a device that works and has room.
ChosenEngines choose_engines(const Options& options);

}  // namespace relulift
