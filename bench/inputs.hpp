// SPDX-License-Identifier: Apache-2.0
// The data sets of the benches: tables with numeric targets y0, y1, ...
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <relulift/generate.hpp>
#include <relulift/io.hpp>
#include <relulift/problem.hpp>
#include <string>
#include <vector>

#include "src/core/random.hpp"

namespace relulift::bench {

// Columns y* are targets, the rest features. Sets named mnist* are divided by their overall
// standard deviation.
inline Problem load(const std::filesystem::path& path, double weight_decay) {
  const Dataset columns = read_dataset(path, {});
  Targets targets;
  for (const auto& name : columns.schema.features)
    if (name.starts_with('y')) targets.value_columns.push_back(name);
  Problem problem = make_problem(read_dataset(path, targets), {}, weight_decay);
  if (path.stem().string().starts_with("mnist")) {
    double mean = 0.0, square = 0.0;
    for (const double x : problem.X) mean += x / static_cast<double>(problem.X.size());
    for (const double x : problem.X)
      square += (x - mean) * (x - mean) / static_cast<double>(problem.X.size());
    for (double& x : problem.X) x /= std::sqrt(square);
  }
  return problem;
}

// What `relulift generate teacher --seed 0` writes.
inline Problem teacher(Index n, Index d, Index c, double weight_decay) {
  Problem problem =
      generate({.recipe = Recipe::teacher, .samples = n, .features = d, .outputs = c}).problem;
  problem.weight_decay = weight_decay;
  return problem;
}

inline void add_column(Problem& problem, double value) {
  problem.X.insert(problem.X.end(), static_cast<std::size_t>(problem.samples), value);
  ++problem.features;
}

inline void scale_columns(Problem& problem) {
  constexpr std::array<double, 5> kScales = {1e-3, 1e4, 1e-1, 1e2, 1.0};
  for (std::size_t k = 0; k < problem.X.size(); ++k)
    problem.X[k] *= kScales[(k / static_cast<std::size_t>(problem.samples)) % kScales.size()];
  add_column(problem, 1e3);
}

// Appends a third of the rows once more, each entry off by a factor of 1 +- 1e-5.
inline void add_near_rows(Problem& problem) {
  const Index n = problem.samples, more = n / 3;
  Random random(1);
  const auto extend = [&](std::vector<double>& table, Index columns, double relative) {
    std::vector<double> out;
    for (Index j = 0; j < columns; ++j) {
      const double* const column = table.data() + j * n;
      out.insert(out.end(), column, column + n);
      for (Index i = 0; i < more; ++i)
        out.push_back(column[i] * (1.0 + relative * random.normal()));
    }
    table = std::move(out);
  };
  extend(problem.X, problem.features, 1e-5);
  extend(problem.Y, problem.outputs, 0.0);
  problem.samples += more;
}

// A file or "teacher:N:D:C", and after it any of the ways to make it harder: "+near", "+scaled",
// "+bias" (a column of ones).
inline Problem problem_of(const std::string& name, double weight_decay) {
  const std::string base = name.substr(0, name.find('+'));
  const auto has = [&](const char* way) {
    return name.find(way, base.size()) != std::string::npos;
  };
  long long n = 0, d = 0, c = 0;
  const bool made = std::sscanf(base.c_str(), "teacher:%lld:%lld:%lld", &n, &d, &c) == 3;
  Problem problem = made ? teacher(n, d, c, weight_decay) : load(base, weight_decay);
  if (has("+near")) add_near_rows(problem);
  if (has("+scaled")) scale_columns(problem);
  if (has("+bias")) add_column(problem, 1.0);
  return problem;
}

// The first `samples` rows.
inline Problem head(const Problem& all, Index samples) {
  Problem part = all;
  part.samples = std::min(samples, all.samples);
  const auto take = [&](const std::vector<double>& from, Index cols) {
    std::vector<double> to;
    for (Index j = 0; j < cols; ++j)
      to.insert(to.end(), from.begin() + j * all.samples,
                from.begin() + j * all.samples + part.samples);
    return to;
  };
  part.X = take(all.X, all.features);
  part.Y = take(all.Y, all.outputs);
  return part;
}

}  // namespace relulift::bench
