// SPDX-License-Identifier: Apache-2.0
// A gated program at a size where no relaxation can go: seconds of the set-up, of an iteration, and
// the rate against the flops (4 n d P c) and bytes that it needs.
// usage: program_scale SAMPLES FEATURES GATES ITERATIONS [single|double] [admm|gradient]
#include <fmt/format.h>

#include <cstdlib>
#include <relulift/generate.hpp>
#include <relulift/solve.hpp>
#include <string>
#include <vector>

namespace relulift {
namespace {

int measure(const std::vector<std::string>& arguments) {
  const Index n = std::stol(arguments.at(0)), d = std::stol(arguments.at(1));
  const Index gates = std::stol(arguments.at(2)), iterations = std::stol(arguments.at(3));
  Problem problem = generate({.samples = n, .features = d, .outputs = 1}).problem;
  problem.weight_decay = 1e-3 * static_cast<double>(n);
  Options options;
  options.method = Method::gated;
  options.precision =
      arguments.size() > 4 && arguments[4] == "double" ? Precision::fp64 : Precision::fp32;
  options.program.gates = gates;
  options.program.solver = arguments.size() > 5 && arguments[5] == "admm" ? ProgramSolver::admm
                                                                          : ProgramSolver::gradient;
  options.max_iterations = iterations;
  double first = 0.0, last = 0.0;
  Index count = 0;
  options.on_progress = [&](const Progress& progress) {
    if (progress.iteration < 1 || std::string(progress.phase) != "gated") return true;
    if (first == 0.0) first = progress.seconds;
    if (progress.iteration < iterations) {
      last = progress.seconds;
      ++count;
    }
    return true;
  };
  const Result result = solve(problem, options);
  const ProgramReport& program = result.program;
  const double each = (last - first) / static_cast<double>(count - 1);
  const double flops =
      4.0 * static_cast<double>(n) * static_cast<double>(d) * static_cast<double>(program.patterns);
  fmt::print(
      "n {} d {} patterns {} {}: {} iterations, objective {:.6g}, bound {:.6g}, gap {:.1e}\n", n, d,
      program.patterns, options.precision == Precision::fp32 ? "single" : "double",
      program.iterations, program.objective, program.bound,
      (program.objective - program.bound) / program.objective);
  fmt::print(
      "patterns {:.1f} s, set-up and first iteration {:.1f} s, then {:.3f} s each: "
      "{:.1f} GFLOP/s of products; total {:.1f} s\n",
      result.seconds.presolve, first - result.seconds.presolve, each, 1e-9 * flops / each,
      result.seconds.total);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace relulift

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr,
               "usage: program_scale SAMPLES FEATURES GATES ITERATIONS [single|double] "
               "[admm|gradient]\n");
    return EXIT_FAILURE;
  }
  return relulift::measure({argv + 1, argv + argc});
}
