// SPDX-License-Identifier: Apache-2.0
// The data sets of the benches: tables with numeric targets y0, y1, ...
#pragma once

#include <cmath>
#include <filesystem>
#include <relulift/io.hpp>
#include <relulift/problem.hpp>

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
