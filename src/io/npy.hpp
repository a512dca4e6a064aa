// SPDX-License-Identifier: Apache-2.0
// The NPY format, versions 1 to 3 (numpy.lib.format): magic, version, header length, a Python
// dictionary with descr, fortran_order and shape, then the entries.
#pragma once

#include <relulift/problem.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relulift::io {

struct NpyMatrix {
  Index rows = 0;
  Index cols = 0;               // a vector is one column
  std::vector<double> entries;  // column-major
};

// float32 and float64, little-endian, C and Fortran order, one or two dimensions, finite entries.
// Throws InvalidInput naming `source` for everything else.
NpyMatrix parse_npy(std::string_view bytes, const std::string& source);

}  // namespace relulift::io
