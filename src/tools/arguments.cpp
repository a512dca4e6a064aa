// SPDX-License-Identifier: Apache-2.0
#include "src/tools/arguments.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "src/tools/interrupt.hpp"

namespace relulift::tools {

void TargetArguments::add_to(CLI::App& command) {
  auto* label = command.add_option("--target", label_column, "column or array of class labels")
                    ->type_name("COLUMN");
  auto* values = command
                     .add_option("--targets", value_columns,
                                 "numeric target columns or arrays, used as they are")
                     ->type_name("A,B")
                     ->delimiter(',');
  auto* npy = command
                  .add_option("--targets-file", file,
                              "NPY or IDX file with the targets of an NPY or IDX table: a "
                              "vector of integers holds class labels, else numbers")
                  ->type_name("FILE");
  label->excludes(values)->excludes(npy);
  values->excludes(npy);
}

Targets TargetArguments::targets() const {
  return {.label_column = label_column, .value_columns = value_columns, .file = file};
}

void SolveArguments::add_to(CLI::App& command) {
  command
      .add_option("--engine", engine,
                  "relaxation that raises the lower bound: auto, dense, low-rank, interior, none")
      ->type_name("ENGINE")
      ->check(CLI::IsMember({"auto", "dense", "low-rank", "interior", "none"}))
      ->capture_default_str();
  command
      .add_option("--precision", precision,
                  "double; mixed: the low-rank engine's optimiser remembers in single; single: of "
                  "programs over patterns")
      ->type_name("PRECISION")
      ->check(CLI::IsMember({"double", "mixed", "single"}))
      ->capture_default_str();
  command
      .add_option("--split", split,
                  "cones of weight space that raise the relaxation's bound: auto, 0 (none) or how "
                  "many at most")
      ->type_name("CONES")
      ->capture_default_str();
  command.add_option("--device", device, "auto, cpu or cuda")
      ->type_name("DEVICE")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--neurons", neurons, "largest width (default: chosen from the data)")
      ->type_name("MAX");
  command.add_option("--gap", gap, "stop at this relative gap, in [0, 1)")
      ->type_name("GAP")
      ->capture_default_str();
  command.add_option("--time-limit", time_limit_seconds, "seconds for the whole command")
      ->type_name("S");
  command.add_option("--iterations", iterations, "limit of the engine's iterations")
      ->type_name("N");
  command.add_option("--threads", threads, "processor threads (default: all)")->type_name("T");
  command.add_option("--seed", seed, "of the random starts")->type_name("N")->capture_default_str();
  command.add_flag("--quiet", quiet, "no progress and no closing words");
}

namespace {
void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

bool given(double limit) { return limit != std::numeric_limits<double>::infinity(); }
}  // namespace

Index SolveArguments::cones() const {
  if (split == "auto") return Options::kAutomaticSplit;
  Index cones = -1;
  const char* const end = split.data() + split.size();
  const auto [rest, error] = std::from_chars(split.data(), end, cones);
  require(error == std::errc() && rest == end && cones >= 0 && cones != 1,
          fmt::format("--split must be auto, 0 or a whole number from 2 on, not {}", split));
  const bool possible = engine == "auto" || engine == "interior";
  require(cones == 0 || possible,
          fmt::format("--split {} goes on from the interior engine; --engine {} leaves it out",
                      cones, engine));
  return cones;
}

void SolveArguments::check() const {
  cones();
  require(gap >= 0.0 && gap < 1.0, fmt::format("--gap must be in [0, 1), not {}", gap));
  require(neurons.value_or(1) >= 1,
          fmt::format("--neurons must be positive, not {}", neurons.value_or(1)));
  require(iterations.value_or(1) >= 1,
          fmt::format("--iterations must be positive, not {}", iterations.value_or(1)));
  require(
      !given(time_limit_seconds) || (std::isfinite(time_limit_seconds) && time_limit_seconds > 0.0),
      fmt::format("--time-limit must be finite and positive, not {}", time_limit_seconds));
  require(threads.value_or(1) >= 1 && threads.value_or(1) <= 1024,
          fmt::format("--threads must be between 1 and 1024, not {}", threads.value_or(1)));
  require(seed >= 0, fmt::format("--seed must be at least 0, not {}", seed));
}

ProgressStyle SolveArguments::style() const {
  if (quiet) return ProgressStyle::quiet;
  return isatty(STDERR_FILENO) != 0 ? ProgressStyle::table : ProgressStyle::log;
}

Options SolveArguments::options(Clock::time_point start, ProgressReport& report) const {
  const std::map<std::string, Engine> engines{{"auto", Engine::automatic},
                                              {"dense", Engine::dense},
                                              {"low-rank", Engine::low_rank},
                                              {"interior", Engine::interior},
                                              {"none", Engine::none}};
  const std::map<std::string, Device> devices{
      {"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}};
  Options options;
  options.engine = engines.at(engine);
  options.split = cones();
  options.device = devices.at(device);
  const std::map<std::string, Precision> precisions{
      {"double", Precision::fp64}, {"mixed", Precision::mixed}, {"single", Precision::fp32}};
  options.precision = precisions.at(precision);
  options.max_neurons = neurons.value_or(0);
  options.gap = gap;
  options.max_iterations = iterations.value_or(0);
  options.threads = threads.value_or(0);
  options.seed = static_cast<std::uint64_t>(seed);
  // Reading may have used up the limit; the solver then returns what it has at its first check.
  constexpr double kLeast = 1e-3;
  if (given(time_limit_seconds))
    options.time_limit_seconds = std::max(time_limit_seconds - seconds_since(start), kLeast);
  options.on_progress = [&report](const Progress& progress) {
    if (!progress.heartbeat) report.show(progress);
    return !interrupted();
  };
  if (threads) set_blas_threads(*threads);
  return options;
}

void check_weight_decay(double value) {
  require(std::isfinite(value) && value > 0.0,
          fmt::format("--weight-decay must be finite and positive, not {}", value));
}

void check_no_overwrite(const std::string& output, const std::vector<std::string>& inputs) {
  std::error_code ignored;
  for (const std::string& input : inputs)
    require(!std::filesystem::equivalent(output, input, ignored),
            fmt::format("{}: is an input and is not overwritten", output));
}

void check_not_inside(const std::string& output, const std::vector<std::string>& inputs) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto folder = [&](const fs::path& path) { return fs::weakly_canonical(path, ignored); };
  // The dot stands for a trailing slash, whether there is one or not.
  const fs::path target = folder(fs::absolute(output) / ".");
  for (const std::string& input : inputs) {
    if (input.empty()) continue;
    const fs::path file = fs::absolute(input);
    // Also a link in the folder, which would go, and what a link from elsewhere leads to.
    const bool inside = fs::equivalent(file.parent_path(), target, ignored) ||
                        fs::equivalent(folder(file).parent_path(), target, ignored);
    require(!inside, fmt::format("{}: is an input and lies in the output folder {}, which is "
                                 "replaced",
                                 input, output));
  }
}

void check_fits(const Model& model, const Dataset& data, const std::string& source) {
  if (data.features != model.network.features)
    throw InvalidInput(fmt::format("{}: has {} feature columns, the model takes {}", source,
                                   data.features, model.network.features));
  if (data.outputs != 0 && data.outputs != model.network.outputs)
    throw InvalidInput(fmt::format("{}: has {} {}, the model has {} outputs", source, data.outputs,
                                   data.schema.kind == TargetKind::labels ? "classes" : "targets",
                                   model.network.outputs));
}

void add_certificate(std::map<std::string, std::string>& files, std::string bytes) {
  if (!bytes.empty()) files["certificate.safetensors"] = std::move(bytes);
}

std::string files_words(const std::string& out, const std::map<std::string, std::string>& files) {
  std::string text;
  std::size_t left = files.size();
  for (const auto& [name, content] : files) {
    text += (text.empty() ? "Wrote " : left == 1 ? " and " : ", ") + out + "/" + name;
    --left;
  }
  return text + ".\n";
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace relulift::tools
