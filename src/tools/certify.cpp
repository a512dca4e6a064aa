// SPDX-License-Identifier: Apache-2.0
// relulift certify: the lower bound for a network trained elsewhere.
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <relulift/certificate.hpp>
#include <relulift/error.hpp>
#include <relulift/solve.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"
#include "src/tools/interrupt.hpp"

namespace relulift::tools {
namespace {

struct CertifyArguments {
  std::string model;
  std::string data;
  std::string json;
  std::string out;
  std::optional<double> weight_decay;
  TargetArguments targets;
  SolveArguments solve;
};

double weight_decay_of(const CertifyArguments& arguments, const Model& model) {
  const double value = arguments.weight_decay.value_or(model.weight_decay);
  if (std::isnan(value) && !arguments.weight_decay)
    throw InvalidInput(arguments.model + ": states no weight decay; give --weight-decay");
  check_weight_decay(value);
  return value;
}

Dataset read_targets_too(const CertifyArguments& arguments, const Model& model) {
  Targets targets = arguments.targets.targets();
  if (targets.kind() == TargetKind::none) targets = model.schema.targets();
  if (targets.kind() == TargetKind::none)
    throw InvalidInput(arguments.model +
                       ": names no targets; give --target, --targets or --targets-file");
  Dataset data = read_dataset(arguments.data, targets, model.schema);
  check_fits(model, data, arguments.data);
  return data;
}

int certify_model(const CertifyArguments& arguments, Clock::time_point start) {
  catch_interrupts();
  arguments.solve.check();
  if (!arguments.json.empty()) {
    check_no_overwrite(arguments.json, {arguments.model, arguments.data, arguments.targets.file});
    check_writable(arguments.json);
  }
  if (!arguments.out.empty()) {
    check_replaceable(arguments.out);
    check_not_inside(arguments.out, {arguments.model, arguments.data, arguments.targets.file});
    try {
      check_not_inside(arguments.out, {arguments.json});
    } catch (const InvalidInput&) {
      throw InvalidInput(fmt::format("{}: lies in the output folder {}, which is replaced",
                                     arguments.json, arguments.out));
    }
  }
  const std::string model_bytes = read_text(arguments.model);
  const Model model = read_model(arguments.model);
  const double weight_decay = weight_decay_of(arguments, model);
  const Dataset data = read_targets_too(arguments, model);
  const Problem problem = make_problem(data, model.preparation, weight_decay);
  const Network network = prepared_network(model);

  ProgressReport progress(std::cerr, arguments.solve.style());
  Options options = arguments.solve.options(start, progress);
  options.keep_proof = !arguments.out.empty();
  const Result result = certify(problem, network, options);
  progress.finish();

  RunFacts facts{.command = Command::certify,
                 .samples = data.samples,
                 .features = data.features,
                 .outputs = data.outputs,
                 .weight_decay = weight_decay,
                 .standardized = model.preparation.standardized(),
                 .bias = model.preparation.bias,
                 .files = {.data = arguments.data,
                           .targets = arguments.targets.file,
                           .model = arguments.model},
                 .columns = data.schema,
                 .preparation = model.preparation};
  facts.train = score(data, predict(model, data.X, data.samples));
  facts.total_seconds = seconds_since(start);
  // The words first: they are all there is if the file cannot be written after all.
  if (!arguments.solve.quiet) std::cout << closing_words(result, facts) << std::flush;
  const std::string json = result_json(result, facts);
  if (!arguments.json.empty()) write_file(arguments.json, json);
  if (!arguments.out.empty()) {
    std::map<std::string, std::string> files{{"model.safetensors", model_bytes},
                                             {"result.json", json},
                                             {"trace.csv", trace_csv(result)}};
    add_certificate(files, certificate_bytes(result, problem, data.schema, model.preparation,
                                             arguments.data, files.at("model.safetensors")));
    replace_directory(arguments.out, files);
    if (!arguments.solve.quiet) std::cout << files_words(arguments.out, files);
  }
  return exit_code(result.status);
}

}  // namespace

void add_certify(CLI::App& app, Clock::time_point start, int& code) {
  auto arguments = std::make_shared<CertifyArguments>();
  CLI::App* command = app.add_subcommand(
      "certify",
      "Prove how far any two-layer ReLU network is from the best, wherever it was trained");
  command->add_option("MODEL", arguments->model, "safetensors: hidden.weight, output.weight")
      ->required();
  command->add_option("DATA", arguments->data, kTableWords)->required();
  arguments->targets.add_to(*command);
  command
      ->add_option("--weight-decay", arguments->weight_decay,
                   "g of the objective (default: what the model states)")
      ->type_name("G");
  command->add_option("--json", arguments->json, "write the result here too")->type_name("FILE");
  command
      ->add_option("--out", arguments->out,
                   "folder for the result, the trace, the certificate and a copy of the model")
      ->type_name("DIR");
  arguments->solve.add_to(*command);
  command->footer(
      "A hidden bias counts as a weight on a constant feature; an output bias is refused.\n"
      "Example:\n  relulift certify net.safetensors data/iris_train.csv --target species "
      "--weight-decay 0.1 --json bound.json");
  command->callback([arguments, start, &code] { code = certify_model(*arguments, start); });
}

}  // namespace relulift::tools
