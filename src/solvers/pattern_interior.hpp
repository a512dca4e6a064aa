// SPDX-License-Identifier: Apache-2.0
// Convex programs over given activation patterns, [eq:gated] and [eq:relu-cones], to high accuracy
// by a primal-dual interior-point method: Nesterov-Todd scaling, Mehrotra's predictor and corrector
// [eq:pattern-newton]. Badly scaled columns, where first-order methods crawl, do no harm. Every
// iterate gives a feasible point and a valid bound [eq:pattern-bound], the best of which count.
// A step of B blocks (patterns, twice for ReLU): n^2 d B flops for the normal equations, n^3 / 3
// for their factor, 4 n d^2 B for the blocks; 10 to 20 steps for gated programs, 20 to 70 for ReLU.
// Outputs are independent of each other (one-vs-all) and solved one after another. The host sees n
// and d x B numbers per product.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "src/core/control.hpp"
#include "src/solvers/pattern_interior_blocks.hpp"
#include "src/solvers/pattern_interior_step.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

template <Backend B>
class PatternInterior {
 public:
  // Finite data, g > 0; X as a ProgramRequest has it, patches and all. Cones without interior (a
  // gate on the borders of opposite rows) keep both ends true and may keep them apart.
  PatternInterior(B& be, const Matrix& X, const Matrix& Y, double g, const GatedPatterns& patterns,
                  PatternProgram program);

  // Until objective - bound <= tolerance * objective for every output, the limit of `control`, or
  // rounding. Unused blocks are exactly zero. No warm start: an interior point does not profit.
  PatternPoint solve(double tolerance, const Control& control);

 private:
  static constexpr int kMaxSteps = 100;
  static constexpr int kPatience = 5;  // steps near the end that improve nothing
  static constexpr double kNearTheEnd = 1e-3;
  static constexpr double kOfTheWay = 0.95;    // to the border of a cone
  static constexpr double kShortStep = 0.1;    // below it, towards the centre
  static constexpr double kCentring = 0.8;     // what such a step asks of the products
  static constexpr double kLeastShare = 1e-4;  // the products fall at most by this
  // Of the first t, found by trial: hundredfold more costs a few steps, hundredfold less may cost
  // all of them.
  static constexpr double kStart = 1e5;
  static constexpr double kPruning = 1e-12;  // of the objective, what exact zeros may cost

  // Of one output, in the units of PatternScale.
  struct Iterate {
    Vector e;
    NormState norms;
  };
  struct Move {
    Vector e;
    NormMove norms;
  };
  // What a step starts from.
  struct Residuals {
    Vector e;  // y - e - sum_b A_b v_b
    Matrix y;  // A_b'e + K_b'mu_b - y_b
    typename PatternBlocks<B>::Pull pull;
    double mean = 0.0;  // of x'z and mu s
  };
  // The best of either end.
  struct Ends {
    Matrix v, y;  // y: of the iterate that v comes from
    Vector e;
    double objective = 0.0, bound = 0.0;
    bool closed(double tolerance) const { return objective - bound <= tolerance * objective; }
  };
  using Target = typename PatternBlocks<B>::Target;

  Ends solve_output(const Vector& y, double tolerance, const Control& control, Index& steps);
  Iterate start(const Vector& y, const Matrix& pull);
  // The residuals at this point; better ends replace those known. Whether one did.
  bool evaluate(const Vector& y, const Iterate& at, Residuals& residuals, Ends& ends);
  Move move(const NormScaling& scaling, const Residuals& residuals, const Matrix& asked,
            const Target& target);
  // False where rounding ends it.
  bool step(Iterate& at, const Residuals& residuals);
  double reach(const Iterate& at, const Move& move);
  double objective(const Vector& y, const Matrix& v);
  void prune(const Vector& y, Ends& ends);

  PatternScale scale_;
  RowsInUse in_use_;
  Matrix Y_;  // as given
  PatternBlocks<B> blocks_;
};

template <Backend B>
PatternInterior<B>::PatternInterior(B& be, const Matrix& X, const Matrix& Y, double g,
                                    const GatedPatterns& patterns, PatternProgram program)
    : scale_(pattern_scale(Y, g)),
      in_use_(rows_in_use(X, Y.rows())),
      Y_(Y),
      blocks_(be, X(in_use_.rows, Eigen::all) * scale_.data, in_use_, patterns, program) {}

template <Backend B>
double PatternInterior<B>::objective(const Vector& y, const Matrix& v) {
  return 0.5 * (y - blocks_.predictions(v)).squaredNorm() + v.colwise().norm().sum();
}

// Feasible for the norms on both sides, small weights well inside the cones.
template <Backend B>
typename PatternInterior<B>::Iterate PatternInterior<B>::start(const Vector& y,
                                                               const Matrix& pull) {
  const double most = std::max(1.0, pull.colwise().norm().maxCoeff());
  const Index count = blocks_.blocks();
  const double t = kStart * y.squaredNorm() / (static_cast<double>(count) * most);
  Iterate at{0.5 / most * y,
             {Vector::Constant(count, t), Matrix::Zero(pull.rows(), count),
              Matrix::Zero(pull.rows(), count)}};
  if (blocks_.cones()) at.norms.v = 0.5 * t * blocks_.inner();
  blocks_.start(at.norms.v, t);
  return at;
}

template <Backend B>
bool PatternInterior<B>::evaluate(const Vector& y, const Iterate& at, Residuals& residuals,
                                  Ends& ends) {
  const Vector theta = blocks_.repair(at.norms.v);
  residuals.pull = blocks_.pull(at.norms.v);
  residuals.e = y - at.e - blocks_.predictions(at.norms.v);
  const Matrix exact = blocks_.correlations(at.e) + residuals.pull.of;
  residuals.y = exact - at.norms.y;
  residuals.mean = (at.norms.product() + residuals.pull.product.sum()) /
                   (static_cast<double>(at.norms.blocks()) + blocks_.rows_of_cones());

  Matrix v = at.norms.v;
  for (Index b = 0; b < v.cols(); ++b) {
    if (std::isfinite(theta[b]))
      v.col(b) += theta[b] * blocks_.inner().col(b);
    else  // a cone without interior
      v.col(b).setZero();
  }
  const double upper = objective(y, v);
  const bool better = upper < ends.objective;
  if (better) ends.v = v, ends.y = at.norms.y, ends.objective = upper;
  if (!exact.allFinite()) return better;  // slacks of zero: no bound, and no largest norm
  // [eq:pattern-bound]: e and mu times the same factor.
  const double worst = exact.colwise().norm().maxCoeff(), along = at.e.dot(y);
  const double factor = std::clamp(along / at.e.squaredNorm(), 0.0, 1.0 / worst);
  const double lower = factor * along - 0.5 * factor * factor * at.e.squaredNorm();
  if (!(lower > ends.bound)) return better;
  ends.e = factor * at.e;
  ends.bound = lower;
  return true;
}

template <Backend B>
typename PatternInterior<B>::Move PatternInterior<B>::move(const NormScaling& scaling,
                                                           const Residuals& residuals,
                                                           const Matrix& asked,
                                                           const Target& target) {
  const Matrix right = scaling.inverse(asked.bottomRows(blocks_.d())) + target.keep * residuals.y +
                       blocks_.right(target);
  Move out;
  out.e = blocks_.solve_factored(target.keep * residuals.e -
                                 blocks_.predictions(blocks_.block_solve(right)));
  Matrix v = blocks_.block_solve(right + blocks_.correlations(out.e));
  blocks_.finish(target, v);
  out.norms = scaling.move(asked, std::move(v));
  return out;
}

template <Backend B>
double PatternInterior<B>::reach(const Iterate& at, const Move& move) {
  return std::min(at.norms.reach(move.norms), blocks_.reach());
}

template <Backend B>
bool PatternInterior<B>::step(Iterate& at, const Residuals& residuals) {
  const NormScaling scaling(at.norms);
  if (!blocks_.factorise(scaling, at.norms.v, residuals.pull)) return false;
  Move move = this->move(scaling, residuals, scaling.predictor(at.norms), {});
  double length = reach(at, move);
  const double after = at.norms.product_after(move.norms, length) + blocks_.product_after(length);
  const double before = at.norms.product() + residuals.pull.product.sum();
  const double share = std::clamp(std::pow(after / before, 3), kLeastShare, 1.0);
  // The residuals fall like the products, or the iterates leave the central path.
  const double target = share * residuals.mean;
  move = this->move(scaling, residuals, scaling.corrector(at.norms, move.norms, target),
                    {.product = target, .second = 1.0, .keep = 1.0 - share});
  length = kOfTheWay * reach(at, move);
  if (length < kShortStep) {  // too bold
    const double centre = kCentring * residuals.mean;
    move = this->move(scaling, residuals, scaling.centring(at.norms, centre),
                      {.product = centre, .second = 0.0, .keep = 0.0});
    length = kOfTheWay * reach(at, move);
  }
  if (!move.e.allFinite() || !move.norms.v.allFinite() || !move.norms.y.allFinite()) return false;
  at.e += length * move.e;
  at.norms.advance(move.norms, length);
  blocks_.advance(length);
  return true;
}

// Blocks whose share of the products is on the side of ||y|| < 1: zero at a solution.
template <Backend B>
void PatternInterior<B>::prune(const Vector& y, Ends& ends) {
  const Vector size = ends.v.colwise().norm(), room = 1.0 - ends.y.colwise().norm().array();
  for (double threshold = 1.0; threshold > 1e-10; threshold *= 1e-2) {
    Matrix v = ends.v;
    for (Index b = 0; b < v.cols(); ++b)
      if (size[b] < threshold * room[b]) v.col(b).setZero();
    const double pruned = objective(y, v);
    if (pruned > (1.0 + kPruning) * ends.objective) continue;
    ends.objective = pruned;
    ends.v = std::move(v);
    return;
  }
}

template <Backend B>
typename PatternInterior<B>::Ends PatternInterior<B>::solve_output(const Vector& y,
                                                                   double tolerance,
                                                                   const Control& control,
                                                                   Index& steps) {
  const Matrix pull = blocks_.correlations(y);
  // NaN where the units overflow: nothing is proved then.
  const double factor = pull.allFinite() ? 1.0 / std::max(1.0, pull.colwise().norm().maxCoeff())
                                         : std::numeric_limits<double>::quiet_NaN();
  Ends ends{.v = Matrix::Zero(pull.rows(), pull.cols()),
            .y = factor * pull,
            .e = factor * y,
            .objective = 0.5 * y.squaredNorm(),
            .bound = factor * (1.0 - 0.5 * factor) * y.squaredNorm()};
  if (ends.closed(tolerance)) return ends;
  Iterate at = start(y, pull);
  Residuals residuals;
  int idle = 0;
  for (int k = 0; k < kMaxSteps && idle < kPatience; ++k, ++steps) {
    const bool better = evaluate(y, at, residuals, ends);
    idle = better || !ends.closed(kNearTheEnd) ? 0 : idle + 1;
    if (ends.closed(tolerance) || control.stop() || !step(at, residuals)) break;
  }
  prune(y, ends);
  return ends;
}

template <Backend B>
PatternPoint PatternInterior<B>::solve(double tolerance, const Control& control) {
  const std::vector<Index>& samples = in_use_.samples;
  const Index c = Y_.cols(), signs = blocks_.cones() ? 2 : 1, P = blocks_.blocks() / signs;
  const double square = scale_.targets * scale_.targets;
  PatternPoint point;
  point.V = Matrix::Zero(blocks_.d(), P * c);
  if (signs == 2) point.N = point.V;
  point.E = Y_;  // where all rows of a sample are zero
  point.objective = 0.5 * (Y_.squaredNorm() - Y_(samples, Eigen::all).squaredNorm());
  point.bound = point.objective;
  for (Index k = 0; k < c; ++k) {
    const Vector y = Y_(samples, k) / scale_.targets;
    if (y.size() == 0 || P == 0) {
      point.objective += 0.5 * square * y.squaredNorm();
      point.bound += 0.5 * square * y.squaredNorm();
      continue;
    }
    const Ends ends = solve_output(y, tolerance, control, point.iterations);
    point.objective += square * ends.objective;
    point.bound += square * ends.bound;
    point.E(samples, k) = scale_.targets * ends.e;
    for (Index i = 0; i < P; ++i) {
      point.V.col(i * c + k) = scale_.weights * ends.v.col(i);
      if (signs == 2) point.N.col(i * c + k) = scale_.weights * ends.v.col(P + i);
    }
  }
  return point;
}

}  // namespace relulift
