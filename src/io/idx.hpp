// SPDX-License-Identifier: Apache-2.0
// The IDX format of MNIST: two zero bytes, a byte for the element type, a byte for the number of
// dimensions, their sizes as big-endian 32-bit numbers, then the entries, big-endian in C order.
#pragma once

#include <string>
#include <string_view>

#include "src/io/array.hpp"

namespace relulift::io {

// Told by the first bytes. Text begins differently: it holds no zero byte.
bool is_idx(std::string_view bytes);

// Throws InvalidInput naming `source` unless `bytes` is a whole IDX file.
Array idx_array(std::string_view bytes, const std::string& source);

}  // namespace relulift::io
