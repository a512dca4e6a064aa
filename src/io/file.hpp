// SPDX-License-Identifier: Apache-2.0
// Whole files in and out of memory, with errors that name the path.
#pragma once

#include <relulift/io.hpp>
#include <string>

namespace relulift::io {

// Throws FileError for what is no readable regular file, InvalidInput for what is empty or larger
// than the free memory.
std::string read_file(const Path& path);

// Throws InvalidInput "SOURCE: WHAT needs B bytes, M are free" before an allocation that cannot
// work.
void check_fits_memory(const std::string& source, const std::string& what, double bytes);

// The system's sentence for errno.
std::string system_message(int error);

}  // namespace relulift::io
