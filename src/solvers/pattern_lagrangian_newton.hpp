// SPDX-License-Identifier: Apache-2.0
// Newton's direction of PatternLagrangian [eq:lagrangian-newton]. Included by its header.
#pragma once

#include "src/solvers/pattern_lagrangian.hpp"

namespace relulift {

template <Backend B>
std::vector<Index> PatternLagrangian<B>::moving(Index output) const {
  std::vector<Index> blocks;
  for (Index b = 0; b < u_.cols(); ++b)
    if (length_[b] > 0.0 && faces_.freedom(b) > 0 && (output < 0 || output_of(b) == output))
      blocks.push_back(b);
  return blocks;
}

template <Backend B>
Index PatternLagrangian<B>::directions(const std::vector<Index>& blocks) const {
  Index sum = 0;
  for (const Index b : blocks) sum += faces_.freedom(b);
  return sum;
}

// T T' = J = (1 - g/|w|) Z Z' + g/|w| z z', z = w/|w| in the span of Z: T = Z (a I + (1 - a) z z').
template <Backend B>
void PatternLagrangian<B>::fill(Index block, Part part, Eigen::Ref<Matrix> T) const {
  const Vector unit = w_.col(block) / length_[block];
  if (part == Part::weight) {
    T = sign_of(block) * unit;
    return;
  }
  const Matrix Z = faces_.tangent(pattern_of(block), block);
  const double a = std::sqrt(1.0 - request_.weight_decay / length_[block]);
  const Vector z = Z.transpose() * unit;
  T = sign_of(block) * (a * Z + (1.0 - a) * unit * z.transpose());
}

template <Backend B>
MovingColumns PatternLagrangian<B>::columns_of(const std::vector<Index>& blocks, Part part) const {
  std::vector<Index> first(blocks.size() + 1, 0);
  for (std::size_t k = 0; k < blocks.size(); ++k)
    first[k + 1] = first[k] + (part == Part::face ? faces_.freedom(blocks[k]) : 1);
  const auto count = static_cast<std::size_t>(first.back());
  MovingColumns out{Matrix(d(), first.back()), std::vector<std::int32_t>(count),
                    std::vector<std::int32_t>(count)};
#pragma omp parallel for schedule(dynamic) if (blocks.size() >= kWorthThreads)
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    fill(blocks[k], part, out.T.middleCols(first[k], first[k + 1] - first[k]));
    for (Index j = first[k]; j < first[k + 1]; ++j) {
      out.pattern[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(pattern_of(blocks[k]));
      out.output[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(output_of(blocks[k]));
    }
  }
  return out;
}

template <Backend B>
void PatternLagrangian<B>::by_columns(const std::vector<Index>& blocks, Part part, const Matrix& G,
                                      Matrix& W) {
  const MovingColumns at = columns_of(blocks, part);
  const auto column = [&](Index j) {
    const auto k = static_cast<std::size_t>(j);
    return at.pattern[k] * c() + at.output[k];
  };
  Vector right(at.T.cols());
  for (Index j = 0; j < right.size(); ++j) right[j] = at.T.col(j).dot(G.col(column(j)));
  const Vector x = system_.solve_columns(at, sigma_, right);
  for (Index j = 0; j < x.size(); ++j) W.col(column(j)) += x[j] * at.T.col(j);
}

template <Backend B>
Vector PatternLagrangian<B>::by_rows(const std::vector<Index>& blocks, const Vector& right) {
  std::vector<Index> some;
  Index count = 0;
  bool first = true;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    some.push_back(blocks[k]);
    count += faces_.freedom(blocks[k]);
    const bool more =
        k + 1 < blocks.size() && count + faces_.freedom(blocks[k + 1]) <= system_.columns_at_once();
    if (more) continue;
    system_.add_rows(columns_of(some, Part::face), sigma_, first);
    some.clear();
    count = 0;
    first = false;
  }
  return system_.solve_rows(right);
}

template <Backend B>
void PatternLagrangian<B>::add_curved(const std::vector<Index>& blocks, const Matrix& G,
                                      Matrix& W) const {
  Matrix curved(d(), static_cast<Index>(blocks.size()));
#pragma omp parallel for schedule(dynamic) if (blocks.size() >= kWorthThreads)
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    const Index b = blocks[k];
    const Vector v = G.col(b % half()), unit = w_.col(b) / length_[b];
    const double share = request_.weight_decay / length_[b];
    curved.col(static_cast<Index>(k)) =
        sigma_ *
        ((1.0 - share) * faces_.onto_tangent(pattern_of(b), b, v) + share * unit.dot(v) * unit);
  }
  for (std::size_t k = 0; k < blocks.size(); ++k)
    W.col(blocks[k] % half()) += curved.col(static_cast<Index>(k));
}

// By the smaller of the two orders. Where neither fits, along the weights alone, and last without
// curvature: still directions of descent.
template <Backend B>
Matrix PatternLagrangian<B>::direction(const Value& at) {
  const Matrix root = loss_.root(at.f), back = loss_.curved_back(root, at.residual);
  const Matrix G = products_.adjoint(loss_.curved(root, back));
  Matrix W = Matrix::Zero(d(), half()), z = Matrix::Zero(n(), c());
  std::vector<std::vector<Index>> of_rows;
  system_.set_root(root);
  for (Index k = 0; k < (loss_.softmax() ? 1 : c()); ++k) {
    const std::vector<Index> blocks = moving(loss_.softmax() ? -1 : k);
    const Index count = directions(blocks);
    if (count == 0) continue;
    if (!system_.fits(count)) {
      if (system_.holds(static_cast<Index>(blocks.size()))) by_columns(blocks, Part::weight, G, W);
    } else if (system_.by_columns(count)) {
      by_columns(blocks, Part::face, G, W);
    } else {
      const Vector right = loss_.softmax() ? Vector(back.reshaped()) : Vector(back.col(k));
      const Vector solved = by_rows(blocks, right);
      if (solved.size() == 0) continue;
      if (loss_.softmax()) {
        z = solved.reshaped(n(), c());
      } else {
        z.col(k) = solved;
      }
      of_rows.push_back(blocks);
    }
  }
  if (!of_rows.empty()) {
    const Matrix Gz = products_.adjoint(loss_.curved(root, z));
    for (const auto& blocks : of_rows) add_curved(blocks, Gz, W);
  }
  return products_.forward(W) - at.residual;
}

}  // namespace relulift
