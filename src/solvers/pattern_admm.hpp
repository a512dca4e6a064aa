// SPDX-License-Identifier: Apache-2.0
// Programs over patterns by alternating directions: the coordinates, the penalty and the precision
// that a request asks for, and objective and bound of what came out, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <relulift/error.hpp>

#include "src/model/loss.hpp"
#include "src/solvers/metric_basis.hpp"
#include "src/solvers/pattern_admm_method.hpp"

namespace relulift {

template <Backend B, template <class, class> class Penalty>
class AdmmProgram {
 public:
  AdmmProgram(B& be, const ProgramRequest& request, PatternProgram program, MetricBasis basis,
              const AdmmOptions& options)
      : be_(be), request_(request), basis_(std::move(basis)), options_(options) {
    options_.tolerance = request.options.tolerance;
    options_.max_iterations = request.max_iterations;
    if (program == PatternProgram::relu)
      cones_ = std::make_unique<PatternCones>(request.X, request.gated, c(),
                                              2 * request.gated.patterns.size() * c());
  }

  // What solve() allocates at most: the method is gone when its point is evaluated in double.
  static Needs count(const ProgramRequest& request, PatternProgram program,
                     const AdmmOptions& options) {
    const Index n = request.Y.rows(), d = request.X.cols(), c = request.Y.cols();
    const Index patterns = request.gated.patterns.size();
    Needs method, check;
    if (request.single_precision) {
      PatternAdmm<B, float, Penalty>::count(method, n, d, patterns, c, program, options);
    } else {
      PatternAdmm<B, double, Penalty>::count(method, n, d, patterns, c, program, options);
    }
    GatedProducts<B, double>::count(check, n, d, patterns, c, options.tile_entries,
                                    request.patches());
    Penalty<B, double>::count(check, d, patterns * c, c);
    check.matrix(d * patterns * c, 1).matrix(n * c, 1).slots(2);
    return most_of(method, check);
  }

  PatternPoint solve(const Control& control, const OnProgram& on_check) {
    PatternPoint point =
        request_.single_precision ? run<float>(control, on_check) : run<double>(control, on_check);
    recompute(point);
    return point;
  }

 private:
  Index n() const { return request_.Y.rows(); }
  Index c() const { return request_.Y.cols(); }

  template <class T>
  kernels::AnyLoss<T> loss() const {
    const ProgramOptions& program = request_.options;
    return {loss_kind(program.loss, c()), static_cast<T>(program.huber_delta)};
  }
  template <class T>
  PatternPoint run(const Control& control, const OnProgram& on_check) {
    return PatternAdmm<B, T, Penalty>(be_, request_, basis_, loss<T>(), cones_.get(), options_)
        .run(control, on_check);
  }

  // Objective of V, N and bound of E, which rounding may have moved off the domain of L*.
  void recompute(PatternPoint& point) {
    GatedProducts<B, double> products(be_, request_.X, request_.gated.patterns, c(),
                                      options_.tile_entries, request_.patches());
    const auto w = be_.matrix(point.V.size(), 1), f = be_.matrix(n() * c(), 1);
    const MatrixView<double> W{w.view().data, request_.X.cols(), products.columns(),
                               request_.X.cols()};
    const MatrixView<double> F{f.view().data, n(), c(), n()};
    Scalars<B> scalars(be_, 2);  // tau of a prox that nobody asks for, and a norm
    Penalty<B, double> penalty(be_, W.rows, W.cols, c(), scalars[0]);
    double omega = 0.0;
    if (cones_) {
      omega = point.V.colwise().norm().sum() + point.N.colwise().norm().sum();
      upload_as<double>(be_, Matrix(point.V - point.N), w.view());
    } else {
      upload_as<double>(be_, point.V, w.view());
      penalty.value(W, scalars[1]);
      omega = scalars.template read<1>(1)[0];
    }
    products.forward(W, F);
    point.objective =
        value_of(fetch_as<double>(be_, f.view(), n(), c())) + request_.weight_decay * omega;
    into_domain(point.E);
    upload_as<double>(be_, point.E, f.view());
    products.adjoint(F, W);
    penalty.dual(W, scalars[1]);
    const double largest = cones_ ? cones_->largest(fetch_as<double>(be_, w.view(), W.rows, W.cols))
                                  : scalars.template read<1>(1)[0];
    const double scale = kernels::dual_factor(request_.weight_decay, largest);
    const double bound = bound_of(point.E, scale);
    point.bound = std::isfinite(bound) ? bound : -std::numeric_limits<double>::infinity();
    point.E *= scale;
  }
  static MatrixView<const double> view(const Matrix& A) {
    return {A.data(), A.rows(), A.cols(), A.rows()};
  }
  double value_of(const Matrix& F) const {
    const kernels::LossValue<kernels::AnyLoss<double>> term{loss<double>(), view(F),
                                                            view(request_.Y)};
    double sum = 0.0;
    for (Index i = 0; i < n(); ++i) sum += term(i, 0);
    return sum;
  }
  double bound_of(const Matrix& E, double scale) const {
    const kernels::LossBound<kernels::AnyLoss<double>> term{loss<double>(), view(E),
                                                            view(request_.Y), Slot{&scale}};
    double sum = 0.0;
    for (Index i = 0; i < n(); ++i) sum += term(i, 0);
    return sum;
  }
  void into_domain(Matrix& E) const {
    const Matrix zero = Matrix::Zero(n(), c());
    double one = 1.0;
    Matrix moved(n(), c());
    const kernels::DualOfScores<double> row{
        loss<double>().kind, loss<double>().delta,         view(E), view(zero), view(request_.Y),
        Slot{&one},          {moved.data(), n(), c(), n()}};
    for (Index i = 0; i < n(); ++i) row(i, 0);
    E = moved;
  }

  B& be_;
  const ProgramRequest& request_;
  MetricBasis basis_;
  AdmmOptions options_;
  std::unique_ptr<PatternCones> cones_;
};

// Groups of features and joint blocks are those of gated programs; outputs of the ReLU program are
// served one by one.
template <Backend B>
PatternPoint solve_by_admm(B& be, const ProgramRequest& request, PatternProgram program,
                           const AdmmOptions& options, const Control& control,
                           const OnProgram& on_check) {
  const bool relu = program == PatternProgram::relu;
  AdmmOptions chosen = options;
  if (request.options.group == Group::feature) {
    if (relu) throw InvalidInput("groups of features are for gated programs");
    return AdmmProgram<B, FeaturePenalty>(be, request, program, unrotated(request.X), chosen)
        .solve(control, on_check);
  }
  if (joint_blocks(request) && !relu) {
    chosen.pull_power = 0.0;
    return AdmmProgram<B, NuclearPenalty>(be, request, program, uniform(be, request.X), chosen)
        .solve(control, on_check);
  }
  return AdmmProgram<B, NeuronPenalty>(be, request, program, rotated(be, request.X), chosen)
      .solve(control, on_check);
}
template <Backend B>
PatternPoint solve_by_admm(B& be, const ProgramRequest& request, PatternProgram program,
                           Index tile_entries, const Control& control, const OnProgram& on_check) {
  const AdmmOptions options =
      admm_options(request.Y.rows(), request.X.cols(), program, tile_entries, request.patches());
  return solve_by_admm(be, request, program, options, control, on_check);
}

// What solve_by_admm takes, for the plan: on the engine's side, and on the host.
template <Backend B>
EngineBytes admm_bytes(const ProgramRequest& request, PatternProgram program,
                       const AdmmOptions& options) {
  const Index rows = request.X.rows(), d = request.X.cols(), c = request.Y.cols();
  Needs basis, program_needs;
  if (request.options.group == Group::feature) {
    program_needs = AdmmProgram<B, FeaturePenalty>::count(request, program, options);
  } else if (joint_blocks(request) && program != PatternProgram::relu) {
    count_uniform(basis, rows, d);
    program_needs = AdmmProgram<B, NuclearPenalty>::count(request, program, options);
  } else {
    count_rotated(basis, rows, d);
    program_needs = AdmmProgram<B, NeuronPenalty>::count(request, program, options);
  }
  const Needs needs = most_of(basis, program_needs);
  const Index columns = options.system.halves * request.gated.patterns.size() * c;
  return {needs.storage_bytes + B::workspace_bytes(needs), 8 * (2 * rows * d + 4 * d * columns)};
}
template <Backend B>
EngineBytes admm_bytes(const ProgramRequest& request, PatternProgram program, Index tile_entries) {
  return admm_bytes<B>(
      request, program,
      admm_options(request.Y.rows(), request.X.cols(), program, tile_entries, request.patches()));
}

}  // namespace relulift
