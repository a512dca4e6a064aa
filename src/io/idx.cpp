// SPDX-License-Identifier: Apache-2.0
#include "src/io/idx.hpp"

#include <fmt/format.h>

#include <optional>
#include <relulift/error.hpp>

namespace relulift::io {
namespace {

std::optional<Element> element_of(unsigned char code) {
  switch (code) {
    case 0x08:
      return Element::u8;
    case 0x09:
      return Element::i8;
    case 0x0B:
      return Element::i16;
    case 0x0C:
      return Element::i32;
    case 0x0D:
      return Element::f32;
    case 0x0E:
      return Element::f64;
    default:
      return std::nullopt;
  }
}

Index size_at(std::string_view bytes, std::size_t at) {
  Index value = 0;
  for (std::size_t k = 0; k < 4; ++k)
    value = value << 8 | static_cast<unsigned char>(bytes[at + k]);
  return value;
}

}  // namespace

bool is_idx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] != 0 &&
         static_cast<unsigned char>(bytes[2]) < 0x20;
}

Array idx_array(std::string_view bytes, const std::string& source) {
  const auto type = static_cast<unsigned char>(bytes[2]);
  const auto element = element_of(type);
  if (!element)
    throw InvalidInput(
        fmt::format("{}: is an IDX file with the unknown element type 0x{:02X}", source, type));
  const std::size_t dimensions = static_cast<unsigned char>(bytes[3]);
  const std::size_t header = 4 + 4 * dimensions;
  if (bytes.size() < header) throw InvalidInput(source + ": ends within the IDX header");
  std::vector<Index> shape;
  for (std::size_t k = 0; k < dimensions; ++k) shape.push_back(size_at(bytes, 4 + 4 * k));
  Array array = make_array(*element, shape, bytes.substr(header), source);
  array.big_endian = true;
  return array;
}

}  // namespace relulift::io
