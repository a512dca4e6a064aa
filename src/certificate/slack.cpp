// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/slack.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace relulift {
namespace {

template <class T>
constexpr double kUnit = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;

// Sums over ordered pairs (p, q) of lifted rows, p of direction i, q of direction k, with signs a
// and b: W to P(i, k), b W x_k to SU(i, .), a b W x_k to TU(i, .).
template <class T>
struct PairSums {
  SquareOf<T> P;
  SquareOf<T> SU, TU;
  Matrix P_error, SU_error, TU_error;

  PairSums(Index k, Index d)
      : P(SquareOf<T>::Zero(k, k)),
        SU(SquareOf<T>::Zero(k, d)),
        TU(SquareOf<T>::Zero(k, d)),
        P_error(Matrix::Zero(k, k)),
        SU_error(Matrix::Zero(k, d)),
        TU_error(Matrix::Zero(k, d)) {}

  // Every addition errs by at most the unit roundoff times its result.
  static void accumulate(T& sum, double& error, T term) {
    sum += term;
    error += kUnit<T> * static_cast<double>(std::abs(sum));
  }
};

bool is_free(Index p, Index q, Index k) { return p - q == k || q - p == k; }

template <class T>
void add_entries(const MergedData& data, const DualCandidate& candidate, PairSums<T>& sums) {
  const Index k = data.directions(), d = data.features();
  const auto add = [&](Index p, Index q, double w) {
    const Index i = p % k, j = q % k;
    const T b = q < k ? T(w) : T(-w);
    const T ab = p < k ? b : -b;
    sums.accumulate(sums.P(i, j), sums.P_error(i, j), T(w));
    for (Index l = 0; l < d; ++l) {
      const T x = data.X(j, l);
      const double product = 2 * kUnit<T> * std::abs(w * data.X(j, l));
      sums.accumulate(sums.SU(i, l), sums.SU_error(i, l), b * x);
      sums.accumulate(sums.TU(i, l), sums.TU_error(i, l), ab * x);
      sums.SU_error(i, l) += product;
      sums.TU_error(i, l) += product;
    }
  };
  for (const auto& [p, q, value] : candidate.entries) {
    if (p < 0 || q < 0 || p >= 2 * k || q >= 2 * k)
      throw std::logic_error("a multiplier entry lies outside the lifted rows");
    const double w = is_free(p, q, k) ? value : std::max(0.0, value);
    add(p, q, w);
    if (p != q) add(q, p, w);
  }
}

// out += A B with |error| <= (rows + 2) u |A| |B|, whatever the order of summation.
template <class T>
void add_product(const Matrix& A, const Matrix& A_size, const Matrix& B, SquareOf<T>& out,
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
  error += 2.0 * kUnit<double> * (static_cast<double>(k) + 8.0) * size;
  error += kUnit<T> * out.cwiseAbs().template cast<double>();
}

template <class T>
void add_dense(const MergedData& data, const Matrix& W, PairSums<T>& sums) {
  const Index k = data.directions();
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
      sums.accumulate(sums.P(i, j), sums.P_error(i, j), T((aa + bb) + (ab + ba)));
    }
  sums.P_error += 4.0 * kUnit<double> * size;
  // The three additions behind each signed sum are within the slack of add_product's constant.
  add_product(signed_second, size, data.X, sums.SU, sums.SU_error);
  add_product(signed_both, size, data.X, sums.TU, sums.TU_error);
}

void check_sizes(const MergedData& data, const DualCandidate& candidate) {
  const Index k = data.directions(), c = data.outputs();
  const auto fits = [](const Matrix& A, Index rows, Index cols, bool may_be_empty) {
    return (A.rows() == rows && A.cols() == cols) || (may_be_empty && A.size() == 0);
  };
  if (!fits(candidate.G, k, c, k == 0) || !fits(candidate.H, k, c, true) ||
      !fits(candidate.dense, 2 * k, 2 * k, true))
    throw std::logic_error("the multipliers do not fit the " + std::to_string(k) +
                           " directions of the data");
}

// M of [eq:slack]: 1/4 (A G + B H) on s, 1/4 X' (A G - B H) on u. Stored transposed, below (s, u).
template <class T>
void couple_outputs(const MergedData& data, const DualCandidate& candidate, Slack<T>& slack) {
  const Index k = data.directions(), d = data.features(), c = data.outputs();
  const double roundings = 6.0 * kUnit<T> + data.weight_rounding;
  for (Index o = 0; o < c; ++o) {
    SquareOf<T> difference(k, 1);
    Matrix size(k, 1);
    for (Index i = 0; i < k; ++i) {
      const T a = static_cast<T>(data.A(i) * candidate.G(i, o));
      const T b = candidate.H.size() > 0 ? static_cast<T>(data.B(i) * candidate.H(i, o)) : T(0);
      difference(i) = a - b;
      size(i) = static_cast<double>(std::abs(a) + std::abs(b));
      slack.Q(k + d + o, i) = (a + b) / 4;
      slack.error(k + d + o, i) = roundings * size(i);
    }
    for (Index l = 0; l < d; ++l) {
      T sum = 0;
      double magnitude = 0;
      for (Index i = 0; i < k; ++i) {
        sum += static_cast<T>(data.X(i, l)) * difference(i);
        magnitude += std::abs(data.X(i, l)) * size(i);
      }
      slack.Q(k + d + o, k + l) = sum / 4;
      slack.error(k + d + o, k + l) = (roundings + (k + 2) * kUnit<T>)*magnitude;
    }
  }
}

// In-place lower Cholesky factorisation; false unless every pivot is positive. OpenBLAS calls a
// factorisation successful that met a NaN.
bool cholesky(Matrix& A) {
  const auto n = static_cast<lapack_int>(A.rows());
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, A.data(), n) == 0 &&
         A.diagonal().allFinite();
}

// Row by row, so that both operands of the inner product are contiguous.
bool cholesky(SquareOf<long double>& A) {
  const Index n = A.rows();
  const auto dot = [](const long double* x, const long double* y, Index count) {
    long double sum[4] = {0, 0, 0, 0};
    Index l = 0;
    for (; l + 4 <= count; l += 4)
      for (Index s = 0; s < 4; ++s) sum[s] += x[l + s] * y[l + s];
    for (; l < count; ++l) sum[0] += x[l] * y[l];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  };
  std::vector<long double> row_major(static_cast<std::size_t>(n * n));
  const auto row = [&](Index i) { return row_major.data() + i * n; };
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) row(i)[j] = (A(i, j) - dot(row(i), row(j), j)) / row(j)[j];
    const long double pivot = A(i, i) - dot(row(i), row(i), i);
    if (!(pivot > 0)) return false;
    row(i)[i] = std::sqrt(pivot);
  }
  return true;
}

// M = Q + kappa C, lower triangle.
template <class T>
SquareOf<T> shifted(const Slack<T>& slack, const Shift<T>& shift, double kappa) {
  const Index order = slack.Q.rows(), k = shift.e.size(), d = shift.u_block.rows();
  SquareOf<T> M = slack.Q;
  for (Index i = 0; i < k; ++i) M(i, i) += T(kappa) * T(shift.e(i)) / 4;
  M.block(k, k, d, d) += T(kappa) * shift.u_block;
  for (Index l = k + d; l < order; ++l) M(l, l) += T(kappa) * T(shift.output);
  return M;
}

// Entrywise error of M: of Q, of C, and of the sum, which touches the diagonal and the u block.
template <class T>
Matrix shifted_error(const Slack<T>& slack, const Shift<T>& shift, double kappa,
                     const SquareOf<T>& M) {
  const Index k = shift.e.size(), d = shift.u_block.rows();
  const auto size = [](T x) { return static_cast<double>(std::abs(x)); };
  Matrix error = slack.error;
  for (Index p = 0; p < M.rows(); ++p)
    error(p, p) += 8 * kUnit<T> * (size(M(p, p)) + size(slack.Q(p, p)));
  for (Index q = 0; q < d; ++q)
    for (Index p = q; p < d; ++p)
      error(k + p, k + q) +=
          kappa * shift.u_block_error(p, q) +
          4 * kUnit<T> * (kappa * size(shift.u_block(p, q)) + size(M(k + p, k + q)));
  return error;
}

// sum_q error_pq scale_q, from the lower triangle.
Vector scaled_row_sums(const Matrix& error, const Vector& scale) {
  Vector sum = Vector::Zero(scale.size());
  for (Index q = 0; q < scale.size(); ++q) {
    sum(q) += error(q, q) * scale(q);
    for (Index p = q + 1; p < scale.size(); ++p) {
      sum(p) += error(p, q) * scale(q);
      sum(q) += error(p, q) * scale(p);
    }
  }
  return sum;
}

}  // namespace

template <class T>
Slack<T> build_slack(const MergedData& data, const DualCandidate& candidate) {
  check_sizes(data, candidate);
  const Index k = data.directions(), d = data.features(), order = k + d + data.outputs();
  PairSums<T> sums(k, d);
  add_entries(data, candidate, sums);
  if (candidate.dense.size() > 0) add_dense(data, candidate.dense, sums);

  Slack<T> slack{SquareOf<T>::Zero(order, order), Matrix::Zero(order, order)};
  slack.Q.topLeftCorner(k, k) = sums.P / T(-4);
  slack.error.topLeftCorner(k, k) = sums.P_error / 4;
  slack.Q.block(k, 0, d, k) = sums.SU.transpose() / T(-4);
  slack.error.block(k, 0, d, k) = sums.SU_error.transpose() / 4;
  const SquareOf<T> X = data.X.cast<T>();
  const Matrix X_size = data.X.cwiseAbs();
  slack.Q.block(k, k, d, d) = (X.transpose() * sums.TU) / T(-4);
  slack.error.block(k, k, d, d) =
      X_size.transpose() *
      (sums.TU_error + kUnit<T> * (k + 4) * sums.TU.cwiseAbs().template cast<double>()) / 4;
  const double half_decay = data.weight_decay / 2;
  for (Index l = k; l < order; ++l) slack.Q(l, l) += half_decay;
  couple_outputs(data, candidate, slack);
  // The bound itself is computed in double; the scaling by -1/4 and adding g/2 round once more.
  slack.error = 1.001 * slack.error + 4 * kUnit<T> * slack.Q.cwiseAbs().template cast<double>();
  return slack;
}

template <class T>
Shift<T> build_shift(const MergedData& data, const Vector& e) {
  const SquareOf<T> X = data.X.cast<T>();
  const Matrix size = data.X.cwiseAbs();
  const double half_decay = data.weight_decay / 2;
  Shift<T> shift;
  shift.e = e;
  shift.output = half_decay;
  shift.u_block = X.transpose() * (e.cast<T>().asDiagonal() * X) / T(-4);
  for (Index l = 0; l < data.features(); ++l) shift.u_block(l, l) += half_decay;
  shift.u_block_error = kUnit<T> * static_cast<double>(data.directions() + 8) *
                        (size.transpose() * (e.asDiagonal() * size)) / 2;
  shift.u_block_error.diagonal().array() += 4 * kUnit<T> * half_decay;
  return shift;
}

template <class T>
bool proves_psd(const Slack<T>& slack, const Shift<T>& shift, double kappa) {
  SquareOf<T> M = shifted(slack, shift, kappa);
  const Index order = M.rows();
  Vector scale(order);  // 1 / sqrt(m_pp)
  for (Index p = 0; p < order; ++p) {
    const auto m = static_cast<double>(M(p, p));
    // Far above the underflow threshold, so that only relative roundings count.
    if (!(m > 1e-200) || !std::isfinite(m)) return false;
    scale(p) = 1.0 / std::sqrt(m);
  }
  const Vector row_sum = scaled_row_sums(shifted_error(slack, shift, kappa, M), scale);
  // Twice the textbook gamma: libraries multiply by a rounded reciprocal pivot.
  const double gamma = 2.0 * kUnit<T> * static_cast<double>(order + 8);
  for (Index p = 0; p < order; ++p) {
    const auto m = static_cast<double>(M(p, p));
    const double z = 1.001 * (static_cast<double>(order) * gamma * m + row_sum(p) / scale(p));
    if (!std::isfinite(z)) return false;
    M(p, p) -= T(z);
  }
  return cholesky(M);
}

template <class T>
bool looks_psd(const Slack<T>& slack, const Shift<T>& shift, double kappa) {
  SquareOf<T> M = shifted(slack, shift, kappa);
  return cholesky(M);
}

template struct Slack<double>;
template struct Slack<long double>;
template Slack<double> build_slack(const MergedData&, const DualCandidate&);
template Slack<long double> build_slack(const MergedData&, const DualCandidate&);
template Shift<double> build_shift(const MergedData&, const Vector&);
template Shift<long double> build_shift(const MergedData&, const Vector&);
template bool proves_psd(const Slack<double>&, const Shift<double>&, double);
template bool proves_psd(const Slack<long double>&, const Shift<long double>&, double);
template bool looks_psd(const Slack<double>&, const Shift<double>&, double);
template bool looks_psd(const Slack<long double>&, const Shift<long double>&, double);

}  // namespace relulift
