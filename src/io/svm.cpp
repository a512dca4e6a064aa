// SPDX-License-Identifier: Apache-2.0
#include "src/io/svm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <relulift/error.hpp>

#include "src/io/text.hpp"

namespace relulift::io {
namespace {

// Cuts the first line off `text`; without a comment and the carriage return at its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t length = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  line = line.substr(0, line.find('#'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Cuts the first word off `line`; empty at its end.
std::string_view take_word(std::string_view& line) {
  const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(start);
  const std::size_t length = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, length);
  line.remove_prefix(length);
  return word;
}

bool looks_like_pair(std::string_view word) {
  const std::size_t colon = word.find(':');
  return colon != std::string_view::npos && word.find(',') == std::string_view::npos &&
         (word.starts_with("qid:") || parse_integer(word.substr(0, colon)));
}

}  // namespace

bool is_svm(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view label = take_word(line), second = take_word(line);
    if (label.empty() || (second.empty() && parse_number(label))) continue;
    return looks_like_pair(second) || (looks_like_pair(label) && line.empty());
  }
  return false;
}

SvmReader::SvmReader(std::string_view text, std::string source)
    : source_(std::move(source)), rest_(text) {}

bool SvmReader::next() {
  do {
    if (rest_.empty()) return false;
    line_ = take_line(rest_);
    ++number_;
    label_ = take_word(line_);
  } while (label_.empty());
  last_ = 0;
  return true;
}

bool SvmReader::pair(Index& index, std::string_view& value) {
  const std::string_view word = take_word(line_);
  if (word.empty()) return false;
  const std::size_t colon = word.find(':');
  if (word.starts_with("qid:"))
    throw InvalidInput(fmt::format("{}: {} is a query of ranking data, which are not supported",
                                   place(), in_quotes(word)));
  const auto parsed =
      colon == std::string_view::npos ? std::nullopt : parse_integer(word.substr(0, colon));
  if (!parsed)
    throw InvalidInput(fmt::format("{}: {} is no pair index:value", place(), in_quotes(word)));
  index = *parsed;
  value = word.substr(colon + 1);
  if (index < 1)
    throw InvalidInput(
        fmt::format("{}: the index {} is not positive; indices count from 1", place(), index));
  if (index == last_)
    throw InvalidInput(fmt::format("{}: the index {} stands twice", place(), index));
  if (index < last_)
    throw InvalidInput(
        fmt::format("{}: the index {} follows {}; indices must ascend", place(), index, last_));
  last_ = index;
  return true;
}

std::string SvmReader::place() const { return fmt::format("{}:line {}", source_, number_); }

}  // namespace relulift::io
