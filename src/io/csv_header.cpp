// SPDX-License-Identifier: Apache-2.0
#include "src/io/csv_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <relulift/error.hpp>
#include <set>

#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

// A file without a header would silently lose its first sample. Numbers are accepted as names only
// when they count the columns, as data frames without names do.
void refuse_data_as_names(const std::vector<std::string>& names, const std::string& source) {
  bool all_integers = true, from_zero = true, from_one = true;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto integer = parse_integer(names[k]);
    if (!integer && parse_number(names[k]))
      throw InvalidInput(
          fmt::format("{}:line 1: must hold the names of the columns, and {} is a number", source,
                      in_quotes(names[k])));
    all_integers = all_integers && integer;
    from_zero = from_zero && integer == static_cast<std::int64_t>(k);
    from_one = from_one && integer == static_cast<std::int64_t>(k + 1);
  }
  if (all_integers && !from_zero && !from_one)
    throw InvalidInput(source + ":line 1: must hold the names of the columns, not numbers");
}

std::optional<std::size_t> position(const std::vector<std::string>& header,
                                    const std::string& name) {
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end()) return std::nullopt;
  return static_cast<std::size_t>(at - header.begin());
}

std::size_t require_column(const std::vector<std::string>& header, const std::string& name,
                           const std::string& source, const char* what) {
  if (const auto at = position(header, name)) return *at;
  throw InvalidInput(fmt::format("{}: has no {} column {} (its columns are {})", source, what,
                                 in_quotes(name), list_names(header)));
}

void plan_targets(ColumnPlan& plan, const std::vector<std::string>& header,
                  const std::string& source, const Targets& asked, const Schema& like) {
  const bool named = asked.kind() != TargetKind::none;
  const Targets targets = named ? asked : like.targets();
  std::vector<std::string> names = targets.value_columns;
  if (!targets.label_column.empty()) names = {targets.label_column};
  if (!named && !std::all_of(names.begin(), names.end(),
                             [&](const auto& name) { return position(header, name); }))
    return;
  plan.kind = targets.kind();
  for (const auto& name : names) {
    plan.targets.push_back(require_column(header, name, source, "target"));
    if (std::count(names.begin(), names.end(), name) > 1)
      throw InvalidInput(
          fmt::format("{}: target column {} is asked for twice", source, in_quotes(name)));
  }
  plan.schema.kind = plan.kind;
  plan.schema.label_column = targets.label_column;
  plan.schema.outputs = targets.value_columns;
  if (plan.kind == TargetKind::labels && like.kind == TargetKind::labels)
    plan.schema.outputs = like.outputs;
}

}  // namespace

std::vector<std::string> read_header(CsvReader& reader, const std::string& source) {
  if (!reader.next()) throw InvalidInput(source + ": is empty");
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const std::string_view field : reader.fields()) {
    names.emplace_back(trim(field));
    if (names.back().empty())
      throw InvalidInput(fmt::format("{}:line 1: column {} has no name", source, names.size()));
    if (!valid_utf8(names.back()))
      throw InvalidInput(
          fmt::format("{}:line 1: the name of column {} is not UTF-8 text", source, names.size()));
    if (!seen.insert(names.back()).second)
      throw InvalidInput(
          fmt::format("{}:line 1: two columns are named {}", source, in_quotes(names.back())));
  }
  refuse_data_as_names(names, source);
  if (names.size() == 1 && names[0].find_first_of(";\t") != std::string::npos)
    throw InvalidInput(
        fmt::format("{}:line 1: holds the single column {}; columns are separated by commas",
                    source, in_quotes(names[0])));
  return names;
}

ColumnPlan plan_columns(const std::vector<std::string>& header, const std::string& source,
                        const Targets& targets, const Schema& like) {
  ColumnPlan plan;
  plan_targets(plan, header, source, targets, like);
  if (!like.features.empty()) {
    plan.schema.features = like.features;
    for (const auto& name : like.features)
      plan.features.push_back(require_column(header, name, source, "feature"));
    return plan;
  }
  for (std::size_t k = 0; k < header.size(); ++k) {
    if (std::count(plan.targets.begin(), plan.targets.end(), k) > 0) continue;
    plan.features.push_back(k);
    plan.schema.features.push_back(header[k]);
  }
  if (plan.features.empty())
    throw InvalidInput(source + ": has no feature column besides the targets");
  return plan;
}

}  // namespace relulift::io
