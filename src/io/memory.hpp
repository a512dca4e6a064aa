// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <relulift/problem.hpp>
#include <string>

namespace relulift::io {

// An entry of /proc/meminfo such as "MemTotal" in bytes; -1 where there is none.
Index memory_entry_bytes(const std::string& name);

}  // namespace relulift::io
