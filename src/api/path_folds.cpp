// SPDX-License-Identifier: Apache-2.0
// Folds of a table, and the choice by their scores.
#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <relulift/error.hpp>
#include <relulift/path.hpp>

#include "src/core/random.hpp"

namespace relulift {
namespace {

// Of Random: beside those that other draws of a solve use.
constexpr std::uint64_t kStream = 110;
// Sums in another order are equal up to this.
constexpr double kRounding = 1e-12;

void shuffle(std::vector<Index>& rows, Random& random) {
  for (std::size_t k = rows.size(); k > 1; --k) {
    const auto other = static_cast<std::size_t>(random.uniform() * static_cast<double>(k));
    std::swap(rows[k - 1], rows[other]);
  }
}

std::vector<std::vector<Index>> rows_by_class(const Dataset& data) {
  std::vector<std::vector<Index>> rows(static_cast<std::size_t>(data.outputs));
  for (Index i = 0; i < data.samples; ++i)
    rows[static_cast<std::size_t>(argmax_row(data.Y, data.samples, data.outputs, i))].push_back(i);
  return rows;
}

double merit(Criterion criterion, const MeanScore& score) {
  return criterion == Criterion::accuracy ? score.mean : -score.mean;  // larger is better
}

double Scores::*score_of(Criterion criterion) {
  if (criterion == Criterion::accuracy) return &Scores::accuracy;
  return criterion == Criterion::rmse ? &Scores::rmse : &Scores::loss;
}

}  // namespace

const char* to_string(Criterion criterion) {
  if (criterion == Criterion::accuracy) return "accuracy";
  return criterion == Criterion::rmse ? "rmse" : "loss";
}

std::vector<Index> assign_folds(const Dataset& data, Index folds, std::uint64_t seed) {
  if (folds < 2) throw InvalidInput("folds must be at least 2");
  if (folds > data.samples)
    throw InvalidInput(
        fmt::format("{}: has {} rows, fewer than {} folds", data.source, data.samples, folds));
  Random random(seed, kStream);
  std::vector<Index> fold(static_cast<std::size_t>(data.samples));
  if (data.is_classification()) {
    // Dealt out class by class without a new start, so that whole folds are of equal size too.
    Index next = 0;
    for (std::vector<Index>& rows : rows_by_class(data)) {
      shuffle(rows, random);
      for (const Index row : rows) fold[static_cast<std::size_t>(row)] = next++ % folds;
    }
    return fold;
  }
  std::vector<Index> rows(fold.size());
  std::iota(rows.begin(), rows.end(), 0);
  shuffle(rows, random);
  for (Index f = 0; f < folds; ++f)
    for (Index k = f * data.samples / folds; k < (f + 1) * data.samples / folds; ++k)
      fold[static_cast<std::size_t>(rows[static_cast<std::size_t>(k)])] = f;
  return fold;
}

std::string fold_warning(const Dataset& data, Index folds) {
  if (!data.is_classification()) return {};
  const auto rows = rows_by_class(data);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const auto count = static_cast<Index>(rows[k].size());
    if (count == 0 || count >= folds) continue;
    const std::string trained = count == 1 ? ", and one fold trains without it" : "";
    return fmt::format(
        "{}: class {} has {} {}, fewer than {} folds: not every fold holds out one "
        "of it{}",
        data.source, data.schema.outputs[k], count, count == 1 ? "row" : "rows", folds, trained);
  }
  return {};
}

MeanScore mean_score(const std::vector<Scores>& folds, double Scores::*member) {
  MeanScore score;
  const auto count = static_cast<double>(folds.size());
  if (folds.empty()) return score;
  double sum = 0.0, squares = 0.0;
  for (const Scores& fold : folds) sum += fold.*member;
  score.mean = sum / count;
  if (folds.size() < 2) return score;
  for (const Scores& fold : folds) squares += std::pow(fold.*member - score.mean, 2);
  score.error = std::sqrt(squares / (count - 1.0) / count);
  return score;
}

PathChoice choose(const std::vector<PathRow>& rows, Criterion criterion) {
  PathChoice choice;
  double best = 0.0, error = 0.0;
  const auto value = [&](std::size_t k) { return mean_score(rows[k].folds, score_of(criterion)); };
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const MeanScore score = value(k);
    const double gain = merit(criterion, score) - best;
    if (!std::isfinite(score.mean)) continue;
    if (choice.best && !(gain > kRounding * std::abs(best))) continue;
    choice.best = static_cast<Index>(k);
    best = merit(criterion, score);
    error = std::isfinite(score.error) ? score.error : 0.0;
  }
  for (std::size_t k = 0; choice.best && !choice.one_standard_error && k < rows.size(); ++k)
    if (merit(criterion, value(k)) >= best - error - kRounding * std::abs(best))
      choice.one_standard_error = static_cast<Index>(k);
  return choice;
}

}  // namespace relulift
