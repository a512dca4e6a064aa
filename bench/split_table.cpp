// SPDX-License-Identifier: Apache-2.0
// The gap that is left by [eq:sdp] and by partitions of weight space into more and more cones
// [eq:split]: bound and seconds against the number of cones.
//   split_table FILE.csv .. [--cones K] [--weight-decay G] [--objective J] [--seconds S]
//   [--verbose]
// --objective: of a network to measure gaps from; without it one is trained for --train-seconds.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/inputs.hpp"
#include "bench/timed_backend.hpp"
#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "src/solvers/split_bound.hpp"
#include "src/solvers/train_network.hpp"

namespace {

using namespace relulift;

struct Arguments {
  std::vector<std::string> files;
  double weight_decay = 0.1, objective = 0.0, seconds = 600.0, train_seconds = 5.0;
  int threads = 2;
  bool verbose = false;
  SplitOptions split;
};

// As a solve comes to it: the low-rank engine, then the interior one.
EngineOutcome whole_space_optimum(CpuBackend& cpu, const ReducedProblem& reduced,
                                  const Weights& network, const Control& control) {
  const LowRankOptions options{.max_iterations = 150};
  EngineOutcome first =
      LowRankAlm(cpu, reduced, low_rank_start(reduced, network, options), options).run(control, {});
  PairsOptions pairs{.tolerance = 1e-4};
  pairs.start = pairs_point(first.multipliers, first.S);
  pairs.primal = first.primal - reduced.constant;
  EngineOutcome root = PairsInteriorPoint(cpu, reduced, pairs).run(control, {});
  if (root.S.size() == 0) root.S = std::move(first.S);
  return root;
}

void run(const Arguments& given, const std::string& file) {
  const Problem problem = bench::problem_of(file, given.weight_decay);
  const Presolved presolved = presolve(problem);
  const ReducedProblem& reduced = presolved.reduced;
  CpuBackend cpu(given.threads);
  bench::TimedBackend<CpuBackend> backend(cpu);
  const Weights network =
      NetworkTrainer(cpu, reduced, TrainOptions{}).run(Control(given.train_seconds), {}).weights;
  const double best = given.objective > 0.0 ? given.objective : objective(reduced, network);
  const Control control(given.seconds);
  const EngineOutcome root = whole_space_optimum(cpu, reduced, network, control);
  const auto print = [&](Index cones, double dual, double seconds, Index iterations) {
    fmt::print(
        "{}: {:4} cones  bound {:.6f}  gap {:7.3f} %  {:8.2f} s  ({:.2f} s, {} iterations)\n", file,
        cones, dual, 100.0 * (best - dual) / best, control.seconds(), seconds, iterations);
    std::fflush(stdout);
  };
  print(1, root.dual, control.seconds(), root.iterations);
  SplitOptions options = given.split;
  if (given.verbose) {
    options.on_iteration = [&](const PairsStep& s) {
      fmt::print(
          "{:8.2f} s  cones {:3} iteration {:4}  order {:6}  dual {:.7f}  gap {:.2e}  steps "
          "{:.3f} {:.3f}\n",
          control.seconds(), s.round, s.iteration, s.variables, s.dual, s.gap, s.primal_step,
          s.dual_step);
      std::fflush(stdout);
    };
  }
  SplitBound bound(backend, reduced, pairs_point(root.multipliers, root.S), options);
  const SplitOutcome outcome = bound.run(control, [&](const SplitStage& stage, const SplitPoint&) {
    print(stage.cones, stage.dual, stage.seconds, stage.iterations);
    return true;
  });
  fmt::print("{}: {}\n", file, to_string(outcome.status));
  if (given.verbose) backend.profile().print(control.seconds());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Bounds on partitions of weight space");
  Arguments a;
  app.add_option("files", a.files)->required();
  app.add_option("--weight-decay", a.weight_decay);
  app.add_option("--objective", a.objective);
  app.add_option("--seconds", a.seconds);
  app.add_option("--train-seconds", a.train_seconds);
  app.add_option("--threads", a.threads);
  app.add_option("--cones", a.split.max_cones);
  app.add_option("--tolerance", a.split.tolerance);
  app.add_flag("--verbose", a.verbose);
  CLI11_PARSE(app, argc, argv);
  for (const std::string& file : a.files) run(a, file);
}
