// SPDX-License-Identifier: Apache-2.0
#include "src/io/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <relulift/error.hpp>
#include <type_traits>

#include "src/io/file.hpp"

namespace relulift::io {
namespace {

// Entries are copied byte by byte as the host holds them.
static_assert(std::endian::native == std::endian::little);

struct Boolean {
  std::uint8_t byte;
};

// call(T{}) with the type of the elements.
template <class Call>
auto with_type(Element element, Call&& call) {
  switch (element) {
    case Element::boolean:
      return call(Boolean{});
    case Element::u8:
      return call(std::uint8_t{});
    case Element::i8:
      return call(std::int8_t{});
    case Element::u16:
      return call(std::uint16_t{});
    case Element::i16:
      return call(std::int16_t{});
    case Element::u32:
      return call(std::uint32_t{});
    case Element::i32:
      return call(std::int32_t{});
    case Element::u64:
      return call(std::uint64_t{});
    case Element::i64:
      return call(std::int64_t{});
    case Element::f32:
      return call(float{});
    case Element::f64:
      break;
  }
  return call(double{});
}

template <class T, class Out>
Out load(const char* from, bool big_endian) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), from, sizeof(T));
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  const T value = std::bit_cast<T>(bytes);
  if constexpr (std::is_same_v<T, Boolean>)
    return value.byte != 0 ? Out{1} : Out{0};
  else
    return static_cast<Out>(value);
}

template <class T>
void copy_numbers(const Array& array, std::vector<double>& out) {
  const auto rows = static_cast<std::size_t>(array.rows), cols = out.size() / rows;
  const char* const bytes = array.bytes.data();
  const bool swap = array.big_endian;
  if (array.fortran_order) {
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = load<T, double>(bytes + k * sizeof(T), swap);
    return;
  }
  constexpr std::size_t kBlock = 64;  // rows at a time: their bytes stay in the cache
  for (std::size_t first = 0; first < rows; first += kBlock) {
    const std::size_t last = std::min(first + kBlock, rows);
    for (std::size_t j = 0; j < cols; ++j)
      for (std::size_t i = first; i < last; ++i)
        out[i + j * rows] = load<T, double>(bytes + (i * cols + j) * sizeof(T), swap);
  }
}

std::string shape_words(const std::vector<Index>& shape) {
  return fmt::format("{}{}", fmt::join(shape, " x "), shape.size() == 1 ? " x 1" : "");
}

}  // namespace

Index element_bytes(Element element) {
  return with_type(element, [](auto value) { return static_cast<Index>(sizeof(value)); });
}

Array make_array(Element element, const std::vector<Index>& shape, std::string_view bytes,
                 const std::string& source) {
  if (shape.empty()) throw InvalidInput(source + ": is a single number, not a table");
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    throw InvalidInput(fmt::format("{}: is an empty array of {}", source, shape_words(shape)));
  // By division: the product of hostile sizes overflows.
  const Index width = element_bytes(element);
  Index count = static_cast<Index>(bytes.size()) / width;
  bool fits = static_cast<Index>(bytes.size()) % width == 0;
  const Index entries = count;
  for (const Index size : shape) {
    fits = fits && count % size == 0;
    count /= size;
  }
  if (!fits || count != 1)
    throw InvalidInput(fmt::format("{}: {} entries of {} bytes are announced, {} bytes follow",
                                   source, shape_words(shape), width, bytes.size()));
  return {.element = element, .rows = shape[0], .cols = entries / shape[0], .bytes = bytes};
}

std::vector<double> numbers_of(const Array& array, const std::string& source) {
  const double count = static_cast<double>(array.rows) * static_cast<double>(array.cols);
  check_fits_memory(source, fmt::format("its array of {} x {} numbers", array.rows, array.cols),
                    8.0 * count);
  std::vector<double> out(static_cast<std::size_t>(array.rows * array.cols));
  with_type(array.element, [&](auto value) { copy_numbers<decltype(value)>(array, out); });
  if (array.integers()) return out;
  for (std::size_t k = 0; k < out.size(); ++k)
    if (!std::isfinite(out[k]))
      throw InvalidInput(fmt::format("{}: the entry in row {}, column {} (from 0) is not finite",
                                     source, static_cast<Index>(k) % array.rows,
                                     static_cast<Index>(k) / array.rows));
  return out;
}

std::vector<std::int64_t> integers_of(const Array& array, const std::string& source) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(array.rows));
  with_type(array.element, [&](auto type) {
    using T = decltype(type);
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = load<T, std::int64_t>(array.bytes.data() + k * sizeof(T), array.big_endian);
  });
  if (array.element == Element::u64 && *std::min_element(out.begin(), out.end()) < 0)
    throw InvalidInput(source + ": holds labels above 2^63, which are not read");
  return out;
}

}  // namespace relulift::io
