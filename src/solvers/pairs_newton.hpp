// SPDX-License-Identifier: Apache-2.0
// One iteration of the primal-dual interior point on a fixed set of pairs [eq:pairs]:
// Nesterov-Todd scaling, Mehrotra's predictor and corrector, separate primal and dual steps.
//
// The Schur matrix is that of y and w, after the elimination of G and H [eq:eliminate].
// Cost with m = n + pairs and order N: m^3/3 (Cholesky) + 6 m^2 (three solves) + about 50 N^3 (NT
// scaling, one eigendecomposition, four least eigenvalues, products), gathers of m^2/2 entries,
// and the elimination. Memory in doubles: m^2 + (2n + c)^2 + 4 n^2 + 13 N^2, and the elimination.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/entries.hpp"
#include "kernels/slots.hpp"
#include "src/solvers/pairs_elimination.hpp"
#include "src/solvers/pairs_lift.hpp"

namespace relulift {

// What the host learns at the start of every iteration.
struct PairsProgress {
  double mu = 0.0;    // (<S, Q> + w'kap)/(N + pairs)
  double gap = 0.0;   // mu (N + pairs): exact duality gap if the primal is feasible
  double dual = 0.0;  // D(z), constant excluded
  double primal_step = 0.0, dual_step = 0.0, target = 0.0;  // of the step that led here
  bool positive_definite = false;                           // Q and S by Cholesky
};

template <Backend B>
class PairsNewton {
  using View = MatrixView<double>;
  using ConstView = MatrixView<const double>;

 public:
  PairsNewton(B& be, PairsLift<B>& lift, const ReducedProblem& problem, const PairsPoint& start)
      : be_(be),
        lift_(lift),
        vars_(problem, start.pairs),
        m_(vars_.size()),
        kept_(vars_.residuals),
        pairs_(static_cast<Index>(start.pairs.size())),
        N_(lift.order()),
        outputs_(problem.c()),
        row_(be.indices(m_)),
        col_(be.indices(m_)),
        constants_(be.matrix(m_, 3)),
        vectors_(be.matrix(m_, 5)),
        pair_vectors_(be.matrix(std::max<Index>(pairs_, 1), 4)),
        M_(be.matrix(kept_, kept_)),
        H_(be.matrix(lift.lifted(), lift.lifted())),
        squares_(be.matrix(N_, kSquares * N_)),
        v_(be.matrix(N_, 1)),
        spectrum_(be.slots(N_)),
        slots_(be.slots(kSlots)),
        elimination_(be, problem, kept_, slots_[kInfoElimination]) {
    const Index samples = problem.n() + problem.p();  // the elimination's eigenbasis
    be_.reserve(Needs{}.syevd(std::max(N_, samples)).eigenvalues(N_).potrf(std::max(N_, kept_)));
    upload(vars_.factor, constants_.view().col(0));
    upload(vars_.linear, constants_.view().col(1));
    upload(vars_.curvature, constants_.view().col(2));
    be_.upload(std::span<const std::int32_t>(vars_.row), row_);
    be_.upload(std::span<const std::int32_t>(vars_.col), col_);
    upload(pack(start), z());
    if (pairs_ > 0) be_.upload(std::span<const double>(start.kap.data(), pairs_), kap());
    be_.upload(std::span<const double>(start.S.data(), start.S.size()), square(kS));
  }

  Index variables() const { return kept_; }
  double order() const { return static_cast<double>(N_ + pairs_); }

  // [eq:pairs] Q(z), both Cholesky factors, mu and D at the current point. Waits.
  PairsProgress evaluate() {
    const View Q = square(kQ), S = square(kS), Lq = square(kLq), Ls = square(kLs);
    lift_.slack(PairsLift<B>::Part::affine, vars_, row_.view(), col_.view(), z(), Q);
    be_.launch({N_, N_}, kernels::CopyEntries<double>{Q, Lq});
    be_.launch({N_, N_}, kernels::CopyEntries<double>{S, Ls});
    be_.potrf(Lq, slot(kInfoQ));
    be_.potrf(Ls, slot(kInfoS));
    be_.sum({N_, N_}, kernels::Dot{S, Q}, slot(kProduct));
    be_.sum({pairs_, 1}, kernels::Dot{w(), kap()}, slot(kPairProduct));
    be_.launch({1, 1},
               kernels::Complementarity{order(), slot(kProduct), slot(kPairProduct), slot(kMu)});
    be_.sum({m_, 1}, kernels::DualLoss{linear(), curvature(), z()}, slot(kLoss));
    std::array<double, kSlots> at{};
    be_.fetch(slot(0), at);
    return {.mu = at[kMu],
            .gap = at[kMu] * order(),
            .dual = -at[kLoss],
            .primal_step = at[kPrimalStep],
            .dual_step = at[kDualStep],
            .target = at[kTarget],
            // A factorisation may let a NaN pass.
            .positive_definite = at[kInfoQ] == 0.0 && at[kInfoS] == 0.0 && std::isfinite(at[kMu]) &&
                                 std::isfinite(at[kLoss])};
  }

  // From an evaluated point to the next one. False: M could not be factored (nothing moved).
  bool step(double boundary_fraction) {
    scale();
    if (!factor()) return false;
    predict();
    lengths(1.0);
    aim();
    correct();
    lengths(boundary_fraction);
    advance();
    return true;
  }

  // A step towards the point of the central path at the current mu: of full length when that is
  // near, which leaves the linear constraints on S satisfied to rounding. False: as in step().
  bool center(double boundary_fraction) {
    scale();
    if (!factor()) return false;
    be_.launch({1, 1}, kernels::CopyEntries<double>{scalar(kMu), scalar(kTarget)});
    be_.launch({N_, N_}, kernels::Fill{0.0, square(kA)});
    be_.launch({pairs_, 1}, kernels::Fill{0.0, second()});
    correct();
    lengths(boundary_fraction);
    advance();
    return true;
  }

  // Undoes the last step, of which there is one: the point before it passed its Cholesky
  // factorisations.
  void retreat() {
    be_.launch({m_, 1}, kernels::CopyEntries<double>{previous_z(), z()});
    be_.launch({pairs_, 1}, kernels::CopyEntries<double>{previous_kap(), kap()});
    be_.launch({N_, N_}, kernels::CopyEntries<double>{square(kPrevious), square(kS)});
  }

  void fetch_multipliers(PairsPoint& point) const {
    std::vector<double> packed(m_);
    be_.fetch(ConstView(z()), packed);
    unpack(packed, point);
  }
  void fetch(PairsPoint& point) const {
    fetch_multipliers(point);
    if (pairs_ > 0) be_.fetch(ConstView(kap()), std::span<double>(point.kap.data(), pairs_));
    be_.fetch(ConstView(square(kS)), std::span<double>(point.S.data(), point.S.size()));
  }
  // K(S) on all lifted rows and outputs, order 2n + c.
  void fetch_gram(Matrix& K) {
    lift_.gram(square(kS), H_.view());
    K.resize(lift_.lifted(), lift_.lifted());
    be_.fetch(ConstView(H_.view()), std::span<double>(K.data(), K.size()));
  }

 private:
  enum Square { kQ, kLq, kS, kLs, kU, kF, kP, kT, kTS, kTQ, kA, kCenter, kPrevious, kSquares };
  enum Scalar {
    kMu,
    kLoss,
    kInfoQ,
    kInfoS,
    kInfoM,  // read together, up to kInfoEnd
    kInfoEigen,
    kInfoElimination,
    kInfoEnd = kInfoElimination + PairsElimination<B>::kInfos,
    kProduct = kInfoEnd,
    kPairProduct,
    kPrimalStep,
    kDualStep,
    kTarget,
    kShift,
    kAffine,
    kPairAffine,
    kPartial
  };
  static constexpr Index kParts = 64;
  static constexpr Index kSlots = kPartial + kParts;

  void upload(const std::vector<double>& from, View to) {
    be_.upload(std::span<const double>(from), to);
  }
  View square(Square k) const { return squares_.view().block(0, k * N_, N_, N_); }
  Slot slot(Index k) const { return slots_[k]; }
  View scalar(Index k) const { return {slots_[k].address, 1, 1, 1}; }
  View column(Index k) const { return vectors_.view().col(k); }
  View pair_column(Index k) const { return pair_vectors_.view().col(k).block(0, 0, pairs_, 1); }
  ConstView factor_() const { return constants_.view().col(0); }
  ConstView linear() const { return constants_.view().col(1); }
  ConstView curvature() const { return constants_.view().col(2); }
  View z() const { return column(0); }
  View dz() const { return column(1); }
  View diagonal() const { return column(2); }
  View previous_z() const { return column(3); }
  View ddz() const { return column(4); }
  IndexView kept_row() const { return {row_.view().data, kept_}; }
  IndexView kept_col() const { return {col_.view().data, kept_}; }
  View w() const { return z().block(vars_.pairs, 0, pairs_, 1); }
  View dw() const { return dz().block(vars_.pairs, 0, pairs_, 1); }
  View kap() const { return pair_column(0); }
  View dkap() const { return pair_column(1); }
  View second() const { return pair_column(2); }
  View previous_kap() const { return pair_column(3); }

  // F with F'QF = F^-1 S F^-T = diag(v): Ls'Lq = B, B B' = U diag(v^2) U', F = Ls U diag(v^-1/2).
  // v^2 are the eigenvalues of S Q, all near mu on the central path, hence accurate. Then
  // H = Lbar F F' Lbar'.
  void scale() {
    const View P = square(kP), U = square(kU), F = square(kF);
    be_.gemm(Op::transpose, Op::none, 1.0, cview(kLs), cview(kLq), 0.0, P);
    be_.syrk(Op::none, 1.0, cview(kP), 0.0, U);
    be_.syevd(U, spectrum_[0], slot(kInfoEigen));
    be_.launch({N_, N_}, kernels::ScaleEigenvectors{spectrum_[0], U, v_.view()});
    be_.gemm(Op::none, Op::none, 1.0, cview(kLs), cview(kU), 0.0, F);
    be_.syrk(Op::none, 1.0, cview(kF), 0.0, P);
    lift_.gram(P, H_.view());
    be_.launch({kept_, 1}, kernels::SchurDiagonal{vars_.pairs, z(), kap(), diagonal()});
  }

  // Cholesky of M; a relative shift of the diagonal, ten times larger at each attempt, if rounding
  // made it indefinite.
  bool factor() {
    for (double shift = 0.0; shift < 1e-8; shift = std::max(10.0 * shift, 1e-14)) {
      be_.launch({1, 1}, kernels::SetSlot{slot(kShift), shift});
      for_each_panel(kept_, [&](Index first, Extent extent) {
        be_.launch(extent, kernels::SchurMatrix{first, kept_row(), kept_col(), factor_(),
                                                diagonal(), H_.view(), M_.view()});
      });
      elimination_.reduce_matrix(H_.view(), kept_row(), kept_col(), factor_(), M_.view());
      be_.launch({kept_, 1}, kernels::ScaleDiagonal{slot(kShift), M_.view()});
      be_.potrf(M_.view(), slot(kInfoM));
      std::array<double, kInfoEnd - kInfoM> info{};
      be_.fetch(slot(kInfoM), info);
      if (std::any_of(info.begin() + 1, info.end(), [](double i) { return i != 0.0; }))
        return false;
      if (info[0] == 0.0) return true;
    }
    return false;
  }

  void predict() {
    be_.launch({N_, N_}, kernels::PredictorDirection{v_.view(), square(kT)});
    solve(0.0);
  }

  // Mehrotra's target and the second-order terms of the predictor.
  void aim() {
    const ConstView tS = cview(kTS), tQ = cview(kTQ);
    be_.sum({N_, N_}, kernels::AffineGap{v_.view(), tS, tQ, slot(kPrimalStep), slot(kDualStep)},
            slot(kAffine));
    be_.sum({pairs_, 1},
            kernels::AffinePairGap{w(), dw(), kap(), dkap(), slot(kPrimalStep), slot(kDualStep)},
            slot(kPairAffine));
    be_.launch({1, 1}, kernels::Centering{order(), kCenteringFloor, slot(kAffine),
                                          slot(kPairAffine), slot(kMu), slot(kTarget)});
    be_.gemm(Op::none, Op::none, 1.0, tS, tQ, 0.0, square(kA));
    be_.launch({pairs_, 1}, kernels::SecondOrderPairs{dw(), dkap(), second()});
  }

  void correct() {
    be_.launch({N_, N_}, kernels::TargetDirection{slot(kTarget), square(kA), v_.view(), square(kT),
                                                  square(kCenter)});
    gram_of_scaled(square(kCenter));
    solve(1.0);
    refine();
  }

  // M dz = right-hand side; tQ = F' dQ F, tS = T - tQ, dkap. center_weight 0: predictor.
  void solve(double center_weight) {
    be_.launch({m_, 1},
               kernels::RightHandSide{row_.view(), col_.view(), vars_.pairs, vars_.residuals,
                                      center_weight, slot(kTarget), factor_(), linear(),
                                      curvature(), z(), H_.view(), second(), dz()});
    apply_inverse(dz());
    scaled_slack(dz(), square(kTQ));
    be_.launch({N_, N_}, kernels::Subtract{square(kT), square(kTQ), square(kTS)});
    pair_direction(center_weight);
  }

  // One step of iterative refinement. Where samples are nearly parallel, the multipliers are large
  // and cancel in F'dQF: S would miss its constraints by eps/theta^2, theta their angle. So tS is
  // corrected by what the correction of dz changes, and not formed again.
  void refine() {
    be_.launch({N_, N_}, kernels::ScaledSum{v_.view(), square(kTS), square(kCenter)});
    gram_of_scaled(square(kCenter));
    be_.launch({m_, 1}, kernels::NewtonResidual{row_.view(), col_.view(), vars_.pairs,
                                                vars_.residuals, factor_(), linear(), curvature(),
                                                z(), dz(), H_.view(), kap(), dkap(), ddz()});
    apply_inverse(ddz());
    be_.launch({m_, 1}, kernels::Add{ddz(), dz()});
    scaled_slack(ddz(), square(kCenter));
    be_.launch({N_, N_}, kernels::Add{square(kCenter), square(kTQ)});
    be_.launch({N_, N_}, kernels::Subtract{square(kTS), square(kCenter), square(kTS)});
    pair_direction(1.0);
  }

  // M^-1 x in place.
  void apply_inverse(View x) {
    const View kept = x.block(0, 0, kept_, 1);
    const Index rows = (m_ - kept_) / outputs_;
    const View residual = {x.data + kept_, rows, outputs_, rows};
    elimination_.reduce_right(kept_row(), kept_col(), factor_(), residual, kept);
    be_.potrs(ConstView(M_.view()), kept);
    elimination_.expand(kept_row(), kept_col(), factor_(), kept, residual);
  }

  // F' (Q(x) - Q(0)) F.
  void scaled_slack(ConstView x, View out) {
    lift_.slack(PairsLift<B>::Part::linear, vars_, row_.view(), col_.view(), x, square(kP));
    be_.gemm(Op::none, Op::none, 1.0, cview(kP), cview(kF), 0.0, square(kA));
    be_.gemm(Op::transpose, Op::none, 1.0, cview(kF), cview(kA), 0.0, out);
  }

  void pair_direction(double center_weight) {
    be_.launch({pairs_, 1}, kernels::PairDirection{vars_.pairs, center_weight, slot(kTarget), z(),
                                                   dz(), kap(), second(), dkap()});
  }

  // H = Lbar F x F' Lbar'.
  void gram_of_scaled(View x) {
    be_.gemm(Op::none, Op::none, 1.0, cview(kF), ConstView(x), 0.0, square(kA));
    be_.gemm(Op::none, Op::transpose, 1.0, cview(kA), cview(kF), 0.0, square(kP));
    lift_.gram(cview(kP), H_.view());
  }

  // Steps to the boundary, times fraction, at most 1.
  void lengths(double fraction) {
    length(kTS, kap(), dkap(), fraction, kPrimalStep);
    length(kTQ, w(), dw(), fraction, kDualStep);
  }
  void length(Square direction, ConstView x, ConstView dx, double fraction, Scalar out) {
    const View relative = square(kA);
    be_.launch({N_, N_}, kernels::RelativeDirection{square(direction), v_.view(), relative});
    be_.eigenvalues(relative, spectrum_[0], slot(kInfoEigen));
    be_.launch({kParts, 1}, kernels::PartialStep{pairs_, kParts, x, dx, slot(kPartial)});
    be_.launch({1, 1},
               kernels::StepLength{kParts, fraction, spectrum_[0], slot(kPartial), slot(out)});
  }

  void advance() {
    be_.gemm(Op::none, Op::none, 1.0, cview(kF), cview(kTS), 0.0, square(kA));
    be_.gemm(Op::none, Op::transpose, 1.0, cview(kA), cview(kF), 0.0, square(kP));
    be_.launch({N_, N_}, kernels::AdvanceSymmetric{slot(kPrimalStep), square(kP), square(kS),
                                                   square(kPrevious)});
    be_.launch({m_, 1}, kernels::Advance{slot(kDualStep), dz(), z(), previous_z()});
    be_.launch({pairs_, 1}, kernels::Advance{slot(kPrimalStep), dkap(), kap(), previous_kap()});
  }

  ConstView cview(Square k) const { return square(k); }

  static constexpr double kCenteringFloor = 0.02;

  B& be_;
  PairsLift<B>& lift_;
  PairsVariables vars_;
  Index m_, kept_, pairs_, N_, outputs_;
  typename B::Indices row_, col_;
  typename B::Matrix constants_, vectors_, pair_vectors_, M_, H_, squares_, v_;
  typename B::Slots spectrum_, slots_;
  PairsElimination<B> elimination_;
};

}  // namespace relulift
