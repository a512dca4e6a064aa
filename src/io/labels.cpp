// SPDX-License-Identifier: Apache-2.0
#include "src/io/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <relulift/error.hpp>

#include "src/io/file.hpp"
#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

// One-hot columns in the order of data.schema.outputs; `number` counts in the order of `names`.
void one_hot(Dataset& data, const std::vector<Index>& number,
             const std::vector<std::string>& names) {
  const auto& classes = data.schema.outputs;
  std::unordered_map<std::string, Index> rank;
  for (std::size_t k = 0; k < classes.size(); ++k) rank[classes[k]] = static_cast<Index>(k);
  data.outputs = static_cast<Index>(classes.size());
  check_fits_memory(data.source, fmt::format("one column for each of its {} classes", data.outputs),
                    8.0 * static_cast<double>(data.samples) * static_cast<double>(data.outputs));
  data.Y.assign(static_cast<std::size_t>(data.samples * data.outputs), 0.0);
  for (std::size_t i = 0; i < number.size(); ++i) {
    const Index k = rank.at(names[static_cast<std::size_t>(number[i])]);
    data.Y[i + static_cast<std::size_t>(k * data.samples)] = 1.0;
  }
}

}  // namespace

Labels::Labels(const std::vector<std::string>& known) : names_(known), closed_(!known.empty()) {
  for (std::size_t k = 0; k < names_.size(); ++k) number_[names_[k]] = static_cast<Index>(k);
}

Index Labels::add(const std::string& where) {
  if (key_.empty()) throw InvalidInput(where + ": the label is empty");
  if (!valid_utf8(key_)) throw InvalidInput(where + ": the label is not UTF-8 text");
  if (closed_)
    throw InvalidInput(fmt::format("{}: {} is not among the labels of the training data ({})",
                                   where, in_quotes(key_), list_names(names_)));
  names_.push_back(key_);
  return number_[key_] = static_cast<Index>(names_.size()) - 1;
}

void set_labels(Dataset& data, const std::string& column, const std::vector<Index>& number,
                const Labels& labels) {
  data.schema.kind = TargetKind::labels;
  data.schema.label_column = column;
  data.schema.outputs = labels.names();
  if (!labels.closed()) {
    data.schema.outputs = sorted_classes(labels.names());
    check_classes(data.source, column, data.schema.outputs);
  }
  one_hot(data, number, labels.names());
}

void set_integer_labels(Dataset& data, const std::string& column,
                        const std::vector<std::int64_t>& values, const std::string& source,
                        const Schema& like) {
  Labels labels(known_classes(like));
  std::vector<Index> number(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    number[i] = labels.number(fmt::to_string(values[i]),
                              [&] { return fmt::format("{}: row {} (from 0)", source, i); });
  set_labels(data, column, number, labels);
}

std::vector<std::string> known_classes(const Schema& like) {
  return like.kind == TargetKind::labels ? like.outputs : std::vector<std::string>{};
}

TargetKind kind_of_label_column(const std::string& source, const char* format,
                                const Targets& targets, const Schema& like) {
  if (!targets.file.empty())
    throw InvalidInput(fmt::format(
        "{}: is {}, which holds its labels; a file of targets goes with an NPY or IDX table",
        source, format));
  const bool asked = targets.kind() != TargetKind::none;
  const Targets wanted = asked ? targets : like.targets();
  std::vector<std::string> names = wanted.value_columns;
  if (!wanted.label_column.empty()) names = {wanted.label_column};
  if (names == std::vector<std::string>{kLabelColumn}) return wanted.kind();
  if (!asked) return TargetKind::none;
  const auto other = std::find_if(names.begin(), names.end(),
                                  [](const auto& name) { return name != kLabelColumn; });
  if (other == names.end())
    throw InvalidInput(fmt::format("{}: target column '{}' is asked for twice", source, names[0]));
  throw InvalidInput(fmt::format("{}: has no target column {} (of {} it is called '{}')", source,
                                 in_quotes(*other), format, kLabelColumn));
}

}  // namespace relulift::io
