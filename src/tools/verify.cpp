// SPDX-License-Identifier: Apache-2.0
// relulift verify: a certificate checked again from nothing but the files.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <relulift/certificate.hpp>
#include <string>
#include <vector>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

struct VerifyArguments {
  std::string certificate, data, model;
};

// Text of a file that nobody vouches for: a control character could end a line or hide one.
std::string printable(std::string text) {
  for (std::size_t k = 0; k < text.size(); ++k) {
    const auto byte = static_cast<unsigned char>(text[k]);
    const bool c1 =
        byte == 0xC2 && k + 1 < text.size() && static_cast<unsigned char>(text[k + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F) text[k] = '?';
    if (c1) text[k] = text[k + 1] = '?';
  }
  return text;
}

std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 40;
  const auto shown = std::min(names.size(), kShown);
  return printable(fmt::format("{}{}", fmt::join(names.begin(), names.begin() + shown, ", "),
                               shown < names.size() ? ", .." : ""));
}

// In three digits, not below the value.
std::string percent_above(double share) {
  const double percent = 100.0 * share;
  const std::string text = fmt::format("{:.3g}", percent);
  return std::stod(text) >= percent ? text : fmt::format("{:.3g}", 1.005 * percent);
}

// Numbers so that they read back as the same doubles.
std::string words(const Verdict& verdict) {
  std::string text = fmt::format(
      "No two-layer ReLU network of any width has an objective below {}; proved by {}.\n"
      "The problem: {} samples, {} feature{} ({}){}{}, {} output{} of {}, weight decay {}.\n",
      verdict.lower_bound, verdict.kind, verdict.samples, verdict.features.size(),
      verdict.features.size() == 1 ? "" : "s", list_of(verdict.features),
      verdict.bias ? " and a bias" : "",
      verdict.standardized ? ", standardized by the certificate's constants" : "", verdict.outputs,
      verdict.outputs == 1 ? "" : "s", list_of(verdict.targets), verdict.weight_decay);
  if (verdict.model_checked)
    text += fmt::format(
        "The model's objective is {}; the best possible one is at most {} % below it.\n",
        verdict.objective, percent_above(verdict.relative_gap));
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
  std::cout << "INVALID: " << printable(verdict.reason) << '\n';
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
