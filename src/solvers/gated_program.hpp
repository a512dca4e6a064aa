// SPDX-License-Identifier: Apache-2.0
// Gated programs [eq:gated] by the proximal gradient method: the coordinates, the penalty and the
// precision that a request asks for, and the values of what came out in double.
#pragma once

#include <utility>

#include "kernels/any_loss.hpp"
#include "src/model/loss.hpp"
#include "src/solvers/metric_basis.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/proximal_gradient.hpp"

namespace relulift {

template <Backend B, template <class, class> class Penalty>
class GatedProgram {
 public:
  GatedProgram(B& be, const ProgramRequest& request, MetricBasis basis, Index tile_entries)
      : be_(be), request_(request), basis_(std::move(basis)), tile_entries_(tile_entries) {}

  // What solve() allocates at most: what is found in single precision is evaluated in double, when
  // the method that found it is gone.
  static Needs count(const ProgramRequest& request, Index tile_entries) {
    Needs needs;
    Method<double>::count(needs, request.Y.rows(), request.X.cols(), request.gated.patterns.size(),
                          request.Y.cols(), tile_entries, request.patches());
    return needs;
  }

  PatternPoint solve(const Control& control, const OnProgram& on_check) {
    PatternPoint point = request_.start;
    const Matrix& basis = basis_.basis;
    if (point.V.size() > 0 && basis.size() > 0) point.V = basis.transpose() * point.V;
    if (request_.single_precision) {
      point = method<float>().run(point, control, on_check);
      point = method<double>().evaluate(point);
    } else {
      point = method<double>().run(point, control, on_check);
    }
    if (basis.size() > 0) point.V = basis * point.V;
    return point;
  }

 private:
  template <class T>
  using Method = ProximalGradient<B, T, kernels::AnyLoss<T>, Penalty>;

  template <class T>
  Method<T> method() {
    const ProgramOptions& program = request_.options;
    const kernels::LossKind kind = loss_kind(program.loss, request_.Y.cols());
    return Method<T>(be_, basis_.coordinates, request_.Y, request_.weight_decay,
                     request_.gated.patterns, basis_.metric,
                     {kind, static_cast<T>(program.huber_delta)},
                     {.tolerance = program.tolerance,
                      .max_iterations = request_.max_iterations,
                      .curvature = largest_curvature(kind),
                      .tile_entries = tile_entries_,
                      .patches = request_.patches()});
  }

  B& be_;
  const ProgramRequest& request_;
  MetricBasis basis_;
  Index tile_entries_;
};

// The groups of the request decide about the coordinates.
template <Backend B>
PatternPoint solve_gated(B& be, const ProgramRequest& request, Index tile_entries,
                         const Control& control, const OnProgram& on_check) {
  const Matrix& X = request.X;
  if (request.options.group == Group::feature)
    return GatedProgram<B, FeaturePenalty>(be, request, unrotated(X), tile_entries)
        .solve(control, on_check);
  if (joint_blocks(request))
    return GatedProgram<B, NuclearPenalty>(be, request, uniform(be, X), tile_entries)
        .solve(control, on_check);
  return GatedProgram<B, NeuronPenalty>(be, request, rotated(be, X), tile_entries)
      .solve(control, on_check);
}

// What solve_gated takes, for the plan: on the engine's side, and on the host.
template <Backend B>
EngineBytes gated_bytes(const ProgramRequest& request, Index tile_entries) {
  const Index rows = request.X.rows(), d = request.X.cols();
  Needs basis, program;
  if (request.options.group == Group::feature) {
    program = GatedProgram<B, FeaturePenalty>::count(request, tile_entries);
  } else if (joint_blocks(request)) {
    count_uniform(basis, rows, d);
    program = GatedProgram<B, NuclearPenalty>::count(request, tile_entries);
  } else {
    count_rotated(basis, rows, d);
    program = GatedProgram<B, NeuronPenalty>::count(request, tile_entries);
  }
  const Needs needs = most_of(basis, program);
  const Index weights = d * request.gated.patterns.size() * request.Y.cols();
  return {needs.storage_bytes + B::workspace_bytes(needs),
          8 * (2 * rows * d + 2 * weights + 2 * request.Y.size())};
}

}  // namespace relulift
