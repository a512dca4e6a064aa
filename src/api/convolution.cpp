// SPDX-License-Identifier: Apache-2.0
// Circular networks: rotate, transform, solve, rebuild, prove.
#include <algorithm>
#include <relulift/convolution.hpp>
#include <relulift/error.hpp>
#include <string>

#include "src/api/circular.hpp"
#include "src/solvers/circular_convolution.hpp"

namespace relulift {
namespace {

void validate(const CircularOptions& options) {
  if (!(options.gap >= 0.0 && options.gap < 1.0)) throw InvalidInput("gap must lie in [0, 1)");
  if (!(options.time_limit_seconds > 0.0))
    throw InvalidInput("time_limit_seconds must be positive");
  if (options.threads < 0) throw InvalidInput("threads must not be negative");
}

// Coordinates Z (2K x c) of the frequencies whose row is kept, from W of the lasso. A point without
// numbers, where data and prices are too far apart for doubles, is none.
template <class Keep>
Matrix coordinates(const GroupLassoPoint& point, const Vector& prices, Index c, const Keep& keep) {
  const Index K = prices.size();
  Matrix Z = Matrix::Zero(2 * K, c);
  for (Index k = 0; k < point.W.rows(); ++k) {
    if (!keep(k)) continue;
    Z.row(k) = point.W.row(k).head(c) / prices[k];
    Z.row(K + k) = point.W.row(k).tail(c) / prices[k];
  }
  return Z;
}

// Whether frequency k is not on its way to zero: lambda_k > s_k in the units of the lasso, in which
// the targets have length one.
bool stays(const GroupLassoPoint& point, double targets, Index k) {
  const double lambda = point.lambda[k] / (targets * targets);
  const double y = point.W.row(k).norm() / point.lambda[k];
  return lambda > 0.5 * (1.0 - y * y);
}

// The matrices of CircularLasso; the data, their rotation and their coordinates.
EngineBytes bytes_of(const Problem& problem) {
  const Index n = problem.samples, d = problem.features, c = problem.outputs;
  const Index r = std::min(n, d), K = frequencies(d);
  return {.engine = 8 * (4 * K * r + r * r + 2 * K * K + 2 * (r + 2 * K) * c),
          .host = 8 * (n * (d + 2 * c) + 6 * K * r + 8 * K * c)};
}

void check_memory(const Problem& problem, const FreeMemory& memory) {
  const EngineBytes needed = bytes_of(problem);
  if (memory.holds(needed)) return;
  const auto gigabytes = [](Index bytes) { return std::to_string((bytes >> 30) + 1); };
  throw InvalidInput("the program over " + std::to_string(frequencies(problem.features)) +
                     " frequencies needs " + gigabytes(needed.engine + needed.host) + " GiB, " +
                     gigabytes(memory.engine) + " GiB are free; shorten the signals");
}

CircularFit rebuilt(const Problem& problem, const Matrix& Z) {
  CircularFit fit{.network = circular_network(Z, problem.features)};
  fit.objective = objective(problem, fit.network);
  return fit;
}

}  // namespace

CircularSolution solve_circular_lasso(const Problem& problem, double gap, Engines& engines,
                                      const Control& control) {
  check_memory(problem, engines.memory());
  const Eigen::Map<const Matrix> X(problem.X.data(), problem.samples, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  const Vector prices = frequency_prices(problem.features, problem.weight_decay);
  const RotatedRows rows(X, Y);
  const GroupLassoPoint point =
      engines.circular(fourier_rows(rows.X()) * prices.replicate(2, 1).cwiseInverse().asDiagonal(),
                       rows.Y(), 0.5 * gap, rows.constant(), control);

  const auto all = [](Index) { return true; };
  const auto some = [&](Index k) { return stays(point, rows.Y().norm(), k); };
  const auto none = [](Index) { return false; };
  CircularFit fit = rebuilt(problem, coordinates(point, prices, problem.outputs, all));
  CircularFit zero = rebuilt(problem, coordinates(point, prices, problem.outputs, none));
  // A point that was left early, or without numbers.
  if (!(fit.objective <= zero.objective)) fit = std::move(zero);
  if (point.E.size() > 0)
    fit.bound = circular_bound(X, Y, problem.weight_decay, rows.restored(point.E));

  // An interior point gives every frequency a little, which is cut off where that costs nothing.
  CircularFit sparse = rebuilt(problem, coordinates(point, prices, problem.outputs, some));
  const double bearable = std::max(fit.objective, fit.bound / (1.0 - gap));
  sparse.bound = fit.bound;
  return {sparse.objective <= bearable ? std::move(sparse) : std::move(fit), point.steps};
}

CircularFit fit_circular(const Problem& problem, const CircularOptions& options) {
  validate(problem);
  validate(options);
  const Control control(options.time_limit_seconds);
  return solve_circular_lasso(problem, options.gap, *make_cpu_engines(options.threads), control)
      .fit;
}

}  // namespace relulift
