// SPDX-License-Identifier: Apache-2.0
#include "src/api/program_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>
#include <relulift/system.hpp>
#include <utility>

#include "src/api/circular.hpp"
#include "src/api/plan.hpp"
#include "src/io/file.hpp"
#include "src/patterns/all_patterns.hpp"
#include "src/patterns/gaussian_data.hpp"
#include "src/patterns/sample.hpp"
#include "src/solvers/exchange.hpp"
#include "src/solvers/pattern_interior_step.hpp"
#include "src/solvers/pattern_network.hpp"

namespace relulift {
namespace {

// The caller hears from a long phase at least this often.
constexpr double kHeartbeatSeconds = 0.1;
// Up to so many samples the alternating directions factorise one matrix and are faster than the
// gradient method on gated programs.
constexpr Index kAdmmSamples = 4000;
// Cones of more features cost the augmented Lagrangian long projections before its first values.
constexpr Index kLagrangianFeatures = 100;
// Of half the squared targets: what sums of them may have lost.
constexpr double kRounding = 1e-14;
// Of the iterations of a solver, those that the trace shows.
constexpr Index kTraceEvery = 50;
// Patterns that `exact` may list.
constexpr Index kMostPatterns = 300'000;
// Rounds of training for gates, and the share of the time left that it may take.
constexpr Index kTrainRounds = 20;
constexpr double kTrainShare = 0.3;
// A relative gap that another solver is worth a try.
constexpr double kStuck = 1e-4;
// Of a time limit, where a bound for every network follows.
constexpr double kProgramShare = 0.8;

Matrix matrix(const std::vector<double>& entries, Index rows, Index cols) {
  return Eigen::Map<const Matrix>(entries.data(), rows, cols);
}

// Each end from where it is better.
void better_ends(PatternPoint& best, PatternPoint&& other) {
  other.iterations += best.iterations;
  if (!(best.bound >= other.bound)) {
    best.bound = other.bound;
    best.E = std::move(other.E);
  }
  if (!(best.objective <= other.objective)) {
    best.objective = other.objective;
    best.V = std::move(other.V);
    best.N = std::move(other.N);
  }
  best.iterations = other.iterations;
}

}  // namespace

ProgramSession::ProgramSession(const Problem& problem, const Options& options,
                               ProgramMemory* memory)
    : problem_(problem),
      options_(options),
      control_(options.time_limit_seconds, [this] { return interrupted(); }),
      X_(matrix(problem.X, problem.samples, problem.features)),
      Y_(matrix(problem.Y, problem.samples, problem.outputs)),
      memory_(memory != nullptr ? *memory : own_memory_) {
  ChosenEngines chosen = choose_engines(options);
  engines_ = std::move(chosen.engines);
  if (!chosen.why.empty()) why_ = "; " + chosen.why;
}

Result ProgramSession::run() {
  check();
  if (options_.method == Method::exact && joint()) return solve_exactly();
  if (pooled()) X_ = grid().stacked(X_);
  const Control clock;
  if (!memory_.gated) memory_.gated = choose_patterns();
  const GatedPatterns& gated = *memory_.gated;
  // An interruption while they were listed leaves one pattern: no claim about all of them.
  result_.program.all_patterns = options_.method == Method::exact && !stopped_;
  result_.seconds.presolve = clock.seconds();
  const Control solving;
  phase_ = to_string(options_.method);
  const Control whole = control_;
  if (bound_for_every_network()) control_ = whole.within(kProgramShare * whole.remaining());
  result_.network = relu() ? solve_relu(gated) : solve_gated(gated);
  if (pooled()) to_whole_samples(result_.network);
  result_.seconds.relaxation = solving.seconds();
  result_.objective = objective_of(result_.network);
  result_.winner = Winner::network;
  // A network of the program has no larger objective but for rounding.
  if (result_.objective > result_.program.objective) result_.program.objective = result_.objective;
  result_.status = status();
  control_ = whole;
  result_.device = engines_->name();
  result_.plan = "method " + std::string(to_string(options_.method)) + " over " +
                 std::to_string(result_.program.patterns) + " patterns by " +
                 result_.program.solver + why_ + sampling_words();
  if (bound_for_every_network()) prove_for_every_network();
  result_.seconds.total = control_.seconds();
  return std::move(result_);
}

// Of gates that are drawn as the theorem has it.
std::string ProgramSession::sampling_words() const {
  const ProgramOptions& program = options_.program;
  if (options_.method != Method::relu || pooled() || program.loss != Loss::squared ||
      problem_.outputs > 1 || program.gate_kind != GateKind::gaussian ||
      !program.gate_matrix.empty() || !looks_gaussian(X_))
    return {};
  return fmt::format(
      "; the data look Gaussian: drawn gates cost a factor of at most C sqrt(log 2n) = {:.3g} C, C "
      "a constant, with high probability",
      sampling_rate(problem_.samples));
}

void ProgramSession::check() const {
  const ProgramOptions& program = options_.program;
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw InvalidInput(what);
  };
  validate_targets(program.loss, problem_.Y, problem_.samples, problem_.outputs);
  if (pooled()) check_pooling();
  const bool smooth = program.loss != Loss::hinge && program.loss != Loss::absolute;
  require(!relu() || program.group == Group::neuron,
          "feature groups are for the methods gated and linear");
  require(options_.method != Method::exact || program.loss == Loss::squared,
          "method exact takes the squared loss");
  require(!program.refine || (options_.method == Method::relu && program.loss == Loss::squared),
          "refine is for method relu with the squared loss");
  require(!program.refine || options_.precision != Precision::fp32,
          "refine works in double precision: it takes no precision fp32");
  require(smooth || program.solver != ProgramSolver::gradient,
          "the gradient solver takes smooth losses: squared, logistic and huber");
  require(!relu() || program.solver != ProgramSolver::gradient,
          "the gradient solver is for the methods gated and linear");
  const bool lagrangian = program.solver == ProgramSolver::lagrangian;
  require(smooth || !lagrangian,
          "the lagrangian solver takes smooth losses: squared, logistic and huber");
  require(relu() || !lagrangian, "the lagrangian solver is for the methods relu and exact");
  require(!lagrangian || options_.precision != Precision::fp32,
          "the lagrangian solver works in double precision: it takes no precision fp32");
  require(program.solver != ProgramSolver::interior ||
              (program.loss == Loss::squared && program.group == Group::neuron),
          "the interior solver takes the squared loss and groups of neurons");
  require(program.solver != ProgramSolver::interior || !joint() || relu(),
          "the interior solver takes one output at a time: choose one-vs-all");
  const bool decomposes = program.solver == ProgramSolver::decomposition;
  require(!decomposes || options_.method == Method::relu,
          "the decomposition solver is for method relu");
  require(!decomposes || !program.refine, "refine is not for the decomposition solver");
  require(decomposes || program.decomposition == Decomposition::exact,
          "decomposition approximate is for the decomposition solver");
  require(program.decomposition == Decomposition::exact || program.loss == Loss::squared,
          "decomposition approximate takes the squared loss");
  require(!relu() || !joint() || decomposes || program.loss == Loss::squared,
          "joint outputs of a ReLU program take the squared loss; choose one-vs-all");
  require(!relu() || !joint() || decomposes || exchange_affordable(problem_),
          "joint outputs of a ReLU program are for samples x outputs up to 3000; choose "
          "one-vs-all");
  require(options_.method != Method::exact || !joint() || problem_.features <= kConeFeatures,
          "method exact with joint outputs is for data of up to five features; choose one-vs-all");
  require(options_.precision != Precision::mixed, "precision mixed is for method sdp");
  require(relu() || options_.split <= 0, "split is for the bound on ReLU networks");
  const bool exchange = options_.method == Method::exact && joint();
  require(options_.max_neurons == 0 || exchange,
          "max_neurons is for method sdp, and for exact with joint outputs");
  require(
      relu() || options_.engine == Engine::automatic || options_.engine == Engine::none,
      "engines are for the bound on ReLU networks, which the methods gated and linear have not");
  const bool iterates = program.solver != ProgramSolver::interior && !exchange;
  require(iterates || (options_.max_iterations == 0 && options_.precision != Precision::fp32),
          "the interior solver and the exchange method take neither max_iterations nor precision "
          "fp32");
  require(!exchange || program.solver == ProgramSolver::automatic,
          "method exact with joint outputs has a solver of its own");
  require(options_.checkpoint.empty() && options_.resume.empty(),
          "checkpoint and resume are for method sdp");
  const auto entries = static_cast<Index>(program.gate_matrix.size());
  const Index weights = pooled() ? grid().entries() : problem_.features;
  require(entries % weights == 0,
          pooled() ? "gate_matrix must have one row per pixel of a patch, and one for a bias"
                   : "gate_matrix must have one row per feature");
  require(std::ranges::all_of(program.gate_matrix, [](double h) { return std::isfinite(h); }),
          "gate_matrix has an entry that is not finite");
  const ImageShape image{program.image_height, program.image_width, program.image_planes};
  require(program.gate_kind != GateKind::patches || !program.gate_matrix.empty() || linear() ||
              options_.method == Method::exact || image.features() == problem_.features,
          "image height x width x planes must be the number of features");
  const bool drawn = program.gate_matrix.empty() && !linear() && options_.method != Method::exact;
  // The gates, those that are kept, their patterns.
  const Index rows = problem_.samples * (pooled() ? grid().patches() : 1);
  const double each = 16.0 * static_cast<double>(weights) + static_cast<double>(rows) / 8.0;
  if (drawn)
    io::check_fits_memory("gates", std::to_string(program.gates) + " of them",
                          each * static_cast<double>(program.gates));
}

// Rounds are counted, so that without a time limit the clock decides nothing.
Network ProgramSession::train(const Network* from, Index neurons) {
  if (!presolved_) presolved_ = presolve(problem_);
  const ReducedProblem& reduced = presolved_->reduced;
  if (reduced.n() == 0) return {problem_.features, problem_.outputs, 0, /*U=*/{}, /*V=*/{}};
  const TrainOptions train{.max_neurons = plan_width(reduced, neurons, engines_->memory()),
                           .seed = options_.seed,
                           .max_rounds = kTrainRounds};
  const Control control = control_.within(kTrainShare * control_.remaining());
  const auto check = [this](const TrainReport& report) {
    return this->report({.phase = phase_, .iteration = report.iteration, .heartbeat = true});
  };
  const TrainReport report =
      from != nullptr
          ? engines_->improve(reduced, presolved_->weights(*from), train, control, check, {})
          : engines_->train(reduced, train, control, check, {});
  return presolved_->network(report.weights);
}

Matrix ProgramSession::gates_of_a_network() {
  const Network network = train(nullptr, options_.program.gates);
  return matrix(network.U, network.features, network.neurons);
}

Matrix ProgramSession::drawn_gates() {
  const ProgramOptions& program = options_.program;
  const Index d = X_.cols();
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
    if (!all && stopped_) return patterns_of(X_, Matrix::Zero(X_.cols(), 1));
    if (!all && control_.out_of_time())
      throw InvalidInput("the time limit passed while activation patterns were listed");
    if (!all)
      throw InvalidInput("the data have more activation patterns than can be listed (" +
                         std::to_string(kMostPatterns) +
                         "): method exact is for data of small rank");
    return std::move(*all);
  }
  const std::vector<double>& given = options_.program.gate_matrix;
  const Matrix gates = given.empty()
                           ? drawn_gates()
                           : matrix(given, X_.cols(), static_cast<Index>(given.size()) / X_.cols());
  GatedPatterns out = patterns_of(X_, gates);
  // Every sample inactive under every gate: the opposite ones.
  if (out.patterns.size() == 0) out = patterns_of(X_, -gates);
  return out;
}

ProgramRequest ProgramSession::request(const GatedPatterns& gated) const {
  return {.X = X_,
          .Y = Y_,
          .weight_decay = problem_.weight_decay,
          .gated = gated,
          .options = options_.program,
          .single_precision = options_.precision == Precision::fp32,
          .max_iterations = options_.max_iterations};
}

// A step of the interior point is of a sensible size, and its matrices fit.
bool ProgramSession::interior_fits(Index patterns) const {
  const Index n = problem_.samples, rows = X_.rows(), d = X_.cols();
  const PatternProgram program = relu() ? PatternProgram::relu : PatternProgram::gated;
  return pattern_interior_affordable(n, rows, d, patterns, program) &&
         engines_->memory().holds(pattern_interior_bytes(n, rows, d, patterns, program));
}

bool ProgramSession::interior_suits() const {
  const ProgramOptions& program = options_.program;
  const bool blocks = joint() && !relu();
  return program.loss == Loss::squared && program.group == Group::neuron && !blocks &&
         options_.precision != Precision::fp32 && options_.max_iterations == 0;
}

// The one that was asked for. Else what suits best, and what comes next where that one gets stuck,
// as the interior point may on cones that are nearly flat and where the units are far apart.
std::vector<ProgramSolver> ProgramSession::solvers(const GatedPatterns& gated) const {
  using enum ProgramSolver;
  const ProgramOptions& program = options_.program;
  if (program.solver != automatic) return {program.solver};
  const bool smooth = program.loss != Loss::hinge && program.loss != Loss::absolute;
  std::vector<ProgramSolver> out;
  if (interior_suits() && interior_fits(gated.patterns.size()) &&
      (!relu() || gates_inside(X_, gated.gates)))
    out.push_back(interior);
  if (relu() && smooth && !pooled() && options_.precision != Precision::fp32 &&
      problem_.features <= kLagrangianFeatures)
    out.push_back(lagrangian);
  out.push_back(relu() || !smooth || problem_.samples <= kAdmmSamples ? admm : gradient);
  return out;
}

PatternPoint ProgramSession::solve_by(ProgramSolver solver, const GatedPatterns& gated,
                                      const PatternPoint& start) {
  result_.program.solver = to_string(solver);
  const PatternProgram kind = relu() ? PatternProgram::relu : PatternProgram::gated;
  if (solver == ProgramSolver::interior) {
    check_memory(pattern_interior_bytes(problem_.samples, X_.rows(), X_.cols(),
                                        gated.patterns.size(), kind));
    return engines_->patterns_interior(X_, Y_, problem_.weight_decay, gated, kind,
                                       options_.program.tolerance, control_);
  }
  ProgramRequest asked = request(gated);
  if (start.V.size() > 0 && start.V.allFinite()) asked.start = start;
  if (solver == ProgramSolver::lagrangian) {
    check_memory(engines_->lagrangian_bytes(asked));
    return engines_->lagrangian(asked, control_, on_check());
  }
  if (solver == ProgramSolver::admm) {
    check_memory(engines_->alternating_bytes(asked, kind));
    return engines_->alternating(asked, kind, control_, on_check());
  }
  check_memory(engines_->gated_bytes(asked));
  return engines_->gated(asked, control_, on_check());
}

PatternPoint ProgramSession::solve_over(const GatedPatterns& gated, const PatternPoint& start) {
  result_.program.patterns = gated.patterns.size();
  const std::vector<ProgramSolver> some = solvers(gated);
  PatternPoint best = solve_by(some.front(), gated, start);
  const double bearable = std::max(options_.program.tolerance, kStuck);
  const auto stuck = [&] { return !(best.objective - best.bound <= bearable * best.objective); };
  const bool limited = options_.max_iterations > 0;
  for (std::size_t k = 1; k < some.size() && stuck() && !limited && !control_.stop(); ++k) {
    const std::string before = result_.program.solver;
    PatternPoint point;
    try {
      point = solve_by(some[k], gated, start);
    } catch (const InvalidInput&) {  // it does not fit into memory: what is there stays
      result_.program.solver = before;
      break;
    }
    if (!(point.objective < best.objective) && !(point.bound > best.bound))
      result_.program.solver = before;
    better_ends(best, std::move(point));
  }
  return best;
}

void ProgramSession::check_memory(const EngineBytes& needed) const {
  const FreeMemory memory = engines_->memory();
  if (memory.holds(needed)) return;
  const auto gigabytes = [](Index bytes) { return std::to_string((bytes >> 30) + 1); };
  throw InvalidInput("the program over " + std::to_string(result_.program.patterns) +
                     " patterns needs " + gigabytes(needed.engine + needed.host) + " GiB, " +
                     gigabytes(memory.engine) + " GiB are free; take fewer gates");
}

Network ProgramSession::solve_gated(const GatedPatterns& gated) {
  memory_.point = solve_over(gated, memory_.point);
  const PatternPoint& point = memory_.point;
  note_program(point);
  const bool blocks = joint() && options_.program.group == Group::neuron;
  return linear() ? linear_network(point, problem_.outputs, blocks)
                  : gated_network(point, gated.gates, problem_.outputs, blocks);
}

void ProgramSession::note_ends(double objective, double bound) {
  result_.program.objective = objective;
  // The bound knows no more than the rounding of the loss that it starts from; no loss is negative.
  const double proved = bound - kRounding * 0.5 * Y_.squaredNorm();
  result_.program.bound = proved > 0.0 ? proved : 0.0;
}

void ProgramSession::note_program(const PatternPoint& point) {
  note_ends(point.objective, point.bound);
  result_.program.iterations = point.iterations;
  report({.phase = phase_,
          .iteration = point.iterations,
          .objective = point.objective,
          .program_bound = result_.program.bound});
}

double ProgramSession::objective_of(const Network& network) const {
  if (options_.program.group == Group::feature) return result_.program.objective;
  return objective(problem_, network, options_.program.loss, options_.program.huber_delta);
}

OnProgram ProgramSession::on_check() {
  return [this](const ProgramCheck& check) {
    return report({.phase = phase_,
                   .iteration = check.iteration,
                   .objective = check.objective,
                   .program_bound = check.bound,
                   .heartbeat = check.iteration % kTraceEvery != 0});
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

Result solve_program(const Problem& problem, const Options& options, ProgramMemory* memory) {
  if (options.method == Method::circular) return solve_circular(problem, options);
  return ProgramSession(problem, options, memory).run();
}

}  // namespace relulift
