// SPDX-License-Identifier: Apache-2.0
// CSV tables in two passes over the text: the first counts the rows, so that the arrays are
// allocated once and to size; the second parses every cell where it will stand.
#include <fmt/format.h>

#include <algorithm>
#include <relulift/error.hpp>

#include "src/io/csv.hpp"
#include "src/io/csv_header.hpp"
#include "src/io/file.hpp"
#include "src/io/labels.hpp"
#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

void refuse_binary(std::string_view text, const std::string& source) {
  if (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF")
    throw InvalidInput(source + ": is UTF-16 text; save it as UTF-8");
  const std::size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return;
  const auto before = text.substr(0, nul);
  throw InvalidInput(fmt::format("{}:line {}: holds a NUL byte; this is not a CSV file", source,
                                 1 + std::count(before.begin(), before.end(), '\n')));
}

Index count_rows(CsvReader reader, std::size_t columns, const std::string& source) {
  Index rows = 0;
  for (; reader.next(); ++rows)
    if (reader.fields().size() != columns)
      throw InvalidInput(fmt::format("{}:line {}: has {} fields, the header has {}", source,
                                     reader.line(), reader.fields().size(), columns));
  if (rows == 0) throw InvalidInput(source + ": has a header and no data rows");
  return rows;
}

double read_number(const CsvReader& reader, std::size_t column, const std::string& name,
                   const std::string& source) {
  const std::string_view field = reader.fields()[column];
  if (const auto value = parse_number(field)) return *value;
  const std::string_view text = trim(field);
  const std::string where = place(source, reader.line(column), name);
  if (text.empty()) throw InvalidInput(where + ": is empty, a number is needed");
  throw InvalidInput(fmt::format("{}: {} is not a finite number", where, in_quotes(text)));
}

Index read_label(Labels& labels, const CsvReader& reader, std::size_t column,
                 const std::string& name, const std::string& source) {
  return labels.number(trim(reader.fields()[column]),
                       [&] { return place(source, reader.line(column), name); });
}

}  // namespace

std::string place(const std::string& source, Index line, std::string_view column) {
  return fmt::format("{}:line {}, column {}", source, line, in_quotes(column));
}

std::vector<std::string> sorted_classes(std::vector<std::string> names) {
  const bool integers =
      std::all_of(names.begin(), names.end(), [](const auto& name) { return parse_integer(name); });
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    if (!integers) return a < b;
    return std::pair(parse_integer(a), a) < std::pair(parse_integer(b), b);
  });
  return names;
}

void check_classes(const std::string& source, const std::string& column,
                   const std::vector<std::string>& classes) {
  if (classes.size() == 1)
    throw InvalidInput(
        fmt::format("{}: column {} holds the single label {}; two classes are needed", source,
                    in_quotes(column), in_quotes(classes[0])));
  const bool fractions =
      std::all_of(classes.begin(), classes.end(),
                  [](const auto& name) { return parse_number(name).has_value(); }) &&
      std::any_of(classes.begin(), classes.end(), [](const auto& name) {
        return *parse_number(name) != static_cast<double>(static_cast<std::int64_t>(
                                          std::clamp(*parse_number(name), -1e15, 1e15)));
      });
  if (fractions)
    throw InvalidInput(
        fmt::format("{}: column {} holds fractions such as {}, which are no labels; name it as a "
                    "numeric target",
                    source, in_quotes(column), in_quotes(classes[0])));
}

Dataset read_csv_dataset(std::string_view text, const std::string& source, const Targets& targets,
                         const Schema& like) {
  if (!targets.file.empty())
    throw InvalidInput(source +
                       ": is a CSV table; a file of targets goes with an NPY or IDX table");
  refuse_binary(text, source);
  CsvReader reader(text, source);
  const std::vector<std::string> header = read_header(reader, source);
  ColumnPlan plan = plan_columns(header, source, targets, like);

  Dataset data{.source = source, .schema = std::move(plan.schema)};
  data.samples = count_rows(reader, header.size(), source);
  data.features = static_cast<Index>(plan.features.size());
  const bool values = plan.kind == TargetKind::values;
  const std::size_t value_columns = values ? plan.targets.size() : 0;
  data.outputs = static_cast<Index>(value_columns);
  check_fits_memory(
      source,
      fmt::format("its table of {} x {} numbers", data.samples, data.features + data.outputs),
      8.0 * static_cast<double>(data.samples) * static_cast<double>(data.features + data.outputs));
  const auto rows = static_cast<std::size_t>(data.samples);
  data.X.resize(rows * plan.features.size());
  data.Y.resize(rows * value_columns);

  Labels labels(data.schema.outputs);
  std::vector<Index> number(plan.kind == TargetKind::labels ? rows : 0);
  for (std::size_t i = 0; reader.next(); ++i) {
    for (std::size_t j = 0; j < plan.features.size(); ++j)
      data.X[i + j * rows] =
          read_number(reader, plan.features[j], header[plan.features[j]], source);
    for (std::size_t j = 0; j < value_columns; ++j)
      data.Y[i + j * rows] = read_number(reader, plan.targets[j], header[plan.targets[j]], source);
    if (!number.empty())
      number[i] = read_label(labels, reader, plan.targets[0], header[plan.targets[0]], source);
  }
  if (plan.kind == TargetKind::labels) set_labels(data, data.schema.label_column, number, labels);
  return data;
}

}  // namespace relulift::io
