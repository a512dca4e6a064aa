// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/solve.hpp>

#include "src/api/session.hpp"

namespace relulift {
namespace {

// Device memory below which the automatic choice is the CPU: others fill that GPU.
constexpr Index kRoomyDevice = Index{1} << 30;

}  // namespace

void validate(const Options& options) {
  if (!(options.gap >= 0.0 && options.gap < 1.0)) throw InvalidInput("gap must lie in [0, 1)");
  if (!(options.time_limit_seconds > 0.0))
    throw InvalidInput("time_limit_seconds must be positive");
  if (options.max_neurons < 0) throw InvalidInput("max_neurons must not be negative");
  if (options.max_iterations < 0) throw InvalidInput("max_iterations must not be negative");
  if (options.threads < 0) throw InvalidInput("threads must not be negative");
}

ChosenEngines choose_engines(const Options& options) {
  if (options.device == Device::cuda) return {make_cuda_engines(), {}};
  ChosenEngines chosen;
  if (options.device == Device::automatic && cuda_available()) {
    try {
      chosen.engines = make_cuda_engines();
      if (chosen.engines->memory().engine >= kRoomyDevice) return chosen;
      chosen.why = "too little of its memory is free";
    } catch (const Error& e) {
      chosen.why = e.what();
    }
    chosen.why = "on the CPU, because the GPU cannot be used (" + chosen.why + ")";
  }
  chosen.engines = make_cpu_engines(options.threads);
  return chosen;
}

Result solve(const Problem& problem, const Options& options) {
  validate(problem);
  validate(options);
  return Session(problem, options).run();
}

Result certify(const Problem& problem, const Network& network, const Options& options) {
  validate(problem);
  validate(options);
  if (network.features != problem.features || network.outputs != problem.outputs)
    throw InvalidInput("the network's features and outputs must be those of the problem");
  return Session(problem, options, &network).run();
}

}  // namespace relulift
