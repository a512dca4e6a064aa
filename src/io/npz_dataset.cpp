// SPDX-License-Identifier: Apache-2.0
// NPZ tables. Features are the array X or x, or the only one that is no target; targets are the
// arrays that are asked for. Columns of an array A are called A, or A0, A1, .. where it has more.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <relulift/error.hpp>
#include <set>

#include "src/io/labels.hpp"
#include "src/io/npy.hpp"
#include "src/io/npz.hpp"
#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

// A target: an array, or one column of it.
struct Part {
  std::string array;
  std::optional<Index> column = std::nullopt;
};

// An array of that name; of numbers also the column that the number at its end counts.
std::optional<Part> find_part(const Npz& file, const std::string& name, TargetKind kind) {
  if (file.has(name)) return Part{.array = name};
  if (kind == TargetKind::labels) return std::nullopt;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  const auto column = parse_integer(std::string_view(name).substr(digits));
  if (!column || !file.has(name.substr(0, digits))) return std::nullopt;
  return Part{.array = name.substr(0, digits), .column = *column};
}

struct Plan {
  TargetKind kind = TargetKind::none;
  std::vector<Part> targets;
};

Plan plan_targets(const Npz& file, const std::string& source, const Targets& asked,
                  const Schema& like) {
  const bool named = asked.kind() != TargetKind::none;
  const Targets wanted = named ? asked : like.targets();
  std::vector<std::string> names = wanted.value_columns;
  if (!wanted.label_column.empty()) names = {wanted.label_column};
  Plan plan{.kind = wanted.kind(), .targets = {}};
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1)
      throw InvalidInput(
          fmt::format("{}: target array {} is asked for twice", source, in_quotes(name)));
    const auto part = find_part(file, name, plan.kind);
    if (!part && !named) return {};
    if (!part)
      throw InvalidInput(fmt::format("{}: has no target array {} (its arrays are {})", source,
                                     in_quotes(name), list_names(file.names())));
    plan.targets.push_back(*part);
  }
  return plan;
}

std::string feature_array(const Npz& file, const std::string& source, const Plan& plan) {
  std::vector<std::string> left;
  for (const std::string& name : file.names())
    if (std::none_of(plan.targets.begin(), plan.targets.end(),
                     [&](const Part& part) { return part.array == name; }))
      left.push_back(name);
  for (const char* name : {"X", "x"})
    if (std::find(left.begin(), left.end(), name) != left.end()) return name;
  if (left.size() == 1) return left[0];
  throw InvalidInput(
      fmt::format("{}: which array holds the features is not clear: none is called X, and its "
                  "arrays are {}",
                  source, list_names(file.names())));
}

void add_labels(Dataset& data, const Npz& file, const std::string& name, const Schema& like) {
  const std::string where = file.place(name), bytes = file.read(name);
  const Array y = npy_array(bytes, where);
  check_rows(y, where, data);
  if (!y.integers() || y.cols != 1)
    throw InvalidInput(
        fmt::format("{}: holds {}, which are no labels; name it as a numeric target", where,
                    y.cols != 1 ? fmt::format("{} columns", y.cols) : "floating-point numbers"));
  set_integer_labels(data, name, integers_of(y, where), where, like);
}

void add_numbers(Dataset& data, const Npz& file, const Part& part) {
  const std::string where = file.place(part.array), bytes = file.read(part.array);
  const Array y = npy_array(bytes, where);
  check_rows(y, where, data);
  std::vector<double> numbers = numbers_of(y, where);
  if (!part.column) {
    data.Y.insert(data.Y.end(), numbers.begin(), numbers.end());
    const auto names = y.cols == 1 ? std::vector{part.array} : counted_names(part.array, y.cols);
    data.schema.outputs.insert(data.schema.outputs.end(), names.begin(), names.end());
    return;
  }
  if (*part.column >= y.cols)
    throw InvalidInput(fmt::format("{}: has {} columns, number {} (from 0) is asked for", where,
                                   y.cols, *part.column));
  const auto first = numbers.begin() + *part.column * y.rows;
  data.Y.insert(data.Y.end(), first, first + y.rows);
  data.schema.outputs.push_back(fmt::format("{}{}", part.array, *part.column));
}

void check_distinct(const Dataset& data) {
  std::set<std::string> seen;
  for (const std::string& name : data.schema.outputs)
    if (!seen.insert(name).second)
      throw InvalidInput(
          fmt::format("{}: target column {} is asked for twice", data.source, in_quotes(name)));
}

}  // namespace

Dataset read_npz_dataset(const Path& path, const Targets& targets, const Schema& like) {
  const std::string source = path.string();
  if (!targets.file.empty())
    throw InvalidInput(
        source + ": is an NPZ archive; name the array of its targets by --target or --targets");
  const Npz file(path);
  const Plan plan = plan_targets(file, source, targets, like);
  Dataset data;
  {
    const std::string name = feature_array(file, source, plan), bytes = file.read(name);
    const std::string where = file.place(name);
    const Array x = npy_array(bytes, where);
    data = positional_features(x.rows, x.cols, source, like);
    data.X = numbers_of(x, where);
  }
  data.schema.kind = plan.kind;
  if (plan.kind == TargetKind::labels) add_labels(data, file, plan.targets[0].array, like);
  if (plan.kind == TargetKind::values)
    for (const Part& part : plan.targets) add_numbers(data, file, part);
  check_distinct(data);
  data.outputs = static_cast<Index>(data.schema.outputs.size());
  return data;
}

}  // namespace relulift::io
