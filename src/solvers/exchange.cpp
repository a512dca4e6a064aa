// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/exchange.hpp"

#include <algorithm>
#include <vector>

#include "src/certificate/residual_bound.hpp"
#include "src/core/random.hpp"
#include "src/presolve/reduced_problem.hpp"
#include "src/solvers/polish.hpp"

namespace relulift {
namespace {

// Largest order n c of the normal equations.
constexpr Index kOrder = 3000;
// The group lasso is solved to this share of the gap that is left, within these: roughly while the
// gap is, where an E inside its constraints cuts deeper.
constexpr double kRough = 1e-2, kRoughShare = 0.3, kFineShare = 0.03;
constexpr double kLastShare = 0.01, kTightest = 1e-8, kLoosest = 5e-2;
// Directions above g (1 + this share of the wanted gap) are missing, within these.
constexpr double kMissingShare = 0.1, kFinest = 1e-5, kCoarsest = 1e-3;
// A proof stands above the largest value met by this share of what that is above g, within these;
// where it fails, further above, up to the last.
constexpr double kAboveShare = 0.2, kLeastAbove = 1e-5, kMostAbove = 2e-2, kAboveGrows = 5.0;
constexpr double kLastAbove = 0.1;
// Where values lie within rounding of the threshold a search would not end: its nodes, at least,
// and at most this many times those of the scan before.
constexpr Index kLeastNodes = 1'000'000, kNodesGrow = 3;
// Directions stay while their weight is above this share of the largest, or ||E'a_j|| above this
// share of g.
constexpr double kCarries = 1e-5, kNear = 0.98;
// More directions than these are more than the memory is planned for.
constexpr Index kMostDirections = 10'000;
// Neurons below this share of the largest only make the network long.
constexpr double kDead = 1e-9;
// Directions that join in a round: as many as there are samples, within these.
constexpr Index kFewestJoin = 300, kMostJoin = 1000;
// Of `sparsified`: accuracy of its solves, spreads of the prices, share of the largest weight that
// counts.
constexpr double kTieTolerance = 1e-7, kTieBreaks[] = {1e-3, 1e-4}, kCounts = 1e-4;
// Rounds that gain less than this, relative, before the method counts as stuck.
constexpr int kIdleRounds = 5;
constexpr double kGain = 1e-7;

Matrix matrix(const std::vector<double>& entries, Index rows, Index cols) {
  return Eigen::Map<const Matrix>(entries.data(), rows, cols);
}

}  // namespace

bool exchange_affordable(const Problem& problem) {
  return problem.samples <= kOrder / problem.outputs;
}

EngineBytes exchange_bytes(const Problem& problem) {
  const Index order = problem.samples * problem.outputs;
  const Index activations = problem.samples * (kMostDirections + kMostJoin);
  return {.engine = 8 * (order * order + 2 * activations), .host = 8 * 2 * activations};
}

Exchange::Exchange(const Problem& problem, const Network& start, const ExchangeOptions& options)
    : problem_(problem),
      options_(options),
      X_(matrix(problem.X, problem.samples, problem.features)),
      Y_(matrix(problem.Y, problem.samples, problem.outputs)),
      missing_(std::clamp(kMissingShare * options.gap, kFinest, kCoarsest)),
      tolerance_(kLoosest) {
  const Weights w = largest(balanced({matrix(start.U, start.features, start.neurons),
                                      matrix(start.V, start.outputs, start.neurons)}),
                            kMostDirections);
  S_ = w.U.colwise().normalized();
  point_.E = Y_ - matrix(predict(start, problem.X, problem.samples), Y_.rows(), Y_.cols());
  point_.W = (w.V * w.U.colwise().norm().asDiagonal()).transpose();
  // W_j = lambda_j y_j, and ||y_j|| = g where W_j is not zero.
  point_.lambda = w.U.colwise().squaredNorm().transpose() / problem.weight_decay;
}

bool Exchange::refit(const Solver& solver) {
  if (S_.cols() == 0) return point_.E.allFinite();
  GroupLassoPoint found = solver(X_, Y_, S_, point_, tolerance_);
  if (found.W.rows() != S_.cols() || !found.E.allFinite()) return false;
  point_ = std::move(found);
  return true;
}

Network Exchange::network() const {
  const Weights w = balanced({S_, point_.W.transpose()}, kDead);
  Network network{problem_.features, problem_.outputs, w.neurons(), {}, {}};
  network.U.assign(w.U.data(), w.U.data() + w.U.size());
  network.V.assign(w.V.data(), w.V.data() + w.V.size());
  return network;
}

// Nearly parallel directions share their weight at the solution of an interior-point method. With
// slightly different prices [eq:tie-break] the solution is a vertex of the optimal face.
Exchange::Vertex Exchange::vertex(const Solver& solver, double spread) const {
  Random random(0, 5);
  Vector price(S_.cols());
  for (Index j = 0; j < S_.cols(); ++j) price[j] = 1.0 + spread * random.uniform();
  const Matrix S = S_.array().rowwise() / price.transpose().array();
  GroupLassoPoint point = solver(X_, Y_, S, point_, kTieTolerance);
  if (point.W.rows() != S_.cols()) return {};
  const Vector size = point.W.rowwise().norm();
  std::vector<Index> keep;
  for (Index j = 0; j < size.size(); ++j)
    if (size[j] > kCounts * size.maxCoeff()) keep.push_back(j);
  if (keep.empty()) return {};
  Vertex out{S_(Eigen::all, keep), {}};
  point.lambda = Vector(point.lambda(keep));
  out.point = solver(X_, Y_, out.S, point, kTieTolerance);
  return out;
}

Network Exchange::sparsified(const Solver& solver, double cost) {
  for (const double spread : kTieBreaks) {
    if (S_.cols() == 0) break;
    Vertex few = vertex(solver, spread);
    if (few.S.cols() == 0 || few.point.W.rows() != few.S.cols()) break;
    if (few.point.objective > point_.objective * (1.0 + cost)) continue;
    S_ = std::move(few.S);
    point_ = std::move(few.point);
    break;
  }
  return network();
}

void Exchange::scan(const Control& control) {
  ConeSearchOptions search;
  search.mode = ConeSearchOptions::Mode::prune;
  search.threshold = problem_.weight_decay * (1.0 + missing_);
  search.max_violators = std::clamp(problem_.samples, kFewestJoin, kMostJoin);
  search.threads = options_.threads;
  search.max_nodes = std::max(kLeastNodes, kNodesGrow * found_.nodes);
  search.control = control;
  found_ = search_cones(X_, point_.E, search);
}

double Exchange::expected_bound() const {
  return rescaled_bound(problem_, point_.E, std::max(found_.kappa_lower, problem_.weight_decay));
}

// A value a little above the largest one met, or a ridge just below the threshold, can spoil a
// pass.
double Exchange::prove(const Control& control) const {
  double upper = found_.kappa_upper;
  if (closed()) return upper;
  const double over = kAboveShare * (found_.kappa_lower / problem_.weight_decay - 1.0);
  double above = std::clamp(over, kLeastAbove, kMostAbove);
  for (; above <= kLastAbove && !control.stop(); above *= kAboveGrows) {
    ConeSearchOptions search;
    search.mode = ConeSearchOptions::Mode::prune;
    search.threshold = found_.kappa_lower * (1.0 + above);
    search.starts = found_.best;
    search.random_starts = 0;
    search.max_violators = 1;
    search.max_nodes = std::max(kLeastNodes, kNodesGrow * found_.nodes);
    search.threads = options_.threads;
    search.control = control;
    const ConeSearchResult proof = search_cones(X_, point_.E, search);
    upper = std::min(upper, proof.kappa_upper);
    if (upper <= search.threshold * (1.0 + kLeastAbove)) break;
  }
  return upper;
}

bool Exchange::moves() {
  const double bound = expected_bound(), gain = kGain * point_.objective;
  const bool gains = point_.objective < best_objective_ - gain || bound > best_bound_ + gain;
  best_objective_ = std::min(best_objective_, point_.objective);
  best_bound_ = std::max(best_bound_, bound);
  idle_ = gains ? 0 : idle_ + 1;
  return idle_ < kIdleRounds;
}

std::vector<Index> Exchange::staying() const {
  std::vector<Index> keep;
  if (S_.cols() == 0) return keep;
  const Matrix A = (X_ * S_).cwiseMax(0.0);
  const Vector near = (A.transpose() * point_.E).rowwise().norm();
  const Vector size = point_.W.rowwise().norm();
  const double carries = kCarries * size.maxCoeff();
  for (Index j = 0; j < S_.cols(); ++j)
    if (size[j] > carries || near[j] > kNear * problem_.weight_decay) keep.push_back(j);
  return keep;
}

bool Exchange::exchange() {
  const bool complete = found_.violators.cols() == 0;
  if (S_.cols() > 0) {
    const double gap = 1.0 - expected_bound() / point_.objective;
    if (!moves() || (complete && gap <= missing_)) return false;
    const double share = gap > kRough ? kRoughShare : kFineShare;
    tolerance_ = std::clamp((complete ? kLastShare : share) * gap, kTightest, kLoosest);
  } else if (complete) {
    return false;
  }
  const std::vector<Index> keep = staying();
  if (static_cast<Index>(keep.size()) > kMostDirections) return false;
  const Index kept = static_cast<Index>(keep.size());
  Matrix S(X_.cols(), kept + found_.violators.cols());
  S << S_(Eigen::all, keep), found_.violators;
  Vector lambda = Vector::Zero(S.cols());
  lambda.head(kept) = point_.lambda(keep);
  Matrix W = Matrix::Zero(S.cols(), Y_.cols());  // the network stays what it is
  if (kept > 0) W.topRows(kept) = point_.W(keep, Eigen::all);
  S_ = std::move(S);
  point_.lambda = std::move(lambda);
  point_.W = std::move(W);
  return true;
}

}  // namespace relulift
