// SPDX-License-Identifier: Apache-2.0
// relulift verify: a certificate checked again from nothing but the files.
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <relulift/certificate.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

struct VerifyArguments {
  std::string certificate, data, model;
};

// Numbers so that they read back as the same doubles.
std::string words(const Verdict& verdict) {
  std::string text = fmt::format(
      "No two-layer ReLU network of any width has an objective below {}; proved by {}.\n"
      "The problem: {} samples, {} features{}{}, {} output{} of {}, weight decay {}.\n",
      verdict.lower_bound, verdict.kind, verdict.samples, verdict.features,
      verdict.bias ? " and a bias" : "",
      verdict.standardized ? ", standardized by the certificate's constants" : "", verdict.outputs,
      verdict.outputs == 1 ? "" : "s", fmt::join(verdict.targets, ", "), verdict.weight_decay);
  if (verdict.model_checked)
    text += fmt::format(
        "The model's objective is {}; the best possible one is at most {:.3g} % "
        "below it.\n",
        verdict.objective, 100.0 * verdict.relative_gap);
  else
    text += "Without the model its objective and the gap were not checked.\n";
  return text;
}

int verify_files(const VerifyArguments& arguments) {
  const Verdict verdict =
      verify_certificate(arguments.certificate, arguments.data, arguments.model);
  if (verdict.valid) {
    std::cout << "VALID\n" << words(verdict);
    return kWritten;
  }
  std::cout << "INVALID: " << verdict.reason << '\n';
  if (std::isfinite(verdict.proved) && std::isfinite(verdict.lower_bound))
    std::cout << fmt::format("Claimed is the lower bound {}, proved is {}.\n", verdict.lower_bound,
                             verdict.proved);
  return kInvalid;
}

}  // namespace

void add_verify(CLI::App& app, int& code) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand(
      "verify", "Check a certificate again, from nothing but the files and without the solvers");
  command->add_option("CERTIFICATE", arguments->certificate, "certificate.safetensors")->required();
  command->add_option("DATA", arguments->data, "the CSV table it is about")->required();
  command->add_option("MODEL", arguments->model,
                      "model.safetensors: its objective and the gap are checked too");
  command->footer(
      "Prints VALID and exits with 0, or INVALID and the reason and exits with 6; 2 where a file "
      "cannot be read.\nExample:\n  relulift verify out/iris/certificate.safetensors "
      "data/iris_train.csv out/iris/model.safetensors");
  command->callback([arguments, &code] { code = verify_files(*arguments); });
}

}  // namespace relulift::tools
