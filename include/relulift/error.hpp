// SPDX-License-Identifier: Apache-2.0
// Exceptions of the library. Limits, interruption and numerical breakdown are no exceptions but a
// Status in the Result; see result.hpp.
#pragma once

#include <stdexcept>
#include <string>

namespace relulift {

// Base of everything the library throws on purpose.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A field, size or file content is unusable. The message names the field, or file, line and column.
struct InvalidInput : Error {
  using Error::Error;
};

// A file cannot be opened, read or written. The message names the path.
struct FileError : Error {
  using Error::Error;
};

// CUDA was asked for and is not compiled in, or there is no device.
struct DeviceUnavailable : Error {
  using Error::Error;
};

// A CUDA or library call failed; the message carries file:line and the library's text.
struct DeviceError : Error {
  using Error::Error;
};

}  // namespace relulift
