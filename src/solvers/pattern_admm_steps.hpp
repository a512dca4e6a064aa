// SPDX-License-Identifier: Apache-2.0
// The steps of PatternAdmm: construction, the iteration, the penalty. Included by its header.
#pragma once

#include <algorithm>

#include "src/solvers/pattern_admm_checks.hpp"
#include "src/solvers/pattern_admm_method.hpp"

namespace relulift {

// W of the v = u split, and M^-1 = (W + cone X'X)^-1, rows of W.
inline Vector pull_metric(const MetricBasis& basis, Index patterns, const AdmmOptions& options) {
  const double mean = basis.metric.mean();
  return options.pull * static_cast<double>(patterns) * mean *
         (basis.metric / mean).array().pow(options.pull_power);
}
inline Vector inverse_diagonal(const MetricBasis& basis, const Vector& pull, Index patterns,
                               const AdmmOptions& options) {
  if (options.system.halves == 1) return pull.cwiseInverse();
  const Vector squares = basis.coordinates.colwise().squaredNorm().transpose();
  return (pull + options.cone * static_cast<double>(patterns) * squares).cwiseInverse();
}

template <Backend B, class T, template <class, class> class Penalty>
PatternAdmm<B, T, Penalty>::PatternAdmm(B& be, const ProgramRequest& request,
                                        const MetricBasis& basis, const Loss& loss,
                                        PatternCones* cones, const AdmmOptions& options)
    : be_(be),
      request_(request),
      basis_(basis),
      loss_(loss),
      cones_(cones),
      options_(options),
      products_(be, basis.coordinates, request.gated.patterns, request.Y.cols(),
                options.tile_entries, request.patches()),
      pull_(pull_metric(basis, products_.patterns(), options)),
      inverse_diagonal_(inverse_diagonal(basis, pull_, products_.patterns(), options)),
      metric_(be.slots(2 * d())),
      scalars_(be, kScalars),
      cone_sums_(be.slots(4 * cone_tiles())),
      penalty_(be, d(), columns(), c(), scalars_[kTau]),
      system_(be, products_, basis.coordinates, request.gated.patterns, inverse_diagonal_,
              metric_[d()].address, options.system),
      y_(be.matrix(doubles_for<T>(request.Y.size()), 1)),
      f_(be.matrix(y_.view().rows, 1)),
      fz_(be.matrix(y_.view().rows, 1)),
      t_(be.matrix(y_.view().rows, 1)),
      r_(be.matrix(y_.view().rows, 1)),
      f_before_(be.matrix(y_.view().rows, 1)),
      u_(be.matrix(doubles_for<T>(d() * columns()), 1)),
      v_(be.matrix(u_.view().rows, 1)),
      vz_(be.matrix(u_.view().rows, 1)),
      v_before_(be.matrix(u_.view().rows, 1)),
      w_(be.matrix(doubles_for<T>(d() * half()), 1)),
      z_(be.matrix(doubles_for<T>(cones ? rows() * columns() : 0), 1)),
      pull_scale_(pull_.maxCoeff()) {
  upload_as<T>(be_, request.Y, y_.view());
  upload(be_, pull_, metric_[0]);
  upload(be_, inverse_diagonal_, metric_[d()]);
  scalars_.set(kConeWeight, options.cone * static_cast<double>(products_.patterns()));
  system_.prepare(difference());
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::count(Needs& needs, Index n, Index d, Index patterns,
                                       Index outputs, PatternProgram program,
                                       const AdmmOptions& options) {
  const Index half = patterns * outputs;
  const Index columns = program == PatternProgram::relu ? 2 * half : half;
  const Index patches = options.system.patches;
  GatedProducts<B, T>::count(needs, n, d, patterns, outputs, options.tile_entries, patches);
  PatternSystem<B, T>::count(needs, n, d, patterns, outputs, options.system);
  Penalty<B, T>::count(needs, d, columns, outputs);
  needs.slots(2 * d).slots(kScalars);
  for (int k = 0; k < 6; ++k) needs.matrix(doubles_for<T>(n * outputs), 1);
  for (int k = 0; k < 4; ++k) needs.matrix(doubles_for<T>(d * columns), 1);
  needs.matrix(doubles_for<T>(d * half), 1);
  if (program != PatternProgram::relu) return;
  const GatedTile cut = gated_tile(n, patterns, outputs, options.tile_entries);
  const Index across = (patterns + cut.patterns - 1) / cut.patterns;
  const Index tiles = across * patches * ((n + cut.rows - 1) / cut.rows);
  needs.matrix(doubles_for<T>(n * patches * columns), 1).slots(8 * tiles);
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::adjoint(View R, kernels::ConePart part, Scalar weight, View G) {
  if (!cones()) return products_.adjoint(R, G);
  const View Z = shaped(z_, rows(), columns());
  products_.for_each_tile([&](const auto& t) {
    for (Index h = 0; h < 2; ++h) {
      const Index first = h * half() + t.pattern * c(), wide = t.patterns * c();
      const View out = products_.tile(t);
      be_.launch({t.rows, wide},
                 kernels::ConeSpread<T>{R.block(t.sample, 0, t.rows, c()),
                                        Z.block(t.row, first, t.rows, wide), products_.bits(t),
                                        t.row, h == 0 ? T(1) : T(-1), scalars_[weight], part, out});
      be_.gemm(Op::transpose, Op::none, 1.0, products_.rows_of_x(t), MatrixView<const T>(out),
               t.row == 0 ? 0.0 : 1.0, G.block(0, first, d(), wide));
    }
  });
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::forward(View V, View F) {
  if (!cones()) return products_.forward(V, F);
  be_.launch({d(), half()}, kernels::Difference<T>{half_of(V, 0), half_of(V, 1), difference()});
  products_.forward(difference(), F);
}

template <Backend B, class T, template <class, class> class Penalty>
Index PatternAdmm<B, T, Penalty>::cone_tiles() {
  Index tiles = 0;
  if (cones()) products_.for_each_tile([&](const auto&) { tiles += 2; });
  return tiles;
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::update_cones(double relaxation, Measure measure) {
  Index slot = 0;
  const View Z = shaped(z_, rows(), columns()), U = weights(u_);
  products_.for_each_tile([&](const auto& t) {
    for (Index h = 0; h < 2; ++h) {
      const Index first = h * half() + t.pattern * c(), wide = t.patterns * c();
      const View out = products_.tile(t);
      be_.gemm(Op::none, Op::none, 1.0, products_.rows_of_x(t),
               MatrixView<const T>(U.block(0, first, d(), wide)), 0.0, out);
      const kernels::ConeUpdate<T> update{
          out, products_.bits(t),          t.row,
          c(), static_cast<T>(relaxation), Z.block(t.row, first, t.rows, wide)};
      if (measure == Measure::residuals) {
        using enum kernels::ConeSum;
        for (const auto which : {primal, change, size, dual})
          be_.sum({t.rows, wide}, kernels::ConeSumTerm<T>{update, which}, cone_sums_[slot++]);
      }
      be_.launch({t.rows, wide}, update);
    }
  });
}

// u = M^-1 (b - F't), b the right side of (M + F'F) u = b and (I + F M^-1 F') t = F M^-1 b; then
// t = F u.
template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::linear_step(double accuracy) {
  be_.launch({n(), c()}, kernels::LessDual<T>{scores(f_), scores(fz_), scores(r_)});
  adjoint(scores(r_), kernels::ConePart::magnitude, kConeWeight, weights(u_));
  be_.launch({d(), columns()}, kernels::StartOfStep<T>{weights(v_), weights(vz_), metric(kPull),
                                                       metric(kInverse), weights(u_)});
  forward(weights(u_), scores(r_));
  system_.solve(scores(r_), accuracy, difference(), scores(t_));
  products_.adjoint(scores(t_), difference());
  be_.launch({d(), columns()}, kernels::EndOfStep<T>{difference(), metric(kInverse), weights(u_)});
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::iterate(double accuracy, Measure measure) {
  linear_step(accuracy);
  const T relaxation = static_cast<T>(options_.relaxation);
  be_.launch({n(), c()}, kernels::Relax<T>{scores(t_), scores(f_), relaxation, scores(fz_)});
  be_.launch({n()},
             kernels::LossProx<Loss>{loss_, scores(fz_), scores(y_), scores(f_), scalars_[kRho]});
  be_.launch({d(), columns()},
             kernels::Relax<T>{weights(u_), weights(v_), relaxation, weights(vz_)});
  // kEta is zero: the prox of z in the metric of the split.
  penalty_.prox({weights(vz_), weights(vz_), metric(kPull), scalars_[kEta]}, pull_scale_,
                weights(v_));
  if (cones()) update_cones(options_.relaxation, measure);
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::remember() {
  be_.launch({n(), c()}, kernels::CopyEntries<T>{scores(f_), scores(f_before_)});
  be_.launch({d(), columns()}, kernels::CopyEntries<T>{weights(v_), weights(v_before_)});
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::set_penalty(double rho) {
  scalars_.set(kFactor, rho_ / rho);
  be_.launch({n(), c()}, kernels::Rescale<T>{scores(f_), scalars_[kFactor], scores(fz_)});
  be_.launch({d(), columns()}, kernels::Rescale<T>{weights(v_), scalars_[kFactor], weights(vz_)});
  if (cones())
    be_.launch({rows(), columns()},
               kernels::ConeRescale<T>{shaped(z_, rows(), columns()), scalars_[kFactor]});
  rho_ = rho;
  scalars_.set(kRho, rho);
  scalars_.set(kTau, request_.weight_decay / rho);
  scalars_.set(kDualWeight, rho * options_.cone * static_cast<double>(products_.patterns()));
}

template <Backend B, class T, template <class, class> class Penalty>
void PatternAdmm<B, T, Penalty>::begin(const PatternPoint& start) {
  set_penalty(rho_);
  if (start.V.size() == 0) return;
  Matrix W(d(), columns());
  W.leftCols(half()) = start.V;
  if (cones()) W.rightCols(half()) = start.N;
  if (basis_.basis.size() > 0) W = basis_.basis.transpose() * W;
  for (const auto* m : {&u_, &v_, &vz_}) upload_as<T>(be_, W, m->view());
  forward(weights(v_), scores(f_));
  be_.launch({n(), c()}, kernels::CopyEntries<T>{scores(f_), scores(fz_)});
  if (cones()) update_cones(1.0, Measure::nothing);
  if (start.E.size() == 0) return;
  upload_as<T>(be_, Matrix(start.E * (-1.0 / rho_)), r_.view());  // the dual, scaled
  be_.launch({n(), c()}, kernels::AddEntries<T>{scores(r_), scores(fz_)});
}

}  // namespace relulift
