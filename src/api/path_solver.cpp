// SPDX-License-Identifier: Apache-2.0
#include "src/api/path_solver.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <relulift/error.hpp>
#include <utility>

#include "src/api/program_session.hpp"

namespace relulift {
namespace {

// Of a solve whose time has passed: it returns what it has at its first check.
constexpr double kLeastSeconds = 1e-6;
// Of geometric_weight_decays.
constexpr Index kMostPoints = 10'000;

void require(bool holds, const char* what) {
  if (!holds) throw InvalidInput(what);
}

bool positive(double g) { return std::isfinite(g) && g > 0.0; }

}  // namespace

std::vector<double> geometric_weight_decays(double low, double high, Index count) {
  require(positive(low) && positive(high), "weight decays must be finite and positive");
  require(count >= 1, "the count of weight decays must be at least 1");
  require(count <= kMostPoints, "the count of weight decays must be at most 10000");
  require(low <= high, "the lowest weight decay must not be above the highest");
  require((low < high) == (count > 1),
          "one weight decay has equal ends, and two or more have different ends");
  std::vector<double> out;
  for (Index k = 0; k < count; ++k) {
    const double share =
        static_cast<double>(k) / static_cast<double>(std::max<Index>(count - 1, 1));
    out.push_back(std::pow(10.0, (1.0 - share) * std::log10(high) + share * std::log10(low)));
  }
  out.back() = low;  // not the power of its logarithm
  out.front() = high;
  return out;
}

PathSolver::PathSolver(const Options& options, std::vector<double> weight_decays, Index folds,
                       OnPathStep on_step)
    : options_(options),
      weight_decays_(std::move(weight_decays)),
      folds_(folds),
      on_step_(std::move(on_step)),
      control_(options.time_limit_seconds),
      left_(static_cast<Index>(weight_decays_.size()) * (folds + 1)) {
  validate(options_);
  require(options_.checkpoint.empty() && options_.resume.empty(),
          "checkpoint and resume are for solve(), not for a path");
  require(!weight_decays_.empty(), "a path needs at least one weight decay");
  require(std::ranges::all_of(weight_decays_, positive),
          "weight decays must be finite and positive");
  std::ranges::sort(weight_decays_, std::greater<>());
  require(std::ranges::adjacent_find(weight_decays_) == weight_decays_.end(),
          "a weight decay is named twice");
}

std::vector<PathPoint> PathSolver::solve(const Problem& problem, Index fold) {
  validate(problem);
  Problem current = problem;
  ProgramMemory memory;
  memory.prove_every_network = fold == 0;
  Options gates = options_;
  current.weight_decay = weight_decays_.back();
  if (!stopped_) train_gates(current, gates);
  std::vector<PathPoint> points;
  for (const double g : weight_decays_) {
    const auto count = static_cast<Index>(points.size());
    const PathStep step{count + 1, static_cast<Index>(weight_decays_.size()), fold, folds_, g};
    if (stopped_ || (on_step_ && !on_step_(step))) {
      stopped_ = true;
      break;
    }
    const Control clock;
    Options options = part();
    options.program.gate_matrix = gates.program.gate_matrix;
    if (fold > 0) {
      options.engine = Engine::none;
      options.split = 0;
      options.keep_proof = false;
    }
    current.weight_decay = g;
    // All patterns are listed once, for all points.
    if (options.method == Method::exact && points.empty())
      options.time_limit_seconds *= static_cast<double>(weight_decays_.size());
    Result result;
    try {
      result = options.method == Method::sdp ? relulift::solve(current, options)
                                             : solve_program(current, options, &memory);
    } catch (const InvalidInput&) {
      if (!stopped_) throw;
      break;  // the listing was interrupted
    }
    points.push_back({g, std::move(result), clock.seconds()});
    --left_;
  }
  return points;
}

Options PathSolver::part() {
  Options options = options_;
  if (std::isfinite(options_.time_limit_seconds))
    options.time_limit_seconds =
        std::max(control_.remaining() / static_cast<double>(left_), kLeastSeconds);
  if (options_.on_progress)
    options.on_progress = [this, before = control_.seconds()](const Progress& progress) {
      return report(progress, before);
    };
  return options;
}

bool PathSolver::report(const Progress& progress, double before) {
  Progress later = progress;
  later.seconds += before;
  if (!options_.on_progress(later)) stopped_ = true;
  return !stopped_;
}

// At the smallest weight decay, where networks have the most neurons. Not of filters, which solve()
// refuses.
void PathSolver::train_gates(const Problem& problem, Options& options) {
  const bool samples = options.method == Method::relu || options.method == Method::gated;
  if (!samples || options.program.gate_kind != GateKind::network ||
      !options.program.gate_matrix.empty() || options.program.pooling != Pooling::none)
    return;
  const Matrix gates = ProgramSession(problem, part()).gates_of_a_network();
  options.program.gate_matrix.assign(gates.data(), gates.data() + gates.size());
}

std::vector<PathPoint> solve_path(const Problem& problem, std::vector<double> weight_decays,
                                  const Options& options, const OnPathStep& on_step) {
  return PathSolver(options, std::move(weight_decays), 0, on_step).solve(problem, 0);
}

}  // namespace relulift
