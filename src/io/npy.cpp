// SPDX-License-Identifier: Apache-2.0
#include "src/io/npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <relulift/error.hpp>

#include "src/io/file.hpp"
#include "src/io/table.hpp"
#include "src/io/text.hpp"

namespace relulift::io {
namespace {

// Entries are copied byte by byte as the host holds them.
static_assert(std::endian::native == std::endian::little);

struct Header {
  std::string descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<Index>> shape;
};

// The subset of Python literals that NPY headers use.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& source) : rest_(text), source_(source) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr")
        header.descr = descr();
      else if (key == "fortran_order")
        header.fortran_order = boolean();
      else if (key == "shape")
        header.shape = shape();
      else
        fail();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || header.descr.empty() || !header.fortran_order || !header.shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw InvalidInput(source_ + ": the NPY header cannot be understood");
  }
  void skip_blanks() {
    while (!rest_.empty() && std::strchr(" \t\n", rest_.front()) != nullptr && rest_.front() != 0)
      rest_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  std::string string() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) fail();
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail();
    std::string out(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::string descr() {
    skip_blanks();
    if (!rest_.empty() && rest_.front() == '[')
      throw InvalidInput(source_ + ": holds records, not a plain array of float32 or float64");
    return string();
  }
  bool boolean() {
    skip_blanks();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)})
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(std::strlen(word));
        return value;
      }
    fail();
  }
  std::vector<Index> shape() {
    std::vector<Index> sizes;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
      const auto size = parse_integer(rest_.substr(0, digits));
      if (!size) fail();
      sizes.push_back(*size);
      rest_.remove_prefix(digits);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view rest_;
  const std::string& source_;
};

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t k = count; k-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + k]);
  return value;
}

// Splits into the header's text and the entries.
std::pair<std::string_view, std::string_view> split(std::string_view bytes,
                                                    const std::string& source) {
  const auto cut_short = [&] { return InvalidInput(source + ": ends within the NPY header"); };
  if (bytes.size() < 10) throw cut_short();
  const auto version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    throw InvalidInput(fmt::format("{}: NPY version {} is unknown", source, version));
  const std::size_t width = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + width) throw cut_short();
  const std::size_t length = little_endian(bytes, 8, width);
  if (bytes.size() - 8 - width < length) throw cut_short();
  return {bytes.substr(8 + width, length), bytes.substr(8 + width + length)};
}

std::size_t entry_bytes(const std::string& descr, const std::string& source) {
  if (descr == "<f8") return 8;
  if (descr == "<f4") return 4;
  if (descr == ">f8" || descr == ">f4")
    throw InvalidInput(source + ": is big-endian; save it as '<f8' or '<f4'");
  throw InvalidInput(fmt::format("{}: holds entries of type {}; float32 and float64 are read",
                                 source, in_quotes(descr)));
}

template <class T>
void copy_entries(std::string_view bytes, bool fortran_order, NpyMatrix& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.rows);
  const auto cols = static_cast<std::size_t>(matrix.cols);
  for (std::size_t k = 0; k < rows * cols; ++k) {
    T value;
    std::memcpy(&value, bytes.data() + k * sizeof(T), sizeof(T));
    matrix.entries[fortran_order ? k : k / cols + k % cols * rows] = value;
  }
}

void check_finite(const NpyMatrix& matrix, const std::string& source) {
  for (std::size_t k = 0; k < matrix.entries.size(); ++k)
    if (!std::isfinite(matrix.entries[k]))
      throw InvalidInput(fmt::format("{}: the entry in row {}, column {} (from 0) is not finite",
                                     source, static_cast<Index>(k) % matrix.rows,
                                     static_cast<Index>(k) / matrix.rows));
}

std::vector<std::string> counted_names(char letter, Index count) {
  std::vector<std::string> names;
  for (Index k = 0; k < count; ++k) names.push_back(fmt::format("{}{}", letter, k));
  return names;
}

}  // namespace

NpyMatrix parse_npy(std::string_view bytes, const std::string& source) {
  if (!bytes.starts_with("\x93NUMPY")) throw InvalidInput(source + ": is not an NPY file");
  const auto [text, entries] = split(bytes, source);
  const Header header = HeaderParser(text, source).parse();
  const std::size_t width = entry_bytes(header.descr, source);
  const std::vector<Index>& shape = *header.shape;
  if (shape.empty() || shape.size() > 2)
    throw InvalidInput(fmt::format("{}: has {} dimensions, a table has two", source, shape.size()));
  NpyMatrix matrix{.rows = shape[0], .cols = shape.size() == 2 ? shape[1] : 1, .entries = {}};
  if (matrix.rows == 0 || matrix.cols == 0)
    throw InvalidInput(
        fmt::format("{}: is an empty array of {} x {}", source, matrix.rows, matrix.cols));
  // By division: the product of hostile sizes overflows.
  const std::size_t count = entries.size() / width;
  if (entries.size() % width != 0 || count % static_cast<std::size_t>(matrix.cols) != 0 ||
      count / static_cast<std::size_t>(matrix.cols) != static_cast<std::size_t>(matrix.rows))
    throw InvalidInput(fmt::format("{}: {} x {} entries of {} bytes are announced, {} bytes follow",
                                   source, matrix.rows, matrix.cols, width, entries.size()));
  check_fits_memory(source, fmt::format("its array of {} x {} numbers", matrix.rows, matrix.cols),
                    8.0 * static_cast<double>(count));
  matrix.entries.resize(count);
  if (width == 8)
    copy_entries<double>(entries, *header.fortran_order, matrix);
  else
    copy_entries<float>(entries, *header.fortran_order, matrix);
  check_finite(matrix, source);
  return matrix;
}

Dataset read_npy_dataset(std::string_view bytes, const std::string& source, const Targets& targets,
                         const Schema& like) {
  if (targets.kind() != TargetKind::none && targets.file.empty())
    throw InvalidInput(source +
                       ": an NPY table has no named columns; its targets come from a file");
  NpyMatrix x = parse_npy(bytes, source);
  Dataset data{.source = source, .schema = {}};
  data.samples = x.rows;
  data.features = x.cols;
  data.X = std::move(x.entries);
  if (!like.features.empty() && static_cast<Index>(like.features.size()) != data.features)
    throw InvalidInput(fmt::format("{}: has {} columns, {} features are needed", source,
                                   data.features, like.features.size()));
  data.schema.features = like.features.empty() ? counted_names('x', data.features) : like.features;
  if (targets.file.empty()) return data;

  const std::string target_source = targets.file.string();
  NpyMatrix y = parse_npy(read_file(targets.file), target_source);
  if (y.rows != data.samples)
    throw InvalidInput(
        fmt::format("{}: has {} rows, {} has {}", target_source, y.rows, source, data.samples));
  if (!like.outputs.empty() && static_cast<Index>(like.outputs.size()) != y.cols)
    throw InvalidInput(fmt::format("{}: has {} columns, {} outputs are needed", target_source,
                                   y.cols, like.outputs.size()));
  data.outputs = y.cols;
  data.Y = std::move(y.entries);
  data.schema.kind = TargetKind::values;
  data.schema.outputs = like.outputs.empty() ? counted_names('y', data.outputs) : like.outputs;
  return data;
}

}  // namespace relulift::io
