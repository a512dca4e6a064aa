// SPDX-License-Identifier: Apache-2.0
// Plain arrays of numbers as NPY, NPZ and IDX hold them: element type, byte order, shape and bytes.
#pragma once

#include <cstdint>
#include <relulift/problem.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

enum class Element { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

Index element_bytes(Element element);

// A view: the bytes belong to who read the file.
struct Array {
  Element element = Element::f64;
  bool big_endian = false;
  bool fortran_order = false;
  Index rows = 0;
  Index cols = 0;  // all dimensions but the first, flattened in C order; a vector has one
  std::string_view bytes = {};

  bool integers() const { return element != Element::f32 && element != Element::f64; }
};

// Rows, columns and bytes of an array of this shape. Throws InvalidInput unless it is a table, not
// empty, and exactly the bytes that the shape announces are there.
Array make_array(Element element, const std::vector<Index>& shape, std::string_view bytes,
                 const std::string& source);

// Rows x cols, column-major. Throws InvalidInput for what is not finite or needs more memory than
// there is.
std::vector<double> numbers_of(const Array& array, const std::string& source);

// The entries of an array of one column of integers.
std::vector<std::int64_t> integers_of(const Array& array, const std::string& source);

}  // namespace relulift::io
