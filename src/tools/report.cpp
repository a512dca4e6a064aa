// SPDX-License-Identifier: Apache-2.0
// relulift report: a finished run as one HTML page.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <relulift/error.hpp>
#include <relulift/report_page.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

struct ReportArguments {
  std::string directory;
  std::string out;
  std::string data;
  std::string targets_file;
  std::string test;
  std::string test_targets_file;
};

int write_report(const ReportArguments& arguments) {
  if (arguments.data.empty() && !arguments.targets_file.empty())
    throw InvalidInput("--targets-file goes with --data");
  if (arguments.test.empty() && !arguments.test_targets_file.empty())
    throw InvalidInput("--test-targets-file goes with --test");
  const Path folder = arguments.directory;
  const std::string out = arguments.out.empty() ? (folder / "report.html").string() : arguments.out;
  std::vector<std::string> inputs{arguments.data, arguments.targets_file, arguments.test,
                                  arguments.test_targets_file};
  for (const char* name :
       {"result.json", "trace.csv", "model.safetensors", "certificate.safetensors"})
    inputs.push_back((folder / name).string());
  check_no_overwrite(out, inputs);
  const Page page = report_page({.directory = folder,
                                 .data = arguments.data,
                                 .targets = arguments.targets_file,
                                 .test = arguments.test,
                                 .test_targets = arguments.test_targets_file});
  check_no_overwrite(out, page.files);
  write_file(out, page.html);
  std::cout << fmt::format("Wrote {}.\n", out);
  for (const std::string& sentence : page.missing)
    std::cout << "Without what takes the data: " << sentence << '\n';
  return kWritten;
}

}  // namespace

void add_report(CLI::App& app, int& code) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command =
      app.add_subcommand("report", "One HTML page about a run: gap, bounds, network, answers");
  command->add_option("DIR", arguments->directory, "what train or certify wrote by --out")
      ->required();
  command->add_option("--out", arguments->out, "the page (default: DIR/report.html)")
      ->type_name("FILE.html");
  const auto file = [&](const char* name, std::string& value, const char* words, const char* type) {
    command->add_option(name, value, words)->type_name(type);
  };
  file("--data", arguments->data, "the training table, if it moved since the run", "DATA");
  file("--targets-file", arguments->targets_file, "targets of an NPY or IDX table", "FILE");
  file("--test", arguments->test, "the test table, if it moved since the run", "TEST");
  file("--test-targets-file", arguments->test_targets_file, "targets of an NPY or IDX test",
       "FILE");
  command->footer(
      "The page needs nothing else: no script, nothing is fetched, it can be printed.\n"
      "Example:\n  relulift report out/iris --out iris.html");
  command->callback([arguments, &code] { code = write_report(*arguments); });
}

}  // namespace relulift::tools
