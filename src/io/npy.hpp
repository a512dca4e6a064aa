// SPDX-License-Identifier: Apache-2.0
// The NPY format, versions 1 to 3 (numpy.lib.format): magic, version, header length, a Python
// dictionary with descr, fortran_order and shape, then the entries.
#pragma once

#include <string>
#include <string_view>

#include "src/io/array.hpp"

namespace relulift::io {

// Told by the first bytes.
bool is_npy(std::string_view bytes);

// Booleans, integers, float32 and float64 in either byte order and in C order; in Fortran order
// with two dimensions at most. Throws InvalidInput naming `source` for everything else.
Array npy_array(std::string_view bytes, const std::string& source);

}  // namespace relulift::io
