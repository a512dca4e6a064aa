// SPDX-License-Identifier: Apache-2.0
// Penalties of the programs over patterns as the proximal gradient method uses them: Omega, its
// dual norm, and the prox in a diagonal metric. W and gradients are d x (P c), column i c + k of
// pattern i and output k.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/nuclear.hpp"
#include "src/core/backend.hpp"
#include "src/core/dense.hpp"

namespace relulift {

// sum of ||W_i e_k||, columns. The prox of a column solves [eq:secular] by Newton's method, from
// where the last one ended.
template <Backend B, class T>
class NeuronPenalty {
 public:
  NeuronPenalty(B& be, Index rows, Index columns, Index, Slot tau)
      : be_(be),
        rows_(rows),
        columns_(columns),
        tau_(tau),
        square_(be.slots(columns)),
        zero_(be.slots(columns)),
        phi_(be.slots(columns)),
        slope_(be.slots(columns)),
        rho_(be.slots(columns)),
        nought_(be.slots(columns)),
        host_(static_cast<std::size_t>(columns)) {}
  static void count(Needs& needs, Index, Index columns, Index) {
    for (int k = 0; k < 6; ++k) needs.slots(columns);
  }

  void prox(const kernels::MetricStep<T>& q, double largest_metric, MatrixView<T> W) {
    const Extent all{rows_, columns_};
    be_.sum_columns(all, kernels::SecularTerm<T>{q, tau_, nought_[0].address}, zero_[0]);
    double* const rho = rho_[0].address;
    be_.launch({columns_}, kernels::SecularStart{zero_[0].address, largest_metric, tau_, rho});
    for (int step = 0; step < kNewtonSteps; ++step) {
      be_.sum_columns(all, kernels::SecularTerm<T>{q, tau_, rho}, phi_[0]);
      be_.sum_columns(all, kernels::SecularSlope<T>{q, tau_, rho}, slope_[0]);
      be_.launch({columns_}, kernels::SecularNewton{phi_[0].address, slope_[0].address,
                                                    zero_[0].address, largest_metric, tau_, rho});
    }
    be_.launch(all, kernels::SecularProx<T>{q, tau_, rho, W});
  }
  // Omega(W), and the largest group of a gradient.
  double value(MatrixView<const T> W) {
    double sum = 0.0;
    for (const double square : squares(W)) sum += std::sqrt(square);
    return sum;
  }
  double dual(MatrixView<const T> G) { return std::sqrt(std::ranges::max(squares(G))); }

 private:
  static constexpr int kNewtonSteps = 5;
  const std::vector<double>& squares(MatrixView<const T> A) {
    be_.sum_columns({rows_, columns_}, kernels::EntrySquare<T>{A}, square_[0]);
    be_.fetch(square_[0], host_);
    return host_;
  }
  B& be_;
  Index rows_, columns_;
  Slot tau_;
  typename B::Slots square_, zero_, phi_, slope_, rho_, nought_;
  std::vector<double> host_;
};

// sum over features of the norm of a row of (W_1, .., W_P).
template <Backend B, class T>
class FeaturePenalty {
 public:
  FeaturePenalty(B& be, Index rows, Index columns, Index, Slot tau)
      : be_(be),
        rows_(rows),
        columns_(columns),
        tau_(tau),
        square_(be.slots(rows)),
        host_(static_cast<std::size_t>(rows)) {}
  static void count(Needs& needs, Index rows, Index, Index) { needs.slots(rows); }

  void prox(const kernels::MetricStep<T>& q, double, MatrixView<T> W) {
    be_.sum_columns({columns_, rows_}, kernels::RowSquare<T>{q}, square_[0]);
    be_.launch({rows_, columns_}, kernels::RowProx<T>{q, tau_, square_[0].address, W});
  }
  double value(MatrixView<const T> W) {
    double sum = 0.0;
    for (const double square : squares(W)) sum += std::sqrt(square);
    return sum;
  }
  double dual(MatrixView<const T> G) { return std::sqrt(std::ranges::max(squares(G))); }

 private:
  const std::vector<double>& squares(MatrixView<const T> A) {
    be_.sum_columns({columns_, rows_}, kernels::SquareAcross<T>{A}, square_[0]);
    be_.fetch(square_[0], host_);
    return host_;
  }
  B& be_;
  Index rows_, columns_;
  Slot tau_;
  typename B::Slots square_;
  std::vector<double> host_;
};

// sum of nuclear norms of the blocks W_i of d x c; the metric is one number.
template <Backend B, class T>
class NuclearPenalty {
 public:
  NuclearPenalty(B& be, Index rows, Index columns, Index outputs, Slot tau)
      : be_(be),
        rows_(rows),
        columns_(columns),
        c_(outputs),
        tau_(tau),
        gram_(be.slots(columns * outputs)),
        vectors_(be.slots(columns * outputs)),
        factor_(be.slots(columns * outputs)),
        host_(static_cast<std::size_t>(columns * outputs)) {}
  static void count(Needs& needs, Index, Index columns, Index outputs) {
    for (int k = 0; k < 3; ++k) needs.slots(columns * outputs);
  }

  void prox(const kernels::MetricStep<T>& q, double, MatrixView<T> W) {
    decompose(q);
    be_.launch({columns_, c_}, kernels::ShrinkFactor{gram_[0].address, vectors_[0].address, tau_,
                                                     c_, factor_[0].address});
    be_.launch({rows_, columns_}, kernels::ShrinkBlocks<T>{q, factor_[0].address, c_, W});
  }
  double value(MatrixView<const T> W) {
    double sum = 0.0;
    for (const double s : singular_values(W)) sum += s;
    return sum;
  }
  double dual(MatrixView<const T> G) { return std::ranges::max(singular_values(G)); }

 private:
  template <class F>
  void decompose(const F& entry) {
    be_.sum_columns({rows_, columns_ * c_}, kernels::BlockGram<F>{entry, c_}, gram_[0]);
    be_.launch({columns_ / c_}, kernels::BlockEigen{gram_[0].address, vectors_[0].address, c_});
  }
  std::vector<double> singular_values(MatrixView<const T> A) {
    decompose(A);
    be_.fetch(gram_[0], host_);
    std::vector<double> values(static_cast<std::size_t>(columns_));
    for (Index j = 0; j < columns_; ++j) {
      const auto diagonal = static_cast<std::size_t>(j / c_ * c_ * c_ + j % c_ * (c_ + 1));
      values[static_cast<std::size_t>(j)] = std::sqrt(std::max(host_[diagonal], 0.0));
    }
    return values;
  }
  B& be_;
  Index rows_, columns_, c_;
  Slot tau_;
  typename B::Slots gram_, vectors_, factor_;
  std::vector<double> host_;
};

}  // namespace relulift
