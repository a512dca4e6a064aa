// SPDX-License-Identifier: Apache-2.0
#include "src/report/page_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <relulift/error.hpp>
#include <string_view>

namespace relulift {
namespace {

constexpr std::array<const char*, 13> kPhases{"network", "low-rank", "interior", "dense", "cones",
                                              "split",   "rounding", "patterns", "relu",  "gated",
                                              "exact",   "linear",   "circular"};
constexpr std::size_t kAbsent = std::numeric_limits<std::size_t>::max();

using Fields = std::vector<std::string_view>;

// No field of trace.csv is quoted.
Fields split(std::string_view text, char separator) {
  Fields parts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

// Where the columns stand that a page shows.
struct Columns {
  std::size_t phase, objective, lower_bound, program_bound, seconds;

  Columns(const Fields& header, const std::string& source) {
    const auto place = [&](std::string_view name) {
      const auto at = std::ranges::find(header, name);
      return at == header.end() ? kAbsent : static_cast<std::size_t>(at - header.begin());
    };
    phase = place("phase");
    objective = place("objective");
    lower_bound = place("lower_bound");
    program_bound = place("program_bound");
    seconds = place("seconds");
    if (std::ranges::count(std::array{phase, objective, lower_bound, seconds}, kAbsent) > 0)
      throw InvalidInput(source + ":line 1: is not the header of a trace");
  }
};

// One line of a trace; `where` begins messages about it.
class Line {
 public:
  Line(const Fields& header, Fields fields, std::string where)
      : header_(header), fields_(std::move(fields)), where_(std::move(where)) {
    if (fields_.size() != header_.size())
      throw InvalidInput(
          fmt::format("{}: has {} fields, {} are needed", where_, fields_.size(), header_.size()));
  }

  [[noreturn]] void fail(std::size_t k) const {
    throw InvalidInput(fmt::format("{}, column '{}': cannot be understood", where_, header_[k]));
  }

  // NaN where the field is empty or absent.
  double number(std::size_t k) const {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (k == kAbsent || fields_[k].empty()) return value;
    const char *from = fields_[k].data(), *end = from + fields_[k].size();
    const auto [stop, error] = std::from_chars(from, end, value);
    if (stop != end || error != std::errc() || !std::isfinite(value)) fail(k);
    return value;
  }

  const char* phase(std::size_t k) const {
    const auto* const known = std::ranges::find(kPhases, fields_[k]);
    if (known == kPhases.end()) fail(k);
    return *known;
  }

 private:
  const Fields& header_;
  Fields fields_;
  std::string where_;
};

}  // namespace

std::vector<Progress> read_trace(const Path& path) {
  const std::string source = path.string(), content = read_text(path);
  Fields lines = split(content, '\n');
  if (lines.back().empty()) lines.pop_back();
  const Fields header = split(lines[0], ',');
  const Columns columns(header, source);
  std::vector<Progress> trace;
  for (std::size_t k = 1; k < lines.size(); ++k) {
    const Line line(header, split(lines[k], ','), fmt::format("{}:line {}", source, k + 1));
    Progress row;
    row.phase = line.phase(columns.phase);
    row.objective = line.number(columns.objective);
    row.lower_bound = line.number(columns.lower_bound);
    row.program_bound = line.number(columns.program_bound);
    row.seconds = line.number(columns.seconds);
    if (!(row.seconds >= 0.0)) line.fail(columns.seconds);
    trace.push_back(row);
  }
  return trace;
}

}  // namespace relulift
