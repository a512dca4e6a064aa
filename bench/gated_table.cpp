// SPDX-License-Identifier: Apache-2.0
// Programs over given patterns by each solver that takes them: objective, certified gap, iterations
// and seconds. Gates come from an NPY file, so that other programs can be timed on the same.
// usage: gated_table X.npy Y.npy GATES.npy G [gated|relu] [--tolerance T]
#include <fmt/format.h>

#include <cstdlib>
#include <relulift/error.hpp>
#include <relulift/io.hpp>
#include <relulift/solve.hpp>
#include <string>
#include <vector>

namespace relulift {
namespace {

void run(const Problem& problem, Options options, ProgramSolver solver) {
  options.program.solver = solver;
  options.time_limit_seconds = 600.0;
  try {
    double seconds = 0.0;
    const Result result = solve(problem, options);
    seconds = result.seconds.presolve + result.seconds.relaxation;
    const ProgramReport& program = result.program;
    fmt::print("{:<9}{:>9}{:>18.10f}{:>12.1e}{:>10}{:>10.4f}\n", to_string(solver),
               program.patterns, program.objective,
               (program.objective - program.bound) / program.objective, program.iterations,
               seconds);
  } catch (const InvalidInput& error) {
    fmt::print("{:<9}{}\n", to_string(solver), error.what());
  }
}

int table(const std::vector<std::string>& arguments) {
  const Dataset data = read_dataset(arguments.at(0), {.file = arguments.at(1)});
  Options options;
  options.program.gate_matrix = read_dataset(arguments.at(2), {}).X;
  options.program.outputs = Outputs::one_vs_all;
  options.method = Method::gated;
  options.engine = Engine::none;
  for (std::size_t k = 4; k < arguments.size(); ++k) {
    if (arguments[k] == "relu") options.method = Method::relu;
    if (arguments[k] == "--tolerance") options.program.tolerance = std::stod(arguments.at(++k));
  }
  const Problem problem = make_problem(data, {}, std::stod(arguments.at(3)));
  fmt::print("{} {} x {}, {} outputs, g = {}\n", arguments[0], data.samples, data.features,
             data.outputs, problem.weight_decay);
  fmt::print("{:<9}{:>9}{:>18}{:>12}{:>10}{:>10}\n", "solver", "patterns", "objective", "gap",
             "iterations", "seconds");
  for (const ProgramSolver solver :
       {ProgramSolver::interior, ProgramSolver::gradient, ProgramSolver::admm})
    run(problem, options, solver);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace relulift

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: gated_table X.npy Y.npy GATES.npy G [gated|relu] [--tolerance T]\n");
    return EXIT_FAILURE;
  }
  return relulift::table({argv + 1, argv + argc});
}
