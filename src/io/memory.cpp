// SPDX-License-Identifier: Apache-2.0
// Free memory from /proc/meminfo, narrowed by the limits of the control group (version 2) and of
// the process (ulimit -v).
#include <sys/resource.h>

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
  rlimit address_space{};
  if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
    bytes = std::min(bytes, static_cast<Index>(std::min<rlim_t>(
                                address_space.rlim_cur, std::numeric_limits<Index>::max())));
  return bytes;
}

}  // namespace relulift
