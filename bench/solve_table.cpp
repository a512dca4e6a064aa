// SPDX-License-Identifier: Apache-2.0
// The table of the README: objective, proved lower bound and seconds of a whole solve with default
// options on each data set, g = 0.1, raw features, no bias. Medians over repeats.
//
//   solve_table DATA_DIR [--engine auto|dense|interior|none] [--gap G] [--limit S] [--repeats R]
//               [--threads T] [--out FILE.json] [NAME...]
#include <sys/resource.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <relulift/solve.hpp>
#include <relulift/system.hpp>

#include "bench/inputs.hpp"

namespace {

using namespace relulift;

struct Target {
  double objective, bound, seconds;
};

// What the table is read against; NaN: nothing stated.
const std::map<std::string, Target> kTargets = {
    {"random_00", {NAN, 0.999 * 8.1014, 3}}, {"random_01", {NAN, 0.999 * 6.9150, 3}},
    {"random_02", {NAN, 0.999 * 7.5979, 3}}, {"random_03", {NAN, 0.999 * 8.0454, 3}},
    {"spiral", {16.60, 16.23, 10}},          {"iris", {2.56, 1.66, 30}},
    {"ionosphere", {1.110, 0.80, 60}},       {"bank_notes", {8.2, 3.0, 300}},
    {"mnist_pca20_train", {8.5, 1.85, 900}}};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Solves every data set of the README's table");
  std::filesystem::path folder, out;
  std::vector<std::string> names = {"spiral", "iris", "ionosphere", "bank_notes"};
  Options options;
  std::string engine = "auto";
  double weight_decay = 0.1;
  int repeats = 1, threads = 2;
  app.add_option("folder", folder)->required();
  app.add_option("names", names);
  app.add_option("--engine", engine);
  app.add_option("--weight-decay", weight_decay);
  app.add_option("--gap", options.gap);
  app.add_option("--limit", options.time_limit_seconds);
  app.add_option("--repeats", repeats);
  app.add_option("--threads", threads);
  app.add_option("--out", out);
  CLI11_PARSE(app, argc, argv);
  const std::map<std::string, Engine> engines = {{"auto", Engine::automatic},
                                                 {"dense", Engine::dense},
                                                 {"interior", Engine::interior},
                                                 {"none", Engine::none}};
  options.engine = engines.at(engine);
  options.threads = threads;
  set_blas_threads(threads);

  nlohmann::json rows = nlohmann::json::array();
  fmt::print("{:<18} {:>10} {:>10} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8}  {:<16} {}\n", "data",
             "objective", "bound", "gap", "seconds", "network", "relax", "primal", "peak MB",
             "status", "target (objective, bound, seconds)");
  for (const auto& name : names) {
    const Problem problem = bench::load(folder / (name + ".csv"), weight_decay);
    std::vector<double> seconds;
    Result result;
    for (int k = 0; k < repeats; ++k) {
      result = solve(problem, options);
      seconds.push_back(result.seconds.total);
    }
    const double bound = result.certificate.lower_bound;
    const double gap = (result.objective - bound) / result.objective;
    const auto target = kTargets.contains(name) ? kTargets.at(name) : Target{NAN, NAN, NAN};
    fmt::print(
        "{:<18} {:>10.5f} {:>10.5f} {:>7.2f}% {:>8.2f} {:>8.2f} {:>7.2f} {:>8.4f} {:>8.0f}  {:<16} "
        "{:.4g} {:.4g} {:.4g}\n",
        name, result.objective, bound, 100.0 * gap, median(seconds), result.seconds.network,
        result.seconds.relaxation, result.relaxation.primal, peak_megabytes(),
        to_string(result.status), target.objective, target.bound, target.seconds);
    std::fflush(stdout);
    rows.push_back({{"data", name},
                    {"weight_decay", weight_decay},
                    {"objective", result.objective},
                    {"lower_bound", bound},
                    {"certificate", result.certificate.kind},
                    {"seconds_median", median(seconds)},
                    {"seconds_network", result.seconds.network},
                    {"seconds_relaxation", result.seconds.relaxation},
                    {"neurons", result.network.neurons},
                    {"status", to_string(result.status)},
                    {"peak_megabytes", peak_megabytes()},
                    {"plan", result.plan}});
  }
  if (!out.empty()) {
    const SystemInfo system = system_info();
    const nlohmann::json report = {{"engine", engine},    {"threads", threads},
                                   {"gap", options.gap},  {"repeats", repeats},
                                   {"blas", system.blas}, {"version", system.version},
                                   {"rows", rows}};
    write_file(out, report.dump(2) + "\n");
  }
  return 0;
}
