// SPDX-License-Identifier: Apache-2.0
// Losses L(f) = sum_i l(f_i, y_i) over rows, for convex programs in the prediction f: value,
// (sub)gradient, prox and conjugate of one row [eq:loss], in float or double. All but the softmax
// are sums over entries, so that l(f_i, y_i) = sum_k phi(f_ik, y_ik) and phi is what is written
// here. Labels of classes are signs: +1 where the target is positive, which reads {-1, +1} and
// one-hot. Gradients are where the conjugate is finite, rounding included, and with them the way to
// zero. exp and log differ between devices in the last bits; all else here is the same arithmetic.
#pragma once

#include <math.h>  // on host and device

#include "src/core/view.hpp"

namespace relulift::kernels {

enum class LossKind { squared, logistic, softmax, hinge, huber, absolute };

// A row of a column-major matrix.
template <class T>
struct RowView {
  T* data;
  Index stride;
  RELULIFT_HD T& operator[](Index k) const { return data[k * stride]; }
};
template <class T>
RELULIFT_HD RowView<T> row(const MatrixView<T>& A, Index i) {
  return {A.data + i, A.ld};
}

template <class T>
RELULIFT_HD T label(T target) {
  return target > T(0) ? T(1) : T(-1);
}
// Of a convex function outside its domain.
template <class T>
RELULIFT_HD T outside() {
  return static_cast<T>(HUGE_VAL);
}
// q log q, continued by 0.
template <class T>
RELULIFT_HD T q_log_q(T q) {
  return q > T(0) ? q * log(q) : T(0);
}
// 2^-53 or 2^-24.
template <class T>
inline constexpr T kRoundoff = sizeof(T) == sizeof(double) ? T(0x1p-53) : T(0x1p-24);

// phi of one entry. prox: argmin_f phi(f, y) + rho/2 (f - z)^2, rho > 0. conjugate: of u.
// delta: the width of the quadratic part, of huber alone.
template <LossKind kind, class T>
struct EntryLoss;

template <class T>
struct EntryLoss<LossKind::squared, T> {
  T delta = T(1);
  RELULIFT_HD T value(T f, T y) const { return T(0.5) * (f - y) * (f - y); }
  RELULIFT_HD T gradient(T f, T y) const { return f - y; }
  RELULIFT_HD T prox(T z, T y, T rho) const { return (y + rho * z) / (T(1) + rho); }
  RELULIFT_HD T conjugate(T u, T y) const { return u * (y + T(0.5) * u); }
};

template <class T>
struct EntryLoss<LossKind::absolute, T> {
  T delta = T(1);
  RELULIFT_HD T value(T f, T y) const { return fabs(f - y); }
  RELULIFT_HD T gradient(T f, T y) const { return f > y ? T(1) : f < y ? T(-1) : T(0); }
  RELULIFT_HD T prox(T z, T y, T rho) const {
    if (rho * fabs(z - y) <= T(1)) return y;
    return z > y ? z - T(1) / rho : z + T(1) / rho;
  }
  RELULIFT_HD T conjugate(T u, T y) const { return fabs(u) <= T(1) ? u * y : outside<T>(); }
};

template <class T>
struct EntryLoss<LossKind::huber, T> {
  T delta = T(1);
  RELULIFT_HD T value(T f, T y) const {
    const T r = fabs(f - y);
    return r <= delta ? T(0.5) * r * r : delta * (r - T(0.5) * delta);
  }
  RELULIFT_HD T gradient(T f, T y) const {
    const T r = f - y;
    return r > delta ? delta : r < -delta ? -delta : r;
  }
  RELULIFT_HD T prox(T z, T y, T rho) const {
    const T inside = (y + rho * z) / (T(1) + rho);
    if (fabs(inside - y) <= delta) return inside;
    return z > y ? z - delta / rho : z + delta / rho;
  }
  RELULIFT_HD T conjugate(T u, T y) const {
    return fabs(u) <= delta ? u * (y + T(0.5) * u) : outside<T>();
  }
};

template <class T>
struct EntryLoss<LossKind::hinge, T> {
  T delta = T(1);
  RELULIFT_HD T value(T f, T y) const {
    const T short_of = T(1) - label(y) * f;
    return short_of > T(0) ? short_of : T(0);
  }
  RELULIFT_HD T gradient(T f, T y) const { return label(y) * f < T(1) ? -label(y) : T(0); }
  RELULIFT_HD T prox(T z, T y, T rho) const {
    const T s = label(y), short_of = T(1) - s * z;
    if (short_of <= T(0)) return z;
    return rho * short_of >= T(1) ? z + s / rho : s;
  }
  RELULIFT_HD T conjugate(T u, T y) const {
    const T a = -label(y) * u;
    return a >= T(0) && a <= T(1) ? -a : outside<T>();
  }
};

template <class T>
struct EntryLoss<LossKind::logistic, T> {
  T delta = T(1);
  // 1 / (1 + exp(t)), to full relative precision on both sides.
  RELULIFT_HD static T complement(T t) {
    if (t <= T(0)) return T(1) / (T(1) + exp(t));
    const T small = exp(-t);
    return small / (T(1) + small);
  }
  RELULIFT_HD T value(T f, T y) const {
    const T t = label(y) * f;
    return (t < T(0) ? -t : T(0)) + log1p(exp(-fabs(t)));
  }
  RELULIFT_HD T gradient(T f, T y) const { return -label(y) * complement(label(y) * f); }
  RELULIFT_HD T conjugate(T u, T y) const {
    const T a = -label(y) * u;
    return a >= T(0) && a <= T(1) ? q_log_q(a) + q_log_q(T(1) - a) : outside<T>();
  }
  // The root t = s f of rho (t - m) = 1 / (1 + exp(t)), m = s z: Newton within a bracket that
  // shrinks at every step, bisection where Newton leaves it or is slow.
  RELULIFT_HD T prox(T z, T y, T rho) const {
    const T s = label(y), m = s * z;
    T low = m, high = m + T(1) / rho, t = m + complement(m) / (rho + T(0.25)), last = high - low;
    for (int k = 0; k < kMaxSteps; ++k) {
      if (!(t > low && t < high)) t = low + T(0.5) * (high - low);
      const T q = complement(t), excess = rho * (t - m) - q;
      (excess > T(0) ? high : low) = t;
      const T step = excess / (rho + q * (T(1) - q));
      const bool slow = fabs(step) > T(0.5) * last;
      last = slow ? high - low : fabs(step);
      const T next = slow ? low + T(0.5) * (high - low) : t - step;
      if (next == t || fabs(next - t) <= kRoundoff<T> * fabs(next)) return s * next;
      t = next;
    }
    return s * t;
  }
  static constexpr int kMaxSteps = 200;
};

// omega + log(omega) = x, omega > 0 (Wright's omega): three steps of order four from a guess that
// one step brings to single precision (Fritsch, Shafer & Crowley 1973).
template <class T>
RELULIFT_HD T wright_omega(T x) {
  if (x < T(-40)) return exp(x);
  T w;
  if (x < T(-1.5)) {
    const T e = exp(x);
    w = e / (T(1) + e);
  } else if (x < T(4)) {
    const T h = x - T(1);
    w = T(1) + h * (T(0.5) + h * (T(1) / T(16) - h / T(192)));
  } else {
    w = x - log(x);
  }
  for (int k = 0; k < 3; ++k) {
    const T r = x - w - log(w), a = T(1) + w, b = T(2) * a * (a + T(2) / T(3) * r);
    w *= T(1) + r / a * (b - r) / (b - T(2) * r);
  }
  return w;
}

// One row of c entries. gradient may write over f, prox over z.
template <LossKind kind, class T>
struct RowLoss {
  using Scalar = T;
  EntryLoss<kind, T> phi;
  template <class F, class Y>
  RELULIFT_HD T value(RowView<F> f, RowView<Y> y, Index c) const {
    T sum = T(0);
    for (Index k = 0; k < c; ++k) sum += phi.value(f[k], y[k]);
    return sum;
  }
  template <class F, class Y>
  RELULIFT_HD void gradient(RowView<F> f, RowView<Y> y, Index c, RowView<T> out) const {
    for (Index k = 0; k < c; ++k) out[k] = phi.gradient(f[k], y[k]);
  }
  template <class F, class Y>
  RELULIFT_HD void prox(RowView<F> z, RowView<Y> y, Index c, T rho, RowView<T> out) const {
    for (Index k = 0; k < c; ++k) out[k] = phi.prox(z[k], y[k], rho);
  }
  // Of the row t u.
  template <class U, class Y>
  RELULIFT_HD T conjugate(T t, RowView<U> u, RowView<Y> y, Index c) const {
    T sum = T(0);
    for (Index k = 0; k < c; ++k) sum += phi.conjugate(t * u[k], y[k]);
    return sum;
  }
};

// log sum_k exp(f_k) - <y, f> for a one-hot y.
template <class T>
struct RowLoss<LossKind::softmax, T> {
  using Scalar = T;
  template <class F>
  RELULIFT_HD static Index largest(RowView<F> f, Index c) {
    Index at = 0;
    for (Index k = 1; k < c; ++k) at = f[k] > f[at] ? k : at;
    return at;
  }
  template <class F, class Y>
  RELULIFT_HD T value(RowView<F> f, RowView<Y> y, Index c) const {
    const Index top = largest(f, c);
    T others = T(0), short_of = T(0);
    for (Index k = 0; k < c; ++k) {
      if (k != top) others += exp(f[k] - f[top]);
      short_of += y[k] * (f[top] - f[k]);
    }
    return short_of + log1p(others);
  }
  template <class F, class Y>
  RELULIFT_HD void gradient(RowView<F> f, RowView<Y> y, Index c, RowView<T> out) const {
    const T top = f[largest(f, c)];
    T sum = T(0);
    for (Index k = 0; k < c; ++k) sum += exp(f[k] - top);
    for (Index k = 0; k < c; ++k) out[k] = exp(f[k] - top) / sum - y[k];
  }
  // sum q log q for q = u + y in the simplex. Rounding leaves the plane sum q = 1: that much of it
  // is forgiven.
  template <class U, class Y>
  RELULIFT_HD T conjugate(T t, RowView<U> u, RowView<Y> y, Index c) const {
    const T slack = T(4) * static_cast<T>(c + 1) * kRoundoff<T>;
    T sum = T(0), mass = T(-1);
    for (Index k = 0; k < c; ++k) {
      const T q = t * u[k] + y[k];
      if (q < -slack) return outside<T>();
      mass += q;
      sum += q_log_q(q);
    }
    return fabs(mass) <= slack ? sum : outside<T>();
  }
  // p = softmax(f) and f = w - p/rho with w = z + y/rho give p_k/rho = omega(w_k - sigma) for one
  // number sigma [eq:softmax-prox]. sum_k omega(w_k - sigma) - 1/rho is convex and decreasing in
  // sigma, so Newton's method from a sigma that is too small never passes the root.
  template <class Z, class Y>
  RELULIFT_HD void prox(RowView<Z> z, RowView<Y> y, Index c, T rho, RowView<T> out) const {
    const T mass = T(1) / rho;
    T top = z[0] + y[0] * mass;
    for (Index k = 1; k < c; ++k) top = fmax(top, z[k] + y[k] * mass);
    T sigma = top - (mass + log(mass));
    for (int step = 0; step < kMaxSteps; ++step) {
      T excess = -mass, slope = T(0);
      for (Index k = 0; k < c; ++k) {
        const T w = wright_omega(z[k] + y[k] * mass - sigma);
        excess += w;
        slope += w / (T(1) + w);
      }
      const T next = sigma + excess / slope;
      if (!(next > sigma)) break;  // past the root by rounding: there
      sigma = next;
    }
    for (Index k = 0; k < c; ++k) {
      const T w = z[k] + y[k] * mass, p = wright_omega(w - sigma);
      out[k] = p > T(1) ? sigma + log(p) : w - p;  // the same number: omega + log(omega)
    }
  }
  static constexpr int kMaxSteps = 200;
};

// ---- Over all rows: extent {n, 1}; L is a RowLoss ----

// The value of row i.
template <class L>
struct LossValue {
  L loss;
  MatrixView<const typename L::Scalar> F, Y;  // n x c
  RELULIFT_HD double operator()(Index i, Index) const {
    return loss.value(row(F, i), row(Y, i), F.cols);
  }
};

// R = grad L(F), or a subgradient; R may be F.
template <class L>
struct LossGradient {
  L loss;
  MatrixView<const typename L::Scalar> F, Y;
  MatrixView<typename L::Scalar> R;
  RELULIFT_HD void operator()(Index i, Index) const {
    loss.gradient(row(F, i), row(Y, i), F.cols, row(R, i));
  }
};

// P = argmin L(F) + rho/2 ||F - Z||^2; P may be Z.
template <class L>
struct LossProx {
  L loss;
  MatrixView<const typename L::Scalar> Z, Y;
  MatrixView<typename L::Scalar> P;
  Slot rho;
  RELULIFT_HD void operator()(Index i, Index) const {
    loss.prox(row(Z, i), row(Y, i), Z.cols, static_cast<typename L::Scalar>(rho.get()), row(P, i));
  }
};

// -L*(-t E) of row i; the sum is the bound of [eq:loss-dual]. -infinity outside the domain.
template <class L>
struct LossBound {
  L loss;
  MatrixView<const typename L::Scalar> E, Y;
  Slot t;
  RELULIFT_HD double operator()(Index i, Index) const {
    const auto minus_t = static_cast<typename L::Scalar>(-t.get());
    return -loss.conjugate(minus_t, row(E, i), row(Y, i), E.cols);
  }
};

}  // namespace relulift::kernels
