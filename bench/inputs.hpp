// SPDX-License-Identifier: Apache-2.0
// The data sets of the benches: tables with numeric targets y0, y1, ...
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <relulift/generate.hpp>
#include <relulift/io.hpp>
#include <relulift/problem.hpp>
#include <string>
#include <vector>

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

// A file, or "teacher:N:D:C".
inline Problem problem_of(const std::string& name, double weight_decay) {
  long long n = 0, d = 0, c = 0;
  if (std::sscanf(name.c_str(), "teacher:%lld:%lld:%lld", &n, &d, &c) == 3)
    return teacher(n, d, c, weight_decay);
  return load(name, weight_decay);
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
