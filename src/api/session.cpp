// SPDX-License-Identifier: Apache-2.0
#include "src/api/session.hpp"

#include <algorithm>
#include <cmath>
#include <relulift/system.hpp>
#include <utility>

#include "src/certificate/cone_search.hpp"
#include "src/model/rounding.hpp"
#include "src/solvers/dense_admm_host.hpp"
#include "src/solvers/new_neuron.hpp"
#include "src/solvers/polish.hpp"

namespace relulift {
namespace {

// Share of a finite time limit that training may take before the bound has its turn.
constexpr double kTrainShare = 0.35;
// Rounding and its polishing may take this share of what is left.
constexpr double kRoundShare = 0.5;
// A dual candidate is fetched and certified when its estimate rises by this share.
constexpr double kWorthCertifying = 1e-3;
// The caller hears from a long phase at least this often.
constexpr double kHeartbeatSeconds = 0.1;
// A slow machine, and the share of the time left that one step of an engine may take on it.
constexpr double kFlopsPerSecond = 2e10;
constexpr double kStepShare = 0.1;
// The low-rank engine ends here where the interior engine follows: on badly conditioned data it
// would go on for ever.
constexpr double kLowRankShare = 0.4;
constexpr Index kLowRankIterations = 150;
// Variables of the interior engine on neighbours, per direction, about.
constexpr double kFreshVariables = 6.0;
// What is left of a proof that comes after the time limit or an interruption.
constexpr double kLastProofSeconds = 2.0;
// Of walking a tree of cones again, for the record.
constexpr double kProofSeconds = 120.0, kProofShare = 0.1;
// Caps of one scan for missing neurons, one proof by cones, and one round of polishing.
constexpr double kScanSeconds = 5.0;
constexpr double kConeSeconds = 60.0;
constexpr double kPolishSeconds = 30.0;
// Alternation of cones and training ends after this many rounds without this much progress.
constexpr int kIdleRounds = 2;
constexpr double kProgress = 1e-4;
// The cones suffice where they leave a smaller gap than this.
constexpr double kConesSuffice = 0.1;

class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += clock_.seconds(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  Control clock_;
};

Winner winner_of(const TrainReport& report) {
  return report.source == TrainSource::network ? Winner::network : Winner::column_generation;
}

}  // namespace

Index Session::usable_memory() {
  constexpr double kUsable = 0.9;
  return static_cast<Index>(kUsable * static_cast<double>(available_memory_bytes()));
}

Session::Session(const Problem& problem, const Options& options, const Network* given)
    : problem_(problem),
      options_(options),
      given_(given),
      checkpoint_(options, problem),
      control_(options.time_limit_seconds, [this] { return interrupted(); }),
      keeper_(problem,
              options.keep_proof ? BoundKeeper::Proofs::keep : BoundKeeper::Proofs::forget) {
  const Stopwatch watch(result_.seconds.presolve);
  if (!options.resume.empty()) resumed_ = read_checkpoint(options.resume, problem);
  presolved_ = presolve(problem);
  if (resumed_) check_fits(*resumed_, presolved_, options.resume.string());
  missed_.resize(presolved_.reduced.d(), 0);
  result_.removed_rows = presolved_.removed_rows;
  ChosenEngines chosen = choose_engines(options);
  engines_ = std::move(chosen.engines);
  const ReducedProblem& reduced = presolved_.reduced;
  EngineBytes dense = dense_admm_bytes(reduced);
  if (checkpoint_.on()) dense.host += 8 * 4 * reduced.n() * reduced.n();  // the W that it keeps
  plan_ = make_plan({.n = reduced.n(),
                     .d = reduced.d(),
                     .c = problem.outputs,
                     .features = problem.features,
                     .engine = options.engine,
                     .interior = interior_bytes(reduced),
                     .interior_affordable = interior_affordable(reduced),
                     .dense = dense,
                     .low_rank = low_rank_bytes(reduced, options_.precision),
                     .memory = engines_->memory()});
  if (!chosen.why.empty()) plan_.reason += "; " + chosen.why;
  width_ = plan_width(reduced, options.max_neurons, engines_->memory());
}

Result Session::run() {
  note_bound("floor", keeper_.last(), keeper_.last().seconds);
  if (given_) {
    best_ = {*given_, objective(problem_, *given_), Winner::network};
    best_weights_ = presolved_.weights(*given_);
    const Stopwatch watch(result_.seconds.network);
    result_.suggestion = suggest_neuron(problem_, *given_, options_.threads, control_);
  } else {
    offer({Matrix(presolved_.reduced.d(), 0), Matrix(problem_.outputs, 0)}, Winner::network);
  }
  if (presolved_.reduced.n() == 0) {  // the zero network is optimal, and the floor proves it
    offer({Matrix(presolved_.reduced.d(), 0), Matrix(problem_.outputs, 0)}, Winner::network);
    return finish();
  }
  if (resumed_) go_on_from(*resumed_);
  if (!resumed_ || (!resumed_->trained && !enough())) train();
  if (!enough() && plan_.cones && !solve_by_exchange()) close_by_cones();
  if (!enough() && !cones_suffice()) relax();
  return finish();
}

void Session::go_on_from(Checkpoint& earlier) {
  const Weights weights = presolved_.weights(earlier.network);
  const bool too_wide = options_.max_neurons > 0 && weights.neurons() > options_.max_neurons;
  if (too_wide) earlier.trained = false;  // what is left of it is not
  checkpoint_.go_on_from(earlier);
  if (too_wide)
    offer(largest(weights, options_.max_neurons), earlier.winner);
  else
    offer(weights, earlier.network, earlier.winner);
  checkpoint_.keep(best_.network, best_.winner);
  if (earlier.multipliers.G.size() > 0) {
    phase_ = "checkpoint";
    engine_began_ = control_.seconds();
    offer_dual(earlier.multipliers);
  }
  earlier.multipliers = {};  // they may be large
}

TrainOptions Session::train_options() const {
  TrainOptions train;
  train.max_neurons = width_;
  train.seed = options_.seed;
  return train;
}

// The whole sphere is scanned where that is cheap; elsewhere the trainer's ascents must do.
Scanner Session::scanner() {
  if (presolved_.reduced.d() > kConeFeatures) return {};
  return [this, X = presolved_.reduced.stacked_X()](const Matrix& E, double threshold) {
    const auto found =
        scan_sphere(X, E, threshold, Matrix(X.cols(), 0), 300, control_.within(kScanSeconds));
    // What a full search met goes first: a scan in limited time can miss it.
    Matrix all(X.cols(), missed_.cols() + found.violators.cols());
    all << missed_, found.violators;
    missed_.resize(X.cols(), 0);
    return all;
  };
}

void Session::train() {
  phase_ = "network";
  const Stopwatch watch(result_.seconds.network);
  const bool more_to_do = plan_.relaxes() || plan_.cones;
  const Control control =
      control_.within(more_to_do ? kTrainShare * control_.remaining() : control_.remaining());
  const auto check = on_train_check();
  TrainOptions train = train_options();
  // A network as narrow as asked for is not what the exchange works on.
  if (exchange_follows() && options_.max_neurons == 0) train.max_rounds = 0;
  const bool go_on = given_ || (resumed_ && best_weights_.neurons() > 0);
  const TrainReport report =
      go_on ? engines_->improve(presolved_.reduced, best_weights_, train, control, check, scanner())
            : engines_->train(presolved_.reduced, train, control, check, scanner());
  offer(report.weights, winner_of(report));
  if (!enough()) checkpoint_.training_ended();
}

// Directions on the data as given, for the next scan of the trainer.
void Session::remember_missed(const Matrix& U) {
  Network network{problem_.features, problem_.outputs, U.cols(), {}, {}};
  network.U.assign(U.data(), U.data() + U.size());
  network.V.assign(static_cast<std::size_t>(problem_.outputs * U.cols()), 1.0);
  missed_ = presolved_.weights(network).U.colwise().normalized();
}

// p_sdp is rarely that close to p_nn: what is left is for cones and training to close.
bool Session::cones_suffice() const {
  return plan_.cones && options_.engine == Engine::automatic &&
         gap_of(best_.objective) <= kConesSuffice;
}

// [eq:rescale] with the residual of the best network; neurons that are found missing go back into
// the network, so both sides improve together.
void Session::close_by_cones() {
  const Matrix X = Eigen::Map<const Matrix>(problem_.X.data(), problem_.samples, problem_.features);
  const Matrix Y = Eigen::Map<const Matrix>(problem_.Y.data(), problem_.samples, problem_.outputs);
  const double g = problem_.weight_decay;
  int idle = 0;  // rounds that paid nothing
  double searched = 0.0;
  for (int round = 0; idle < kIdleRounds && !enough(); ++round) {
    const double objective_before = best_.objective, bound_before = keeper_.value();
    phase_ = "cones";
    phase_iteration_ = round + 1;
    const Network network = presolved_.network(best_weights_);
    const std::vector<double> fit = predict(network, problem_.X, problem_.samples);
    const Matrix E = Y - Eigen::Map<const Matrix>(fit.data(), Y.rows(), Y.cols());
    if (!E.allFinite()) return;
    ConeSearchOptions search;
    search.starts = Eigen::Map<const Matrix>(network.U.data(), network.features, network.neurons);
    search.threads = options_.threads;
    search.control = control_.within(std::min(kConeSeconds, 0.5 * control_.remaining()));
    search.threshold = g * (1.0 + 1e-4);
    ConeSearchResult found;
    {
      const Stopwatch watch(result_.seconds.certificate);
      const Control clock;
      found = search_cones(X, E, search);
      const double bound = keeper_.offer(E, found.kappa_upper);
      searched += clock.seconds();
      note_bound("cones", {"cones", bound, clock.seconds()}, searched);
    }
    remember_missed(found.violators);
    report({.iteration = round + 1}, Beat::check);
    if (enough()) return;
    polish(best_weights_, Winner::column_generation);
    const double progress = objective_before - best_.objective + keeper_.value() - bound_before;
    idle = progress < kProgress * best_.objective ? idle + 1 : 0;
  }
}

void Session::polish(const Weights& start, Winner winner) {
  const Stopwatch watch(result_.seconds.network);
  phase_ = "network";
  // The trainer never returns less than its start, so the width limit is ours to apply.
  const Weights within = options_.max_neurons > 0 ? largest(start, options_.max_neurons) : start;
  const auto report =
      engines_->improve(presolved_.reduced, within, train_options(),
                        control_.within(kPolishSeconds), on_train_check(winner), scanner());
  offer(report.weights, winner);
}

void Session::relax() {
  if (!plan_.relaxes()) return;
  EngineRequest request{.max_iterations = options_.max_iterations,
                        .memory_bytes = plan_.memory_bytes,
                        .warm = &best_weights_,
                        .seed = options_.seed,
                        .precision = options_.precision};
  if (resumed_ && !resumed_->low_rank.empty()) request.resume = &resumed_->low_rank;
  PairsPoint start;
  Matrix S;
  if (plan_.low_rank) {
    EngineRequest first = request;
    if (plan_.interior && request.max_iterations == 0) first.max_iterations = kLowRankIterations;
    // Where the interior engine could not begin afresh afterwards, all the time goes here.
    const double afresh = kFreshVariables * static_cast<double>(presolved_.reduced.n());
    const double rest = (1.0 - kLowRankShare) * control_.remaining();
    const bool shared = plan_.interior && a_step_fits(afresh, rest);
    EngineOutcome outcome =
        run_engine("low-rank", &Engines::low_rank, first, shared ? kLowRankShare : 1.0);
    const double variables = outcome.status == Status::time_limit
                                 ? afresh
                                 : static_cast<double>(outcome.multipliers.entries.size());
    plan_.interior = plan_.interior && a_step_fits(variables, control_.remaining());
    if (plan_.interior && outcome.status != Status::time_limit && outcome.S.size() > 0) {
      start = pairs_point(outcome.multipliers, outcome.S);
      request.start = &start;
      request.primal = outcome.primal;
    }
    S = std::move(outcome.S);
  }
  std::optional<PairsPoint> root;
  const auto take = [&](EngineOutcome outcome) {
    if (outcome.S.size() > 0) S = std::move(outcome.S);
    const bool whole = S.size() > 0 && !outcome.multipliers.entries.empty();
    root = whole ? std::optional(pairs_point(outcome.multipliers, S)) : std::nullopt;
  };
  if (plan_.interior && !enough()) take(run_engine("interior", &Engines::interior, request));
  const bool broken =
      engine_status_ == Status::numerical_failure && std::isnan(result_.relaxation.dual);
  if (plan_.dense || (broken && plan_.dense_instead))
    take(run_engine("dense", &Engines::dense, request));
  if (broken && plan_.dense_instead) plan_.reason += "; it broke down, then dense";
  if (!given_ && S.size() > 0 && !gap_met() && !stopped_) round(S);
  if (root && !enough()) split(std::move(*root));
}

// The interior engine cannot be interrupted within a step: m^3/3 flops for m variables.
bool Session::a_step_fits(double variables, double seconds) const {
  return variables * variables * variables / (3.0 * kFlopsPerSecond) < kStepShare * seconds;
}

EngineOutcome Session::run_engine(const char* name, EngineCall call, const EngineRequest& request,
                                  double share) {
  Relaxation& relaxation = result_.relaxation;
  relaxation.engine = phase_ = name;
  EngineOutcome outcome;
  {
    const Stopwatch watch(result_.seconds.relaxation);
    engine_began_ = control_.seconds();
    const double left = control_.remaining();
    const Control part = control_.within(share * left - std::min(0.2 * left, proof_seconds()));
    outcome = (engines_.get()->*call)(presolved_.reduced, request, part, on_engine_check());
  }
  engine_status_ = outcome.status;
  relaxation.status = to_string(outcome.status);
  relaxation.primal = std::fmin(relaxation.primal, outcome.primal);  // NaN: none so far
  relaxation.iterations = outcome.iterations;
  if (outcome.multipliers.G.size() > 0)
    note_dual(offer_dual(presolved_.dual_candidate(outcome.multipliers)));
  return outcome;
}

// Of the last candidate, generously.
double Session::proof_seconds() const {
  constexpr double kFactorisations = 4.0;
  const double order =
      static_cast<double>(presolved_.reduced.n() + presolved_.reduced.d() + presolved_.reduced.c());
  return kFactorisations * order * order * order / (3.0 * kFlopsPerSecond);
}

double Session::offer_dual(const DualCandidate& multipliers) {
  const double before = keeper_.value();
  // Late, one proof is still worth a moment: what it would prove is lost otherwise.
  const bool late = control_.stop();
  const Control moment(kLastProofSeconds);
  const double proved = keeper_.offer(
      multipliers, {.objective_upper = best_.objective,
                    .memory_bytes = usable_memory(),
                    .stop = [&] { return late ? moment.out_of_time() : control_.stop(); }});
  note_bound(phase_, keeper_.last(), control_.seconds() - engine_began_);
  if (keeper_.value() > before) checkpoint_.keep(multipliers);
  return proved;
}

void Session::note_bound(const char* method, const BoundKeeper::Attempt& proof,
                         double method_seconds) {
  result_.bounds.push_back(
      {method, proof.kind, proof.value, control_.seconds(), method_seconds, proof.seconds});
}

// Up to the constant the multipliers had no part in it. fmax: the dual may be NaN so far.
void Session::note_dual(double proved) {
  if (proved > presolved_.reduced.constant)
    result_.relaxation.dual = std::fmax(result_.relaxation.dual, proved);
}

void Session::round(const Matrix& S) {
  if (control_.out_of_time()) return;
  Weights rounded;
  {
    const Stopwatch watch(result_.seconds.rounding);
    phase_ = "rounding";
    rounded = round_relaxation(presolved_.reduced, S, {},
                               control_.within(kRoundShare * control_.remaining()));
  }
  if (rounded.neurons() > 0) polish(rounded, Winner::rounding);
}

void Session::offer(const Weights& weights, Winner winner) {
  if (weights.U.rows() != presolved_.reduced.d()) return;  // no finite objective was met
  if (given_) {                                            // serves the bound only
    if (reference_objective(weights) < reference_objective(best_weights_)) best_weights_ = weights;
    return;
  }
  const auto& [U, V] = best_weights_;  // what came through a check is not evaluated again
  const bool known = std::isfinite(best_.objective) && U.cols() == weights.U.cols();
  if (known && U == weights.U && V == weights.V) return;
  offer(weights, presolved_.network(weights), winner);
}

void Session::offer(const Weights& weights, Network network, Winner winner) {
  const double value = objective(problem_, network);
  if (!(value < best_.objective)) return;
  best_ = {std::move(network), value, winner};
  best_weights_ = weights;
  checkpoint_.keep(best_.network, winner);
}

OnTrainCheck Session::on_train_check(std::optional<Winner> winner) {
  return [this, winner](const TrainReport& train) {
    offer(train.weights, winner.value_or(winner_of(train)));
    return report({.iteration = train.iteration}, Beat::check) && !gap_met();
  };
}

OnCheck Session::on_engine_check() {
  return [this,
          certified = -std::numeric_limits<double>::infinity()](const EngineCheck& check) mutable {
    const double floor = std::max(certified, keeper_.value());
    const double step = kWorthCertifying * std::min(best_.objective, std::abs(check.dual));
    if (check.dual > floor + step && check.multipliers) {
      certified = offer_dual(presolved_.dual_candidate(check.multipliers()));
      note_dual(certified);
    }
    const bool go_on = report(check, Beat::check) && !gap_met();
    using enum CheckpointWriter::Check;
    checkpoint_.at_check(check, presolved_.reduced, check.last || enough() ? last : one_of_many);
    return go_on;
  };
}

bool Session::report(const EngineCheck& check, Beat beat) {
  Progress progress;
  progress.phase = phase_;
  progress.iteration = phase_iteration_ = check.iteration;
  progress.objective = best_.objective;
  progress.lower_bound = keeper_.value();
  progress.primal_residual = check.primal_residual;
  progress.dual_residual = check.dual_residual;
  progress.seconds = last_report_ = control_.seconds();
  progress.heartbeat = beat == Beat::heartbeat;
  if (!progress.heartbeat) result_.trace.push_back(progress);
  if (options_.on_progress && !options_.on_progress(progress)) {
    // At once: whoever interrupts may kill the process soon.
    if (!std::exchange(stopped_, true)) checkpoint_.write();
  }
  checkpoint_.write_when_due();
  return !stopped_;
}

bool Session::interrupted() {
  if (!stopped_ && control_.seconds() - last_report_ > kHeartbeatSeconds)
    report({.iteration = phase_iteration_}, Beat::heartbeat);
  return stopped_;
}

double Session::gap_of(double value) const {
  return value == 0.0 ? 0.0 : (value - keeper_.value()) / value;
}

// A network given for certification may be far from the best one that was found beside it: then
// the bound is good enough when it is close to that one.
bool Session::gap_met() const {
  if (gap_of(best_.objective) <= options_.gap) return true;
  return given_ && gap_of(reference_objective(best_weights_)) <= options_.gap;
}

Status Session::status() const {
  if (gap_of(best_.objective) <= options_.gap) return Status::gap_met;
  if (stopped_) return Status::interrupted;
  if (control_.out_of_time()) return Status::time_limit;
  if (gap_met()) return Status::optimal;
  if (!engine_status_ && out_of_rounds_) return Status::time_limit;
  if (!engine_status_) return presolved_.reduced.n() == 0 ? Status::optimal : Status::stalled;
  // After a proof a breakdown is a stall.
  if (*engine_status_ == Status::numerical_failure && !std::isnan(result_.relaxation.dual))
    return Status::stalled;
  return *engine_status_;
}

Result Session::finish() {
  const bool refuted = keeper_.refuted_by(best_.objective);
  if (options_.keep_proof && !refuted && !stopped_) {
    const double on_top = kProofShare * options_.time_limit_seconds;
    const double allowed = std::max(control_.remaining(), 0.0) + on_top;
    checkpoint_.write();
    result_.proof = keeper_.verified(best_.objective, usable_memory(),
                                     Control(std::min(kProofSeconds, allowed)));
  }
  result_.status = refuted ? Status::numerical_failure : status();
  if (refuted) {
    checkpoint_.forget_multipliers();
    result_.bounds.clear();
  }
  checkpoint_.write();
  result_.checkpoint_failure = checkpoint_.failure();
  result_.certificate = keeper_.certificate();
  result_.network = std::move(best_.network);
  result_.objective = best_.objective;
  result_.winner = best_.winner;
  if (given_) {
    const double beside = reference_objective(best_weights_);
    if (beside < best_.objective * (1.0 - kProgress)) result_.better_objective = beside;
  }
  result_.seconds.certificate += keeper_.seconds();
  result_.seconds.total = control_.seconds();
  result_.device = engines_->name();
  result_.plan = plan_.reason;
  return std::move(result_);
}

}  // namespace relulift
