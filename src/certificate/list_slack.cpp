// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/list_slack.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "src/certificate/rounding.hpp"

namespace relulift {
namespace {

// Sums over ordered pairs (p, q) of lifted rows, p of direction i, q of direction k, with signs a
// and b: b W x_k to SU(i, .), a b W x_k to TU(i, .).
template <class T>
struct RowSums {
  MatrixOf<T> SU, TU;
  Matrix SU_error, TU_error;

  RowSums(Index k, Index d)
      : SU(MatrixOf<T>::Zero(k, d)),
        TU(MatrixOf<T>::Zero(k, d)),
        SU_error(Matrix::Zero(k, d)),
        TU_error(Matrix::Zero(k, d)) {}

  void add(const MergedData& data, Index p, Index q, double w) {
    const Index k = data.directions(), i = p % k, j = q % k;
    const T b = q < k ? T(w) : T(-w);
    const T ab = p < k ? b : -b;
    for (Index l = 0; l < data.features(); ++l) {
      const T x = data.X(j, l);
      const double product = 2 * kUnitRoundoff<T> * std::abs(w * data.X(j, l));
      accumulate(SU(i, l), SU_error(i, l), b * x);
      accumulate(TU(i, l), TU_error(i, l), ab * x);
      SU_error(i, l) += product;
      TU_error(i, l) += product;
    }
  }
};

double projected(const DualCandidate::Entry& entry, Index k) {
  return is_free(entry.i, entry.j, k) ? entry.value : std::max(0.0, entry.value);
}

// -1/4 of the sums of W over the signs of both directions, by position. On the diagonal (p, q) and
// (q, p) both count.
template <class T>
std::vector<typename ListSlack<T>::Entry> sum_entries(const DualCandidate& candidate, Index k) {
  struct Term {
    Index row, column;
    double w;
  };
  std::vector<Term> terms;
  terms.reserve(candidate.entries.size());
  for (const auto& entry : candidate.entries) {
    const Index i = entry.i % k, j = entry.j % k;
    const Term term{std::max(i, j), std::min(i, j), projected(entry, k)};
    terms.push_back(term);
    if (i == j && entry.i != entry.j) terms.push_back(term);
  }
  std::stable_sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) {
    return a.column != b.column ? a.column < b.column : a.row < b.row;
  });
  std::vector<typename ListSlack<T>::Entry> sums;
  for (const auto& [row, column, w] : terms) {
    if (sums.empty() || sums.back().row != row || sums.back().column != column)
      sums.push_back({row, column, T(0), 0.0});
    accumulate(sums.back().value, sums.back().error, T(w));
  }
  for (auto& sum : sums) {
    sum.value /= T(-4);
    sum.error /= 4;
  }
  return sums;
}

// M of [eq:slack]: 1/4 (A G + B H) on s, 1/4 X' (A G - B H) on u. Stored transposed, below (s, u).
template <class T>
void couple_outputs(const MergedData& data, const DualCandidate& candidate, ListSlack<T>& slack) {
  const Index k = data.directions(), d = data.features(), c = data.outputs();
  const double roundings = 6.0 * kUnitRoundoff<T> + data.weight_rounding;
  for (Index o = 0; o < c; ++o) {
    MatrixOf<T> difference(k, 1);
    Matrix size(k, 1);
    for (Index i = 0; i < k; ++i) {
      const T a = static_cast<T>(data.A(i) * candidate.G(i, o));
      const T b = candidate.H.size() > 0 ? static_cast<T>(data.B(i) * candidate.H(i, o)) : T(0);
      difference(i) = a - b;
      size(i) = static_cast<double>(std::abs(a) + std::abs(b));
      slack.border(d + o, i) = (a + b) / 4;
      slack.border_error(d + o, i) = roundings * size(i);
    }
    for (Index l = 0; l < d; ++l) {
      T sum = 0;
      double magnitude = 0;
      for (Index i = 0; i < k; ++i) {
        sum += static_cast<T>(data.X(i, l)) * difference(i);
        magnitude += std::abs(data.X(i, l)) * size(i);
      }
      slack.border(d + o, k + l) = sum / 4;
      slack.border_error(d + o, k + l) = (roundings + (k + 2) * kUnitRoundoff<T>)*magnitude;
    }
  }
}

}  // namespace

void check_sizes(const MergedData& data, const DualCandidate& candidate) {
  const Index k = data.directions(), c = data.outputs();
  const auto fits = [](const Matrix& A, Index rows, Index cols, bool may_be_empty) {
    return (A.rows() == rows && A.cols() == cols) || (may_be_empty && A.size() == 0);
  };
  if (!fits(candidate.G, k, c, k == 0) || !fits(candidate.H, k, c, true) ||
      !fits(candidate.dense, 2 * k, 2 * k, true))
    throw std::logic_error("the multipliers do not fit the " + std::to_string(k) +
                           " directions of the data");
  for (const auto& [p, q, value] : candidate.entries)
    if (p < 0 || q < 0 || p >= 2 * k || q >= 2 * k)
      throw std::logic_error("a multiplier entry lies outside the lifted rows");
}

template <class T>
ListSlack<T> build_list_slack(const MergedData& data, const DualCandidate& candidate) {
  check_sizes(data, candidate);
  const Index k = data.directions(), d = data.features(), rows = d + data.outputs();
  ListSlack<T> slack;
  slack.directions = k;
  slack.sparse = sum_entries<T>(candidate, k);
  slack.border = MatrixOf<T>::Zero(rows, k + rows);
  slack.border_error = Matrix::Zero(rows, k + rows);

  RowSums<T> sums(k, d);
  for (const auto& entry : candidate.entries) {
    const double w = projected(entry, k);
    sums.add(data, entry.i, entry.j, w);
    if (entry.i != entry.j) sums.add(data, entry.j, entry.i, w);
  }
  slack.border.topLeftCorner(d, k) = sums.SU.transpose() / T(-4);
  slack.border_error.topLeftCorner(d, k) = sums.SU_error.transpose() / 4;
  const MatrixOf<T> X = data.X.cast<T>();
  const Matrix X_size = data.X.cwiseAbs();
  slack.border.block(0, k, d, d) = (X.transpose() * sums.TU) / T(-4);
  slack.border_error.block(0, k, d, d) =
      X_size.transpose() *
      (sums.TU_error +
       kUnitRoundoff<T> * static_cast<double>(k + 4) * sums.TU.cwiseAbs().template cast<double>()) /
      4;
  const double half_decay = data.weight_decay / 2;
  for (Index l = 0; l < rows; ++l) slack.border(l, k + l) += half_decay;
  couple_outputs(data, candidate, slack);
  // The bound itself is computed in double; the scaling by -1/4 and adding g/2 round once more.
  const double unit = kUnitRoundoff<T>;
  slack.border_error =
      1.001 * slack.border_error + 4 * unit * slack.border.cwiseAbs().template cast<double>();
  for (auto& entry : slack.sparse)
    entry.error = 1.001 * entry.error + 4 * unit * static_cast<double>(std::abs(entry.value));
  return slack;
}

template <class T>
void expand(const ListSlack<T>& slack, MatrixOf<T>& M) {
  const Index k = slack.directions, rows = slack.border.rows();
  for (Index q = 0; q < k; ++q) {
    M.col(q).segment(q, k - q).setZero();
    M.col(q).tail(rows) = slack.border.col(q);
  }
  M.bottomRightCorner(rows, rows) = slack.border.rightCols(rows);
  for (const auto& entry : slack.sparse) M(entry.row, entry.column) = entry.value;
}

template <class T>
void expand_error(const ListSlack<T>& slack, Matrix& error) {
  error.setZero(slack.order(), slack.order());
  error.bottomRows(slack.border.rows()) = slack.border_error;
  for (const auto& entry : slack.sparse) error(entry.row, entry.column) = entry.error;
}

template <class T>
Vector scaled_error_sums(const ListSlack<T>& slack, const Vector& scale) {
  const Index k = slack.directions, rows = slack.border.rows();
  Vector sum = Vector::Zero(slack.order());
  for (const auto& [row, column, value, error] : slack.sparse) {
    sum(row) += error * scale(column);
    if (row != column) sum(column) += error * scale(row);
  }
  sum.head(k) += slack.border_error.leftCols(k).transpose() * scale.tail(rows);
  sum.tail(rows) += slack.border_error.leftCols(k) * scale.head(k);
  sum.tail(rows) += slack.border_error.rightCols(rows).template selfadjointView<Eigen::Lower>() *
                    scale.tail(rows);
  return sum;
}

template struct ListSlack<double>;
template struct ListSlack<long double>;
template ListSlack<double> build_list_slack(const MergedData&, const DualCandidate&);
template ListSlack<long double> build_list_slack(const MergedData&, const DualCandidate&);
template void expand(const ListSlack<double>&, MatrixOf<double>&);
template void expand(const ListSlack<long double>&, MatrixOf<long double>&);
template void expand_error(const ListSlack<double>&, Matrix&);
template void expand_error(const ListSlack<long double>&, Matrix&);
template Vector scaled_error_sums(const ListSlack<double>&, const Vector&);
template Vector scaled_error_sums(const ListSlack<long double>&, const Vector&);

}  // namespace relulift
