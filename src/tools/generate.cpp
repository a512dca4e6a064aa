// SPDX-License-Identifier: Apache-2.0
// relulift generate: a table of any size from a seed, for experiments and benchmarks.
#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <map>
#include <memory>
#include <relulift/error.hpp>
#include <relulift/generate.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"
#include "src/tools/interrupt.hpp"

namespace relulift::tools {
namespace {

struct GenerateArguments {
  std::string recipe;
  Index samples = 0;
  Index features = 0;
  Index outputs = 0;
  double noise = Generation{}.noise;
  Index seed = 0;
  std::string out;
};

// CLI11 would take the largest integer for what is larger: another seed than the one asked for.
std::string check_whole(const std::string& text) {
  Index value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop == end && error == std::errc()) return "";
  return fmt::format("'{}' is no whole number of at most 64 bits", text);
}

std::string target_words(Index outputs) {
  std::string words;
  for (Index k = 0; k < outputs; ++k) {
    if (outputs > 4 && k == 2) {
      words += ",..";
      k = outputs - 1;
    }
    words += fmt::format("{}y{}", k == 0 ? "" : ",", k);
  }
  return words;
}

int generate_table(const GenerateArguments& arguments) {
  const std::map<std::string, Recipe> recipes{
      {"spiral", Recipe::spiral}, {"teacher", Recipe::teacher}, {"random", Recipe::random}};
  if (arguments.seed < 0)
    throw InvalidInput(fmt::format("--seed must be at least 0, not {}", arguments.seed));
  check_writable(arguments.out);
  const Generated made = generate({.recipe = recipes.at(arguments.recipe),
                                   .samples = arguments.samples,
                                   .features = arguments.features,
                                   .outputs = arguments.outputs,
                                   .noise = arguments.noise,
                                   .seed = static_cast<std::uint64_t>(arguments.seed)});
  catch_interrupts();  // from here on there is a temporary file
  if (!write_table(arguments.out, made.problem, [] { return !interrupted(); })) {
    std::cerr << "relulift: interrupted; nothing was written\n";
    return kInterrupted;
  }
  std::cout << fmt::format("Wrote {}: {} samples, {} features, targets {}.\n", arguments.out,
                           arguments.samples, arguments.features, target_words(arguments.outputs));
  return kWritten;
}

}  // namespace

void add_generate(CLI::App& app, int& code) {
  auto arguments = std::make_shared<GenerateArguments>();
  CLI::App* command =
      app.add_subcommand("generate", "Write a table of any size that a seed determines");
  command
      ->add_option("RECIPE", arguments->recipe,
                   "spiral: one arm per output, one-hot targets; teacher: Gaussian features, "
                   "outputs of 10 planted neurons; random: of 100")
      ->required()
      ->check(CLI::IsMember({"spiral", "teacher", "random"}));
  const auto whole = [&](const std::string& name, Index& value, const std::string& words,
                         const std::string& type) {
    command->add_option(name, value, words)->type_name(type)->required()->check(check_whole);
  };
  whole("--samples", arguments->samples, "rows", "N");
  whole("--features", arguments->features, "columns x0, x1, ..; 2 for spiral", "D");
  whole("--outputs", arguments->outputs, "columns y0, y1, ..; 2 to 11 for spiral", "C");
  command
      ->add_option("--noise", arguments->noise,
                   "standard deviation added to the targets, for spiral to the angles")
      ->type_name("E")
      ->capture_default_str();
  whole("--seed", arguments->seed, "at least 0; the same seed gives the same bytes", "S");
  command->add_option("--out", arguments->out, "the table, replaced where it exists")
      ->type_name("FILE.csv")
      ->required();
  command->footer(
      "Example:\n  relulift generate teacher --samples 1000 --features 20 --outputs 5 --seed 1 "
      "--out teacher.csv");
  command->callback([arguments, &code] { code = generate_table(*arguments); });
}

}  // namespace relulift::tools
