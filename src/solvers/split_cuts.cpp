// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/split_cuts.hpp"

#include <algorithm>

namespace relulift {
namespace {

// Cones whose best score is below this share of the largest are left whole for now.
constexpr double kWorthCutting = 0.2;

// Of the factorisations of a cone on a few cores.
constexpr double kFlopsPerSecond = 4e10;
// Newton steps per cone in the end: of the last partition, and its share of those before.
constexpr double kSteps = 65.0;
constexpr Index kMostCones = 1024;

}  // namespace

std::int64_t split_block_bytes(Index own, Index residuals, Index order) {
  const Index m = own + residuals;
  return 8 * (m * m + 20 * m + 18 * order * order);
}

Index affordable_cones(const ReducedProblem& problem, Index pairs, double seconds,
                       std::int64_t bytes) {
  const Index residuals = (problem.n() + problem.p()) * problem.c();
  const Index order = problem.n() + problem.d() + problem.c();
  // Cones come to more pairs than the whole space.
  const double m = static_cast<double>(problem.n() + pairs + pairs / 2),
               q = static_cast<double>(residuals), N = static_cast<double>(order);
  const double flops = m * m * m / 3.0 + m * m * q + m * q * q + 60.0 * N * N * N;
  const std::int64_t once = 8 * (residuals * residuals + 30 * order * order);
  const std::int64_t each = split_block_bytes(problem.n() + split_pairs(pairs), residuals, order);
  Index cones = 1;
  while (cones < kMostCones &&
         2 * static_cast<double>(cones) * kSteps * flops <= seconds * kFlopsPerSecond &&
         once + 2 * cones * each <= bytes)
    cones *= 2;
  return cones > 1 ? cones : 0;
}

void cut_where_it_pays(const ReducedProblem& problem, SplitPoint& point, Index most) {
  struct Choice {
    Index leaf, row;
    double score;
  };
  std::vector<Choice> choices;
  for (Index leaf = 0; leaf < static_cast<Index>(point.cones.size()); ++leaf) {
    Choice choice{leaf, 0, 0.0};
    choice.score = cut_scores(problem, point, leaf).maxCoeff(&choice.row);
    if (choice.score > 0.0) choices.push_back(choice);
  }
  std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
    return a.score != b.score ? a.score > b.score : a.leaf < b.leaf;
  });
  const Index room = most - static_cast<Index>(point.cones.size());
  if (static_cast<Index>(choices.size()) > room) choices.resize(static_cast<std::size_t>(room));
  while (!choices.empty() && choices.back().score < kWorthCutting * choices.front().score)
    choices.pop_back();
  // From the last leaf on, so that the numbers of those before it stay.
  std::sort(choices.begin(), choices.end(),
            [](const Choice& a, const Choice& b) { return a.leaf > b.leaf; });
  for (const auto& [leaf, row, score] : choices) cut(problem, point, leaf, row);
}

}  // namespace relulift
