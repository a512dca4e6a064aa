// SPDX-License-Identifier: Apache-2.0
// The words that result.json uses.
#include <array>
#include <relulift/result.hpp>

namespace relulift {

const char* to_string(Status status) {
  switch (status) {
    case Status::gap_met:
      return "gap_met";
    case Status::optimal:
      return "optimal";
    case Status::stalled:
      return "stalled";
    case Status::time_limit:
      return "time_limit";
    case Status::iteration_limit:
      return "iteration_limit";
    case Status::interrupted:
      return "interrupted";
    case Status::numerical_failure:
      break;
  }
  return "numerical_failure";
}

const char* to_string(Claim claim) {
  return claim == Claim::every_network ? "every_network" : "none";
}

const char* to_string(Method method) {
  constexpr std::array kNames{"sdp", "relu", "gated", "exact", "linear", "circular"};
  return kNames.at(static_cast<std::size_t>(method));
}

const char* to_string(Outputs outputs) {
  return outputs == Outputs::joint ? "joint" : "one-vs-all";
}

const char* to_string(Group group) { return group == Group::neuron ? "neuron" : "feature"; }

const char* to_string(GateKind kind) {
  constexpr std::array kNames{"gaussian", "sparse", "patches", "network"};
  return kNames.at(static_cast<std::size_t>(kind));
}

const char* to_string(ProgramSolver solver) {
  constexpr std::array kNames{"auto", "interior",   "gradient",
                              "admm", "lagrangian", "decomposition"};
  return kNames.at(static_cast<std::size_t>(solver));
}

const char* to_string(Decomposition decomposition) {
  return decomposition == Decomposition::exact ? "exact" : "approximate";
}

const char* to_string(Pooling pooling) { return pooling == Pooling::average ? "average" : "none"; }

const char* to_string(Winner winner) {
  switch (winner) {
    case Winner::network:
      return "network";
    case Winner::column_generation:
      return "column_generation";
    case Winner::rounding:
      break;
  }
  return "rounding";
}

}  // namespace relulift
