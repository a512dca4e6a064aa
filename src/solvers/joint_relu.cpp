// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/joint_relu.hpp"

#include <omp.h>

#include <Eigen/SVD>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "src/patterns/pattern_rows.hpp"
#include "src/solvers/cone_pca.hpp"
#include "src/solvers/cone_projection.hpp"
#include "src/solvers/working_set.hpp"

namespace relulift {
namespace {

constexpr int kClimb = 50;
// In place of g where there is no time: what a neuron of any direction gains is all that counts.
constexpr double kNoSearch = std::numeric_limits<double>::infinity();
constexpr double kClimbGain = 1e-9;
// Directions above g (1 + this share of the tolerance, within these) join.
constexpr double kMissingShare = 0.3, kFinest = 1e-7, kCoarsest = 1e-3;
// Directions leave below this share of the largest weight.
constexpr double kCarries = 1e-9;
// Rounds that gain less than this, relative, before the method is stuck.
constexpr int kIdleRounds = 3;
constexpr double kGain = 1e-9;

// Outputs up to which the cones are searched globally.
constexpr Index kGlobalOutputs = 5;

// Climbs u <- P(B B'u) / ||.|| from u: each raises ||B'u||.
void climb(const Matrix& K, const Matrix& B, ConePca& best) {
  for (int k = 0; k < kClimb && best.value > 0.0; ++k) {
    Vector next = project_on_cone(K, B * (B.transpose() * best.u)).direction;
    const double higher = (B.transpose() * next).norm();
    const bool done = !(higher > best.value * (1.0 + kClimbGain));
    if (higher > best.value) {
      best.value = higher;
      best.u = std::move(next);
    }
    if (done) return;
  }
}

enum class Reach { climb, global };

// What a neuron of pattern i may gain from E: ||B'u||, B = A_i'E.
ConePca search(const Matrix& X, const PatternSet& patterns, Index i, const Matrix& E, double g,
               double relative, Reach reach) {
  const Matrix B = pattern_correlations(X, patterns, i, E);
  const Eigen::JacobiSVD<Matrix> svd(B, Eigen::ComputeThinU);
  ConePca best{.upper = svd.singularValues()[0], .value = 0.0, .u = {}};
  if (best.upper <= g) return best;
  const Matrix K = cone_rows(X, patterns, i);
  if (reach == Reach::global) {
    const double all = best.upper;
    best = cone_pca(K, B, {.below = g, .relative = relative});
    best.upper = std::min(best.upper, all);
    climb(K, B, best);
    return best;
  }
  Matrix starts(B.rows(), 2 * (B.cols() + 1));
  starts << svd.matrixU().col(0), -svd.matrixU().col(0), B, -B;
  for (Index s = 0; s < starts.cols(); ++s) {
    ConePca from{.upper = best.upper, .value = 0.0, .u = {}};
    from.u = project_on_cone(K, starts.col(s)).direction;
    from.value = (B.transpose() * from.u).norm();
    climb(K, B, from);
    if (from.value > best.value) best = from;
  }
  return best;
}

// A network as it is: unit directions, weights, objective.
JointRelu as_directions(const Matrix& X, const Matrix& Y, double g, const Network& network) {
  const Eigen::Map<const Matrix> U(network.U.data(), X.cols(), network.neurons);
  const Eigen::Map<const Matrix> V(network.V.data(), Y.cols(), network.neurons);
  JointRelu out;
  const Vector sizes = U.colwise().norm().transpose();
  out.S = U.colwise().normalized();  // a zero column stays one
  out.point.W = (V * sizes.asDiagonal()).transpose();
  out.point.lambda = Vector::Zero(network.neurons);
  const Matrix residual = (X * out.S).cwiseMax(0.0) * out.point.W - Y;
  out.point.objective = 0.5 * residual.squaredNorm() + g * out.point.W.rowwise().norm().sum();
  return out;
}

Matrix with(const Matrix& S, const std::vector<Vector>& more) {
  Matrix out(S.rows(), S.cols() + static_cast<Index>(more.size()));
  out.leftCols(S.cols()) = S;
  for (std::size_t k = 0; k < more.size(); ++k) out.col(S.cols() + static_cast<Index>(k)) = more[k];
  return out;
}

// Without the directions that carry nothing.
void drop_idle(Matrix& S, GroupLassoPoint& point) {
  const Vector size = point.W.rowwise().norm();
  std::vector<Index> kept;
  for (Index j = 0; j < size.size(); ++j)
    if (size[j] > kCarries * size.maxCoeff()) kept.push_back(j);
  S = Matrix(S(Eigen::all, kept));
  point.W = Matrix(point.W(kept, Eigen::all));
  point.lambda = Vector(point.lambda(kept));
}

}  // namespace

JointRelu solve_joint_relu(const Matrix& X, const Matrix& Y, double g, const PatternSet& patterns,
                           const Network& start, const JointOptions& options,
                           const DirectionSolver& solve, const Control& control,
                           const OnProgram& on_round) {
  const double tolerance = options.tolerance;
  JointRelu best = as_directions(X, Y, g, start);
  Matrix S = best.S;
  Matrix E = Y;  // of no neuron
  const double missing = std::clamp(kMissingShare * tolerance, kFinest, kCoarsest);
  int idle = 0;
  // Climbs find most of what is missing; when they find nothing, the search is what proves it.
  Reach reach = Reach::climb;
  for (;;) {
    if (S.cols() > 0) {
      GroupLassoPoint point = solve(S, {}, 0.1 * tolerance);
      if (!(point.objective < best.point.objective * (1.0 - kGain))) ++idle;
      if (point.E.size() > 0) E = point.E;
      if (point.objective < best.point.objective) {
        best.S = S;
        best.point = std::move(point);
        drop_idle(best.S, best.point);
      }
    }
    std::vector<ConePca> found(static_cast<std::size_t>(patterns.size()));
    std::atomic<bool> stopped = control.stop();
#pragma omp parallel for schedule(dynamic)
    for (Index i = 0; i < patterns.size(); ++i) {
      if (omp_get_thread_num() == 0 && control.stop()) stopped = true;  // it calls the caller
      found[static_cast<std::size_t>(i)] =
          search(X, patterns, i, E, stopped ? kNoSearch : g, missing, reach);
    }
    double most = g;
    std::vector<Vector> joining;
    for (const ConePca& f : found) {
      most = std::max(most, f.upper);
      if (f.value > g * (1.0 + missing)) joining.push_back(f.u);
    }
    double t = 0.0;
    best.bound = std::max(best.bound, scaled_bound(E, Y, g / most, t));
    const bool told = on_round && !on_round({best.rounds, best.point.objective, best.bound});
    const bool closed = best.point.objective - best.bound <= tolerance * best.point.objective;
    const bool proves = reach == Reach::global || Y.cols() > kGlobalOutputs;
    const bool stuck = joining.empty() || idle >= kIdleRounds;
    if (told || closed || (stuck && proves) || control.stop() ||
        ++best.rounds >= options.most_rounds)
      return best;
    if (stuck) {
      reach = Reach::global;
      idle = 0;
    }
    S = with(best.S, joining);
  }
}

}  // namespace relulift
