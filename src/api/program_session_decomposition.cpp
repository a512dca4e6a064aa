// SPDX-License-Identifier: Apache-2.0
// The part of a session over patterns that makes a ReLU network of the optimum of the gated
// program: cone decompositions (Mishkin, Sahiner & Pilanci 2022) and a convex refit of what they
// find. The gated bound is one of the ReLU program over the same patterns.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "src/api/program_session.hpp"
#include "src/solvers/cone_decomposition.hpp"
#include "src/solvers/convex_refit.hpp"

namespace relulift {
namespace {

// Samples times outputs up to which the refit has an interior-point method; beyond, coordinate
// descent.
constexpr Index kInteriorRefit = 3000;
// Of its activations: 0.8 GB.
constexpr Index kRefitEntries = 100'000'000;
constexpr Index kRefitSweeps = 20'000;
// Of the gap that is asked for: the refit is no more exact than what it is made from.
constexpr double kRefitShare = 0.1;
// Directions leave below this share of the largest weight.
constexpr double kCarries = 1e-9;
// Of the time, for the gated program; where that has passed it returns what it has at its first
// check.
constexpr double kGatedShare = 0.5, kLeastSeconds = 1e-3;
// Trials of a factor on the weights.
constexpr int kTrials = 40;

double refit_objective(const Matrix& A, const Matrix& W, const Matrix& Y, double g) {
  return 0.5 * (A * W - Y).squaredNorm() + g * W.rowwise().norm().sum();
}

// The factor on W of least objective, at most 1: long parts may cost more than they explain.
double best_factor(const Matrix& A, const Matrix& W, const Matrix& Y, double g) {
  const Matrix f = A * W;
  const double along = f.cwiseProduct(Y).sum() - g * W.rowwise().norm().sum();
  return along > 0.0 ? std::min(along / f.squaredNorm(), 1.0) : 0.0;
}

std::vector<Index> rows_that_carry(const Matrix& W) {
  const Vector size = W.rowwise().norm();
  std::vector<Index> rows;
  for (Index j = 0; j < size.size(); ++j)
    if (size[j] > 0.0) rows.push_back(j);
  return rows;
}

void drop_idle(Matrix& W) {
  const double least = kCarries * W.rowwise().norm().maxCoeff();
  for (Index j = 0; j < W.rows(); ++j)
    if (!(W.row(j).norm() > least)) W.row(j).setZero();
}

}  // namespace

// By the solver that suits it, from the point before where there is one.
Result ProgramSession::solve_gated_program() {
  Options options = options_;
  options.method = Method::gated;
  options.program.solver = ProgramSolver::automatic;
  options.program.decomposition = Decomposition::exact;
  options.engine = Engine::automatic;
  options.split = 0;
  options.keep_proof = false;
  options.time_limit_seconds = std::max(kGatedShare * control_.remaining(), kLeastSeconds);
  options.on_progress = [this](const Progress& progress) {
    Progress later = progress;
    later.phase = phase_;
    later.objective = std::numeric_limits<double>::quiet_NaN();  // of no ReLU network
    later.heartbeat = later.heartbeat || progress.phase == std::string("patterns");
    return report(later);
  };
  return ProgramSession(problem_, options, &memory_).run();
}

void ProgramSession::refit(const Matrix& S, Matrix& W) {
  const Index blocks = joint() ? 1 : problem_.outputs, wide = problem_.outputs / blocks;
  const double g = problem_.weight_decay, tolerance = kRefitShare * options_.program.tolerance;
  for (Index b = 0; b < blocks; ++b) {
    const Matrix before = W.middleCols(b * wide, wide), Y = Y_.middleCols(b * wide, wide);
    const std::vector<Index> used = rows_that_carry(before);
    if (used.empty()) continue;
    const Matrix some = S(Eigen::all, used);
    const Matrix A = (X_ * some).cwiseMax(0.0);
    Matrix start = before(used, Eigen::all);
    start *= best_factor(A, start, Y, g);
    W(used, Eigen::seqN(b * wide, wide)) = start;
    if (control_.stop()) continue;
    Matrix found;
    if (Y.size() <= kInteriorRefit) {
      found = engines_->refit(X_, Y, g, some, {}, tolerance, control_).W;
    } else {
      const RefitProblem problem{A.transpose() * A, A.transpose() * Y, Y.squaredNorm(), g};
      found = convex_refit(problem, start, tolerance, kRefitSweeps, control_).W;
    }
    drop_idle(found);
    if (refit_objective(A, found, Y, g) < refit_objective(A, start, Y, g))
      W(used, Eigen::seqN(b * wide, wide)) = found;
  }
}

// The same of any loss: a convex function of one number, by golden section.
double ProgramSession::best_factor_of_loss(const Matrix& S, const Matrix& W) const {
  constexpr double kGolden = 0.6180339887498949;
  const auto value = [&](double factor) { return objective_of(network_of(S, factor * W)); };
  double low = 0.0, high = 1.0, left = 1.0 - kGolden, right = kGolden;
  double at_left = value(left), at_right = value(right);
  for (int k = 0; k < kTrials && !control_.stop(); ++k) {
    if (at_left <= at_right) {
      high = right, right = left, at_right = at_left;
      left = high - kGolden * (high - low), at_left = value(left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + kGolden * (high - low), at_right = value(right);
    }
  }
  return at_left <= at_right ? left : right;
}

Network ProgramSession::solve_by_decomposition(const GatedPatterns& gated) {
  const ProgramOptions& program = options_.program;
  const Result relaxed = solve_gated_program();
  const RankOneTerms terms = rank_one_terms(memory_.point, problem_.outputs, joint());
  DecomposedBlocks parts = decompose_blocks(X_, gated, terms, program.decomposition,
                                            1.0 / problem_.weight_decay, control_);
  const Index directions = parts.S.cols();
  const bool fits = directions * std::max(problem_.samples, directions) <= kRefitEntries;
  if (program.loss == Loss::squared && fits) refit(parts.S, parts.W);
  if (program.loss != Loss::squared) parts.W *= best_factor_of_loss(parts.S, parts.W);
  Network network = network_of(parts.S, parts.W);
  const Network none = network_of(Matrix(problem_.features, 0), Matrix(0, problem_.outputs));
  if (!(objective_of(network) < objective_of(none))) network = none;

  ProgramReport& ends = result_.program;
  ends = relaxed.program;
  why_ = ", " + std::string(to_string(program.decomposition)) + ", the gated program by " +
         ends.solver + why_;
  ends.solver = to_string(ProgramSolver::decomposition);
  ends.objective = objective_of(network);
  if (parts.projected > 0)
    why_ += "; " + std::to_string(parts.projected) +
            " blocks projected, as their cones have no interior";
  if (parts.left_out > 0)
    why_ += "; " + std::to_string(parts.left_out) + " blocks left out for lack of time";
  if (!fits) why_ += "; too many neurons for a refit";
  report({.phase = phase_,
          .iteration = ends.iterations,
          .objective = ends.objective,
          .program_bound = ends.bound});
  return network;
}

}  // namespace relulift
