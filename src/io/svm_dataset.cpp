// SPDX-License-Identifier: Apache-2.0
// LIBSVM tables in two passes over the text: the first finds the sizes, so that the arrays are
// allocated once; the second parses every value where it will stand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>
#include <unordered_map>

#include "src/io/file.hpp"
#include "src/io/labels.hpp"
#include "src/io/svm.hpp"
#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

struct Sizes {
  Index samples = 0;
  Index largest_index = 0;
};

Sizes measure(SvmReader reader, const std::string& source) {
  Sizes sizes;
  Index index = 0;
  std::string_view value;
  for (; reader.next(); ++sizes.samples)
    while (reader.pair(index, value)) sizes.largest_index = std::max(sizes.largest_index, index);
  if (sizes.samples == 0) throw InvalidInput(source + ": holds no sample");
  return sizes;
}

// Which column an index stands in.
class Columns {
 public:
  // Of training data: index k is column k - 1. Else by the names x1, x2, .. of `like`.
  Columns(const Schema& like, const std::string& source) {
    for (const std::string& name : like.features) {
      const auto index =
          name.starts_with('x') ? parse_integer(std::string_view(name).substr(1)) : std::nullopt;
      if (!index || *index < 1 || name != fmt::format("x{}", *index))
        throw InvalidInput(
            fmt::format("{}: has no feature column {} (those of LIBSVM data are x1, x2, ..)",
                        source, in_quotes(name)));
      position_.emplace(*index, static_cast<Index>(position_.size()));
    }
  }

  Index at(Index index, const SvmReader& reader) const {
    if (position_.empty()) return index - 1;
    if (const auto found = position_.find(index); found != position_.end()) return found->second;
    throw InvalidInput(
        fmt::format("{}: the index {} is beyond the {} features of the training data",
                    reader.place(), index, position_.size()));
  }

 private:
  std::unordered_map<Index, Index> position_;
};

double label_value(const SvmReader& reader) {
  if (const auto value = parse_number(reader.label())) return *value;
  throw InvalidInput(fmt::format("{}: the label {} is not a finite number", reader.place(),
                                 in_quotes(reader.label())));
}

// The same class however its number is written: 1, +1, 1.0.
std::string class_name(const SvmReader& reader) {
  const double value = label_value(reader);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::abs(value) <= kExact && value == std::floor(value))
    return fmt::to_string(static_cast<std::int64_t>(value));
  return std::string(reader.label());
}

double pair_value(const SvmReader& reader, Index index, std::string_view text) {
  if (const auto value = parse_number(text)) return *value;
  throw InvalidInput(fmt::format("{}, index {}: {} is not a finite number", reader.place(), index,
                                 in_quotes(text)));
}

}  // namespace

Dataset read_svm_dataset(std::string_view text, const std::string& source, const Targets& targets,
                         const Schema& like) {
  const TargetKind kind = kind_of_label_column(source, "LIBSVM data", targets, like);
  const Columns columns(like, source);
  const Sizes sizes = measure(SvmReader(text, source), source);
  const bool training = like.features.empty();
  Dataset data{.source = source, .schema = {}, .samples = sizes.samples};
  data.features = training ? sizes.largest_index : static_cast<Index>(like.features.size());
  if (data.features == 0) throw InvalidInput(source + ": lists no feature");
  const double name_bytes = training ? 2.0 * sizeof(std::string) : 0.0;
  check_fits_memory(
      source, fmt::format("its table of {} x {} numbers", data.samples, data.features),
      static_cast<double>(data.features) * (8.0 * static_cast<double>(data.samples) + name_bytes));
  data.schema.features = training ? counted_names("x", data.features, 1) : like.features;
  data.X.assign(static_cast<std::size_t>(data.samples * data.features), 0.0);

  Labels labels(known_classes(like));
  std::vector<Index> number;
  SvmReader reader(text, source);
  for (Index i = 0; reader.next(); ++i) {
    if (kind == TargetKind::labels)
      number.push_back(labels.number(class_name(reader), [&] { return reader.place(); }));
    if (kind == TargetKind::values) data.Y.push_back(label_value(reader));
    Index index = 0;
    std::string_view value;
    while (reader.pair(index, value))
      data.X[static_cast<std::size_t>(i + columns.at(index, reader) * data.samples)] =
          pair_value(reader, index, value);
  }
  if (kind == TargetKind::labels) set_labels(data, kLabelColumn, number, labels);
  if (kind == TargetKind::values) {
    data.outputs = 1;
    data.schema.kind = kind;
    data.schema.outputs = {kLabelColumn};
  }
  return data;
}

}  // namespace relulift::io
