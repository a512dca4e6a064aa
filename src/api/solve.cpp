// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/solve.hpp>
#include <string>

#include "src/api/program_session.hpp"
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
  if (options.split != Options::kAutomaticSplit && options.split != 0 && options.split < 2)
    throw InvalidInput("split must be 0, 2 or more, or kAutomaticSplit");
  if (options.max_iterations < 0) throw InvalidInput("max_iterations must not be negative");
  if (options.threads < 0) throw InvalidInput("threads must not be negative");
  if (!(options.checkpoint_every_seconds > 0.0))
    throw InvalidInput("checkpoint_every_seconds must be positive");
  const ProgramOptions& program = options.program;
  if (program.gates < 1) throw InvalidInput("gates must be at least 1");
  if (program.gate_features < 1) throw InvalidInput("gate_features must be at least 1");
  if (program.patch < 1) throw InvalidInput("patch must be at least 1");
  if (program.stride < 1) throw InvalidInput("stride must be at least 1");
  if (!(program.tolerance > 0.0 && program.tolerance < 1.0))
    throw InvalidInput("tolerance must lie in (0, 1)");
  if (!(std::isfinite(program.huber_delta) && program.huber_delta > 0.0))
    throw InvalidInput("huber_delta must be finite and positive");
  if (options.method != Method::sdp) return;
  if (program.loss != Loss::squared) throw InvalidInput("method sdp takes the squared loss");
  if (program.outputs != Outputs::joint) throw InvalidInput("method sdp has joint outputs");
  if (program.pooling != Pooling::none)
    throw InvalidInput("pooling is for the methods relu, gated and exact");
  if (options.precision == Precision::fp32)
    throw InvalidInput("precision fp32 is for programs over patterns");
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

namespace {

void check_network(const Network& network, const Problem& problem) {
  if (network.activation != Activation::relu)
    throw InvalidInput("bounds are for ReLU networks; this one has gates or no activation");
  if (network.features != problem.features || network.outputs != problem.outputs)
    throw InvalidInput("the network's features and outputs must be those of the problem");
  if (network.neurons < 0) throw InvalidInput("the network's neurons must not be negative");
  const auto check_weights = [&](const std::vector<double>& weights, const char* name, Index rows) {
    // Divided, not multiplied: a product of stated sizes may overflow.
    const auto entries = static_cast<Index>(weights.size());
    if (entries % rows != 0 || entries / rows != network.neurons)
      throw InvalidInput(std::string(name) + " of the network must hold " + std::to_string(rows) +
                         " x neurons entries, not " + std::to_string(entries));
    for (const double weight : weights)
      if (!std::isfinite(weight))
        throw InvalidInput(std::string(name) + " of the network has an entry that is not finite");
  };
  check_weights(network.U, "U", network.features);
  check_weights(network.V, "V", network.outputs);
}

}  // namespace

Result solve(const Problem& problem, const Options& options) {
  validate(problem);
  validate(options);
  if (options.method != Method::sdp) return solve_program(problem, options);
  return Session(problem, options).run();
}

Result certify(const Problem& problem, const Network& network, const Options& options) {
  validate(problem);
  validate(options);
  if (!options.checkpoint.empty() || !options.resume.empty())
    throw InvalidInput("checkpoint and resume are for solve(), not for certify()");
  if (options.method != Method::sdp) throw InvalidInput("certify() knows method sdp alone");
  check_network(network, problem);
  return Session(problem, options, &network).run();
}

}  // namespace relulift
