// SPDX-License-Identifier: Apache-2.0
// What a report page shows, read back from the files of a run and checked against each other.
#pragma once

#include <relulift/report.hpp>
#include <relulift/report_page.hpp>
#include <string>
#include <vector>

namespace relulift {

// A table of the run, if it can be read.
struct PageTable {
  std::string name = {};  // as the run or the request names it; empty: there was none
  Dataset data = {};
  std::vector<double> predictions = {};  // of the model; empty where the table is not there
  std::string why_not = {};              // sentence; empty where the table is there

  bool there() const { return !predictions.empty(); }
};

struct PageData {
  std::string version;
  Result result;  // without weights and multipliers
  RunFacts facts;
  Model model;
  Network network;  // on the prepared features
  PageTable train, test;
};

PageData read_page_data(const PageRequest& request);

// Names of the rows of network.U: the features, then the bias where there is one.
std::vector<std::string> input_names(const PageData& page);

}  // namespace relulift
