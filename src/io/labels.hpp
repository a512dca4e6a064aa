// SPDX-License-Identifier: Apache-2.0
// Class labels while a table is read: numbered as they appear, one-hot in sorted order at the end.
#pragma once

#include <cstdint>
#include <relulift/io.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relulift::io {

class Labels {
 public:
  // Empty `known`: every label is welcome.
  explicit Labels(const std::vector<std::string>& known);

  // The number of a label, which is trimmed. `where` is a function that says where it stands, for
  // errors.
  template <class Where>
  Index number(std::string_view label, const Where& where) {
    key_.assign(label);  // reuses its memory
    if (const auto at = number_.find(key_); at != number_.end()) return at->second;
    return add(where());
  }

  bool closed() const { return closed_; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  Index add(const std::string& where);

  std::vector<std::string> names_;
  bool closed_;
  std::unordered_map<std::string, Index> number_;
  std::string key_;
};

// Makes the labels of its rows the targets of `data`: schema and one-hot columns.
void set_labels(Dataset& data, const std::string& column, const std::vector<Index>& number,
                const Labels& labels);

// The same for whole numbers. `source` is where they were read.
void set_integer_labels(Dataset& data, const std::string& column,
                        const std::vector<std::int64_t>& values, const std::string& source,
                        const Schema& like);

// Class names of training data that a table must keep to; empty where there are none.
std::vector<std::string> known_classes(const Schema& like);

// The targets of a format in which every sample has one label, in a column called "label". Throws
// naming what was asked for and is not there.
TargetKind kind_of_label_column(const std::string& source, const char* format,
                                const Targets& targets, const Schema& like);
inline constexpr const char* kLabelColumn = "label";

}  // namespace relulift::io
