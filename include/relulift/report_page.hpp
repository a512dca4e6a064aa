// SPDX-License-Identifier: Apache-2.0
// A finished run as one HTML page that needs nothing else: style and drawings stand in it, no
// script, nothing is fetched.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <vector>

namespace relulift {

// Tables are empty for those that result.json names, which are left out where they cannot be read.
struct PageRequest {
  Path directory;  // with result.json, trace.csv and model.safetensors
  Path data = {};  // the table that was trained on
  Path targets = {};
  Path test = {};
  Path test_targets = {};
};

struct Page {
  std::string html;
  std::vector<std::string> missing;  // sentences: why a table of the run is left out
  std::vector<std::string> files;    // tables and models that result.json names
};

// Throws FileError for a file that cannot be read, InvalidInput "FILE: field 'name' ..." for what
// does not hold what relulift writes, for files that contradict each other, and for a table of the
// request that does not fit the model.
Page report_page(const PageRequest& request);

}  // namespace relulift
