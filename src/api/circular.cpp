// SPDX-License-Identifier: Apache-2.0
// Method::circular: one convex program, its filters, and the linear network that they are.
#include "src/api/circular.hpp"

#include <cmath>
#include <relulift/error.hpp>
#include <utility>

namespace relulift {
namespace {

// As of programs over patterns: the caller hears from a long phase, and what sums of half the
// squared targets may have lost.
constexpr double kHeartbeatSeconds = 0.1, kRounding = 1e-14;

void check(const Options& options) {
  const ProgramOptions& program = options.program;
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw InvalidInput(what);
  };
  require(program.loss == Loss::squared, "method circular takes the squared loss");
  require(program.outputs == Outputs::joint, "method circular has joint outputs");
  require(program.group == Group::neuron, "feature groups are for the methods gated and linear");
  require(program.solver == ProgramSolver::automatic || program.solver == ProgramSolver::interior,
          "method circular is solved by the interior solver");
  require(program.pooling == Pooling::none, "method circular has no pooling");
  require(options.engine == Engine::automatic || options.engine == Engine::none,
          "engines are for the bound on ReLU networks, which method circular has not");
  require(options.precision == Precision::fp64,
          "method circular takes neither precision mixed nor fp32");
  require(options.max_iterations == 0 && options.max_neurons == 0,
          "method circular takes neither max_iterations nor max_neurons");
  require(options.checkpoint.empty() && options.resume.empty(),
          "checkpoint and resume are for method sdp");
}

class CircularSession {
 public:
  CircularSession(const Problem& problem, const Options& options)
      : problem_(problem),
        options_(options),
        control_(options.time_limit_seconds, [this] { return interrupted(); }) {}

  Result run() {
    check(options_);
    ChosenEngines chosen = choose_engines(options_);
    report({.phase = kPhase});
    CircularSolution solution =
        solve_circular_lasso(problem_, options_.program.tolerance, *chosen.engines, control_);
    result_.filters = std::move(solution.fit.network);
    result_.network = linear_network(result_.filters);
    result_.objective = solution.fit.objective;
    double squares = 0.0;
    for (const double y : problem_.Y) squares += y * y;
    result_.program = {.solver = to_string(ProgramSolver::interior),
                       .objective = solution.fit.objective,
                       .bound = solution.fit.bound - kRounding * 0.5 * squares,
                       .iterations = solution.iterations,
                       .filters = result_.filters.filters};
    report({.phase = kPhase,
            .iteration = solution.iterations,
            .objective = result_.objective,
            .program_bound = result_.program.bound});
    result_.status = status();
    result_.device = chosen.engines->name();
    result_.plan = "method circular over " + std::to_string(problem_.features / 2 + 1) +
                   " frequencies by interior" + (chosen.why.empty() ? "" : "; " + chosen.why);
    result_.seconds.total = result_.seconds.relaxation = control_.seconds();
    return std::move(result_);
  }

 private:
  static constexpr const char* kPhase = "circular";

  bool report(const Progress& progress) {
    Progress row = progress;
    row.seconds = last_report_ = control_.seconds();
    if (!row.heartbeat) result_.trace.push_back(row);
    if (options_.on_progress && !options_.on_progress(row)) stopped_ = true;
    return !stopped_;
  }

  bool interrupted() {
    if (!stopped_ && control_.seconds() - last_report_ > kHeartbeatSeconds)
      report({.phase = kPhase, .heartbeat = true});
    return stopped_;
  }

  Status status() const {
    const ProgramReport& program = result_.program;
    if (!std::isfinite(result_.objective)) return Status::numerical_failure;
    if (program.objective - program.bound <= options_.program.tolerance * program.objective)
      return Status::optimal;
    if (stopped_) return Status::interrupted;
    return control_.out_of_time() ? Status::time_limit : Status::stalled;
  }

  const Problem& problem_;
  const Options& options_;
  Control control_;
  Result result_;
  double last_report_ = 0.0;
  bool stopped_ = false;
};

}  // namespace

Result solve_circular(const Problem& problem, const Options& options) {
  return CircularSession(problem, options).run();
}

}  // namespace relulift
