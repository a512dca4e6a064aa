// SPDX-License-Identifier: Apache-2.0
// (I + F M^-1 F') t = b, what remains of the linear step of [eq:pattern-admm] in sample space: the
// matrix is (X M^-1 X') o (sum_i d_i d_i') [eq:pattern-schur] and the same for all outputs and all
// iterations. Up to some order it is formed and factorised once; beyond, conjugate gradients on the
// products with a randomized Nystrom preconditioner, from where the last solution stood. Where a
// sample is a sum of patches, the matrix is sum_i A_i M^-1 A_i', formed by panels of A_i.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include "kernels/group_lasso.hpp"
#include "kernels/pattern_admm.hpp"
#include "src/solvers/gated_products.hpp"
#include "src/solvers/nystrom.hpp"

namespace relulift {

struct SystemOptions {
  Index halves = 1;          // V alone, or V and N
  Index patches = 1;         // of a sample
  Index max_order = 0;       // largest n whose matrix is formed
  Index rank = 0;            // of the preconditioner
  Index max_iterations = 0;  // of one solve by conjugate gradients
};

template <Backend B, class T>
class PatternSystem {
 public:
  // X as `products` have it; inverse: of the diagonal M, on the host and on the backend.
  PatternSystem(B& be, GatedProducts<B, T>& products, const Matrix& X, const PatternSet& patterns,
                const Vector& inverse, const double* inverse_there, const SystemOptions& options)
      : be_(be),
        products_(products),
        options_(options),
        inverse_(inverse_there),
        info_(be.slots(1)),
        dots_(be.slots(4 * products.outputs())) {
    if (formed(n(), X.cols(), patterns.size(), options)) {
      matrix_.emplace(be_.matrix(n(), n()));
      x_.emplace(be_.matrix(n(), c()));
      if (options.patches == 1)
        form(X, patterns, inverse);
      else
        form_by_panels(X, inverse);
      factorise();
    } else {
      for (auto* m : {&x_, &r_, &p_, &q_, &z_}) m->emplace(be.matrix(n(), c()));
      columns_.emplace(be.matrix(doubles_for<T>(n() * c()), 1));
      norms_.resize(static_cast<std::size_t>(c()));
    }
  }
  static bool formed(Index n, Index d, Index patterns, const SystemOptions& options) {
    const double flops = static_cast<double>(n * n) * static_cast<double>(d * patterns);
    return n <= options.max_order && (options.patches == 1 || flops <= kPanelFlops);
  }
  static void count(Needs& needs, Index n, Index d, Index patterns, Index outputs,
                    const SystemOptions& options) {
    needs.slots(1).slots(4 * outputs);
    if (formed(n, d, patterns, options)) {
      needs.matrix(n, n).matrix(n, outputs).potrf(n);
      if (options.patches == 1)
        needs.matrix(n, d).matrix((patterns + 63) / 64, n);
      else
        needs.matrix(n * options.patches, d).matrix(n, d * panel_patterns(d, patterns));
      return;
    }
    for (int k = 0; k < 5; ++k) needs.matrix(n, outputs);
    needs.matrix(doubles_for<T>(n * outputs), 1);
    Nystrom<B>::count(needs, n, options.rank, outputs);
  }

  // Before the first solve by conjugate gradients. W: scratch of d x columns.
  void prepare(MatrixView<T> W) {
    if (matrix_) return;
    nystrom_.emplace(be_, n(), options_.rank, c());
    nystrom_->build(
        0,
        [&](MatrixView<const double> S, MatrixView<double> Y) {
          // As many columns at a time as the program has outputs; the last of them overlap.
          for (Index k = 0; k < options_.rank; k += c()) {
            const Index from = std::max<Index>(std::min(k, options_.rank - c()), 0);
            const Index wide = std::min(c(), options_.rank);
            be_.launch({n(), wide},
                       kernels::CopyEntries<double>{S.block(0, from, n(), wide),
                                                    p_->view().block(0, 0, n(), wide)});
            apply(p_->view(), q_->view(), 0.0, W);
            be_.launch({n(), wide}, kernels::CopyEntries<double>{q_->view().block(0, 0, n(), wide),
                                                                 Y.block(0, from, n(), wide)});
          }
        },
        sizeof(T) == sizeof(float) ? 1e-5 : 1e-14);  // products in float are not quite symmetric
  }

  // tolerance: of ||b - (I + H) t|| / ||b||, by conjugate gradients alone.
  void solve(MatrixView<const T> b, double tolerance, MatrixView<T> W, MatrixView<T> t) {
    if (matrix_) {
      be_.launch({n(), c()}, kernels::CopyEntries<T, double>{b, x_->view()});
      be_.potrs(MatrixView<const double>(matrix_->view()), x_->view());
    } else {
      conjugate_gradients(b, tolerance, W);
    }
    be_.launch({n(), c()}, kernels::CopyEntries<double, T>{x_->view(), t});
  }
  Index inner_iterations() const { return inner_iterations_; }

 private:
  Index n() const { return products_.samples(); }
  Index c() const { return products_.outputs(); }
  Extent all() const { return {n(), c()}; }
  double* dots(Index which) const { return dots_[which * c()].address; }

  void form(const Matrix& X, const PatternSet& patterns, const Vector& inverse) {
    const Matrix scaled = X * inverse.cwiseSqrt().asDiagonal();
    const auto x = be_.matrix(n(), X.cols());
    upload(be_, scaled, x.view());
    const Index words = (patterns.size() + 63) / 64;
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(words * n()));
    for (Index i = 0; i < patterns.size(); ++i)
      for (Index r = 0; r < n(); ++r)
        if (patterns.active(r, i))
          bits[static_cast<std::size_t>(r * words + i / 64)] |= std::uint64_t{1} << (i % 64);
    std::vector<double> raw(bits.size());
    std::memcpy(raw.data(), bits.data(), bits.size() * sizeof(double));
    const auto there = be_.matrix(words * n(), 1);
    be_.upload(raw, there.view());
    be_.syrk(Op::none, 1.0, MatrixView<const double>(x.view()), 0.0, matrix_->view());
    be_.launch({n(), n()},
               kernels::Overlap{matrix_->view(),
                                {reinterpret_cast<const std::uint64_t*>(there.view().data), words},
                                static_cast<double>(options_.halves)});
  }

  // n^2 d P flops, and n K d P for the panels.
  void form_by_panels(const Matrix& X, const Vector& inverse) {
    const Matrix scaled = X * inverse.cwiseSqrt().asDiagonal();
    const auto x = be_.matrix(X.rows(), X.cols());
    upload(be_, scaled, x.view());
    const Index d = X.cols(), P = products_.patterns(), wide = panel_patterns(d, P);
    const auto panel = be_.matrix(n(), d * wide);
    for (Index first = 0; first < P; first += wide) {
      const Index columns = d * std::min(wide, P - first);
      const MatrixView<double> some = panel.view().block(0, 0, n(), columns);
      be_.launch({n(), columns}, kernels::PooledPanel{x.view(), products_.bits_from(first), some});
      be_.syrk(Op::none, static_cast<double>(options_.halves), MatrixView<const double>(some),
               first == 0 ? 0.0 : 1.0, matrix_->view());
    }
    be_.launch({n()}, kernels::AddIdentity{matrix_->view()});
  }
  // Wide enough for a matrix product at its full rate.
  static Index panel_patterns(Index d, Index patterns) {
    return std::clamp<Index>(2048 / std::max<Index>(d, 1), 1, std::max<Index>(patterns, 1));
  }

  void factorise() {
    be_.potrf(matrix_->view(), info_[0]);
    double failed = 0.0;
    be_.fetch(info_[0], std::span(&failed, 1));
    if (failed != 0.0) throw std::runtime_error("alternating directions: I + H is not definite");
  }

  // Q = shift P + F M^-1 F' P.
  void apply(MatrixView<const double> P, MatrixView<double> Q, double shift, MatrixView<T> W) {
    const MatrixView<T> columns{reinterpret_cast<T*>(columns_->view().data), n(), c(), n()};
    be_.launch(all(), kernels::CopyEntries<double, T>{P, columns});
    products_.adjoint(columns, W);
    be_.launch({W.rows, W.cols}, kernels::ScaleRows<T>{W, inverse_});
    products_.forward(W, columns);
    be_.launch(all(), kernels::ShiftedProduct<T>{P, columns, shift,
                                                 static_cast<double>(options_.halves), Q});
  }
  void dot(MatrixView<const double> A, MatrixView<const double> A2, Index which) {
    be_.sum_columns(all(), kernels::EntryProduct{A, A2}, Slot{dots(which)});
  }
  double norm(MatrixView<const double> A) {  // waits
    dot(A, A, kSquare);
    be_.fetch(Slot{dots(kSquare)}, norms_);
    double sum = 0.0;
    for (const double square : norms_) sum += square;
    return std::sqrt(sum);
  }

  void conjugate_gradients(MatrixView<const T> b, double tolerance, MatrixView<T> W) {
    const auto x = x_->view(), r = r_->view(), p = p_->view(), q = q_->view(), z = z_->view();
    be_.launch(all(), kernels::CopyEntries<T, double>{b, r});
    const double target = tolerance * norm(r);
    apply(x, q, 1.0, W);
    be_.launch(all(), kernels::SubtractEntries{q, r});
    nystrom_->precondition(1.0, r, p);
    dot(r, p, kRz);
    for (Index k = 0; k < options_.max_iterations; ++k) {
      if (k % kBetween == 0 && norm(r) <= target) return;
      apply(p, q, 1.0, W);
      dot(p, q, kPq);
      be_.launch(all(), kernels::GradientStep{p, q, dots(kRz), dots(kPq), x, r});
      nystrom_->precondition(1.0, r, z);
      be_.launch({c()}, kernels::CopySlots{dots(kRz), dots(kBefore)});
      dot(r, z, kRz);
      be_.launch(all(), kernels::GradientDirection{z, dots(kRz), dots(kBefore), p});
      ++inner_iterations_;
    }
  }

  static constexpr double kPanelFlops = 5e11;
  static constexpr Index kBetween = 2;  // iterations between looks at the residual
  enum Dots { kRz, kPq, kBefore, kSquare };

  B& be_;
  GatedProducts<B, T>& products_;
  SystemOptions options_;
  const double* inverse_;
  typename B::Slots info_, dots_;
  std::optional<typename B::Matrix> matrix_, x_, r_, p_, q_, z_, columns_;
  std::optional<Nystrom<B>> nystrom_;
  std::vector<double> norms_;
  Index inner_iterations_ = 0;
};

}  // namespace relulift
