// SPDX-License-Identifier: Apache-2.0
// Network training alone: J against seconds of processor time.
//   train_bench DATA.csv [--seconds S] [--weight-decay G] [--width N] [--starts N] ...
// The options after --weight-decay are those of TrainOptions; --help lists them.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <ctime>

#include "bench/inputs.hpp"
#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/train_network.hpp"

namespace {

using namespace relulift;

// Processor time, so that a loaded machine does not change what is compared.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void add_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--width", o.max_neurons);
  app.add_option("--starts", o.starts);
  app.add_option("--start-neurons", o.start_neurons);
  app.add_option("--seed", o.seed);
  app.add_option("--evaluations", o.evaluations);
  app.add_option("--new", o.new_directions);
  app.add_option("--ascents", o.ascents);
  app.add_option("--whitening", o.whitening);
  app.add_option("--patience", o.patience);
  app.add_option("--keep", o.keep);
  app.add_option("--stall", o.stall);
  app.add_option("--first-smoothing", o.first_smoothing)->delimiter(',');
  app.add_option("--smoothing", o.smoothing)->delimiter(',');
}

void print(const char* what, const TrainReport& r) {
  fmt::print("{}{:8.2f} cpu s  J {:.6f}  neurons {}  evaluations {}  rounds {}  kappa {:.4f}\n",
             what, cpu_seconds(), r.objective, r.weights.neurons(), r.iteration, r.rounds,
             r.kappa_found);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Network training alone");
  std::filesystem::path data;
  double seconds = 10.0, weight_decay = 0.1;
  TrainOptions options;
  app.add_option("data", data)->required()->check(CLI::ExistingFile);
  app.add_option("--seconds", seconds)->check(CLI::PositiveNumber);
  app.add_option("--weight-decay", weight_decay)->check(CLI::PositiveNumber);
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);

  const ReducedProblem problem = presolve(bench::load(data, weight_decay)).reduced;
  CpuBackend backend;
  const Control control(1e300, [&] { return cpu_seconds() > seconds; });
  NetworkTrainer<CpuBackend> trainer(backend, problem, options);
  const TrainReport report = trainer.run(control, [](const TrainReport& now) {
    print("", now);
    return true;
  });
  print("END ", report);
}
