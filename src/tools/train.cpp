// SPDX-License-Identifier: Apache-2.0
// relulift train: reads a table, solves, writes the model, the result and the trace.
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
#include "src/tools/program_arguments.hpp"
#include "src/tools/training.hpp"

namespace relulift::tools {
namespace {

// --checkpoint, --checkpoint-every, --resume.
struct CheckpointArguments {
  std::string file;
  std::optional<double> every_seconds;
  std::string resume;

  void add_to(CLI::App& command) {
    command
        .add_option("--checkpoint", file,
                    "file to go on from later, written while the command runs and at its end")
        ->type_name("FILE");
    command
        .add_option("--checkpoint-every", every_seconds,
                    "seconds between two checkpoints (default: 60)")
        ->type_name("S");
    command
        .add_option("--resume", resume,
                    "go on from this checkpoint of the same data; the time limit starts anew")
        ->type_name("FILE");
  }

  // Before anything long: throws for what would fail, or destroy something, in the end.
  void check(const std::string& out, const std::vector<std::string>& inputs) const {
    if (every_seconds && file.empty())
      throw InvalidInput("--checkpoint-every goes with --checkpoint");
    if (every_seconds && !(std::isfinite(*every_seconds) && *every_seconds > 0.0))
      throw InvalidInput(
          fmt::format("--checkpoint-every must be finite and positive, not {}", *every_seconds));
    check_not_inside(out, {resume});
    if (file.empty()) return;
    check_no_overwrite(file, inputs);
    check_apart(out);
    check_writable(file);
  }

  void apply(Options& options) const {
    options.checkpoint = file;
    options.checkpoint_every_seconds = every_seconds.value_or(options.checkpoint_every_seconds);
    options.resume = resume;
  }

 private:
  // `out` is replaced as a whole in the end.
  void check_apart(const std::string& out) const {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const auto canonical = [&](const fs::path& path) {
      const fs::path plain = fs::weakly_canonical(fs::absolute(path), ignored);
      return plain.has_filename() ? plain : plain.parent_path();
    };
    const fs::path folder = canonical(out), target = canonical(file);
    // A link in the folder would go as well as what a link from elsewhere leads to.
    if (target == folder || target.parent_path() == folder ||
        canonical(fs::absolute(file).parent_path()) == folder)
      throw InvalidInput(fmt::format(
          "{}: the checkpoint may not lie in the output folder {}, which is replaced", file, out));
  }
};

struct TrainArguments {
  std::string data;
  std::string test;
  std::string test_targets_file;
  std::string out;
  double weight_decay = 0.0;
  bool bias = false;
  bool standardize = false;
  TargetArguments targets;
  SolveArguments solve;
  CheckpointArguments checkpoint;
  ProgramArguments program;
};

int train(const TrainArguments& arguments, Clock::time_point start) {
  catch_interrupts();
  arguments.solve.check();
  arguments.program.check();
  check_weight_decay(arguments.weight_decay);
  const Targets targets = arguments.targets.targets();
  if (targets.kind() == TargetKind::none)
    throw InvalidInput("--target, --targets or --targets-file must say what to learn");
  check_replaceable(arguments.out);
  const std::vector<std::string> inputs{arguments.data, arguments.test, arguments.targets.file,
                                        arguments.test_targets_file, arguments.program.gate_file()};
  check_not_inside(arguments.out, inputs);
  arguments.checkpoint.check(arguments.out, inputs);

  const Dataset data = read_dataset(arguments.data, targets);
  const std::optional<Dataset> test =
      read_test(arguments.test, arguments.test_targets_file, targets, data.schema);
  const Preparation preparation =
      fit_preparation(data, arguments.standardize ? Standardize::yes : Standardize::no,
                      arguments.bias ? Bias::yes : Bias::no);
  if (preparation.constant_features > 0 && !arguments.solve.quiet)
    std::cerr << fmt::format(
        "relulift: {} of {} columns are constant; standardized they are zero\n",
        preparation.constant_features, data.features);
  const Problem problem = make_problem(data, preparation, arguments.weight_decay);
  if (interrupted()) {
    std::cerr << "relulift: interrupted before training began; nothing was written\n";
    return kInterrupted;
  }

  ProgressReport progress(std::cerr, arguments.solve.style());
  Options options = arguments.solve.options(start, progress);
  options.keep_proof = true;
  arguments.checkpoint.apply(options);
  arguments.program.apply(options, problem.features, preparation);
  const Result result = solve(problem, options);
  progress.finish();
  if (!result.checkpoint_failure.empty())
    std::cerr << "relulift: no checkpoint: " << result.checkpoint_failure << '\n';

  const Model model = trained_model(result, preparation, data, problem.X, arguments.weight_decay);
  RunFacts facts{.command = Command::train,
                 .samples = data.samples,
                 .features = data.features,
                 .outputs = data.outputs,
                 .weight_decay = arguments.weight_decay,
                 .standardized = arguments.standardize,
                 .bias = arguments.bias,
                 .method = options.method,
                 .program = options.program,
                 .files = {.data = arguments.data,
                           .targets = arguments.targets.file,
                           .test = arguments.test,
                           .test_targets = arguments.test_targets_file},
                 .columns = data.schema};
  facts.train = score(data, predict(model, data.X, data.samples));
  if (test) facts.test = score(*test, predict(model, test->X, test->samples));
  facts.total_seconds = seconds_since(start);
  std::map<std::string, std::string> files{{"model.safetensors", model_bytes(model)},
                                           {"result.json", result_json(result, facts)},
                                           {"trace.csv", trace_csv(result)}};
  add_certificate(files, certificate_bytes(result, problem, data.schema, preparation,
                                           arguments.data, files["model.safetensors"]));
  replace_directory(arguments.out, files);
  if (!arguments.solve.quiet)
    std::cout << files_words(arguments.out, files) << closing_words(result, facts);
  return exit_code(result.status);
}

}  // namespace

void add_train(CLI::App& app, Clock::time_point start, int& code) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand(
      "train", "Train a network and prove how far it is from the best of any width");
  command->add_option("DATA", arguments->data, kTableWords)->required();
  arguments->targets.add_to(*command);
  command->add_option("--weight-decay", arguments->weight_decay, "g of the objective, positive")
      ->type_name("G")
      ->required();
  command->add_option("--out", arguments->out, "folder for the results")
      ->type_name("DIR")
      ->required();
  command->add_option("--test", arguments->test, "held-out table to score")->type_name("TEST");
  command
      ->add_option("--test-targets-file", arguments->test_targets_file,
                   "targets of an NPY or IDX test")
      ->type_name("FILE");
  command->add_flag("--bias", arguments->bias,
                    "append a column of ones, penalised like any weight");
  command->add_flag("--standardize", arguments->standardize,
                    "solve for (x - mean) / std, constant columns becoming zero; the model still "
                    "predicts from raw features");
  arguments->solve.add_to(*command);
  arguments->checkpoint.add_to(*command);
  arguments->program.add_to(*command);
  command->footer(
      "Example:\n  relulift train data/iris_train.csv --target species --weight-decay 0.1 "
      "--test data/iris_test.csv --out out/iris");
  command->callback([arguments, start, &code] { code = train(*arguments, start); });
}

}  // namespace relulift::tools
