// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/exchange.hpp"

#include <algorithm>
#include <vector>

#include "src/certificate/residual_bound.hpp"
#include "src/presolve/reduced_problem.hpp"
#include "src/solvers/polish.hpp"

namespace relulift {
namespace {

// Largest order n c of the normal equations.
constexpr Index kOrder = 3000;
// The group lasso is solved to this share of the gap that is left, within these.
constexpr double kSolveShare = 0.02, kTightest = 1e-8, kLoosest = 1e-3;
// Directions above g (1 + this share of the wanted gap) are missing, within these.
constexpr double kMissingShare = 0.1, kFinest = 1e-5, kCoarsest = 1e-3;
// A proof stands above the largest value met by this share of what that is above g, within these.
constexpr double kAboveShare = 0.05, kLeastAbove = 1e-5, kMostAbove = 1e-2;
// Directions stay while their weight is above this share of the largest, or ||E'a_j|| above this
// share of g.
constexpr double kCarries = 1e-6, kNear = 0.98;
// Neurons below this share of the largest only make the network long.
constexpr double kDead = 1e-9;
// Rounds that gain less than this, relative, before the method counts as stuck.
constexpr int kIdleRounds = 5;
constexpr double kGain = 1e-7;

Matrix matrix(const std::vector<double>& entries, Index rows, Index cols) {
  return Eigen::Map<const Matrix>(entries.data(), rows, cols);
}

}  // namespace

bool group_lasso_affordable(const Problem& problem) {
  return problem.samples <= kOrder / problem.outputs;
}

Exchange::Exchange(const Problem& problem, const Network& start, const ExchangeOptions& options)
    : problem_(problem),
      options_(options),
      X_(matrix(problem.X, problem.samples, problem.features)),
      Y_(matrix(problem.Y, problem.samples, problem.outputs)),
      missing_(std::clamp(kMissingShare * options.gap, kFinest, kCoarsest)),
      tolerance_(kLoosest) {
  const Weights w = balanced({matrix(start.U, start.features, start.neurons),
                              matrix(start.V, start.outputs, start.neurons)});
  S_ = w.U.colwise().normalized();
  point_.E = Y_ - matrix(predict(start, problem.X, problem.samples), Y_.rows(), Y_.cols());
  // W_j = lambda_j y_j, and ||y_j|| = g where W_j is not zero.
  point_.lambda = w.U.colwise().squaredNorm().transpose() / problem.weight_decay;
}

void Exchange::refit(const Solver& solver) {
  if (S_.cols() > 0) point_ = solver(X_, Y_, S_, point_, tolerance_);
}

Network Exchange::network() const {
  const Weights w = balanced({S_, point_.W.transpose()}, kDead);
  Network network{problem_.features, problem_.outputs, w.neurons(), {}, {}};
  network.U.assign(w.U.data(), w.U.data() + w.U.size());
  network.V.assign(w.V.data(), w.V.data() + w.V.size());
  return network;
}

void Exchange::scan(const Control& control) {
  ConeSearchOptions search;
  search.mode = ConeSearchOptions::Mode::prune;
  search.threshold = problem_.weight_decay * (1.0 + missing_);
  search.max_violators = options_.joining;
  search.threads = options_.threads;
  search.control = control;
  found_ = search_cones(X_, point_.E, search);
}

double Exchange::expected_bound() const {
  return rescaled_bound(problem_, point_.E, std::max(found_.kappa_lower, problem_.weight_decay));
}

double Exchange::prove(const Control& control) const {
  if (closed()) return found_.kappa_upper;
  const double above = kAboveShare * (found_.kappa_lower / problem_.weight_decay - 1.0);
  ConeSearchOptions search;
  search.mode = ConeSearchOptions::Mode::prune;
  search.threshold = found_.kappa_lower * (1.0 + std::clamp(above, kLeastAbove, kMostAbove));
  search.starts = found_.best;
  search.random_starts = 0;
  search.threads = options_.threads;
  search.control = control;
  return std::min(found_.kappa_upper, search_cones(X_, point_.E, search).kappa_upper);
}

bool Exchange::moves() {
  const double bound = expected_bound(), gap = 1.0 - bound / point_.objective;
  tolerance_ = std::clamp(kSolveShare * gap, kTightest, kLoosest);
  if (S_.cols() == 0) return true;
  const double gain = kGain * point_.objective;
  const bool gains = point_.objective < best_objective_ - gain || bound > best_bound_ + gain;
  best_objective_ = std::min(best_objective_, point_.objective);
  best_bound_ = std::max(best_bound_, bound);
  idle_ = gains ? 0 : idle_ + 1;
  return idle_ < kIdleRounds;
}

bool Exchange::exchange() {
  if (found_.violators.cols() == 0 || !moves()) return false;
  std::vector<Index> keep;
  if (S_.cols() > 0) {
    const Matrix A = (X_ * S_).cwiseMax(0.0);
    const Vector near = (A.transpose() * point_.E).rowwise().norm();
    const Vector size = point_.W.rowwise().norm();
    const double carries = kCarries * size.maxCoeff();
    for (Index j = 0; j < S_.cols(); ++j)
      if (size[j] > carries || near[j] > kNear * problem_.weight_decay) keep.push_back(j);
  }
  const Index kept = static_cast<Index>(keep.size());
  Matrix S(X_.cols(), kept + found_.violators.cols());
  S << S_(Eigen::all, keep), found_.violators;
  Vector lambda = Vector::Zero(S.cols());
  lambda.head(kept) = point_.lambda(keep);
  S_ = std::move(S);
  point_.lambda = std::move(lambda);
  return true;
}

}  // namespace relulift
