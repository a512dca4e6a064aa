// SPDX-License-Identifier: Apache-2.0
// Tables whose columns have no names: arrays from NPY and IDX files. Their columns count by
// position, their targets stand in a second file.
#include <fmt/format.h>

#include <relulift/error.hpp>

#include "src/io/idx.hpp"
#include "src/io/input.hpp"
#include "src/io/labels.hpp"
#include "src/io/npy.hpp"
#include "src/io/table.hpp"

namespace relulift::io {
namespace {

Array target_array(std::string_view bytes, const std::string& source) {
  if (is_npy(bytes)) return npy_array(bytes, source);
  if (is_idx(bytes)) return idx_array(bytes, source);
  throw InvalidInput(source + ": is neither an NPY nor an IDX file, of which targets are read");
}

}  // namespace

std::vector<std::string> counted_names(std::string_view prefix, Index count, Index first) {
  std::vector<std::string> names;
  for (Index k = 0; k < count; ++k) names.push_back(fmt::format("{}{}", prefix, first + k));
  return names;
}

Dataset positional_features(Index samples, Index features, const std::string& source,
                            const Schema& like) {
  Dataset data{.source = source, .schema = {}, .samples = samples, .features = features};
  if (!like.features.empty() && static_cast<Index>(like.features.size()) != features)
    throw InvalidInput(fmt::format("{}: has {} columns, {} features are needed", source, features,
                                   like.features.size()));
  data.schema.features = like.features.empty() ? counted_names("x", features) : like.features;
  return data;
}

void check_rows(const Array& targets, const std::string& source, const Dataset& data) {
  if (targets.rows != data.samples)
    throw InvalidInput(
        fmt::format("{}: has {} rows, {} has {}", source, targets.rows, data.source, data.samples));
}

Dataset read_array_dataset(std::string_view bytes, const std::string& source,
                           const Targets& targets, const Schema& like) {
  const bool npy = is_npy(bytes);
  if (targets.kind() != TargetKind::none && targets.file.empty())
    throw InvalidInput(
        fmt::format("{}: an {} table has no named columns; its targets come from a file", source,
                    npy ? "NPY" : "IDX"));
  const Array x = npy ? npy_array(bytes, source) : idx_array(bytes, source);
  Dataset data = positional_features(x.rows, x.cols, source, like);
  data.X = numbers_of(x, source);
  if (targets.file.empty()) return data;

  const std::string target_source = targets.file.string();
  const std::string target_bytes = read_input(targets.file);
  const Array y = target_array(target_bytes, target_source);
  check_rows(y, target_source, data);
  if (y.integers() && y.cols == 1 && like.kind != TargetKind::values) {
    set_integer_labels(data, kLabelColumn, integers_of(y, target_source), target_source, like);
    return data;
  }
  if (!like.outputs.empty() && static_cast<Index>(like.outputs.size()) != y.cols)
    throw InvalidInput(fmt::format("{}: has {} columns, {} outputs are needed", target_source,
                                   y.cols, like.outputs.size()));
  data.outputs = y.cols;
  data.Y = numbers_of(y, target_source);
  data.schema.kind = TargetKind::values;
  data.schema.outputs = like.outputs.empty() ? counted_names("y", data.outputs) : like.outputs;
  return data;
}

}  // namespace relulift::io
