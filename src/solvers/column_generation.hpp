// SPDX-License-Identifier: Apache-2.0
// Directions that a network misses: maximise ||E'(Xu)_+|| over the unit sphere, [eq:rescale].
// Ascent
//     u <- X'((E E'a) o 1[Xu > 0]) / ||.||,  a = (Xu)_+                                 [eq:ascent]
// from many starts at once. It is not monotone (the best iterate of each start is kept) and proves
// nothing: finding no direction above g is a failure to find, not optimality.
// One iteration on K directions: n K (4 d + 4 c) flops in four products, about 8 n K doubles.
#pragma once

#include <span>

#include "kernels/network_kernels.hpp"
#include "src/core/backend.hpp"
#include "src/core/dense.hpp"

namespace relulift {

struct Directions {
  Matrix S;      // d x k, unit columns
  Vector value;  // ||E'(Xs)_+||
};

// The k best by value, each at cosine below `closest` from every better one that is kept.
Directions distinct(const Directions& all, Index k, double threshold, double closest);

template <Backend B>
class DirectionSearch {
 public:
  DirectionSearch(B& be, const Matrix& X, Index outputs, Index capacity);

  // S: d x K, K <= capacity, any nonzero columns. Returns the best iterate of each column.
  Directions ascend(const Matrix& E, const Matrix& S, Index iterations);

 private:
  void evaluate();
  void move();
  MatrixView<double> part(const typename B::Matrix& m) const {
    return m.view().block(0, 0, m.view().rows, count_);
  }

  B& be_;
  Index n_, d_, c_, capacity_, count_ = 0;
  typename B::Matrix X_, E_, S_, best_, T_, Z_, A_, F_;
  typename B::Slots value_, best_value_, square_;
};

template <Backend B>
DirectionSearch<B>::DirectionSearch(B& be, const Matrix& X, Index outputs, Index capacity)
    : be_(be),
      n_(X.rows()),
      d_(X.cols()),
      c_(outputs),
      capacity_(capacity),
      X_(be.matrix(n_, d_)),
      E_(be.matrix(n_, c_)),
      S_(be.matrix(d_, capacity)),
      best_(be.matrix(d_, capacity)),
      T_(be.matrix(d_, capacity)),
      Z_(be.matrix(n_, capacity)),
      A_(be.matrix(n_, capacity)),
      F_(be.matrix(c_, capacity)),
      value_(be.slots(capacity)),
      best_value_(be.slots(capacity)),
      square_(be.slots(capacity)) {
  be_.upload(std::span<const double>(X.data(), static_cast<std::size_t>(X.size())), X_.view());
}

template <Backend B>
Directions DirectionSearch<B>::ascend(const Matrix& E, const Matrix& S, Index iterations) {
  count_ = S.cols();
  const auto span_of = [](auto& m) {
    return std::span(m.data(), static_cast<std::size_t>(m.size()));
  };
  be_.upload(span_of(E), E_.view());
  be_.upload(span_of(S), part(S_));
  Vector value = Vector::Constant(count_, -1.0);
  be_.upload(span_of(value), best_value_[0]);
  be_.sum_columns({d_, count_}, kernels::Square{part(S_)}, square_[0]);
  be_.launch({d_, count_}, kernels::Normalize{part(S_), square_[0].address});
  evaluate();
  const auto iteration = be_.record([this] { move(); });
  for (Index k = 0; k < iterations; ++k) iteration.replay();
  Directions out{Matrix(d_, count_), Vector(count_)};
  be_.fetch(part(best_), span_of(out.S));
  be_.fetch(best_value_[0], span_of(out.value));
  out.value = out.value.cwiseMax(0.0).cwiseSqrt();
  return out;
}

template <Backend B>
void DirectionSearch<B>::evaluate() {
  be_.gemm(Op::none, Op::none, 1.0, X_.view(), part(S_), 0.0, part(Z_));
  be_.launch({n_, count_}, kernels::ReLU{part(Z_), part(A_)});
  be_.gemm(Op::transpose, Op::none, 1.0, E_.view(), part(A_), 0.0, part(F_));
  be_.sum_columns({c_, count_}, kernels::Square{part(F_)}, value_[0]);
  be_.launch({d_, count_},
             kernels::KeepBest{part(S_), part(best_), value_[0].address, best_value_[0].address});
  be_.launch({count_}, kernels::KeepBestValue{value_[0].address, best_value_[0].address});
}

template <Backend B>
void DirectionSearch<B>::move() {
  be_.gemm(Op::none, Op::none, 1.0, E_.view(), part(F_), 0.0, part(A_));
  be_.launch({n_, count_}, kernels::KeepActive{part(Z_), part(A_)});
  be_.gemm(Op::transpose, Op::none, 1.0, X_.view(), part(A_), 0.0, part(T_));
  be_.sum_columns({d_, count_}, kernels::Square{part(T_)}, square_[0]);
  be_.launch({d_, count_}, kernels::NextDirection{part(T_), part(S_), square_[0].address});
  be_.sum_columns({d_, count_}, kernels::Square{part(S_)}, square_[0]);
  be_.launch({d_, count_}, kernels::Normalize{part(S_), square_[0].address});
  evaluate();
}

}  // namespace relulift
