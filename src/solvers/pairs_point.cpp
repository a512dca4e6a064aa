// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pairs_point.hpp"

#include <algorithm>
#include <numeric>

namespace relulift {
namespace {

std::vector<Index> all_rows(Index n) {
  std::vector<Index> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

}  // namespace

PairsVariables::PairsVariables(const ReducedProblem& problem, const std::vector<LiftedPair>& list)
    : PairsVariables(problem, list, all_rows(problem.n())) {}

PairsVariables::PairsVariables(const ReducedProblem& problem, const std::vector<LiftedPair>& list,
                               const std::vector<Index>& open) {
  const Index n = problem.n(), c = problem.c(), p = problem.p();
  pairs = static_cast<Index>(open.size());
  residuals = pairs + static_cast<Index>(list.size());
  const auto add = [this](Index i, Index j, double f, double b, double h) {
    row.push_back(static_cast<std::int32_t>(i));
    col.push_back(static_cast<std::int32_t>(j));
    factor.push_back(f);
    linear.push_back(b);
    curvature.push_back(h);
  };
  for (const Index i : open) add(i, n + i, -1.0, 0.0, 0.0);
  for (const LiftedPair& pair : list) add(pair.i, pair.j, -1.0, 0.0, 0.0);
  for (Index l = 0; l < c; ++l) {
    for (Index i = 0; i < n; ++i) add(i, 2 * n + l, 0.5, problem.Y(i, l), 1.0);
    for (Index k = 0; k < p; ++k)
      add(n + problem.beta_rows[k], 2 * n + l, 0.5 * problem.beta_weight[k], problem.Y_beta(k, l),
          1.0);
  }
}

std::vector<double> pack(const PairsPoint& point) {
  std::vector<double> z;
  z.reserve(point.y.size() + point.G.size() + point.H.size() + point.w.size());
  const auto append = [&z](const double* data, Index size) {
    z.insert(z.end(), data, data + size);
  };
  append(point.y.data(), point.y.size());
  append(point.w.data(), point.w.size());
  for (Index l = 0; l < point.G.cols(); ++l) {
    append(point.G.col(l).data(), point.G.rows());
    append(point.H.col(l).data(), point.H.rows());
  }
  return z;
}

void unpack(const std::vector<double>& z, PairsPoint& point) {
  const double* from = z.data();
  const auto take = [&from](double* to, Index size) { std::copy_n(from, size, to), from += size; };
  take(point.y.data(), point.y.size());
  take(point.w.data(), point.w.size());
  for (Index l = 0; l < point.G.cols(); ++l) {
    take(point.G.col(l).data(), point.G.rows());
    take(point.H.col(l).data(), point.H.rows());
  }
}

Multipliers multipliers_of(const PairsPoint& point) {
  Multipliers out{.G = point.G, .H = point.H, .dense = {}, .entries = {}};
  const Index n = point.y.size();
  out.entries.reserve(n + point.pairs.size());
  for (Index i = 0; i < n; ++i) out.entries.push_back({i, n + i, point.y[i]});
  for (std::size_t p = 0; p < point.pairs.size(); ++p)
    out.entries.push_back({point.pairs[p].i, point.pairs[p].j, point.w[p]});
  return out;
}

PairsPoint pairs_point(const Multipliers& multipliers, const Matrix& S) {
  const Index n = multipliers.G.rows();
  PairsPoint point{.y = Vector::Zero(n),
                   .G = multipliers.G,
                   .H = multipliers.H,
                   .pairs = {},
                   .w = {},
                   .kap = {},
                   .S = S};
  std::vector<double> w;
  for (const auto& [i, j, value] : multipliers.entries) {
    if (j - i == n) {
      point.y[i] = value;
    } else {
      point.pairs.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)});
      w.push_back(value);
    }
  }
  point.w = Eigen::Map<const Vector>(w.data(), static_cast<Index>(w.size()));
  return point;
}

double dual_value(const ReducedProblem& problem, const PairsPoint& point) {
  return -point.G.cwiseProduct(problem.Y).sum() - 0.5 * point.G.squaredNorm() -
         point.H.cwiseProduct(problem.Y_beta).sum() - 0.5 * point.H.squaredNorm();
}

}  // namespace relulift
