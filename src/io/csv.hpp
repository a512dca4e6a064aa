// SPDX-License-Identifier: Apache-2.0
// Comma-separated values after RFC 4180, one record at a time over a text in memory. Fields are
// views into the text, so a cell costs no allocation unless it holds a doubled quote.
#pragma once

#include <deque>
#include <relulift/problem.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

class CsvReader {
 public:
  // `source` names the file in errors. A UTF-8 byte order mark is skipped.
  CsvReader(std::string_view text, std::string source);

  // Reads the next record into fields(); false at the end. Empty lines are skipped at the end of
  // the text and are errors between records. Throws InvalidInput.
  bool next();

  const std::vector<std::string_view>& fields() const { return fields_; }
  // Physical line, from 1, on which field k of the record begins: quoted fields may span lines.
  Index line(std::size_t k = 0) const { return k < lines_.size() ? lines_[k] : line_; }

 private:
  void read_record();
  std::string_view quoted_field();
  std::string_view plain_field();
  bool at_line_end() const;
  void end_line();

  std::string source_;
  std::string_view rest_;
  Index line_ = 1;  // of the start of rest_
  std::vector<std::string_view> fields_;
  std::vector<Index> lines_;
  std::deque<std::string> unescaped_;  // of this record; a deque keeps the views valid
};

}  // namespace relulift::io
