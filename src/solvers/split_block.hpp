// SPDX-License-Identifier: Apache-2.0
// One cone's share of a step of the interior point on a partition [eq:split]: Nesterov-Todd scaling
// of its Q and S on the face of the cone, its block of the Schur matrix with the residual
// multipliers last, and the directions that follow from theirs. src/solvers/split_newton.hpp puts
// the cones together.
//
// With m multipliers of its own (own_), q residual ones and order N: m^3/3 + m^2 q + m q^2 flops
// (elimination of its own), about 60 N^3 (scaling, face, eigenvalues), gathers of (m + q)^2/2
// entries. Memory in doubles: (m + q)^2 + 18 N^2.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "kernels/entries.hpp"
#include "kernels/slots.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/pairs_elimination.hpp"
#include "src/solvers/pairs_lift.hpp"
#include "src/solvers/split_tree.hpp"

namespace relulift {

template <Backend B>
class SplitBlock {
  using View = MatrixView<double>;
  using ConstView = MatrixView<const double>;

 public:
  // Scratch of all cones, one after the other.
  struct Shared {
    PairsLift<B>& lift;
    View full;    // order N of the problem, squared, twice
    View lifted;  // K on all lifted rows
  };

  SplitBlock(B& be, const ReducedProblem& problem, const Cone& cone, const PairsPoint& start)
      : be_(be),
        vars_(problem, start.pairs, open_rows(problem.n(), cone)),
        m_(vars_.size()),
        own_(vars_.residuals),
        pairs_(static_cast<Index>(start.pairs.size())),
        full_(problem.n() + problem.d() + problem.c()),
        N_(full_ - static_cast<Index>(cone.size())),
        row_(be.indices(m_)),
        col_(be.indices(m_)),
        constants_(be.matrix(m_, 2)),
        vectors_(be.matrix(m_, 4)),
        pair_vectors_(be.matrix(std::max<Index>(pairs_, 1), 4)),
        face_(be.matrix(full_, N_)),
        thin_(be.matrix(full_, N_)),
        M_(be.matrix(m_, m_)),
        squares_(be.matrix(N_, kSquares * N_)),
        v_(be.matrix(N_, 1)),
        spectrum_(be.slots(N_)),
        slots_(be.slots(kSlots)) {
    be_.upload(std::span<const double>(vars_.factor), constants_.view().col(0));
    be_.upload(std::span<const std::int32_t>(vars_.row), row_);
    be_.upload(std::span<const std::int32_t>(vars_.col), col_);
    upload(be_, face_of_cone(problem, cone), face_.view());
    be_.upload(std::span<const double>(pack(start)), z());
    if (pairs_ > 0) be_.upload(std::span<const double>(start.kap.data(), pairs_), kap());
    upload(be_, start.S, square(kS));
  }

  Index own() const { return own_; }
  double order() const { return static_cast<double>(N_ + pairs_); }

  struct Progress {
    double product = 0.0;  // <S, Q> + w'kap
    bool positive_definite = false;
  };
  // Q = T'Q(z)T, both Cholesky factors and the complementarity at the current point. Waits.
  Progress evaluate(const Shared& shared) {
    const View Q = square(kQ), S = square(kS), Lq = square(kLq), Ls = square(kLs);
    slack(shared, PairsLift<B>::Part::affine, z(), Q);
    be_.launch({N_, N_}, kernels::CopyEntries<double>{Q, Lq});
    be_.launch({N_, N_}, kernels::CopyEntries<double>{S, Ls});
    be_.potrf(Lq, slot(kInfoQ));
    be_.potrf(Ls, slot(kInfoS));
    be_.sum({N_, N_}, kernels::Dot{S, Q}, slot(kProduct));
    be_.sum({pairs_, 1}, kernels::Dot{w(), kap()}, slot(kPairProduct));
    const auto at = read();
    const double product = at[kProduct] + at[kPairProduct];
    return {.product = product,
            .positive_definite = at[kInfoQ] == 0.0 && at[kInfoS] == 0.0 && std::isfinite(product)};
  }

  // The scaling; factors the Schur matrix of its own multipliers and adds what the elimination
  // leaves of the residual ones to `schur`. False: rounding made its own block indefinite.
  bool scale_and_eliminate(const Shared& shared, View schur) {
    scale();
    gram(shared, cview(kF), cview(kF));
    be_.launch({own_, 1}, kernels::SchurDiagonal{vars_.pairs, z(), kap(), diagonal()});
    for (double shift = 0.0; shift < 1e-8; shift = std::max(10.0 * shift, 1e-14)) {
      be_.launch({1, 1}, kernels::SetSlot{slot(kShift), shift});
      for_each_panel(m_, [&](Index first, Extent extent) {
        be_.launch(extent, kernels::SchurMatrix{first, row_.view(), col_.view(), factor_(),
                                                diagonal(), shared.lifted, M_.view()});
      });
      be_.launch({own_, 1}, kernels::ScaleDiagonal{slot(kShift), own_block()});
      be_.potrf(own_block(), slot(kInfoM));
      if (read()[kInfoM] != 0.0) continue;
      be_.trsm(Side::right, Op::transpose, ConstView(own_block()), cross_block());
      const Index q = m_ - own_;
      const View rest = M_.view().block(own_, own_, q, q);
      be_.syrk(Op::none, -1.0, ConstView(cross_block()), 1.0, rest);
      be_.launch({q, q}, kernels::Add{rest, schur});
      return true;
    }
    return false;
  }

  // The right-hand side, its own part eliminated: adds to that of the residual multipliers.
  void predict(const Shared& shared, View residual_right) {
    be_.launch({N_, N_}, kernels::PredictorDirection{v_.view(), square(kT)});
    right_hand_side(shared, 0.0, residual_right);
  }
  void correct(const Shared& shared, double target, View residual_right) {
    be_.launch({1, 1}, kernels::SetSlot{slot(kTarget), target});
    be_.gemm(Op::none, Op::none, 1.0, cview(kTS), cview(kTQ), 0.0, square(kA));
    be_.launch({pairs_, 1}, kernels::SecondOrderPairs{dw(), dkap(), second()});
    be_.launch({N_, N_}, kernels::TargetDirection{slot(kTarget), square(kA), v_.view(), square(kT),
                                                  square(kCenter)});
    be_.gemm(Op::none, Op::none, 1.0, cview(kF), cview(kCenter), 0.0, square(kA));
    gram(shared, cview(kA), cview(kF));
    right_hand_side(shared, 1.0, residual_right);
  }

  // Its directions, given those of the residual multipliers. center_weight as in predict (0) and
  // correct (1).
  void expand(const Shared& shared, double center_weight, ConstView residual_direction) {
    const View own = dz().block(0, 0, own_, 1), rest = dz().block(own_, 0, m_ - own_, 1);
    be_.launch({m_ - own_, 1}, kernels::CopyEntries<double>{residual_direction, rest});
    be_.gemm(Op::transpose, Op::none, -1.0, ConstView(cross_block()), ConstView(rest), 1.0, own);
    be_.trsm(Side::left, Op::transpose, ConstView(own_block()), own);
    slack(shared, PairsLift<B>::Part::linear, dz(), square(kP));
    be_.gemm(Op::none, Op::none, 1.0, cview(kP), cview(kF), 0.0, square(kA));
    be_.gemm(Op::transpose, Op::none, 1.0, cview(kF), cview(kA), 0.0, square(kTQ));
    be_.launch({N_, N_}, kernels::Subtract{square(kT), square(kTQ), square(kTS)});
    be_.launch({pairs_, 1}, kernels::PairDirection{vars_.pairs, center_weight, slot(kTarget), z(),
                                                   dz(), kap(), second(), dkap()});
  }

  struct Lengths {
    double primal, dual;
  };
  // Steps to the boundary times fraction, at most 1. Waits.
  Lengths lengths(double fraction) {
    length(kTS, kap(), dkap(), fraction, kPrimalStep);
    length(kTQ, w(), dw(), fraction, kDualStep);
    const auto at = read();
    return {at[kPrimalStep], at[kDualStep]};
  }

  // Complementarity after steps of these lengths. Waits.
  double affine_product(Lengths steps) {
    set_steps(steps);
    be_.sum(
        {N_, N_},
        kernels::AffineGap{v_.view(), cview(kTS), cview(kTQ), slot(kPrimalStep), slot(kDualStep)},
        slot(kAffine));
    be_.sum({pairs_, 1},
            kernels::AffinePairGap{w(), dw(), kap(), dkap(), slot(kPrimalStep), slot(kDualStep)},
            slot(kPairAffine));
    const auto at = read();
    return at[kAffine] + at[kPairAffine];
  }

  void advance(Lengths steps) {
    set_steps(steps);
    be_.gemm(Op::none, Op::none, 1.0, cview(kF), cview(kTS), 0.0, square(kA));
    be_.gemm(Op::none, Op::transpose, 1.0, cview(kA), cview(kF), 0.0, square(kP));
    be_.launch({N_, N_}, kernels::AdvanceSymmetric{slot(kPrimalStep), square(kP), square(kS),
                                                   square(kPrevious)});
    be_.launch({m_, 1}, kernels::Advance{slot(kDualStep), dz(), z(), previous_z()});
    be_.launch({pairs_, 1}, kernels::Advance{slot(kPrimalStep), dkap(), kap(), previous_kap()});
  }
  // Undoes the last step, of which there is one.
  void retreat() {
    be_.launch({m_, 1}, kernels::CopyEntries<double>{previous_z(), z()});
    be_.launch({pairs_, 1}, kernels::CopyEntries<double>{previous_kap(), kap()});
    be_.launch({N_, N_}, kernels::CopyEntries<double>{square(kPrevious), square(kS)});
  }

  // Into a point of the same shape: multipliers; kap and S.
  void fetch_multipliers(PairsPoint& point) const {
    std::vector<double> packed(m_);
    be_.fetch(ConstView(z()), packed);
    unpack(packed, point);
  }
  void fetch_primal(PairsPoint& point) const {
    if (pairs_ > 0) be_.fetch(ConstView(kap()), std::span<double>(point.kap.data(), pairs_));
    fetch(be_, ConstView(square(kS)), point.S);
  }

 private:
  enum Square { kQ, kLq, kS, kLs, kU, kF, kP, kT, kTS, kTQ, kA, kCenter, kPrevious, kSquares };
  enum Scalar {
    kInfoQ,
    kInfoS,
    kInfoM,
    kInfoEigen,
    kProduct,
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

  View square(Square k) const { return squares_.view().block(0, k * N_, N_, N_); }
  ConstView cview(Square k) const { return square(k); }
  Slot slot(Index k) const { return slots_[k]; }
  std::array<double, kPartial> read() const {
    std::array<double, kPartial> at{};
    be_.fetch(slot(0), at);
    return at;
  }
  View column(Index k) const { return vectors_.view().col(k); }
  View pair_column(Index k) const { return pair_vectors_.view().col(k).block(0, 0, pairs_, 1); }
  ConstView factor_() const { return constants_.view().col(0); }
  ConstView zero() const { return constants_.view().col(1); }
  View z() const { return column(0); }
  View dz() const { return column(1); }
  View diagonal() const { return column(2); }
  View previous_z() const { return column(3); }
  View w() const { return z().block(vars_.pairs, 0, pairs_, 1); }
  View dw() const { return dz().block(vars_.pairs, 0, pairs_, 1); }
  View kap() const { return pair_column(0); }
  View dkap() const { return pair_column(1); }
  View second() const { return pair_column(2); }
  View previous_kap() const { return pair_column(3); }
  View own_block() const { return M_.view().block(0, 0, own_, own_); }
  View cross_block() const { return M_.view().block(own_, 0, m_ - own_, own_); }
  View first(const Shared& shared) const { return shared.full.block(0, 0, full_, full_); }

  void set_steps(Lengths steps) {
    be_.launch({1, 1}, kernels::SetSlot{slot(kPrimalStep), steps.primal});
    be_.launch({1, 1}, kernels::SetSlot{slot(kDualStep), steps.dual});
  }

  // Q = T'Q(x)T.
  void slack(const Shared& shared, typename PairsLift<B>::Part part, ConstView x, View Q) {
    const View full = first(shared);
    shared.lift.slack(part, vars_, row_.view(), col_.view(), x, full);
    be_.gemm(Op::none, Op::none, 1.0, ConstView(full), ConstView(face_.view()), 0.0, thin_.view());
    be_.gemm(Op::transpose, Op::none, 1.0, ConstView(face_.view()), ConstView(thin_.view()), 0.0,
             Q);
  }
  // K of T a b' T' on the lifted rows, symmetric.
  void gram(const Shared& shared, ConstView a, ConstView b) {
    const View left = thin_.view(), full = first(shared);
    const View right = shared.full.block(0, full_, full_, N_);
    be_.gemm(Op::none, Op::none, 1.0, ConstView(face_.view()), a, 0.0, left);
    be_.gemm(Op::none, Op::none, 1.0, ConstView(face_.view()), b, 0.0, right);
    be_.gemm(Op::none, Op::transpose, 1.0, ConstView(left), ConstView(right), 0.0, full);
    shared.lift.gram(full, shared.lifted);
  }

  // F with F'QF = F^-1 S F^-T = diag(v), as in src/solvers/pairs_newton.hpp.
  void scale() {
    const View P = square(kP), U = square(kU);
    be_.gemm(Op::transpose, Op::none, 1.0, cview(kLs), cview(kLq), 0.0, P);
    be_.syrk(Op::none, 1.0, cview(kP), 0.0, U);
    be_.syevd(U, spectrum_[0], slot(kInfoEigen));
    be_.launch({N_, N_}, kernels::ScaleEigenvectors{spectrum_[0], U, v_.view()});
    be_.gemm(Op::none, Op::none, 1.0, cview(kLs), cview(kU), 0.0, square(kF));
  }

  void right_hand_side(const Shared& shared, double center_weight, View residual_right) {
    be_.launch({m_, 1},
               kernels::RightHandSide{row_.view(), col_.view(), vars_.pairs, vars_.residuals,
                                      center_weight, slot(kTarget), factor_(), zero(), zero(), z(),
                                      shared.lifted, second(), dz()});
    const View own = dz().block(0, 0, own_, 1), rest = dz().block(own_, 0, m_ - own_, 1);
    be_.trsm(Side::left, Op::none, ConstView(own_block()), own);
    be_.gemm(Op::none, Op::none, -1.0, ConstView(cross_block()), ConstView(own), 1.0, rest);
    be_.launch({m_ - own_, 1}, kernels::Add{rest, residual_right});
  }

  void length(Square direction, ConstView x, ConstView dx, double fraction, Scalar out) {
    const View relative = square(kA);
    be_.launch({N_, N_}, kernels::RelativeDirection{square(direction), v_.view(), relative});
    be_.eigenvalues(relative, spectrum_[0], slot(kInfoEigen));
    be_.launch({kParts, 1}, kernels::PartialStep{pairs_, kParts, x, dx, slot(kPartial)});
    be_.launch({1, 1},
               kernels::StepLength{kParts, fraction, spectrum_[0], slot(kPartial), slot(out)});
  }

  B& be_;
  PairsVariables vars_;
  Index m_, own_, pairs_, full_, N_;
  typename B::Indices row_, col_;
  typename B::Matrix constants_, vectors_, pair_vectors_, face_, thin_, M_, squares_, v_;
  typename B::Slots spectrum_, slots_;
};

}  // namespace relulift
