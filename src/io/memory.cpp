// SPDX-License-Identifier: Apache-2.0
// Free memory from /proc/meminfo, narrowed by the limit of the control group (version 2).
#include "src/io/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <relulift/system.hpp>
#include <string>

namespace relulift {
namespace io {

Index memory_entry_bytes(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  Index kilobytes = 0;
  while (file >> key >> kilobytes) {
    std::getline(file, unit);
    if (key == name + ":") return kilobytes * 1024;
  }
  return -1;
}

}  // namespace io

namespace {
// -1 when the file is absent or says "max".
Index group_value(const char* path) {
  std::ifstream file(path);
  Index value = -1;
  return file >> value ? value : -1;
}
}  // namespace

Index available_memory_bytes() {
  Index bytes = io::memory_entry_bytes("MemAvailable");
  if (bytes < 0) bytes = std::numeric_limits<Index>::max();  // no such system: do not refuse
  const Index limit = group_value("/sys/fs/cgroup/memory.max");
  const Index used = group_value("/sys/fs/cgroup/memory.current");
  if (limit >= 0 && used >= 0) bytes = std::min(bytes, std::max<Index>(limit - used, 0));
  return bytes;
}

}  // namespace relulift
