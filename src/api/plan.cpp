// SPDX-License-Identifier: Apache-2.0
#include "src/api/plan.hpp"

#include <fmt/format.h>

#include <relulift/error.hpp>

namespace relulift {
namespace {

double gigabytes(Index bytes) { return static_cast<double>(bytes) / 1e9; }

std::string too_large(const char* engine, const PlanInput& in, Index needed) {
  return fmt::format(
      "the {} engine needs {:.2f} GB for {} rows, {} columns and {} outputs after presolve, and "
      "{:.2f} GB are free",
      engine, gigabytes(needed), in.n, in.d, in.c, gigabytes(in.memory_bytes));
}

}  // namespace

Plan make_plan(const PlanInput& in) {
  const Index interior = in.interior_bytes;
  const Index dense = in.dense_bytes;
  Plan plan;
  plan.memory_bytes = in.memory_bytes;
  switch (in.engine) {
    case Engine::none:
      plan.cones = in.features <= kConeFeatures;
      plan.reason = "no relaxation engine was asked for";
      break;
    case Engine::interior:
      if (!in.interior_affordable)
        throw InvalidInput(fmt::format(
            "{} rows are too many for the interior engine, whose factorisations grow with their "
            "cube; use --engine dense or auto",
            in.n));
      if (interior > in.memory_bytes) throw InvalidInput(too_large("interior", in, interior));
      plan.interior = true;
      plan.reason = "the interior engine was asked for";
      break;
    case Engine::dense:
      if (dense > in.memory_bytes) throw InvalidInput(too_large("dense", in, dense));
      plan.dense = true;
      plan.reason = "the dense engine was asked for";
      break;
    case Engine::automatic:
      plan.cones = in.features <= kConeFeatures;
      plan.interior = in.interior_affordable && interior <= in.memory_bytes;
      plan.dense = !plan.interior && dense <= in.memory_bytes;
      if (plan.interior) {
        plan.reason = fmt::format("interior engine ({:.2f} GB)", gigabytes(interior));
      } else if (plan.dense) {
        plan.reason = fmt::format("{}; dense engine instead ({:.2f} GB)",
                                  in.interior_affordable ? too_large("interior", in, interior)
                                                         : "too many rows for the "
                                                           "interior engine",
                                  gigabytes(dense));
      } else {
        plan.reason = too_large("dense", in, dense) + "; no relaxation";
      }
      break;
  }
  if (plan.cones) plan.reason += fmt::format(", cones ({} features)", in.features);
  return plan;
}

}  // namespace relulift
