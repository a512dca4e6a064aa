// SPDX-License-Identifier: Apache-2.0
// Randomized Nystrom preconditioner of H + shift I, H positive semidefinite and known by its
// products [eq:nystrom] (Frangella, Tropp & Udell 2021, arXiv 2110.02820). Memory: 2 n r numbers;
// building takes r products and 4 n r^2 flops, applying 4 n r.
#pragma once

#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/entries.hpp"
#include "kernels/nystrom.hpp"
#include "src/core/backend.hpp"
#include "src/core/dense.hpp"
#include "src/core/needs.hpp"
#include "src/core/random.hpp"
#include "src/core/transfer.hpp"

namespace relulift {

template <Backend B>
class Nystrom {
 public:
  // For systems of `columns` right sides.
  Nystrom(B& be, Index n, Index rank, Index columns)
      : be_(be),
        n_(n),
        rank_(rank),
        columns_(columns),
        test_(be.matrix(n, rank)),
        basis_(be.matrix(n, rank)),
        small_(be.matrix(rank, rank)),
        inner_(be.matrix(rank, columns)),
        values_(be.slots(rank)),
        scalars_(be.slots(2)) {}
  static void count(Needs& needs, Index n, Index rank, Index columns) {
    needs.matrix(n, rank).matrix(n, rank).matrix(rank, rank).matrix(rank, columns);
    needs.slots(rank).slots(2).potrf(rank).syevd(rank);
  }

  Index rank() const { return rank_; }

  // product(S, Y): Y = H S for n x rank matrices.
  template <class Product>
  void build(std::uint64_t seed, const Product& product, double share = 1e-14) {
    share_ = share;
    draw(seed);
    product(MatrixView<const double>(test_.view()), basis_.view());
    be_.sum({n_, rank_}, kernels::EntrySquare<double>{basis_.view()}, norm());
    be_.launch({n_, rank_}, kernels::AddShift{test_.view(), norm(), share_, basis_.view()});
    be_.gemm(Op::transpose, Op::none, 1.0, MatrixView<const double>(test_.view()),
             MatrixView<const double>(basis_.view()), 0.0, small_.view());
    be_.potrf(small_.view(), info());
    require("a factorisation");
    be_.trsm(Side::right, Op::transpose, MatrixView<const double>(small_.view()), basis_.view());
    be_.syrk(Op::transpose, 1.0, MatrixView<const double>(basis_.view()), 0.0, small_.view());
    be_.syevd(small_.view(), values_[0], info());
    require("eigenvalues");
    be_.launch({rank_}, kernels::NystromFactors{values_[0].address, rank_, small_.view()});
    be_.gemm(Op::none, Op::none, 1.0, MatrixView<const double>(basis_.view()),
             MatrixView<const double>(small_.view()), 0.0, test_.view());
    be_.launch({n_, rank_}, kernels::CopyEntries<double>{test_.view(), basis_.view()});
    be_.launch({rank_}, kernels::NystromValues{values_[0].address, norm(), share_});
  }

  // Eigenvalues of the approximation, ascending; waits.
  Vector values() {
    Vector w(rank_);
    be_.fetch(values_[0], std::span(w.data(), static_cast<std::size_t>(rank_)));
    return w;
  }

  // Z = (least + shift) U (Lambda + shift)^-1 U'R + (R - U U'R).
  void precondition(double shift, MatrixView<const double> R, MatrixView<double> Z) {
    const MatrixView<const double> U = basis_.view();
    be_.gemm(Op::transpose, Op::none, 1.0, U, R, 0.0, inner_.view());
    be_.launch({rank_, columns_},
               kernels::NystromWeights{values_[0].address, shift, inner_.view()});
    be_.launch({n_, columns_}, kernels::CopyEntries<double>{R, Z});
    be_.gemm(Op::none, Op::none, 1.0, U, MatrixView<const double>(inner_.view()), 1.0, Z);
  }

 private:
  // Of ||Y||: what is added before the factorisation, and taken off its eigenvalues.
  double share_ = 0.0;

  Slot norm() const { return scalars_[0]; }
  Slot info() const { return scalars_[1]; }
  void draw(std::uint64_t seed) {
    Random random(seed);
    std::vector<double> normal(static_cast<std::size_t>(n_ * rank_));
    for (double& x : normal) x = random.normal();
    be_.upload(normal, test_.view());
  }
  void require(const char* what) {
    double failed = 0.0;
    be_.fetch(info(), std::span(&failed, 1));
    if (failed != 0.0) throw std::runtime_error(std::string("Nystrom preconditioner: ") + what);
  }

  B& be_;
  Index n_, rank_, columns_;
  typename B::Matrix test_, basis_, small_, inner_;
  typename B::Slots values_, scalars_;
};

}  // namespace relulift
