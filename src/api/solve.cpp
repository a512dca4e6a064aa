// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/solve.hpp>

#include "src/api/session.hpp"

namespace relulift {

void validate(const Options& options) {
  if (!(options.gap >= 0.0 && options.gap < 1.0)) throw InvalidInput("gap must lie in [0, 1)");
  if (!(options.time_limit_seconds > 0.0))
    throw InvalidInput("time_limit_seconds must be positive");
  if (options.max_neurons < 0) throw InvalidInput("max_neurons must not be negative");
  if (options.max_iterations < 0) throw InvalidInput("max_iterations must not be negative");
  if (options.threads < 0) throw InvalidInput("threads must not be negative");
}

std::unique_ptr<Engines> choose_engines(const Options& options) {
  const bool cuda =
      options.device == Device::cuda || (options.device == Device::automatic && cuda_available());
  return cuda ? make_cuda_engines() : make_cpu_engines(options.threads);
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
