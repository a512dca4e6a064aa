// SPDX-License-Identifier: Apache-2.0
// Seconds and memory of proving what a list of multipliers is worth, at sizes where the
// factorisation is everything.
//   certificate_bench [N ...] [--features D] [--outputs C] [--neighbours K] [--kappa KAPPA]
// The candidate is synthetic: G = -t Y and t W on random pairs, blended with the slack C of
// [eq:shift] until Q lies KAPPA C below positive semidefinite.
#include <fmt/core.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "bench/inputs.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/certificate/kappa_estimate.hpp"
#include "src/core/control.hpp"
#include "src/core/random.hpp"

namespace {

using namespace relulift;

// Peak resident memory of this process, in bytes.
double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

DualCandidate synthetic(const Problem& problem, Index neighbours, double kappa) {
  const MergedData data = merge_data(problem, {});
  const Index k = data.directions();
  DualCandidate candidate;
  candidate.G = -data.AYa.cast<double>();
  Random random(3);
  const double scale = candidate.G.squaredNorm() / static_cast<double>(k) / problem.weight_decay;
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < neighbours; ++j)
      candidate.entries.push_back(
          {i, static_cast<Index>(random.bits() % static_cast<std::uint64_t>(2 * k)),
           0.1 * scale * random.uniform()});
  const double norm = data.X.squaredNorm();
  const Vector e = Vector::Constant(
      k, 1.8 * problem.weight_decay / norm * static_cast<double>(data.features()) / 2.0);
  const ListSlack<double> slack = build_list_slack<double>(data, candidate);
  const Shift<double> shift = build_shift<double>(data, e);
  const double needed =
      KappaLanczos(product_with(slack), slack.order(), shift).run({.max_products = 400}).kappa;

  const double t = (1.0 + kappa) / (1.0 + needed);
  candidate.G *= t;
  for (auto& entry : candidate.entries) entry.value *= t;
  for (Index i = 0; i < k; ++i) candidate.entries.push_back({i, k + i, -(1.0 - t) * e(i) / 2.0});
  return candidate;
}

// Of Q + C, in the matrix that is there already.
double factorisation_seconds(const Problem& problem, const DualCandidate& candidate) {
  const MergedData data = merge_data(problem, {});
  const ListSlack<double> slack = build_list_slack<double>(data, candidate);
  const Shift<double> shift = build_shift<double>(
      data, Vector::Constant(data.directions(), problem.weight_decay / data.X.squaredNorm()));
  Matrix work = Matrix::Zero(slack.order(), slack.order());
  const Control clock;
  if (!proves_psd(slack, shift, 1e3, work)) fmt::print("  (the factorisation failed)\n");
  return clock.seconds();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Time and memory of the certificate of a list of multipliers");
  std::vector<Index> sizes = {1000, 2000, 5000};
  Index features = 20, outputs = 5, neighbours = 5;
  double kappa = 1e-3;
  app.add_option("sizes", sizes, "numbers of samples, in ascending order");
  app.add_option("--features", features);
  app.add_option("--outputs", outputs);
  app.add_option("--neighbours", neighbours);
  app.add_option("--kappa", kappa);
  CLI11_PARSE(app, argc, argv);

  for (const Index n : sizes) {
    const Problem problem = bench::teacher(n, features, outputs, 0.1);
    const DualCandidate candidate = synthetic(problem, neighbours, kappa);
    const double order = static_cast<double>(n + features + outputs);
    const double square = 8.0 * order * order;
    const double before = peak_bytes();
    const Control estimate_clock;
    const Bound estimate = certify_multipliers(problem, candidate, {.memory_bytes = 0});
    const double estimate_seconds = estimate_clock.seconds();
    const Control clock;
    const Bound bound = certify_multipliers(problem, candidate);
    const double seconds = clock.seconds();
    const double peak = peak_bytes();
    const double factor_seconds = factorisation_seconds(problem, candidate);
    fmt::print(
        "N {}, {} entries: bound {:.8g} ({}), kappa {:.4e}, {} factorisations, {:.2f} s\n"
        "  estimate {:.8g} alone: {:.2f} s; one factorisation: {:.2f} s, {:.1f} GFLOP/s\n"
        "  peak memory {:.3f} GB, {:.2f} N^2 doubles more than before\n",
        order, candidate.entries.size(), bound.value, bound.kind, bound.kappa, bound.factorisations,
        seconds, estimate.estimate, estimate_seconds, factor_seconds,
        1e-9 * order * order * order / 3.0 / factor_seconds, peak / 1e9, (peak - before) / square);
  }
}
