// SPDX-License-Identifier: Apache-2.0
// Penalties of the programs over patterns as first-order methods use them: Omega and its dual norm,
// which stay on the backend, and the prox in a diagonal metric. W and gradients are d x (P c),
// column i c + k of pattern i and output k. NaN goes through all of them.
#pragma once

#include "kernels/group_norm.hpp"
#include "kernels/nuclear.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"

namespace relulift {

// Euclidean norms of groups, from sums of squares over the columns of an extent {size, groups}.
template <Backend B>
class GroupNorms {
 public:
  GroupNorms(B& be, Index groups) : be_(be), groups_(groups), square_(be.slots(groups)) {}
  static void count(Needs& needs, Index groups) { needs.slots(groups); }

  template <class Square>
  const double* squares(Index size, const Square& term) {
    be_.sum_columns({size, groups_}, term, square_[0]);
    return square_[0].address;
  }
  template <class Square>
  void sum(Index size, const Square& term, Slot out) {
    be_.sum({groups_}, kernels::GroupNorm{squares(size, term)}, out);
  }
  template <class Square>
  void largest(Index size, const Square& term, Slot out) {
    const kernels::GroupNorm norm{squares(size, term)};
    be_.launch_columns({groups_, 1}, kernels::LargestNorm<kernels::GroupNorm>{norm, out});
  }

 private:
  B& be_;
  Index groups_;
  typename B::Slots square_;
};

// sum of ||W_i e_k||, columns.
template <Backend B, class T>
class NeuronPenalty {
 public:
  // tau: of the prox.
  NeuronPenalty(B& be, Index rows, Index columns, Index, Slot tau)
      : be_(be),
        rows_(rows),
        columns_(columns),
        tau_(tau),
        norms_(be, columns),
        rho_(be.slots(columns)) {}
  static void count(Needs& needs, Index, Index columns, Index) {
    GroupNorms<B>::count(needs, columns);
    needs.slots(columns);
  }

  void prox(const kernels::MetricStep<T>& q, double largest_metric, MatrixView<T> W) {
    be_.launch_columns({rows_, columns_},
                       kernels::SecularProx<T>{q, tau_, largest_metric, rho_[0].address, W});
  }
  // out = Omega(W), and the largest group of a gradient.
  void value(MatrixView<const T> W, Slot out) {
    norms_.sum(rows_, kernels::EntrySquare<T>{W}, out);
  }
  void dual(MatrixView<const T> G, Slot out) {
    norms_.largest(rows_, kernels::EntrySquare<T>{G}, out);
  }

 private:
  B& be_;
  Index rows_, columns_;
  Slot tau_;
  GroupNorms<B> norms_;
  typename B::Slots rho_;  // roots of the last prox
};

// sum over features of the norm of a row of (W_1, .., W_P).
template <Backend B, class T>
class FeaturePenalty {
 public:
  FeaturePenalty(B& be, Index rows, Index columns, Index, Slot tau)
      : be_(be), rows_(rows), columns_(columns), tau_(tau), norms_(be, rows) {}
  static void count(Needs& needs, Index rows, Index, Index) { GroupNorms<B>::count(needs, rows); }

  void prox(const kernels::MetricStep<T>& q, double, MatrixView<T> W) {
    const double* const squares = norms_.squares(columns_, kernels::RowSquare<T>{q});
    be_.launch({rows_, columns_}, kernels::RowProx<T>{q, tau_, squares, W});
  }
  void value(MatrixView<const T> W, Slot out) {
    norms_.sum(columns_, kernels::SquareAcross<T>{W}, out);
  }
  void dual(MatrixView<const T> G, Slot out) {
    norms_.largest(columns_, kernels::SquareAcross<T>{G}, out);
  }

 private:
  B& be_;
  Index rows_, columns_;
  Slot tau_;
  GroupNorms<B> norms_;
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
        factor_(be.slots(columns * outputs)) {}
  static void count(Needs& needs, Index, Index columns, Index outputs) {
    for (int k = 0; k < 3; ++k) needs.slots(columns * outputs);
  }

  void prox(const kernels::MetricStep<T>& q, double, MatrixView<T> W) {
    decompose(q);
    be_.launch({columns_, c_}, kernels::ShrinkFactor{gram_[0].address, vectors_[0].address, tau_,
                                                     c_, factor_[0].address});
    be_.launch({rows_, columns_}, kernels::ShrinkBlocks<T>{q, factor_[0].address, c_, W});
  }
  void value(MatrixView<const T> W, Slot out) { be_.sum({columns_}, singular_values(W), out); }
  void dual(MatrixView<const T> G, Slot out) {
    be_.launch_columns({columns_, 1},
                       kernels::LargestNorm<kernels::SingularValue>{singular_values(G), out});
  }

 private:
  template <class F>
  void decompose(const F& entry) {
    be_.sum_columns({rows_, columns_ * c_}, kernels::BlockGram<F>{entry, c_}, gram_[0]);
    be_.launch({columns_ / c_}, kernels::BlockEigen{gram_[0].address, vectors_[0].address, c_});
  }
  kernels::SingularValue singular_values(MatrixView<const T> A) {
    decompose(A);
    return {gram_[0].address, c_};
  }

  B& be_;
  Index rows_, columns_, c_;
  Slot tau_;
  typename B::Slots gram_, vectors_, factor_;
};

}  // namespace relulift
