// SPDX-License-Identifier: Apache-2.0
#include "src/io/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <relulift/error.hpp>
#include <utility>

#include "src/io/text.hpp"

namespace relulift::io {
namespace {

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
      throw InvalidInput(source_ + ": holds records, not a plain array of numbers");
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

// Of a descriptor such as '<f4': byte order, kind, bytes.
Element element_of(const std::string& descr, const std::string& source) {
  constexpr std::pair<std::string_view, Element> kTypes[] = {
      {"b1", Element::boolean}, {"u1", Element::u8},  {"i1", Element::i8},  {"u2", Element::u16},
      {"i2", Element::i16},     {"u4", Element::u32}, {"i4", Element::i32}, {"u8", Element::u64},
      {"i8", Element::i64},     {"f4", Element::f32}, {"f8", Element::f64}};
  const std::string_view type = std::string_view(descr).substr(1);
  for (const auto& [name, element] : kTypes) {
    const bool order = descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && name[1] == '1');
    if (order && type == name) return element;
  }
  throw InvalidInput(
      fmt::format("{}: holds entries of type {}; booleans, integers, float32 and float64 are read",
                  source, in_quotes(descr)));
}

}  // namespace

Array npy_array(std::string_view bytes, const std::string& source) {
  if (!is_npy(bytes)) throw InvalidInput(source + ": is not an NPY file");
  const auto [text, entries] = split(bytes, source);
  const Header header = HeaderParser(text, source).parse();
  Array array = make_array(element_of(header.descr, source), *header.shape, entries, source);
  array.big_endian = header.descr[0] == '>';
  array.fortran_order = *header.fortran_order;
  if (array.fortran_order && header.shape->size() > 2)
    throw InvalidInput(fmt::format("{}: has {} dimensions in Fortran order; save it in C order",
                                   source, header.shape->size()));
  return array;
}

bool is_npy(std::string_view bytes) { return bytes.starts_with("\x93NUMPY"); }

}  // namespace relulift::io
