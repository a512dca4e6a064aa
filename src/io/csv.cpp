// SPDX-License-Identifier: Apache-2.0
#include "src/io/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <relulift/error.hpp>

namespace relulift::io {

CsvReader::CsvReader(std::string_view text, std::string source)
    : source_(std::move(source)), rest_(text) {
  if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);
}

bool CsvReader::next() {
  const Index first_empty = line_;
  while (!rest_.empty() && at_line_end()) end_line();
  if (rest_.empty()) return false;
  if (line_ != first_empty)
    throw InvalidInput(fmt::format("{}:line {}: is empty", source_, first_empty));
  read_record();
  return true;
}

void CsvReader::read_record() {
  fields_.clear();
  lines_.clear();
  unescaped_.clear();
  while (true) {
    lines_.push_back(line_);
    fields_.push_back(!rest_.empty() && rest_.front() == '"' ? quoted_field() : plain_field());
    if (rest_.empty()) return;
    if (rest_.front() == ',') {
      rest_.remove_prefix(1);
      continue;
    }
    end_line();
    return;
  }
}

// A line ends in LF, CR LF, or a lone CR.
bool CsvReader::at_line_end() const { return rest_.front() == '\n' || rest_.front() == '\r'; }

void CsvReader::end_line() {
  rest_.remove_prefix(rest_.substr(0, 2) == "\r\n" ? 2 : 1);
  ++line_;
}

std::string_view CsvReader::plain_field() {
  std::size_t length = 0;
  while (length < rest_.size() && rest_[length] != ',' && rest_[length] != '\n' &&
         rest_[length] != '\r')
    ++length;
  const std::string_view field = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return field;
}

std::string_view CsvReader::quoted_field() {
  rest_.remove_prefix(1);
  const Index opened = line_;
  std::string joined;  // only where a doubled quote splits the field
  bool split = false;
  while (true) {
    const std::size_t quote = rest_.find('"');
    if (quote == std::string_view::npos)
      throw InvalidInput(
          fmt::format("{}:line {}: a quoted field is opened and never closed", source_, opened));
    const std::string_view part = rest_.substr(0, quote);
    line_ += std::count(part.begin(), part.end(), '\n');
    rest_.remove_prefix(quote + 1);
    if (!rest_.empty() && rest_.front() == '"') {
      joined.append(part).push_back('"');
      split = true;
      rest_.remove_prefix(1);
      continue;
    }
    if (!rest_.empty() && rest_.front() != ',' && !at_line_end())
      throw InvalidInput(
          fmt::format("{}:line {}: text follows the closing quote of a field", source_, line_));
    if (!split) return part;
    return unescaped_.emplace_back(joined.append(part));
  }
}

}  // namespace relulift::io
