// SPDX-License-Identifier: Apache-2.0
// ReLU programs over the same patterns by alternating directions and by the augmented Lagrangian:
// iterations, seconds and processor seconds until certified relative gaps.
// usage: cone_solvers X.npy Y.npy G [GATES.npy|GATES] [LIMIT]
//        cone_solvers teacher N D GATES G [LIMIT]
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <relulift/generate.hpp>
#include <relulift/io.hpp>
#include <relulift/solve.hpp>
#include <string>
#include <vector>

namespace relulift {
namespace {

constexpr std::array<double, 5> kGaps{1e-1, 1e-2, 1e-3, 1e-4, 1e-5};

void run(const Problem& problem, Options options, ProgramSolver solver) {
  options.program.solver = solver;
  const std::clock_t start = std::clock();
  std::size_t reached = 0;
  options.on_progress = [&](const Progress& row) {
    const double gap = (row.objective - row.program_bound) / row.objective;
    for (; reached < kGaps.size() && gap <= kGaps[reached]; ++reached)
      fmt::print("{:<11} gap {:.0e}: iteration {:>6}, {:>8.2f} s, {:>8.2f} processor s\n",
                 to_string(solver), kGaps[reached], row.iteration, row.seconds,
                 static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    return true;
  };
  const Result result = solve(problem, options);
  const ProgramReport& program = result.program;
  fmt::print("{:<11} end: objective {:.10g}, gap {:.1e}, {} iterations, {:.2f} s\n",
             to_string(solver), program.objective,
             (program.objective - program.bound) / program.objective, program.iterations,
             result.seconds.relaxation);
}

int table(const std::vector<std::string>& arguments) {
  Options options;
  options.method = Method::relu;
  options.engine = Engine::none;
  options.program.outputs = Outputs::one_vs_all;
  options.program.tolerance = kGaps.back();
  Problem problem;
  std::size_t next = 3;
  if (arguments[0] == "teacher") {
    problem = generate({.samples = std::stol(arguments.at(1)),
                        .features = std::stol(arguments.at(2)),
                        .outputs = 1})
                  .problem;
    options.program.gates = std::stol(arguments.at(3));
    problem.weight_decay = std::stod(arguments.at(4));
    next = 5;
  } else {
    problem = make_problem(read_dataset(arguments[0], {.file = arguments.at(1)}), {},
                           std::stod(arguments.at(2)));
    const std::string gates = arguments.at(next++);
    if (gates.ends_with(".npy")) {
      options.program.gate_matrix = read_dataset(gates, {}).X;
    } else {
      options.program.gates = std::stol(gates);
    }
  }
  options.time_limit_seconds = arguments.size() > next ? std::stod(arguments[next]) : 120.0;
  for (const ProgramSolver solver : {ProgramSolver::lagrangian, ProgramSolver::admm})
    run(problem, options, solver);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace relulift

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr,
               "usage: cone_solvers X.npy Y.npy G [GATES.npy|GATES] [LIMIT]\n"
               "       cone_solvers teacher N D GATES G [LIMIT]\n");
    return EXIT_FAILURE;
  }
  return relulift::table({argv + 1, argv + argc});
}
