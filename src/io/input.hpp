// SPDX-License-Identifier: Apache-2.0
// Files of data as they are read: whole, and out of gzip where they are compressed.
#pragma once

#include <relulift/io.hpp>
#include <string>
#include <string_view>

namespace relulift::io {

bool is_gzip(std::string_view bytes);

// What a gzip file holds, all of its members. Runs through it once to learn the size, which no
// header states reliably, and once more into an array of that size. Throws InvalidInput for what is
// damaged and for more than `limit` bytes.
std::string gunzip(std::string_view bytes, const std::string& source, double limit);

// The content of a file, decompressed. Throws what read_file throws.
std::string read_input(const Path& path);

}  // namespace relulift::io
