// SPDX-License-Identifier: Apache-2.0
// The eliminated Newton system against the full one, written out entry by entry and solved by
// pivoted LDL'.
#include <gtest/gtest.h>

#include <Eigen/Cholesky>

#include "src/backends/cpu/cpu_backend.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/pairs_elimination.hpp"
#include "tests/support/generators.hpp"

namespace relulift::testing {
namespace {

struct Sizes {
  Index n, d, c;
};

class PairsElimination : public ::testing::TestWithParam<Sizes> {};

Matrix normal(Random& random, Index rows, Index cols) {
  Matrix out(rows, cols);
  for (double& x : out.reshaped()) x = random.normal();
  return out;
}

std::vector<LiftedPair> some_pairs(Random& random, Index n) {
  std::vector<LiftedPair> pairs;
  for (std::int32_t j = 1; j < 2 * n; ++j)
    for (std::int32_t i = 0; i < j; ++i)
      if (i % n != j % n && random.uniform() < 0.3) pairs.push_back({i, j});
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

// Schur matrix of all variables [eq:pairs] without the barrier of the pairs.
Matrix full_schur(const PairsVariables& at, const Matrix& H) {
  const Index m = at.size();
  Matrix M(m, m);
  for (Index k = 0; k < m; ++k)
    for (Index l = 0; l < m; ++l)
      M(k, l) = 2.0 * at.factor[k] * at.factor[l] *
                    (H(at.row[k], at.row[l]) * H(at.col[k], at.col[l]) +
                     H(at.row[k], at.col[l]) * H(at.col[k], at.row[l])) +
                (k == l ? at.curvature[k] : 0.0);
  return M;
}

TEST_P(PairsElimination, SolvesTheFullSystem) {
  const auto [n, d, c] = GetParam();
  Random random(static_cast<std::uint64_t>(100 * n + 10 * d + c));
  Problem given = random_problem(random, n, d, c, 0.1);
  if (n > 2) make_parallel(given, 2, 0, -0.5);  // a residual of beta
  const ReducedProblem problem = presolve(given).reduced;
  const Index samples = 2 * problem.n();
  const PairsVariables at(problem, some_pairs(random, problem.n()));
  const Index all = at.size(), kept = at.residuals, rows = problem.n() + problem.p();
  const Matrix root = normal(random, samples + c, samples + c);
  const Matrix H = root * root.transpose();
  const Vector diagonal = normal(random, kept, 1).cwiseAbs2(), b = normal(random, all, 1);
  Matrix full = full_schur(at, H);
  full.diagonal().head(kept) += diagonal;
  const Vector expected = full.ldlt().solve(b);

  CpuBackend be(1);
  const auto matrix = [&](const Matrix& from) {
    auto out = be.matrix(from.rows(), from.cols());
    be.upload(std::span<const double>(from.data(), from.size()), out.view());
    return out;
  };
  auto row = be.indices(all), col = be.indices(all);
  be.upload(std::span<const std::int32_t>(at.row), row);
  be.upload(std::span<const std::int32_t>(at.col), col);
  const auto factor = matrix(Eigen::Map<const Vector>(at.factor.data(), all)), onH = matrix(H);
  const auto M = matrix(full.topLeftCorner(kept, kept)), x = matrix(b);
  const IndexView kept_row{row.view().data, kept}, kept_col{col.view().data, kept};
  const MatrixView<double> head = x.view().block(0, 0, kept, 1);
  const MatrixView<double> tail{x.view().data + kept, rows, c, rows};
  using Elimination = ::relulift::PairsElimination<CpuBackend>;
  auto info = be.slots(1 + Elimination::kInfos);
  Elimination elimination(be, problem, kept, info[1]);
  elimination.reduce_matrix(onH.view(), kept_row, kept_col, factor.view(), M.view());
  elimination.reduce_right(kept_row, kept_col, factor.view(), tail, head);
  be.potrf(M.view(), info[0]);
  be.potrs(M.view(), head);
  elimination.expand(kept_row, kept_col, factor.view(), head, tail);

  const Eigen::Map<const Vector> solved(x.view().data, all);
  EXPECT_LE((solved - expected).norm(), 1e-7 * expected.norm());
  EXPECT_LE((full * solved - b).norm(), 1e-8 * b.norm());
}

INSTANTIATE_TEST_SUITE_P(Shapes, PairsElimination,
                         ::testing::Values(Sizes{1, 1, 1}, Sizes{4, 2, 1}, Sizes{6, 3, 2},
                                           Sizes{9, 2, 5}, Sizes{3, 2, 7}));

}  // namespace
}  // namespace relulift::testing
