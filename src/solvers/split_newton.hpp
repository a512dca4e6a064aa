// SPDX-License-Identifier: Apache-2.0
// One iteration of the primal-dual interior point on a partition into cones [eq:split]: the method
// of src/solvers/pairs_newton.hpp with one Q and one S per cone. The Schur matrix is an arrow: each
// cone's multipliers y and w meet the residual multipliers (G, H) alone, so they are eliminated
// cone by cone and a system of order q = (n + p) c is left.
//
// Cost: that of src/solvers/split_block.hpp per cone, and q^3/3.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "src/solvers/split_block.hpp"
#include "src/solvers/split_point.hpp"

namespace relulift {

template <Backend B>
class SplitNewton {
  using View = MatrixView<double>;
  using ConstView = MatrixView<const double>;
  using Block = SplitBlock<B>;

 public:
  SplitNewton(B& be, PairsLift<B>& lift, const ReducedProblem& problem, const SplitPoint& start)
      : be_(be),
        lift_(lift),
        q_((problem.n() + problem.p()) * problem.c()),
        full_(be.matrix(lift.order(), 2 * lift.order())),
        lifted_(be.matrix(lift.lifted(), lift.lifted())),
        schur_(be.matrix(q_, q_)),
        vectors_(be.matrix(q_, kColumns)),
        slots_(be.slots(2)) {
    const std::vector<Cone> cones = start.tree.cones();
    for (std::size_t k = 0; k < cones.size(); ++k) {
      blocks_.push_back(std::make_unique<Block>(be, problem, cones[k], start.cones[k]));
      order_ += blocks_.back()->order();
      own_ = std::max(own_, blocks_.back()->own());
    }
    const Index N = lift.order();
    be_.reserve(Needs{}.syevd(N).eigenvalues(N).potrf(std::max({q_, own_, N})));
    const PairsVariables variables(problem, {}, {});
    be_.upload(std::span<const double>(variables.linear), column(kTarget));
    be_.upload(std::span<const double>(variables.curvature), column(kCurvature));
    PairsPoint residual{.y = {},
                        .G = start.cones.front().G,
                        .H = start.cones.front().H,
                        .pairs = {},
                        .w = {},
                        .kap = {},
                        .S = {}};
    be_.upload(std::span<const double>(pack(residual)), column(kResidual));
  }

  // Of the largest cone.
  Index variables() const { return own_; }

  // Every Q and S by Cholesky, mu and D at the current point. Waits.
  PairsProgress evaluate() {
    PairsProgress at = last_;
    at.positive_definite = true;
    double product = 0.0;
    for (const auto& block : blocks_) {
      const auto own = block->evaluate(shared());
      at.positive_definite = at.positive_definite && own.positive_definite;
      product += own.product;
    }
    be_.sum({q_, 1}, kernels::DualLoss{column(kTarget), column(kCurvature), column(kResidual)},
            slots_[0]);
    double loss = 0.0;
    be_.fetch(slots_[0], std::span<double>(&loss, 1));
    at.gap = product;
    at.mu = product / order_;
    at.dual = -loss;
    at.positive_definite = at.positive_definite && std::isfinite(product + loss);
    return at;
  }

  // From an evaluated point to the next one. False: a matrix could not be factored (nothing
  // moved).
  bool step(double mu, double boundary_fraction) {
    be_.launch({q_, q_}, kernels::SetIdentity{schur_.view()});
    for (const auto& block : blocks_)
      if (!block->scale_and_eliminate(shared(), schur_.view())) return false;
    be_.potrf(schur_.view(), slots_[1]);
    double info = 0.0;
    be_.fetch(slots_[1], std::span<double>(&info, 1));
    if (info != 0.0) return false;

    solve(0.0, 0.0);
    const double affine = affine_product(lengths(1.0)) / order_;
    const double ratio = affine > 0.0 ? affine / mu : 0.0;
    last_.target = mu * std::clamp(ratio * ratio * ratio, kCenteringFloor, 1.0);
    solve(1.0, last_.target);
    const auto steps = lengths(boundary_fraction);
    last_.primal_step = steps.primal;
    last_.dual_step = steps.dual;
    for (const auto& block : blocks_) block->advance(steps);
    be_.launch({1, 1}, kernels::SetSlot{slots_[0], steps.dual});
    be_.launch({q_, 1}, kernels::Advance{slots_[0], column(kDirection), column(kResidual),
                                         column(kPrevious)});
    return true;
  }

  // Undoes the last step, of which there is one, for what is fetched.
  void retreat() {
    for (const auto& block : blocks_) block->retreat();
  }

  // Into a point of the same shape.
  void fetch_multipliers(SplitPoint& point) const {
    for (std::size_t k = 0; k < blocks_.size(); ++k) blocks_[k]->fetch_multipliers(point.cones[k]);
  }
  void fetch_primal(SplitPoint& point) const {
    for (std::size_t k = 0; k < blocks_.size(); ++k) blocks_[k]->fetch_primal(point.cones[k]);
  }

 private:
  enum Column { kTarget, kCurvature, kResidual, kDirection, kPrevious, kColumns };
  static constexpr double kCenteringFloor = 0.02;

  View column(Column k) const { return vectors_.view().col(k); }
  typename Block::Shared shared() { return {lift_, full_.view(), lifted_.view()}; }

  void solve(double center_weight, double target) {
    const View right = column(kDirection);
    be_.launch({q_, 1}, kernels::ResidualRight{column(kTarget), column(kResidual), right});
    for (const auto& block : blocks_) {
      if (center_weight == 0.0)
        block->predict(shared(), right);
      else
        block->correct(shared(), target, right);
    }
    be_.potrs(ConstView(schur_.view()), right);
    for (const auto& block : blocks_) block->expand(shared(), center_weight, right);
  }

  typename Block::Lengths lengths(double fraction) {
    typename Block::Lengths least{1.0, 1.0};
    for (const auto& block : blocks_) {
      const auto own = block->lengths(fraction);
      least = {std::min(least.primal, own.primal), std::min(least.dual, own.dual)};
    }
    return least;
  }
  double affine_product(typename Block::Lengths steps) {
    double product = 0.0;
    for (const auto& block : blocks_) product += block->affine_product(steps);
    return product;
  }

  B& be_;
  PairsLift<B>& lift_;
  Index q_, own_ = 0;
  double order_ = 0.0;  // of all matrices and pairs
  std::vector<std::unique_ptr<Block>> blocks_;
  typename B::Matrix full_, lifted_, schur_, vectors_;
  typename B::Slots slots_;
  PairsProgress last_;
};

}  // namespace relulift
