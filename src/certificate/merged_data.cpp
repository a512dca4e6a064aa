// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/merged_data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace relulift {
namespace {

using Row = Eigen::Matrix<double, 1, Eigen::Dynamic>;

constexpr Extended kEpsilon = std::numeric_limits<Extended>::epsilon();

Index leading(const Row& x) {
  Index l = 0;
  while (l < x.size() && x(l) == 0.0) ++l;
  return l;
}

// x_l y_m == x_m y_l for all l and one m, exactly: a double product and its rounding error, both
// compared. Out of the range where that error is a double, rows count as different.
bool parallel(const Row& x, const Row& y) {
  const Index m = leading(x);
  for (Index l = 0; l < x.size(); ++l) {
    const double p = x(l) * y(m), q = x(m) * y(l);
    if (p != q || (p == 0.0) != (x(l) == 0.0) || (q == 0.0) != (y(l) == 0.0)) return false;
    if (p != 0.0 && !(std::abs(p) > 1e-280 && std::abs(p) < 1e300)) return false;
    if (std::fma(x(l), y(m), -p) != std::fma(x(m), y(l), -q)) return false;
  }
  return true;
}

// Exactly parallel rows have equal quotients by their leading entry, so they are neighbours after
// sorting by these; every run of equal keys is then compared exactly.
std::vector<Index> find_parallel_rows(const Matrix& X) {
  const Index n = X.rows();
  std::vector<Index> representative(static_cast<std::size_t>(n), -1), order;
  std::vector<Row> key(static_cast<std::size_t>(n));
  for (Index j = 0; j < n; ++j) {
    const Row x = X.row(j);
    const Index m = leading(x);
    if (m == x.size()) continue;
    key[j] = x / x(m);
    order.push_back(j);
  }
  const auto before = [&](Index a, Index b) {
    return std::lexicographical_compare(key[a].begin(), key[a].end(), key[b].begin(), key[b].end());
  };
  std::stable_sort(order.begin(), order.end(), before);
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && !before(order[first], order[last])) ++last;
    for (std::size_t b = first; b < last; ++b) {
      const Index j = order[b];
      representative[j] = j;
      for (std::size_t a = first; a < b; ++a) {
        const Index i = order[a];
        if (representative[i] != i || !parallel(X.row(i), X.row(j))) continue;
        representative[j] = i;
        break;
      }
    }
  }
  return representative;
}

struct Member {
  Extended ratio = 0;     // tau
  Extended distance = 0;  // bound on ||x_j - tau x_i||
};

Member compare(const Row& x, const Row& base) {
  if (parallel(base, x)) {
    const Index m = leading(base);
    return {static_cast<Extended>(x(m)) / base(m), 0};
  }
  Extended inner = 0, square = 0;
  for (Index l = 0; l < x.size(); ++l) {
    inner += static_cast<Extended>(x(l)) * base(l);
    square += static_cast<Extended>(base(l)) * base(l);
  }
  const Extended ratio = inner / square;
  Extended distance = 0, size = 0;
  for (Index l = 0; l < x.size(); ++l) {
    const Extended left = x(l) - ratio * base(l);
    distance += left * left;
    size += static_cast<Extended>(x(l)) * x(l);
  }
  const Extended rounding = 4 * (x.size() + 4) * kEpsilon;
  return {ratio, std::sqrt(distance) * (1 + rounding) + rounding * std::sqrt(size)};
}

std::vector<Index> positions(const std::vector<Index>& representative, Index n) {
  if (representative.size() != static_cast<std::size_t>(n))
    throw std::logic_error("a representative is needed for every row");
  std::vector<Index> position(representative.size(), -1);
  Index count = 0;
  for (Index j = 0; j < n; ++j) {
    const Index i = representative[j];
    if (i < -1 || i > j || (i >= 0 && representative[i] != i))
      throw std::logic_error("the representative of row " + std::to_string(j) + " is invalid");
    if (i >= 0) position[j] = i == j ? count++ : position[i];
  }
  return position;
}

}  // namespace

MergedData merge_data(const Problem& problem, const std::vector<Index>& given) {
  const Index n = problem.samples, c = problem.outputs;
  const Eigen::Map<const Matrix> X(problem.X.data(), n, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), n, c);
  const std::vector<Index> representative = given.empty() ? find_parallel_rows(X) : given;
  const std::vector<Index> position = positions(representative, n);
  for (Index j = 0; j < n; ++j)
    if (representative[j] == j && X.row(j).isZero(0.0))
      throw std::logic_error("row " + std::to_string(j) + " is zero and represents no direction");
  const Index k = position.empty() ? 0 : 1 + *std::max_element(position.begin(), position.end());

  MergedData data;
  data.weight_decay = problem.weight_decay;
  data.weight_rounding = static_cast<double>((n + 16) * kEpsilon);
  data.X.resize(k, problem.features);
  ExtendedVector squares[2] = {ExtendedVector::Zero(k), ExtendedVector::Zero(k)};
  ExtendedMatrix moments[2] = {ExtendedMatrix::Zero(k, c), ExtendedMatrix::Zero(k, c)};
  ExtendedMatrix sizes[2] = {ExtendedMatrix::Zero(k, c), ExtendedMatrix::Zero(k, c)};
  std::vector<Member> members(static_cast<std::size_t>(n));
  Extended moved = 0;
  for (Index j = 0; j < n; ++j) {
    if (position[j] < 0) {
      moved += X.row(j).cast<Extended>().squaredNorm();
      continue;
    }
    if (representative[j] == j) data.X.row(position[j]) = X.row(j);
    members[j] = compare(X.row(j), X.row(representative[j]));
    moved += members[j].distance * members[j].distance;
    const int side = members[j].ratio < 0;
    const Extended size = std::abs(members[j].ratio);
    squares[side](position[j]) += size * size;
    moments[side].row(position[j]) += size * Y.row(j).cast<Extended>();
    sizes[side].row(position[j]) += size * Y.row(j).cast<Extended>().cwiseAbs();
  }
  data.perturbation = std::sqrt(moved) * (1 + 4 * (n + 4) * kEpsilon);
  data.representative = representative;
  for (const Member& member : members) data.ratio.push_back(static_cast<double>(member.ratio));

  for (Index j = 0; j < n; ++j)
    for (Index l = 0; l < c; ++l) {
      const Extended y = Y(j, l);
      const Index i = position[j];
      const int side = members[j].ratio < 0;
      data.half_square += y * y / 2;
      if (i < 0) {
        data.constant += y * y / 2;
        continue;
      }
      // Where targets are fitted the difference cancels: its error is relative to its terms, and
      // squared it may be all there is. Nothing is kept of the only member of a side.
      const Extended share = std::abs(members[j].ratio) / squares[side](i);
      const Extended fixed = std::abs(y - share * moments[side](i, l));
      const Extended error =
          4 * Extended(data.weight_rounding) * (std::abs(y) + share * sizes[side](i, l));
      const Extended kept = std::max<Extended>(0, fixed - error);
      data.constant += kept * kept / 2;
    }
  const Extended summation = 4 * static_cast<Extended>(n * c + 4) * kEpsilon;
  data.constant *= 1 - summation;
  data.half_square *= 1 + summation;
  data.A = squares[0].cwiseSqrt();
  data.B = squares[1].cwiseSqrt();
  data.AYa = moments[0];
  data.BYb = moments[1];
  for (Index i = 0; i < k; ++i) {
    data.AYa.row(i) /= data.A(i);
    if (data.B(i) > 0) data.BYb.row(i) /= data.B(i);
  }
  return data;
}

}  // namespace relulift
