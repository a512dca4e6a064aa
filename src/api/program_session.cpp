// SPDX-License-Identifier: Apache-2.0
#include "src/api/program_session.hpp"

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/system.hpp>
#include <utility>

#include "src/api/session.hpp"
#include "src/patterns/all_patterns.hpp"
#include "src/patterns/sample.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/pattern_network.hpp"

namespace relulift {
namespace {

// The caller hears from a long phase at least this often.
constexpr double kHeartbeatSeconds = 0.1;
// Patterns that `exact` may list.
constexpr Index kMostPatterns = 300'000;
// Without a time limit the bound for every network may take as long as the program, and this.
constexpr double kBoundSeconds = 30.0;
// Of a network that is trained for its gates.
constexpr double kGateShare = 0.3;

Matrix matrix(const std::vector<double>& entries, Index rows, Index cols) {
  return Eigen::Map<const Matrix>(entries.data(), rows, cols);
}

}  // namespace

ProgramSession::ProgramSession(const Problem& problem, const Options& options)
    : problem_(problem),
      options_(options),
      control_(options.time_limit_seconds, [this] { return interrupted(); }),
      X_(matrix(problem.X, problem.samples, problem.features)),
      Y_(matrix(problem.Y, problem.samples, problem.outputs)) {
  ChosenEngines chosen = choose_engines(options);
  engines_ = std::move(chosen.engines);
  if (!chosen.why.empty()) why_ = "; " + chosen.why;
}

Result ProgramSession::run() {
  const Control clock;
  const GatedPatterns gated = choose_patterns();
  result_.program.patterns = gated.patterns.size();
  result_.seconds.presolve = clock.seconds();
  solve_program(gated);
  result_.network = network_of(point_, gated.gates);
  result_.objective = objective_of(result_.network, point_);
  result_.winner = Winner::network;
  result_.status = status();
  if (relu() && options_.program.loss == Loss::squared) prove_for_every_network();
  result_.seconds.total = control_.seconds();
  result_.device = engines_->name();
  return std::move(result_);
}

Matrix ProgramSession::gates_of_a_network() {
  Options options = options_;
  options.method = Method::sdp;
  options.engine = Engine::none;
  options.split = 0;
  options.keep_proof = false;
  options.checkpoint.clear();
  options.resume.clear();
  options.max_neurons = options_.program.gates;
  options.gap = 0.0;
  options.time_limit_seconds =
      std::min(kBoundSeconds, kGateShare * std::max(control_.remaining(), 1e-3));
  options.on_progress = [this](const Progress& progress) {
    return report({.phase = phase_, .iteration = progress.iteration, .heartbeat = true});
  };
  const Network network = Session(problem_, options).run().network;
  return matrix(network.U, network.features, network.neurons);
}

Matrix ProgramSession::drawn_gates() {
  const ProgramOptions& program = options_.program;
  const Index d = problem_.features;
  switch (program.gate_kind) {
    case GateKind::sparse:
      return sparse_gates(d, std::min(program.gate_features, d), program.gates, options_.seed);
    case GateKind::patches:
      return patch_gates({program.image_height, program.image_width, program.image_planes},
                         program.patch, program.gates, options_.seed);
    case GateKind::network:
      return gates_of_a_network();
    case GateKind::gaussian:
      break;
  }
  return gaussian_gates(d, program.gates, options_.seed);
}

GatedPatterns ProgramSession::choose_patterns() {
  report({.phase = phase_});
  if (linear()) {
    GatedPatterns all(problem_.samples);
    all.patterns.add(packed_signs(Vector::Zero(problem_.samples)));
    all.gates = Matrix::Zero(problem_.features, 1);
    return all;
  }
  if (options_.method == Method::exact) {
    auto all = all_patterns(X_, kMostPatterns, [this] { return !control_.stop(); });
    if (!all)
      throw InvalidInput("the data have more activation patterns than can be listed (" +
                         std::to_string(kMostPatterns) +
                         ", or the time limit): method exact is for data of small rank");
    result_.program.all_patterns = true;
    return std::move(*all);
  }
  const std::vector<double>& given = options_.program.gate_matrix;
  GatedPatterns out = patterns_of(
      X_, given.empty() ? drawn_gates()
                        : matrix(given, problem_.features,
                                 static_cast<Index>(given.size()) / problem_.features));
  if (out.patterns.size() == 0) {  // every sample inactive under every gate: the opposite ones
    out = patterns_of(X_, -drawn_gates());
  }
  return out;
}

ProgramSolver ProgramSession::choose_solver(const GatedPatterns& gated) {
  const ProgramOptions& program = options_.program;
  (void)gated;
  if (program.solver != ProgramSolver::automatic) return program.solver;
  return relu() ? ProgramSolver::admm : ProgramSolver::gradient;
}

void ProgramSession::solve_program(const GatedPatterns& gated) {
  const Control clock;
  phase_ = linear() ? "linear" : relu() ? "relu" : "gated";
  const ProgramRequest request{.X = X_,
                               .Y = Y_,
                               .weight_decay = problem_.weight_decay,
                               .gated = gated,
                               .options = options_.program,
                               .single_precision = options_.precision == Precision::fp32,
                               .max_iterations = options_.max_iterations};
  choose_solver(gated);
  result_.program.solver = "gradient";
  point_ = engines_->gated(request, control_, on_check());
  result_.program.objective = point_.objective;
  result_.program.bound = point_.bound;
  result_.program.iterations = point_.iterations;
  result_.seconds.relaxation = clock.seconds();
  report({.phase = phase_,
          .iteration = point_.iterations,
          .objective = point_.objective,
          .program_bound = point_.bound});
}

Network ProgramSession::network_of(const PatternPoint& point, const Matrix& gates) const {
  const bool blocks = joint() && options_.program.group == Group::neuron;
  if (linear()) return linear_network(point, problem_.outputs, blocks);
  if (relu()) return relu_network(point, problem_.outputs);
  return gated_network(point, gates, problem_.outputs, blocks);
}

double ProgramSession::objective_of(const Network& network, const PatternPoint& point) const {
  if (options_.program.group == Group::feature) return point.objective;
  return objective(problem_, network, options_.program.loss, options_.program.huber_delta);
}

void ProgramSession::prove_for_every_network() {}

OnProgram ProgramSession::on_check() {
  return [this](const ProgramCheck& check) {
    return report({.phase = phase_,
                   .iteration = check.iteration,
                   .objective = check.objective,
                   .program_bound = check.bound});
  };
}

bool ProgramSession::report(const Progress& progress) {
  Progress row = progress;
  row.seconds = last_report_ = control_.seconds();
  if (!row.heartbeat) result_.trace.push_back(row);
  if (options_.on_progress && !options_.on_progress(row)) stopped_ = true;
  return !stopped_;
}

bool ProgramSession::interrupted() {
  if (!stopped_ && control_.seconds() - last_report_ > kHeartbeatSeconds)
    report({.phase = phase_, .heartbeat = true});
  return stopped_;
}

Status ProgramSession::status() const {
  const ProgramReport& program = result_.program;
  if (!std::isfinite(result_.objective)) return Status::numerical_failure;
  const double gap = program.objective - program.bound;
  if (gap <= options_.program.tolerance * program.objective) return Status::optimal;
  if (stopped_) return Status::interrupted;
  if (control_.out_of_time()) return Status::time_limit;
  if (options_.max_iterations > 0 && program.iterations >= options_.max_iterations)
    return Status::iteration_limit;
  return Status::stalled;
}

Result solve_program(const Problem& problem, const Options& options) {
  return ProgramSession(problem, options).run();
}

}  // namespace relulift
