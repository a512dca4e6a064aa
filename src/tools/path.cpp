// SPDX-License-Identifier: Apache-2.0
// relulift path: one problem at many weight decays, cross-validation, and the model it chooses.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <list>
#include <memory>
#include <relulift/error.hpp>
#include <relulift/path.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"
#include "src/tools/interrupt.hpp"
#include "src/tools/program_arguments.hpp"
#include "src/tools/training.hpp"

namespace relulift::tools {
namespace {

struct PathArguments {
  std::string data;
  std::string test;
  std::string test_targets_file;
  std::string out;
  std::string weight_decays;
  std::optional<Index> folds;
  bool bias = false;
  bool standardize = false;
  TargetArguments targets;
  SolveArguments solve;
  ProgramArguments program;
};

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

// LOW:HIGH:COUNT or A,B,...
std::vector<double> parse_weight_decays(const std::string& text) {
  const auto fail = [&](const std::string& why) -> InvalidInput {
    return InvalidInput(fmt::format("--weight-decays {}: {}", text, why));
  };
  const bool range = text.find(':') != std::string::npos;
  const std::vector<std::string_view> parts = split(text, range ? ':' : ',');
  std::vector<double> values;
  for (std::size_t k = 0; k < (range ? std::min<std::size_t>(parts.size(), 2) : parts.size());
       ++k) {
    const auto value = number<double>(parts[k]);
    if (!value) throw fail(fmt::format("'{}' is not a number", parts[k]));
    if (!std::isfinite(*value) || !(*value > 0.0))
      throw fail("weight decays must be finite and positive");
    values.push_back(*value);
  }
  if (!range) return values;
  const auto count = parts.size() == 3 ? number<Index>(parts[2]) : std::nullopt;
  if (!count) throw fail("must be LOW:HIGH:COUNT or a list A,B,..");
  try {
    return geometric_weight_decays(values[0], values[1], *count);
  } catch (const InvalidInput& error) {
    throw fail(error.what());
  }
}

// Rows of progress say which point is solved: "3/30", and in cross-validation "3/30 fold 2".
class PathProgress {
 public:
  PathProgress(Options& options, ProgressReport& report) {
    options.on_progress = [this, &report](const Progress& progress) {
      Progress row = progress;
      row.phase = labels_.back().c_str();
      if (!row.heartbeat) report.show(row);
      return !interrupted();
    };
  }
  PathProgress(const PathProgress&) = delete;
  PathProgress& operator=(const PathProgress&) = delete;

  bool step(const PathStep& step) {
    std::string label = fmt::format("{}/{}", step.point, step.points);
    if (step.fold > 0) label += fmt::format(" fold {}", step.fold);
    labels_.push_back(std::move(label));
    return !interrupted();
  }

 private:
  std::list<std::string> labels_{"gates"};  // a row of progress points to its own
};

void check(const PathArguments& arguments, const Targets& targets) {
  arguments.solve.check();
  arguments.program.check();
  if (arguments.folds && *arguments.folds < 2)
    throw InvalidInput(fmt::format("--folds must be at least 2, not {}", *arguments.folds));
  if (targets.kind() == TargetKind::none)
    throw InvalidInput("--target, --targets or --targets-file must say what to learn");
  check_replaceable(arguments.out);
  const std::vector<std::string> inputs{arguments.data, arguments.test, arguments.targets.file,
                                        arguments.test_targets_file, arguments.program.gate_file()};
  check_not_inside(arguments.out, inputs);
  check_not_inside((Path(arguments.out) / "best").string(), inputs);
}

RunFacts facts_of(const PathArguments& arguments, const Dataset& data, const Options& options) {
  return {.command = Command::train,
          .samples = data.samples,
          .features = data.features,
          .outputs = data.outputs,
          .standardized = arguments.standardize,
          .bias = arguments.bias,
          .method = options.method,
          .program = options.program,
          .files = {.data = arguments.data,
                    .targets = arguments.targets.file,
                    .test = arguments.test,
                    .test_targets = arguments.test_targets_file},
          .columns = data.schema};
}

// What train would write, of the model on all rows.
void add_best(std::map<std::string, std::string>& files, const RegularizationPath& path,
              RunFacts facts, const Dataset& data, const Dataset* test) {
  if (!path.choice.best) return;
  const PathPoint& point = path.rows[static_cast<std::size_t>(*path.choice.best)].point;
  std::vector<double> prepared;
  if (point.result.network.activation == Activation::gated)
    prepared = prepare(path.preparation, data.X, data.samples);
  const Model model =
      trained_model(point.result, path.preparation, data, prepared, point.weight_decay);
  facts.weight_decay = point.weight_decay;
  facts.total_seconds = point.seconds;
  facts.train = score(data, predict(model, data.X, data.samples));
  if (test != nullptr) facts.test = score(*test, predict(model, test->X, test->samples));
  files["best/model.safetensors"] = model_bytes(model);
  files["best/result.json"] = result_json(point.result, facts);
  files["best/trace.csv"] = trace_csv(point.result);
}

int code_of(const RegularizationPath& path) {
  if (path.interrupted) return kInterrupted;
  if (!path.fold_failure.empty()) return kUnexpected;
  for (const PathRow& row : path.rows)
    if (row.point.result.status == Status::numerical_failure) return kNumerical;
  return kWritten;
}

int run_path(const PathArguments& arguments, Clock::time_point start) {
  catch_interrupts();
  const Targets targets = arguments.targets.targets();
  std::vector<double> weight_decays = parse_weight_decays(arguments.weight_decays);
  check(arguments, targets);
  const Dataset data = read_dataset(arguments.data, targets);
  const std::optional<Dataset> test =
      read_test(arguments.test, arguments.test_targets_file, targets, data.schema);
  const Index folds = arguments.folds.value_or(0);
  if (folds > 0)
    if (const std::string warning = fold_warning(data, folds); !warning.empty())
      std::cerr << "relulift: " << warning << '\n';

  ProgressReport report(std::cerr, arguments.solve.style());
  Options options = arguments.solve.options(start, report);
  const Preparation shape{.bias = arguments.bias};
  arguments.program.apply(options, data.features + (arguments.bias ? 1 : 0), shape);
  PathProgress progress(options, report);
  const RegularizationPath path = regularization_path(
      {.data = data,
       .test = test ? &*test : nullptr,
       .standardize = arguments.standardize ? Standardize::yes : Standardize::no,
       .bias = arguments.bias ? Bias::yes : Bias::no,
       .weight_decays = std::move(weight_decays),
       .folds = folds,
       .options = options,
       .on_step = [&](const PathStep& step) { return progress.step(step); }});
  report.finish();
  if (!path.fold_failure.empty()) std::cerr << "relulift: " << path.fold_failure << '\n';
  if (path.rows.empty()) {
    std::cerr << "relulift: interrupted before a point was solved; nothing was written\n";
    return kInterrupted;
  }

  RunFacts facts = facts_of(arguments, data, options);
  facts.total_seconds = seconds_since(start);
  std::map<std::string, std::string> files{{"path.csv", path_csv(path)},
                                           {"path.json", path_json(path, facts)},
                                           {"path.html", path_page(path, facts)}};
  add_best(files, path, facts, data, test ? &*test : nullptr);
  replace_directory(arguments.out, files);
  if (!arguments.solve.quiet) std::cout << files_words(arguments.out, files) << path_words(path);
  return code_of(path);
}

}  // namespace

void add_path(CLI::App& app, Clock::time_point start, int& code) {
  auto arguments = std::make_shared<PathArguments>();
  CLI::App* command =
      app.add_subcommand("path", "Train at many weight decays and choose one by cross-validation");
  command->add_option("DATA", arguments->data, kTableWords)->required();
  arguments->targets.add_to(*command);
  command
      ->add_option("--weight-decays", arguments->weight_decays,
                   "geometric from LOW to HIGH, or a list A,B,..; solved from the largest on")
      ->type_name("LOW:HIGH:COUNT")
      ->required();
  command
      ->add_option("--folds", arguments->folds,
                   "cross-validate and write the best model; without it none is chosen")
      ->type_name("K");
  command->add_option("--out", arguments->out, "folder for the results")
      ->type_name("DIR")
      ->required();
  command->add_option("--test", arguments->test, "held-out table to score; it chooses nothing")
      ->type_name("TEST");
  command
      ->add_option("--test-targets-file", arguments->test_targets_file,
                   "targets of an NPY or IDX test")
      ->type_name("FILE");
  command->add_flag("--bias", arguments->bias,
                    "append a column of ones, penalised like any weight");
  command->add_flag("--standardize", arguments->standardize,
                    "solve for (x - mean) / std of the rows that are trained on");
  arguments->solve.add_to(*command);
  arguments->program.add_to(*command);
  command->footer(
      "Example:\n  relulift path data/iris_train.csv --target species --method gated "
      "--outputs one-vs-all --gates 100 --weight-decays 0.01:10:7 --folds 5 --test "
      "data/iris_test.csv --out out/iris_path");
  command->callback([arguments, start, &code] { code = run_path(*arguments, start); });
}

}  // namespace relulift::tools
