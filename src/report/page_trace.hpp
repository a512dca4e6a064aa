// SPDX-License-Identifier: Apache-2.0
// The inverse of trace_csv, for this version's files and older ones.
#pragma once

#include <relulift/io.hpp>
#include <relulift/options.hpp>
#include <vector>

namespace relulift {

// Phase, objective, bounds and seconds of every check. Columns are found by name, in any order; a
// trace without program_bound has none. Throws InvalidInput with file, line and column.
std::vector<Progress> read_trace(const Path& path);

}  // namespace relulift
