// SPDX-License-Identifier: Apache-2.0
// The text format of LIBSVM and SVMlight, one sample per line: label index:value index:value ...
// Indices count from 1 and ascend, what is not listed is zero, '#' begins a comment.
#pragma once

#include <relulift/problem.hpp>
#include <string>
#include <string_view>

namespace relulift::io {

// Told by the first line that holds more than one number: its second word is a pair.
bool is_svm(std::string_view text);

class SvmReader {
 public:
  // `source` names the file in errors.
  SvmReader(std::string_view text, std::string source);

  // Goes to the next sample; false at the end. Lines that are blank or a comment are skipped.
  bool next();
  // Its first word.
  std::string_view label() const { return label_; }
  // Its next pair; false at the end of the line. Throws InvalidInput for what is no pair, and for
  // an index that does not ascend. The value is not looked at.
  bool pair(Index& index, std::string_view& value);

  // "FILE:line N".
  std::string place() const;

 private:
  std::string source_;
  std::string_view rest_;  // of the text
  std::string_view line_;  // what is left of the line
  std::string_view label_;
  Index number_ = 0;  // of the line, from 1
  Index last_ = 0;    // index on this line
};

}  // namespace relulift::io
