// SPDX-License-Identifier: Apache-2.0
// The interior engine over data sets and weight decays: alone from its own start, and where the
// low-rank engine ended, as `auto` does. p_sdp lies between the bound and the smaller of the two
// feasible values, so the gap printed bounds what is missing from p_sdp, whatever it is.
//
//   interior_table FOLDER NAME... [--weight-decay G...] [--seconds S] [--threads T]
//                  [--only alone|after] [--train-seconds S]
// NAME: a file of the folder without .csv or teacher:N:D:C, and after it any of +bias (a column of
// ones), +scaled (column j times 1e-3, 1e4, 1e-1, 1e2, 1 and so on, and a constant column of
// 1000), +near (rows once more that differ by 1e-5 of their length).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <relulift/system.hpp>
#include <string>
#include <vector>

#include "bench/inputs.hpp"
#include "src/api/engines.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/pairs_options.hpp"

namespace {

using namespace relulift;

// As in src/api/session.cpp.
constexpr double kLowRankShare = 0.4;
constexpr Index kLowRankIterations = 150;

std::string in_folder(const std::filesystem::path& folder, const std::string& name) {
  const std::string base = name.substr(0, name.find('+'));
  if (base.find(':') != std::string::npos) return name;
  return (folder / (base + ".csv")).string() + name.substr(base.size());
}

struct Row {
  EngineOutcome outcome;
  double seconds = 0.0;
};

class Table {
 public:
  Table(int threads, double seconds, double train_seconds)
      : engines_(make_cpu_engines(threads)), seconds_(seconds), train_seconds_(train_seconds) {}

  void head(const std::string& text) { head_ = text; }

  void alone(const ReducedProblem& problem) {
    request_ = {.memory_bytes = engines_->memory().engine};
    print("alone", timed(problem, &Engines::interior, seconds_), NAN);
  }

  void after(const ReducedProblem& problem) {
    const Weights network = engines_->train(problem, {}, Control(train_seconds_), {}, {}).weights;
    request_ = {.max_iterations = kLowRankIterations,
                .memory_bytes = engines_->memory().engine,
                .warm = &network};
    Row first = timed(problem, &Engines::low_rank, kLowRankShare * seconds_);
    print("low-rank", first, NAN);
    request_.max_iterations = 0;
    PairsPoint start;
    if (first.outcome.status != Status::time_limit && first.outcome.S.size() > 0) {
      start = pairs_point(first.outcome.multipliers, first.outcome.S);
      request_.start = &start;
      request_.primal = first.outcome.primal;
    }
    print("after", timed(problem, &Engines::interior, seconds_ - first.seconds),
          first.outcome.primal);
  }

 private:
  using Call = EngineOutcome (Engines::*)(const ReducedProblem&, const EngineRequest&,
                                          const Control&, const OnCheck&);

  Row timed(const ReducedProblem& problem, Call call, double limit) {
    const Control control(limit);
    Row row;
    row.outcome = (engines_.get()->*call)(problem, request_, control, {});
    row.seconds = control.seconds();
    return row;
  }

  // known: a feasible value from elsewhere.
  void print(const char* how, const Row& row, double known) const {
    const EngineOutcome& at = row.outcome;
    const double primal = std::fmin(at.primal, known);
    fmt::print("{}{:<9} {:<18} {:>5} {:>7} {:>14.8g} {:>14.8g} {:>9.1e} {:>8.2f}\n", head_, how,
               to_string(at.status), at.iterations, at.multipliers.entries.size(), at.dual, primal,
               (primal - at.dual) / std::abs(primal), row.seconds);
    std::fflush(stdout);
  }

  std::unique_ptr<Engines> engines_;
  EngineRequest request_;
  double seconds_, train_seconds_;
  std::string head_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The interior engine over data sets and weight decays");
  std::filesystem::path folder;
  std::vector<std::string> names;
  std::vector<double> decays = {10.0, 1.0, 0.1, 0.01, 0.001};
  std::string only;
  double seconds = 60.0, train_seconds = 3.0;
  int threads = 2;
  app.add_option("folder", folder)->required();
  app.add_option("names", names)->required();
  app.add_option("--weight-decay", decays)->delimiter(',');
  app.add_option("--seconds", seconds);
  app.add_option("--train-seconds", train_seconds);
  app.add_option("--threads", threads);
  app.add_option("--only", only)->check(CLI::IsMember({"alone", "after"}));
  CLI11_PARSE(app, argc, argv);
  set_blas_threads(threads);

  Table table(threads, seconds, train_seconds);
  fmt::print("{:<22} {:>6} {:>14} {:<9} {:<18} {:>5} {:>7} {:>14} {:>14} {:>9} {:>8}\n", "data",
             "g", "n x d x c", "how", "status", "iter", "m", "bound", "feasible", "gap", "seconds");
  for (const std::string& name : names) {
    for (const double g : decays) {
      const Presolved presolved = presolve(bench::problem_of(in_folder(folder, name), g));
      const ReducedProblem& problem = presolved.reduced;
      table.head(fmt::format("{:<22} {:>6} {:>14} ", name, g,
                             fmt::format("{} x {} x {}", problem.n(), problem.d(), problem.c())));
      if (only != "after") table.alone(problem);
      if (only != "alone") table.after(problem);
    }
  }
  return 0;
}
