// SPDX-License-Identifier: Apache-2.0
// relulift info: what this build is and what it finds here.
#include <fmt/format.h>

#include <iostream>
#include <relulift/system.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

std::string gigabytes(Index bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

int info() {
  const SystemInfo system = system_info();
  std::string text = fmt::format("relulift   {}\nbuild      {}\nCUDA       {}\n", system.version,
                                 system.build, system.cuda);
  text += fmt::format("devices    cpu: {} threads\n", system.threads);
  for (const std::string& device : system.cuda_devices)
    text += fmt::format("           cuda: {}\n", device);
  text += fmt::format("BLAS       {}\nmemory     {}, {} free\n", system.blas,
                      gigabytes(system.memory_bytes), gigabytes(system.available_memory_bytes));
  std::cout << text;
  return kWritten;
}

}  // namespace

void add_info(CLI::App& app, int& code) {
  CLI::App* command = app.add_subcommand("info", "Version, build options, devices, BLAS, memory");
  command->footer("Example:\n  relulift info");
  command->callback([&code] { code = info(); });
}

}  // namespace relulift::tools
