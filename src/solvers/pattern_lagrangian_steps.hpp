// SPDX-License-Identifier: Apache-2.0
// Values, projections and the loops of PatternLagrangian. Included by its header.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/group_norm.hpp"
#include "src/solvers/pattern_lagrangian.hpp"

namespace relulift {

template <Backend B>
PatternLagrangian<B>::PatternLagrangian(B& be, const ProgramRequest& request,
                                        const LagrangianOptions& options)
    : be_(be),
      request_(request),
      options_(options),
      loss_(request),
      faces_(request.X, request.gated.patterns, 2 * half()),
      products_(be, request.X, request.gated.patterns, request.Y.cols(), faces_.inverse_norms(),
                options.tile_entries),
      system_(be, products_.X_(), products_.bits(), 2 * half(), c(), loss_.softmax(),
              options.system),
      u_(Matrix::Zero(d(), 2 * half())),
      w_(d(), 2 * half()),
      next_(d(), 2 * half()),
      pull_(Matrix::Zero(d(), 2 * half())),
      length_(2 * half()) {}

template <Backend B>
void PatternLagrangian<B>::count(Needs& needs, const ProgramRequest& request,
                                 const LagrangianOptions& options) {
  const Index n = request.X.rows(), d = request.X.cols(), c = request.Y.cols();
  const Index patterns = request.gated.patterns.size();
  LagrangianProducts<B>::count(needs, n, d, patterns, c, options.tile_entries);
  LagrangianSystem<B>::count(needs, n, d, 2 * patterns * c, c, LagrangianLoss(request).softmax(),
                             options.system);
}

template <Backend B>
std::vector<Index> PatternLagrangian<B>::outside(const std::vector<Index>& blocks) {
  Matrix unit(d(), static_cast<Index>(blocks.size()));
  std::vector<std::int32_t> patterns(blocks.size());
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    unit.col(static_cast<Index>(k)) = w_.col(blocks[k]).normalized();
    patterns[k] = static_cast<std::int32_t>(pattern_of(blocks[k]));
  }
  const Matrix rows = products_.violated(unit, patterns, ConeFaces::kRounding);
  std::vector<Index> out;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    bool left = false;
    for (const double row : rows.col(static_cast<Index>(k)))
      if (row >= 0.0) left |= faces_.learn(pattern_of(blocks[k]), static_cast<Index>(row));
    if (left) out.push_back(blocks[k]);
  }
  return out;
}

// ||q + K'mu|| <= g for any mu >= 0 is enough for a block to stay zero: with mu = 0, and with the
// mu of its last projection. So is a nearest point of the rows known, which is no shorter than that
// of the cone: only longer ones are held against all rows.
template <Backend B>
double PatternLagrangian<B>::project(const Matrix& G) {
  // A little more than enough, so that the multipliers serve again.
  constexpr double kEnough = 0.9;
  const double g = request_.weight_decay;
  const Matrix q = w_;
  Vector size(w_.cols());  // ||A_b'E + K_b'mu||
  std::vector<Index> blocks;
  for (Index b = 0; b < w_.cols(); ++b) {
    length_[b] = 0.0;
    size[b] = G.col(b % half()).norm();
    if (q.col(b).norm() <= g) continue;
    const Vector last = q.col(b) + pull_.col(b);
    size[b] = (last - u_.col(b) / sigma_).norm();
    if (last.norm() > g) blocks.push_back(b);
  }
  while (!blocks.empty()) {
#pragma omp parallel for schedule(dynamic) if (blocks.size() >= kWorthThreads)
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      const Index b = blocks[k];
      w_.col(b) = faces_.nearest(pattern_of(b), b, q.col(b), kEnough * g);
      pull_.col(b) = w_.col(b) - q.col(b);
      size[b] = (w_.col(b) - u_.col(b) / sigma_).norm();
      const double length = w_.col(b).norm();
      length_[b] = length > g ? length : 0.0;
    }
    std::erase_if(blocks, [&](Index b) { return length_[b] == 0.0; });
    halted_ = halted_ || (!blocks.empty() && control_->stop());
    if (halted_) break;
    if (!blocks.empty()) blocks = outside(blocks);
  }
  return size.maxCoeff();
}

template <Backend B>
void PatternLagrangian<B>::keep(double objective, const Matrix& E, double largest) {
  const double scale = kernels::dual_factor(request_.weight_decay, largest);
  const double bound = loss_.bound(E, scale);
  if (objective < best_.objective) {
    best_.objective = objective;
    best_.V = next_.leftCols(half());
    best_.N = next_.rightCols(half());
  }
  if (bound > best_.bound && std::isfinite(bound)) {
    best_.bound = bound;
    best_.E = scale * E;
  }
}

template <Backend B>
typename PatternLagrangian<B>::Value PatternLagrangian<B>::evaluate(Matrix f) {
  const double g = request_.weight_decay;
  const Matrix E = loss_.residual(f), G = products_.adjoint(E);
  w_.leftCols(half()) = u_.leftCols(half()) / sigma_ + G;
  w_.rightCols(half()) = u_.rightCols(half()) / sigma_ - G;
  const double largest = project(G);
  if (halted_) return {.residual = Matrix::Zero(n(), c()), .f = std::move(f)};
  double penalty = 0.0, omega = 0.0;
  next_.setZero();
  for (Index b = 0; b < w_.cols(); ++b) {
    if (length_[b] == 0.0) continue;
    const double over = length_[b] - g;
    next_.col(b) = (sigma_ * over / length_[b]) * w_.col(b);
    omega += sigma_ * over;
    penalty += 0.5 * sigma_ * over * over;
  }
  const Matrix F = products_.forward(next_.leftCols(half()) - next_.rightCols(half()));
  const double value = loss_.value(F), conjugate = -loss_.bound(E, 1.0);
  keep(value + g * omega, E, largest);
  return {.residual = f - F,
          .f = std::move(f),
          .merit = conjugate + penalty,
          .gap = value + conjugate + E.cwiseProduct(F).sum(),
          .moved = (next_ - u_).squaredNorm() / (2.0 * sigma_)};
}

template <Backend B>
bool PatternLagrangian<B>::search(Value& at, const Matrix& step) {
  constexpr double kDecrease = 1e-4, kRounding = 1e-13;
  constexpr int kMostTries = 30;
  const Matrix root = loss_.root(at.f);
  const double slope =
      loss_.curved_back(root, at.residual).cwiseProduct(loss_.curved_back(root, step)).sum();
  if (!std::isfinite(slope)) return false;
  double length = 1.0;
  for (int tries = 0; tries < kMostTries; ++tries, length *= 0.5) {
    Value next = evaluate(at.f + length * step);
    if (halted_) return false;
    const double slack = kRounding * std::abs(at.merit);
    if (!(next.merit <= at.merit + kDecrease * length * slope + slack)) continue;
    at = std::move(next);
    return true;
  }
  return false;
}

template <Backend B>
bool PatternLagrangian<B>::finished(const OnProgram& on_check) {
  const Index limit = request_.max_iterations;
  const double gap = best_.objective - best_.bound;
  if (gap <= request_.options.tolerance * best_.objective) return true;
  if ((limit > 0 && best_.iterations >= limit) || halted_ || control_->stop()) return true;
  return on_check && !on_check({best_.iterations, best_.objective, best_.bound});
}

template <Backend B>
typename PatternLagrangian<B>::Inner PatternLagrangian<B>::minimise(Value& at,
                                                                    const OnProgram& on_check) {
  constexpr double kRounding = 1e-14;
  for (Index step = 0; step < kMostSteps; ++step) {
    if (finished(on_check)) return Inner::stopped;
    if (at.gap <= std::max(kAccuracy * at.moved, kRounding * std::abs(at.merit)))
      return step <= kQuick ? Inner::solved : Inner::slow;
    const bool down = search(at, direction(at));
    if (halted_) return Inner::stopped;
    ++best_.iterations;
    if (!down) return Inner::stuck;
  }
  return Inner::slow;
}

template <Backend B>
void PatternLagrangian<B>::begin() {
  const double largest = request_.X.squaredNorm();
  sigma_ = kPenalty / (largest > 0.0 ? largest : 1.0);
  best_.V = best_.N = Matrix::Zero(d(), half());
  best_.E = Matrix::Zero(n(), c());
  best_.objective = loss_.value(best_.E);
  best_.bound = loss_.bound(best_.E, 1.0);
  if (request_.start.V.size() == 0) return;
  u_ << request_.start.V, request_.start.N;
  sigma_ = std::max(sigma_, u_.colwise().norm().maxCoeff() / request_.weight_decay);
}

template <Backend B>
PatternPoint PatternLagrangian<B>::run(const Control& control, const OnProgram& on_check) {
  // Updates of the multipliers that hardly help, one after the other, before rounding is blamed.
  constexpr int kMostIdle = 6;
  constexpr double kHelps = 0.98;
  control_ = &control;
  begin();
  Value at;
  at.f = products_.forward(u_.leftCols(half()) - u_.rightCols(half()));
  double before = std::numeric_limits<double>::infinity();
  for (int idle = 0; idle < kMostIdle;) {
    at = evaluate(std::move(at.f));
    const Inner ended = minimise(at, on_check);
    if (ended == Inner::stopped) return best_;
    const double gap = best_.objective - best_.bound;
    idle = gap > kHelps * before ? idle + 1 : 0;
    before = gap;
    u_ = next_;
    if (ended == Inner::solved) sigma_ *= kGrowth;
    if (ended == Inner::slow && at.gap <= at.moved) sigma_ *= kSlowGrowth;
  }
  return best_;
}

template <Backend B>
PatternPoint solve_by_lagrangian(B& be, const ProgramRequest& request, Index tile_entries,
                                 const Control& control, const OnProgram& on_check) {
  return PatternLagrangian<B>(be, request, lagrangian_options(tile_entries)).run(control, on_check);
}

// What it takes, for the plan: on the engine's side, and on the host.
template <Backend B>
EngineBytes lagrangian_bytes(const ProgramRequest& request, Index tile_entries) {
  Needs needs;
  PatternLagrangian<B>::count(needs, request, lagrangian_options(tile_entries));
  const Index n = request.X.rows(), d = request.X.cols(), c = request.Y.cols();
  const Index blocks = 2 * request.gated.patterns.size() * c;
  const Index columns = std::min(d * blocks, kSystemHost.max_order);
  return {needs.storage_bytes + B::workspace_bytes(needs),
          8 * (n * d + 12 * n * c + d * (8 * blocks + 2 * columns))};
}

}  // namespace relulift
