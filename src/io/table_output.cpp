// SPDX-License-Identifier: Apache-2.0
// A problem as a CSV table, written row by row: the text is several times as large as the numbers.
#include <charconv>
#include <relulift/io.hpp>

#include "src/io/file.hpp"

namespace relulift {
namespace {

constexpr std::size_t kChunk = 1 << 20;

template <class Value>
void append_number(std::string& text, Value value) {
  char digits[32];  // the longest double takes 24
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

bool write_table(const Path& path, const Problem& problem, const std::function<bool()>& go_on) {
  validate(problem);
  io::NewFile file(path);
  std::string text;
  const auto flush = [&](std::size_t least) {
    if (text.size() < least) return true;
    if (go_on && !go_on()) return false;
    file.append(text);
    text.clear();
    return true;
  };
  const auto name = [&](char letter, Index number) {
    text += letter;
    append_number(text, number);
  };
  // Calls field(letter, column, array) for each cell of a line.
  const auto line = [&](const auto& field) {
    const Index columns = problem.features + problem.outputs;
    for (Index j = 0; j < columns; ++j) {
      if (j < problem.features)
        field('x', j, problem.X);
      else
        field('y', j - problem.features, problem.Y);
      text += j + 1 < columns ? ',' : '\n';
      if (!flush(kChunk)) return false;
    }
    return true;
  };
  if (!line([&](char letter, Index j, const auto&) { name(letter, j); })) return false;
  for (Index i = 0; i < problem.samples; ++i)
    if (!line([&](char, Index j, const std::vector<double>& entries) {
          append_number(text, entries[static_cast<std::size_t>(i + j * problem.samples)]);
        }))
      return false;
  if (!flush(0)) return false;
  file.commit();
  return true;
}

}  // namespace relulift
