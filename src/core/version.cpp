// SPDX-License-Identifier: Apache-2.0
#include "src/core/version.hpp"

#include <relulift/system.hpp>

namespace relulift {

std::string version() { return kVersion; }

}  // namespace relulift
