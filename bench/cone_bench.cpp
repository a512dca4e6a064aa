// SPDX-License-Identifier: Apache-2.0
// How tight and how fast kappa(E) is bounded on the residual of a trained network.
//   cone_bench DATA.csv [--weight-decay G] [--train-seconds S] [--search-seconds S]
//              [--tolerance T]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <relulift/solve.hpp>

#include "bench/inputs.hpp"
#include "src/certificate/cone_search.hpp"
#include "src/certificate/residual_bound.hpp"

namespace {

using namespace relulift;

void report(const Problem& problem, const Result& result, double seconds, double tolerance) {
  const Index n = problem.samples, d = problem.features, c = problem.outputs;
  const Matrix X = Eigen::Map<const Matrix>(problem.X.data(), n, d);
  const std::vector<double> fit = predict(result.network, problem.X, n);
  const Matrix E =
      Eigen::Map<const Matrix>(problem.Y.data(), n, c) - Eigen::Map<const Matrix>(fit.data(), n, c);
  const double g = problem.weight_decay;
  for (double tol = 0.3; tol >= tolerance * 0.999; tol /= 3.1623) {
    ConeSearchOptions options;
    options.tolerance = tol;
    options.starts = Eigen::Map<const Matrix>(result.network.U.data(), d, result.network.neurons);
    options.control = Control(seconds);
    const ConeSearchResult found = search_cones(X, E, options);
    const double bound = rescaled_bound(problem, E, found.kappa_upper);
    fmt::print(
        "tolerance {:7.4f}: kappa/g in [{:.6f}, {:.6f}], bound {:.5f} of {:.5f} ({:.3f} %), nodes "
        "{}, {:.3f} s{}\n",
        tol, found.kappa_lower / g, found.kappa_upper / g, bound, result.objective,
        100.0 * (1.0 - bound / result.objective), found.nodes, options.control.seconds(),
        found.complete ? "" : " (stopped)");
    if (!found.complete) break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Bounds of kappa(E) on the residual of a trained network");
  std::filesystem::path data;
  double weight_decay = 0.1, train_seconds = 10.0, search_seconds = 30.0, tolerance = 1e-3;
  app.add_option("data", data)->required()->check(CLI::ExistingFile);
  app.add_option("--weight-decay", weight_decay)->check(CLI::PositiveNumber);
  app.add_option("--train-seconds", train_seconds)->check(CLI::PositiveNumber);
  app.add_option("--search-seconds", search_seconds)->check(CLI::PositiveNumber);
  app.add_option("--tolerance", tolerance)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  const Problem problem = bench::load(data, weight_decay);
  // The gap of zero lets training go on until it stalls.
  const Result result =
      solve(problem, {.engine = Engine::none, .gap = 0.0, .time_limit_seconds = train_seconds});
  fmt::print("{}: n {}, d {}, c {}, g {}, J {:.6f}, neurons {}\n", data.string(), problem.samples,
             problem.features, problem.outputs, weight_decay, result.objective,
             result.network.neurons);
  report(problem, result, search_seconds, tolerance);
}
