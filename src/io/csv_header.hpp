// SPDX-License-Identifier: Apache-2.0
// The header row of a CSV table, and which of its columns are features and targets.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <vector>

#include "src/io/csv.hpp"

namespace relulift::io {

// Names of the columns, from the reader's first record. Throws on a missing, an empty or a
// duplicate name, and on a row of data where the names should stand.
std::vector<std::string> read_header(CsvReader& reader, const std::string& source);

struct ColumnPlan {
  std::vector<std::size_t> features;  // positions in the file, in the order of the features
  TargetKind kind = TargetKind::none;
  std::vector<std::size_t> targets;  // one label column, or the numeric targets
  Schema schema;                     // outputs are filled in by the reader when labels are new
};

// Which columns to read, by name. Throws naming what is missing.
ColumnPlan plan_columns(const std::vector<std::string>& header, const std::string& source,
                        const Targets& targets, const Schema& like);

}  // namespace relulift::io
