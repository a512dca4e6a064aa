// SPDX-License-Identifier: Apache-2.0
// The last paragraph of a run: what is proved, said without a symbol.
#include <fmt/format.h>

#include <cmath>
#include <relulift/report.hpp>

#include "src/report/numbers.hpp"

namespace relulift {
namespace {

constexpr const char* kStandardized = " Both figures are those of the standardized features.";

std::string proved_for_every_network(const Result& result, const RunFacts& facts) {
  const double gap = relative_gap(result);
  const int digits = digits_for(gap);
  std::string text = fmt::format(
      "No two-layer ReLU network of any width can have an objective below {}; {} has {}: ",
      significant(result.certificate.lower_bound, digits, Rounding::down),
      facts.command == Command::train ? "yours" : "this one",
      significant(result.objective, digits, Rounding::nearest));
  if (gap <= 1e-8)
    text += "it is the best possible.";
  else if (gap < 0.995)
    text += fmt::format("the best possible objective is at most {} % below it.",
                        significant(100.0 * gap, 2, Rounding::up));
  else
    text += "this bound is too weak to say how good it is.";
  return facts.standardized ? text + kStandardized : text;
}

std::string networks_of_program(Method method, const ProgramReport& program) {
  if (method == Method::gated) return "gated networks with these gates";
  if (method == Method::linear) return "linear networks of this kind";
  if (method == Method::circular) return "circular networks of any number of filters";
  return program.all_patterns ? "ReLU networks" : "ReLU networks with neurons of these patterns";
}

// What the convex program says, and about what.
std::string program_words(const Result& result, const RunFacts& facts) {
  const ProgramReport& program = result.program;
  const double gap = relative_gap(program.objective, program.bound);
  const int digits = digits_for(gap);
  const std::string value = significant(program.objective, digits, Rounding::nearest);
  const std::string words = networks_of_program(facts.method, program);
  const char* const filters =
      facts.program.pooling == Pooling::none ? "" : " of filters pooled over these patches";
  // A neuron that serves several may do better.
  const bool single = facts.program.outputs == Outputs::one_vs_all && facts.outputs > 1;
  const char* const outputs = single ? ", each neuron serving one output" : "";
  const bool last = result.certificate.claim == Claim::none;
  if (!(program.bound > 0.0))
    return fmt::format("The convex program has an objective of at most {}.", value);
  const std::string share = gap <= 1e-8 ? "it is their optimum"
                                        : fmt::format("the optimum is at most {} % below it",
                                                      significant(100.0 * gap, 2, Rounding::up));
  return fmt::format("Among {}{}{}, none has an objective below {}; the program reached {}: {}.{}",
                     words, filters, outputs, significant(program.bound, digits, Rounding::down),
                     value, share, last && facts.standardized ? kStandardized : "");
}

const char* why_it_stopped(const Result& result) {
  if (result.program.solver != "none" && result.status == Status::optimal)
    return "the program is solved";
  switch (result.status) {
    case Status::gap_met:
      return "the gap asked for is met";
    case Status::optimal:
      return result.certificate.kind == "split"
                 ? "the relaxation is solved on its cones; more of them (--split) raise the bound"
                 : "the relaxation is solved, what is left of the gap is its own";
    case Status::stalled:
      if (result.program.solver == "decomposition") return "the gated blocks are taken apart";
      return "neither network nor bound improve any more";
    case Status::time_limit:
      return "the time limit is reached";
    case Status::iteration_limit:
      return "the iteration limit is reached";
    case Status::interrupted:
      return "it was interrupted";
    case Status::numerical_failure:
      return "the computation broke down numerically; what is claimed stays valid";
  }
  return "";
}

std::string scores_words(const char* data, const Scores& scores) {
  if (std::isfinite(scores.accuracy))
    return fmt::format(" Accuracy on the {} data: {:.1f} %.", data, 100.0 * scores.accuracy);
  return fmt::format(" Root mean squared error on the {} data: {:.4g}.", data, scores.rmse);
}

}  // namespace

std::string closing_words(const Result& result, const RunFacts& facts) {
  const bool circular = facts.method == Method::circular;
  const Index units = circular ? result.program.filters : result.network.neurons;
  std::string text =
      fmt::format("{} {}{}, {:.1f} s; stopped because {}.", units, circular ? "filter" : "neuron",
                  units == 1 ? "" : "s", facts.total_seconds, why_it_stopped(result));
  if (facts.train) text += scores_words("training", *facts.train);
  if (facts.test) text += scores_words("test", *facts.test);
  text += '\n';
  // Over all patterns the proved bound below says it of the same networks.
  const bool same = result.program.all_patterns && facts.program.pooling == Pooling::none &&
                    result.certificate.claim == Claim::every_network &&
                    (facts.outputs == 1 || facts.program.outputs == Outputs::joint);
  if (facts.method != Method::sdp && !same) text += program_words(result, facts) + '\n';
  switch (result.certificate.claim) {
    case Claim::every_network:
      text += proved_for_every_network(result, facts);
      break;
    case Claim::none:
      if (facts.method != Method::sdp) break;
      text += fmt::format("Objective {}. No lower bound was proved.",
                          significant(result.objective, 4, Rounding::nearest));
      break;
  }
  if (std::isfinite(result.better_objective))
    text +=
        fmt::format(" A network with objective {} was found beside it.",
                    significant(result.better_objective,
                                digits_for(relative_gap(result.objective, result.better_objective)),
                                Rounding::up));
  if (result.suggestion)
    text += fmt::format(" Adding one neuron lowers the objective by {}.",
                        significant(result.suggestion->reduction, 2, Rounding::down));
  return text.ends_with('\n') ? text : text + '\n';
}

}  // namespace relulift
