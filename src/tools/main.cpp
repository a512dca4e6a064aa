// SPDX-License-Identifier: Apache-2.0
// The program relulift. Results go to standard output, progress and errors to standard error.
#include <iostream>
#include <new>
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

int fail(int code, const std::string& message) {
  std::cerr << "relulift: " << message << '\n';
  return code;
}

// Help and version are no errors; of everything else the library prints one line.
int usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  std::string message = error.what();
  if (const auto words = app.remaining(); !words.empty() && app.get_subcommands().empty())
    message = "there is no subcommand '" + words[0] + "'";
  for (char& c : message)
    if (c == '\n') c = ' ';
  return fail(kInput, message + " (see --help)");
}

int run(int argc, char** argv) {
  const auto start = Clock::now();
  int code = kUnexpected;
  CLI::App app("Two-layer ReLU networks by convex optimization, with a proof of how good they are.",
               "relulift");
  app.set_version_flag("--version", "relulift " + version());
  app.require_subcommand(1);
  add_train(app, start, code);
  add_path(app, start, code);
  add_predict(app, code);
  add_certify(app, start, code);
  add_verify(app, code);
  add_generate(app, code);
  add_report(app, code);
  add_info(app, code);
  app.footer("Every subcommand has its own --help with an example.");
  try {
    app.parse(argc, argv);
    return code;
  } catch (const CLI::ParseError& error) {
    return usage(app, error);
  } catch (const InvalidInput& error) {
    return fail(kInput, error.what());
  } catch (const FileError& error) {
    return fail(kInput, error.what());
  } catch (const DeviceUnavailable& error) {
    return fail(kDevice, error.what());
  } catch (const DeviceError& error) {
    return fail(kDevice, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kUnexpected, "not enough memory");
  } catch (const std::exception& error) {
    return fail(kUnexpected, std::string("unexpected: ") + error.what());
  }
}

}  // namespace
}  // namespace relulift::tools

int main(int argc, char** argv) { return relulift::tools::run(argc, argv); }
