// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <relulift/result.hpp>

namespace relulift::tools {

enum ExitCode {
  kWritten = 0,  // what was asked for was written, whatever limit stopped the run
  kUnexpected = 1,
  kInput = 2,
  kDevice = 3,
  kInterrupted = 4,
  kNumerical = 5,
  kInvalid = 6,  // of verify
  kKilled = 130  // by a second Ctrl-C
};

inline int exit_code(Status status) {
  if (status == Status::interrupted) return kInterrupted;
  if (status == Status::numerical_failure) return kNumerical;
  return kWritten;
}

}  // namespace relulift::tools
