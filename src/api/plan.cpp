// SPDX-License-Identifier: Apache-2.0
#include "src/api/plan.hpp"

#include <fmt/format.h>

#include <relulift/error.hpp>

#include "src/api/engines.hpp"
#include "src/backends/cpu/cpu_backend.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_options.hpp"
#include "src/solvers/train_setup.hpp"

namespace relulift {
namespace {

double gigabytes(Index bytes) { return static_cast<double>(bytes) / 1e9; }

Index in_all(const EngineBytes& bytes) { return bytes.engine + bytes.host; }

// "5.00 GB", or where the engine has a memory of its own "3.00 GB there and 2.00 GB on the host".
std::string words(const EngineBytes& bytes, bool shared) {
  if (shared) return fmt::format("{:.2f} GB", gigabytes(in_all(bytes)));
  return fmt::format("{:.2f} GB on the device and {:.2f} GB on the host", gigabytes(bytes.engine),
                     gigabytes(bytes.host));
}

std::string shortage(const EngineBytes& needed, Index n, Index d, Index c,
                     const FreeMemory& memory) {
  return fmt::format("{} for {} rows, {} columns and {} outputs after presolve, and {} are free",
                     words(needed, memory.shared), n, d, c,
                     words({memory.engine, memory.shared ? 0 : memory.host}, memory.shared));
}

std::string too_large(const char* engine, const PlanInput& in, const EngineBytes& needed) {
  return fmt::format("the {} engine needs {}", engine,
                     shortage(needed, in.n, in.d, in.c, in.memory));
}

// What auto chose, and why not more.
std::string choice(const Plan& plan, const PlanInput& in) {
  const bool shared = in.memory.shared;
  if (plan.low_rank && plan.interior)
    return fmt::format("low-rank engine ({}), then interior ({})", words(in.low_rank, shared),
                       words(in.interior, shared));
  if (plan.interior) return fmt::format("interior engine ({})", words(in.interior, shared));
  const std::string why = in.interior_affordable
                              ? too_large("interior", in, in.interior)
                              : "too many rows and outputs for the interior engine";
  if (plan.low_rank)
    return fmt::format("low-rank engine ({}); {}", words(in.low_rank, shared), why);
  if (plan.dense) return fmt::format("{}; dense engine instead ({})", why, words(in.dense, shared));
  return too_large("low-rank", in, in.low_rank) + "; no relaxation";
}

}  // namespace

Plan make_plan(const PlanInput& in) {
  const EngineBytes &interior = in.interior, &dense = in.dense, &low_rank = in.low_rank;
  const bool interior_fits = in.memory.holds(interior), dense_fits = in.memory.holds(dense);
  const bool low_rank_fits = in.memory.holds(low_rank);
  Plan plan;
  plan.memory_bytes = in.memory.engine - (in.memory.shared ? interior.host : 0);
  switch (in.engine) {
    case Engine::none:
      plan.cones = in.features <= kConeFeatures;
      plan.reason = "no relaxation engine was asked for";
      break;
    case Engine::interior:
      if (!in.interior_affordable)
        throw InvalidInput(fmt::format(
            "{} rows and {} outputs are too many for the interior engine, whose factorisations "
            "grow with the cube of the rows; use --engine low-rank or auto",
            in.n, in.c));
      if (!interior_fits) throw InvalidInput(too_large("interior", in, interior));
      plan.interior = true;
      plan.reason = "the interior engine was asked for";
      break;
    case Engine::low_rank:
      if (!low_rank_fits) throw InvalidInput(too_large("low-rank", in, low_rank));
      plan.low_rank = true;
      plan.reason = "the low-rank engine was asked for";
      break;
    case Engine::dense:
      if (!dense_fits) throw InvalidInput(too_large("dense", in, dense));
      plan.dense = true;
      plan.reason = "the dense engine was asked for";
      break;
    case Engine::automatic:
      plan.cones = in.features <= kConeFeatures;
      plan.interior = in.interior_affordable && interior_fits;
      plan.low_rank = low_rank_fits && (in.n >= kLowRankFrom || !plan.interior);
      plan.dense = !plan.interior && !plan.low_rank && dense_fits;
      plan.dense_instead = !plan.dense && dense_fits;
      plan.reason = choice(plan, in);
      break;
  }
  if (plan.cones) plan.reason += fmt::format(", cones ({} features)", in.features);
  return plan;
}

bool interior_affordable(const ReducedProblem& problem) {
  const double n = static_cast<double>(problem.n()), c = static_cast<double>(problem.c());
  const double rows = n + static_cast<double>(problem.p()), kept = 3.0 * n;
  const double elimination = 4.0 * n * n * rows * c + 9.0 * rows * rows * rows +
                             c * c * kept * kept + c * c * c * c * c * c / 12.0;
  return affordable_pairs(problem) >= 2 * problem.n() && elimination <= kEliminationFlops;
}

EngineBytes interior_bytes(const ReducedProblem& problem) {
  const Index order = problem.n() + problem.d() + problem.c();
  const Index pairs = std::min(4 * problem.n(), affordable_pairs(problem));
  // The matrix that is factored, and what feeds it: Q as a list with d + c dense rows.
  const Index certificate = certificate_bytes(order, order - problem.n());
  return {.engine = pairs_bytes(problem, pairs), .host = certificate};
}

EngineBytes low_rank_bytes(const ReducedProblem& problem, Precision precision) {
  constexpr Index kLanes = 64;  // more threads than that are rare, and each costs 32 kB
  Needs host, device;
  if (precision == Precision::mixed) {
    LowRankAlm<CpuBackend, float>::count(host, problem, kLanes, kScanShapeHost);
    LowRankAlm<CpuBackend, float>::count(device, problem, 1, kScanShapeDevice);
  } else {
    LowRankAlm<CpuBackend>::count(host, problem, kLanes, kScanShapeHost);
    LowRankAlm<CpuBackend>::count(device, problem, 1, kScanShapeDevice);
  }
  const Index order = problem.n() + problem.d() + problem.c();
  const LowRankOptions options;
  const Index factor = largest_rank(options, order) * order;
  const Index square = order <= kLargestGram ? order * order : 0;
  const Index pairs = options.pairs_per_sample * problem.n();
  // The state, what the scaling of its entries is made of, the lists and a stripe of the scan.
  return {.engine = std::max(host.storage_bytes, device.storage_bytes),
          .host = 8 * (13 * factor + 12 * pairs + 8 * problem.n() + square) +
                  kScanShapeHost.stripe_bytes};
}

Index plan_width(const ReducedProblem& problem, Index asked, const FreeMemory& memory) {
  const Index samples = problem.n() + problem.p();
  const auto bytes = [&](Index neurons) {
    return train_bytes(samples, problem.d(), problem.c(), neurons);
  };
  Index width = asked > 0 ? asked : default_width(samples);
  while (asked == 0 && width > 1 && !memory.holds(bytes(width))) width = 3 * width / 4;
  if (memory.holds(bytes(width))) return width;
  throw InvalidInput(
      fmt::format("training {} neurons needs {}", width,
                  shortage(bytes(width), samples, problem.d(), problem.c(), memory)));
}

}  // namespace relulift
