// SPDX-License-Identifier: Apache-2.0
#include "src/verify/statement.hpp"

#include <algorithm>
#include <relulift/error.hpp>

namespace relulift::verifier {
namespace {

const Tensor& tensor(const Safetensors& file, const char* name, const char* torch_name) {
  const auto ours = file.tensors.find(name), theirs = file.tensors.find(torch_name);
  if (ours != file.tensors.end()) return ours->second;
  if (theirs == file.tensors.end()) throw InvalidInput(std::string("it has no tensor ") + name);
  return theirs->second;
}

}  // namespace

Problem problem_of(const Statement& statement, const Table& table) {
  const auto rows = static_cast<std::size_t>(table.samples);
  Problem problem{.samples = table.samples,
                  .features = static_cast<Index>(statement.columns.features.size()),
                  .outputs = static_cast<Index>(statement.columns.outputs.size()),
                  .X = table.X,
                  .Y = table.Y,
                  .weight_decay = statement.weight_decay};
  if (!statement.scale.empty())
    for (std::size_t k = 0; k < problem.X.size(); ++k)
      problem.X[k] = (problem.X[k] - statement.mean[k / rows]) / statement.scale[k / rows];
  if (statement.bias) {
    problem.X.insert(problem.X.end(), rows, 1.0);
    ++problem.features;
  }
  return problem;
}

Ball objective_of(const Statement& statement, const Problem& problem, std::string_view model) {
  const Safetensors file = read_safetensors(model);
  const Tensor &hidden = tensor(file, "hidden.weight", "0.weight"),
               &output = tensor(file, "output.weight", "2.weight");
  const bool has_bias = file.tensors.contains("hidden.bias") || file.tensors.contains("0.bias");
  const auto raw = static_cast<Index>(statement.columns.features.size());
  const Index n = problem.samples, d = problem.features, c = problem.outputs;
  const Index m = hidden.shape.empty() ? -1 : hidden.shape[0];
  if (file.tensors.size() != (has_bias ? 3 : 2) || hidden.shape != std::vector<Index>{m, raw} ||
      output.shape != std::vector<Index>{c, m})
    throw InvalidInput("its tensors are not those of a network of the certificate's sizes");
  std::vector<double> bias(static_cast<std::size_t>(m), 0.0);
  if (has_bias) bias = tensor(file, "hidden.bias", "0.bias").entries;
  if (bias.size() != static_cast<std::size_t>(m))
    throw InvalidInput("its hidden.bias does not fit its neurons");

  std::vector<Sum> fit(static_cast<std::size_t>(n * c));
  Sum squares;
  for (Index k = 0; k < m; ++k) {
    // Weights of the problem's features: the standardization was folded in.
    std::vector<Ball> u;
    Ball rest{bias[k]};
    Real size = std::abs(rest.mid);
    for (Index l = 0; l < raw; ++l) {
      const Ball weight{hidden.entries[k * raw + l]};
      u.push_back(statement.scale.empty() ? weight : weight * Ball{statement.scale[l]});
      if (statement.scale.empty()) continue;
      const Ball moved = weight * Ball{statement.mean[l]};
      rest = rest + moved;
      size += std::abs(moved.mid);
    }
    if (statement.bias)
      u.push_back(rest);
    else if (rest.magnitude() > 1e-5 * size)
      throw InvalidInput("it has a bias, which the certificate's problem has not");
    // What rounding leaves of the constants moves every inner product.
    const Ball left{0, statement.bias ? 0 : rest.magnitude()};
    for (const Ball& entry : u) squares.add(entry * entry);
    for (Index o = 0; o < c; ++o) {
      const Ball v{output.entries[o * m + k]};
      squares.add(v * v);
    }
    for (Index i = 0; i < n; ++i) {
      Sum inner;
      for (Index l = 0; l < d; ++l) inner.add(u[l] * Ball{problem.X[i + l * n]});
      inner.add(left);
      Ball a = inner.ball();
      a.mid = std::max<Real>(0, a.mid);
      for (Index o = 0; o < c; ++o) fit[i + o * n].add(a * Ball{output.entries[o * m + k]});
    }
  }
  Sum loss;
  for (std::size_t k = 0; k < fit.size(); ++k) {
    const Ball residual = fit[k].ball() - Ball{problem.Y[k]};
    loss.add(residual * residual);
  }
  return scaled(loss.ball(), 0.5) + Ball{statement.weight_decay} * scaled(squares.ball(), 0.5);
}

double gap_above(double objective, double lower_bound) {
  const Real distance = static_cast<Real>(objective) - lower_bound;
  if (!(distance > 0)) return 0.0;
  return objective > 0.0 ? rounded_up(above(distance / objective)) : kInfinity;
}

std::string without_hash(std::string bytes, const std::string& hash) {
  const auto at = bytes.find(hash);
  if (hash.size() == 64 && at != std::string::npos) bytes.replace(at, 64, 64, '0');
  return bytes;
}

}  // namespace relulift::verifier
