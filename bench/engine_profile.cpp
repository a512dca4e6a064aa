// SPDX-License-Identifier: Apache-2.0
// One engine alone on one data set: its bound against time, and where the time goes by operation.
//   engine_profile FILE.csv|teacher:N:D:C [--engine dense|interior] [--rows N] [--seconds S]
//                  [--iterations K] [--scaling network|none]
// --scaling none takes the dense engine's block scaling away.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <relulift/system.hpp>

#include "bench/inputs.hpp"
#include "bench/timed_backend.hpp"
#include "src/api/engines.hpp"
#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/block_scaling.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/solvers/dense_admm.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "src/solvers/train_network.hpp"

int main(int argc, char** argv) {
  using namespace relulift;
  CLI::App app("Profile of one engine");
  std::string file, engine = "interior", scaling = "network";
  double weight_decay = 0.1, seconds = 60.0, train_seconds = 10.0;
  Index rows = 1 << 30, iterations = 0;
  int threads = 2;
  PairsOptions pairs;
  LowRankOptions low_rank;
  bool certify = false, both = false;
  app.add_option("file", file)->required();
  app.add_option("--engine", engine);
  app.add_option("--scaling", scaling);
  app.add_option("--rows", rows);
  app.add_option("--seconds", seconds);
  app.add_option("--iterations", iterations);
  app.add_option("--train-seconds", train_seconds);
  app.add_option("--weight-decay", weight_decay);
  app.add_option("--threads", threads);
  app.add_option("--neighbours", pairs.neighbours);
  app.add_option("--per-row", pairs.per_row);
  app.add_option("--blend", pairs.blend);
  app.add_option("--rank", low_rank.rank);
  app.add_option("--inner", low_rank.inner_steps);
  app.add_option("--growth", low_rank.growth);
  app.add_option("--pairs", low_rank.pairs_per_sample);
  app.add_flag("--certify", certify);
  app.add_flag("--both", both);
  CLI11_PARSE(app, argc, argv);
  set_blas_threads(threads);

  const Problem problem = bench::head(bench::problem_of(file, weight_decay), rows);
  const Presolved presolved = presolve(problem);
  const ReducedProblem& reduced = presolved.reduced;
  CpuBackend cpu(threads);
  bench::TimedBackend<CpuBackend> backend(cpu);
  Control control(seconds);
  EngineOutcome outcome;
  if (engine == "interior") {
    pairs.max_iterations = iterations;
    pairs.max_pairs = affordable_pairs(reduced);
    pairs.on_iteration = [&](const PairsStep& s) {
      fmt::print(
          "{:8.2f} s  round {:2} iteration {:4}  order {:6}  dual {:.7f}  gap {:.2e}  steps "
          "{:.3f} {:.3f}\n",
          control.seconds(), s.round, s.iteration, s.variables, s.dual, s.gap, s.primal_step,
          s.dual_step);
    };
    outcome = PairsInteriorPoint(backend, reduced, pairs).run(control, {});
  } else if (engine == "low-rank") {
    TrainOptions train;
    const Weights network =
        NetworkTrainer(cpu, reduced, train).run(Control(train_seconds), {}).weights;
    const double J = objective(reduced, network);
    fmt::print("objective of the network {:.5f}, {} neurons\n", J, network.neurons());
    low_rank.max_iterations = iterations;
    control = Control(seconds);
    LowRankAlm run(backend, reduced, low_rank_start(reduced, network, low_rank), low_rank);
    double best = -1e300;
    outcome = run.run(control, [&](const EngineCheck& c) {
      const LowRankState& s = run.state();
      fmt::print(
          "{:8.2f} s  iteration {:3}  primal {:.6f}  dual {:.6f}  residuals {:.2e} {:.2e}  sigma "
          "{:.2e} rank {} pairs {} active {}",
          control.seconds(), c.iteration, c.primal, c.dual, c.primal_residual, c.dual_residual,
          s.sigma, s.Z.rows(), s.pairs.size(), (s.w.array() > 0).count());
      if (c.multipliers && certify) {
        const double begun = control.seconds();
        const Bound bound = certify_multipliers(problem, presolved.dual_candidate(c.multipliers()),
                                                {.objective_upper = J, .at_least = best});
        best = std::max(best, bound.value);
        fmt::print("  bound {:.6f} (kappa {:.1e}, {:.2f} s)", bound.value, bound.kappa,
                   control.seconds() - begun);
      }
      fmt::print("\n");
      std::fflush(stdout);
      return true;
    });
    if (both) {
      fmt::print("{:8.2f} s  feasible {:.7f}, status {}\n", control.seconds(), outcome.primal,
                 to_string(outcome.status));
      pairs.start = pairs_point(reduced, outcome);
      pairs.max_pairs = affordable_pairs(reduced);
      pairs.on_iteration = [&](const PairsStep& s) {
        fmt::print("{:8.2f} s  round {} iteration {} order {} dual {:.7f} gap {:.2e} steps {:.3f} {:.3f}\n",
            control.seconds(), s.round, s.iteration, s.variables, s.dual, s.gap, s.primal_step,
            s.dual_step);
        std::fflush(stdout);
      };
      outcome = PairsInteriorPoint(backend, reduced, pairs).run(control, {});
    }
  } else {
    DenseAdmmOptions options;
    options.limits.max_iterations = iterations;
    TrainOptions train;
    const Weights network =
        NetworkTrainer(cpu, reduced, train).run(Control(train_seconds), {}).weights;
    BlockScaling scales = block_scaling(reduced, network);
    if (scaling == "none") {  // rows of unit mean square, u and v as they come
      const double mean = reduced.X.squaredNorm() / static_cast<double>(reduced.n());
      scales = {.row = Vector::Constant(reduced.n(), 1.0 / std::sqrt(mean)), .u = 1.0, .v = 1.0};
    }
    DenseAdmm engine_run(backend, reduced, scales, options);
    engine_run.warm_start(network);
    control = Control(seconds);
    outcome = engine_run.run(control, [&](const EngineCheck& c) {
      fmt::print("{:8.2f} s  iteration {:5}  primal {:.6f}  dual {:.6f}  residuals {:.2e} {:.2e}\n",
                 control.seconds(), c.iteration, c.primal, c.dual, c.primal_residual,
                 c.dual_residual);
      return true;
    });
  }
  const double elapsed = control.seconds();
  fmt::print("{}: n {}, d {}, c {}: {} iterations, {:.4f} s each, primal {:.7f}, dual {:.7f}\n",
             file, reduced.n(), reduced.d(), reduced.c(), outcome.iterations,
             elapsed / static_cast<double>(std::max<Index>(outcome.iterations, 1)), outcome.primal,
             outcome.dual);
  backend.profile().print(elapsed);
}
