// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/slack.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <cmath>

#include "src/certificate/rounding.hpp"

namespace relulift {
namespace {

// out += A B with |error| <= (rows + 2) u |A| |B|, whatever the order of summation.
template <class T>
void add_product(const Matrix& A, const Matrix& A_size, const Matrix& B, MatrixOf<T>& out,
                 Matrix& error) {
  const auto m = static_cast<int>(A.rows()), n = static_cast<int>(B.cols()),
             k = static_cast<int>(A.cols());
  Matrix product(m, n), size(m, n);
  const Matrix B_size = B.cwiseAbs();
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0, A.data(), m, B.data(), k,
              0.0, product.data(), m);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0, A_size.data(), m,
              B_size.data(), k, 0.0, size.data(), m);
  out += product.template cast<T>();
  error += 2.0 * kUnitRoundoff<double> * (static_cast<double>(k) + 8.0) * size;
  error += kUnitRoundoff<T> * out.cwiseAbs().template cast<double>();
}

// -1/4 L' W L of a dense W on top of what `slack` holds, roundings included.
template <class T>
void add_dense(const MergedData& data, const Matrix& W, Slack<T>& slack) {
  const Index k = data.directions(), d = data.features();
  MatrixOf<T> SU = MatrixOf<T>::Zero(k, d), TU = SU;  // sums of b W x_k and a b W x_k
  Matrix SU_error = Matrix::Zero(k, d), TU_error = SU_error;
  {
    Matrix size(k, k), signed_second(k, k), signed_both(k, k);
    const auto entry = [&](Index p, Index q) {
      const double w = 0.5 * (W(p, q) + W(q, p));
      return is_free(p, q, k) ? w : std::max(0.0, w);
    };
    for (Index j = 0; j < k; ++j)
      for (Index i = 0; i < k; ++i) {
        const double aa = entry(i, j), ab = entry(i, k + j);
        const double ba = entry(k + i, j), bb = entry(k + i, k + j);
        size(i, j) = aa + std::abs(ab) + std::abs(ba) + bb;
        signed_second(i, j) = (aa + ba) - (ab + bb);
        signed_both(i, j) = (aa + bb) - (ab + ba);
        if (i < j) continue;
        slack.Q(i, j) -= T((aa + bb) + (ab + ba)) / 4;
        slack.error(i, j) += 1.001 * kUnitRoundoff<double> * size(i, j);
      }
    // The three additions behind each signed sum are within the slack of add_product's constant.
    add_product(signed_second, size, data.X, SU, SU_error);
    add_product(signed_both, size, data.X, TU, TU_error);
  }
  slack.Q.block(k, 0, d, k) -= SU.transpose() / T(4);
  slack.error.block(k, 0, d, k) += 1.001 / 4 * SU_error.transpose();
  const MatrixOf<T> X = data.X.cast<T>();
  const Matrix X_size = data.X.cwiseAbs();
  const MatrixOf<T> u_block = (X.transpose() * TU) / T(4);
  slack.Q.block(k, k, d, d) -= u_block;
  slack.error.block(k, k, d, d) +=
      1.001 / 4 *
          (X_size.transpose() * (TU_error + kUnitRoundoff<T> * static_cast<double>(k + 4) *
                                                TU.cwiseAbs().template cast<double>())) +
      4 * kUnitRoundoff<T> * u_block.cwiseAbs().template cast<double>();
  // The additions to what was there.
  slack.error += 4 * kUnitRoundoff<T> * slack.Q.cwiseAbs().template cast<double>();
}

// In-place lower Cholesky factorisation; false unless every pivot is positive. OpenBLAS calls a
// factorisation successful that met a NaN.
bool cholesky(Matrix& A) {
  const auto n = static_cast<lapack_int>(A.rows());
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, A.data(), n) == 0 &&
         A.diagonal().allFinite();
}

// Row by row in the upper triangle, so that both operands of the inner product are contiguous.
bool cholesky(MatrixOf<long double>& A) {
  const Index n = A.rows();
  const auto dot = [](const long double* x, const long double* y, Index count) {
    long double sum[4] = {0, 0, 0, 0};
    Index l = 0;
    for (; l + 4 <= count; l += 4)
      for (Index s = 0; s < 4; ++s) sum[s] += x[l + s] * y[l + s];
    for (; l < count; ++l) sum[0] += x[l] * y[l];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  };
  const auto row = [&](Index i) { return A.data() + i * n; };
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) row(i)[j] = (A(i, j) - dot(row(i), row(j), j)) / row(j)[j];
    const long double pivot = A(i, i) - dot(row(i), row(i), i);
    if (!(pivot > 0)) return false;
    row(i)[i] = std::sqrt(pivot);
  }
  return true;
}

// M = Q + kappa C, lower triangle, where M holds Q.
template <class T>
void add_shift(const Shift<T>& shift, double kappa, MatrixOf<T>& M) {
  const Index order = M.rows(), k = shift.e.size(), d = shift.u_block.rows();
  for (Index i = 0; i < k; ++i) M(i, i) += T(kappa) * T(shift.e(i)) / 4;
  M.block(k, k, d, d) += T(kappa) * shift.u_block;
  for (Index l = k + d; l < order; ++l) M(l, l) += T(kappa) * T(shift.output);
}

// What C and the sum Q + kappa C, which touches the diagonal and the u block, add to the error:
// its product with `scale`.
template <class T>
Vector shift_error_sums(const Shift<T>& shift, double kappa, const MatrixOf<T>& M,
                        const Vector& q_diagonal, const Vector& scale) {
  const Index k = shift.e.size(), d = shift.u_block.rows();
  const auto size = [](T x) { return static_cast<double>(std::abs(x)); };
  Vector sum(M.rows());
  for (Index p = 0; p < M.rows(); ++p)
    sum(p) = 8 * kUnitRoundoff<T> * (size(M(p, p)) + std::abs(q_diagonal(p))) * scale(p);
  for (Index q = 0; q < d; ++q)
    for (Index p = q; p < d; ++p) {
      const double error =
          kappa * shift.u_block_error(p, q) +
          4 * kUnitRoundoff<T> * (kappa * size(shift.u_block(p, q)) + size(M(k + p, k + q)));
      sum(k + p) += error * scale(k + q);
      if (p != q) sum(k + q) += error * scale(k + p);
    }
  return sum;
}

// sum_q error_pq scale_q, from the lower triangle.
template <class T>
Vector scaled_error_sums(const Slack<T>& slack, const Vector& scale) {
  Vector sum = Vector::Zero(scale.size());
  for (Index q = 0; q < scale.size(); ++q) {
    sum(q) += slack.error(q, q) * scale(q);
    for (Index p = q + 1; p < scale.size(); ++p) {
      sum(p) += slack.error(p, q) * scale(q);
      sum(q) += slack.error(p, q) * scale(p);
    }
  }
  return sum;
}

template <class T>
void expand(const Slack<T>& slack, MatrixOf<T>& M) {
  M = slack.Q;
}

template <class T, class AnySlack>
bool proved(const AnySlack& slack, const Shift<T>& shift, double kappa, MatrixOf<T>& M) {
  expand(slack, M);
  const Vector q_diagonal = M.diagonal().template cast<double>();
  add_shift(shift, kappa, M);
  const Index order = M.rows();
  Vector scale(order);  // 1 / sqrt(m_pp)
  for (Index p = 0; p < order; ++p) {
    const auto m = static_cast<double>(M(p, p));
    // Far above the underflow threshold, so that only relative roundings count.
    if (!(m > 1e-200) || !std::isfinite(m)) return false;
    scale(p) = 1.0 / std::sqrt(m);
  }
  const Vector row_sum =
      scaled_error_sums(slack, scale) + shift_error_sums(shift, kappa, M, q_diagonal, scale);
  // Twice the textbook gamma: libraries multiply by a rounded reciprocal pivot.
  const double gamma = 2.0 * kUnitRoundoff<T> * static_cast<double>(order + 8);
  for (Index p = 0; p < order; ++p) {
    const auto m = static_cast<double>(M(p, p));
    const double z = 1.001 * (static_cast<double>(order) * gamma * m + row_sum(p) / scale(p));
    if (!std::isfinite(z)) return false;
    M(p, p) -= T(z);
  }
  return cholesky(M);
}

}  // namespace

template <class T>
Slack<T> build_slack(const MergedData& data, const DualCandidate& candidate) {
  const ListSlack<T> list = build_list_slack<T>(data, candidate);
  Slack<T> slack;
  slack.Q.setZero(list.order(), list.order());
  expand(list, slack.Q);
  expand_error(list, slack.error);
  if (candidate.dense.size() > 0) add_dense(data, candidate.dense, slack);
  return slack;
}

template <class T>
Shift<T> build_shift(const MergedData& data, const Vector& e) {
  const MatrixOf<T> X = data.X.cast<T>();
  const Matrix size = data.X.cwiseAbs();
  const double half_decay = data.weight_decay / 2;
  Shift<T> shift;
  shift.e = e;
  shift.output = half_decay;
  shift.u_block = X.transpose() * (e.cast<T>().asDiagonal() * X) / T(-4);
  for (Index l = 0; l < data.features(); ++l) shift.u_block(l, l) += half_decay;
  shift.u_block_error = kUnitRoundoff<T> * static_cast<double>(data.directions() + 8) *
                        (size.transpose() * (e.asDiagonal() * size)) / 2;
  shift.u_block_error.diagonal().array() += 4 * kUnitRoundoff<T> * half_decay;
  return shift;
}

template <class T>
bool proves_psd(const Slack<T>& slack, const Shift<T>& shift, double kappa) {
  MatrixOf<T> M;
  return proved(slack, shift, kappa, M);
}

template <class T>
bool proves_psd(const ListSlack<T>& slack, const Shift<T>& shift, double kappa, MatrixOf<T>& work) {
  work.resize(slack.order(), slack.order());
  return proved(slack, shift, kappa, work);
}

bool looks_psd(const Slack<double>& slack, const Shift<double>& shift, double kappa) {
  Matrix M = slack.Q;
  add_shift(shift, kappa, M);
  return cholesky(M);
}

bool looks_psd(const ListSlack<double>& slack, const Shift<double>& shift, double kappa,
               Matrix& work) {
  work.resize(slack.order(), slack.order());
  expand(slack, work);
  add_shift(shift, kappa, work);
  return cholesky(work);
}

template struct Slack<double>;
template struct Slack<long double>;
template Slack<double> build_slack(const MergedData&, const DualCandidate&);
template Slack<long double> build_slack(const MergedData&, const DualCandidate&);
template Shift<double> build_shift(const MergedData&, const Vector&);
template Shift<long double> build_shift(const MergedData&, const Vector&);
template bool proves_psd(const Slack<double>&, const Shift<double>&, double);
template bool proves_psd(const Slack<long double>&, const Shift<long double>&, double);
template bool proves_psd(const ListSlack<double>&, const Shift<double>&, double, Matrix&);
template bool proves_psd(const ListSlack<long double>&, const Shift<long double>&, double,
                         MatrixOf<long double>&);

}  // namespace relulift
