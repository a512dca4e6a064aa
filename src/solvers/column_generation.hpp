// SPDX-License-Identifier: Apache-2.0
// Directions that a network misses: maximise ||E'(Xu)_+|| over the unit sphere, [eq:rescale].
// Ascent
//     u <- X'((E E'a) o 1[Xu > 0]) / ||.||,  a = (Xu)_+                                 [eq:ascent]
// from many starts at once. It is not monotone (the best iterate of each start is kept) and proves
// nothing: finding no direction above g is a failure to find, not optimality.
// One iteration on K directions: n K (4 d + 4 c) flops in four products, about 8 n K doubles.
// Directions go through in blocks, so that two n x K arrays stay below 2^24 entries each.
#pragma once

#include <algorithm>

#include "kernels/network_kernels.hpp"
#include "src/core/backend.hpp"
#include "src/core/transfer.hpp"

namespace relulift {

struct Directions {
  Matrix S;      // d x k, unit columns
  Vector value;  // ||E'(Xs)_+||
};

// The k best by value, each at cosine below `closest` from every better one that is kept.
Directions distinct(const Directions& all, Index k, double threshold, double closest);

// Directions that ascend at once: even, because every second column is damped.
inline Index ascents_at_once(Index samples, Index wanted) {
  const Index fits = std::max<Index>(64, (Index{1} << 24) / std::max<Index>(samples, 1));
  return std::max<Index>(std::min(wanted, fits / 2 * 2), 1);
}

template <Backend B>
class DirectionSearch {
 public:
  // capacity: directions that one call usually brings; more go through in more blocks.
  DirectionSearch(B& be, const Matrix& X, Index outputs, Index capacity);

  // S: d x K, any nonzero columns. Returns the best iterate of each column; of fewer columns when
  // stop() says so in between.
  template <class Stop>
  Directions ascend(const Matrix& E, const Matrix& S, Index iterations, const Stop& stop);

 private:
  template <class Stop>
  Directions ascend_block(const Matrix& S, Index iterations, const Stop& stop);
  void evaluate();
  void move();
  MatrixView<double> part(const typename B::Matrix& m) const {
    return m.view().block(0, 0, m.view().rows, count_);
  }

  B& be_;
  Index n_, d_, c_, block_, count_ = 0;
  typename B::Matrix X_, E_, S_, best_, T_, Z_, A_, F_;
  typename B::Slots value_, best_value_, square_;
};

template <Backend B>
DirectionSearch<B>::DirectionSearch(B& be, const Matrix& X, Index outputs, Index capacity)
    : be_(be),
      n_(X.rows()),
      d_(X.cols()),
      c_(outputs),
      block_(ascents_at_once(X.rows(), capacity)),
      X_(be.matrix(n_, d_)),
      E_(be.matrix(n_, c_)),
      S_(be.matrix(d_, block_)),
      best_(be.matrix(d_, block_)),
      T_(be.matrix(d_, block_)),
      Z_(be.matrix(n_, block_)),
      A_(be.matrix(n_, block_)),
      F_(be.matrix(c_, block_)),
      value_(be.slots(block_)),
      best_value_(be.slots(block_)),
      square_(be.slots(block_)) {
  upload(be_, X, X_.view());
}

template <Backend B>
template <class Stop>
Directions DirectionSearch<B>::ascend(const Matrix& E, const Matrix& S, Index iterations,
                                      const Stop& stop) {
  upload(be_, E, E_.view());
  Directions out{Matrix(d_, S.cols()), Vector(S.cols())};
  Index done = 0;
  while (done < S.cols() && !stop()) {
    const Index count = std::min(block_, S.cols() - done);
    const Directions block = ascend_block(S.middleCols(done, count), iterations, stop);
    out.S.middleCols(done, count) = block.S;
    out.value.segment(done, count) = block.value;
    done += count;
  }
  out.S.conservativeResize(Eigen::NoChange, done);
  out.value.conservativeResize(done);
  return out;
}

template <Backend B>
template <class Stop>
Directions DirectionSearch<B>::ascend_block(const Matrix& S, Index iterations, const Stop& stop) {
  count_ = S.cols();
  upload(be_, S, part(S_));
  upload(be_, Vector::Constant(count_, -1.0), best_value_[0]);
  be_.sum_columns({d_, count_}, kernels::Square{part(S_)}, square_[0]);
  be_.launch({d_, count_}, kernels::Normalize{part(S_), square_[0].address});
  evaluate();
  const auto iteration = be_.record([this] { move(); });
  for (Index k = 0; k < iterations && !stop(); ++k) iteration.replay();
  Directions out{Matrix(d_, count_), Vector(count_)};
  fetch(be_, part(best_), out.S);
  fetch(be_, best_value_[0], out.value);
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
