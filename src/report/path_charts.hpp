// SPDX-License-Identifier: Apache-2.0
// A drawing over the weight decays of a path: lines with a dot per point, and a band around one.
#pragma once

#include <string>
#include <vector>

#include "src/report/html.hpp"

namespace relulift {

struct PathLine {
  const char* css;                  // of the line and of its key
  const char* name;                 // of the legend
  std::vector<double> values;       // NaN and infinities leave a gap
  std::vector<double> errors = {};  // half the height of a band; empty: none
};

struct PathChart {
  std::string id, title, description;
  std::vector<double> weight_decays;
  std::vector<PathLine> lines;
  double unit = 1.0;  // of values on the axis
  const char* suffix = "";
  // Marked by lines from top to bottom; NaN: none.
  double best = 0.0, one_standard_error = 0.0;
};

// A figure with its caption; empty where no line has a value.
std::string path_chart(const PathChart& chart);

// What the style sheet of a report lacks.
std::string path_chart_style();

}  // namespace relulift
