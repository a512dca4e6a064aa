// SPDX-License-Identifier: Apache-2.0
// What this build is and what it runs on.
#pragma once

#include <relulift/problem.hpp>
#include <string>
#include <vector>

namespace relulift {

std::string version();

struct SystemInfo {
  std::string version;
  std::string build;                      // compiler, build type
  std::string cuda;                       // toolkit and driver, or that it is not compiled in
  std::vector<std::string> cuda_devices;  // name, compute capability, memory
  std::string blas;                       // configuration and the kernel in use
  int threads = 1;                        // of OpenMP loops by default
  Index memory_bytes = 0;                 // of the machine
  Index available_memory_bytes = 0;       // see below
};

SystemInfo system_info();

// Free memory in bytes as the operating system and the control group of the process state it.
Index available_memory_bytes();

// BLAS threads belong to the process: a program calls this once at its start.
void set_blas_threads(int threads);

}  // namespace relulift
