// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_interior_step.hpp"

#include "src/solvers/pattern_interior_blocks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace relulift {
namespace {

// Wide enough for a matrix product at its full rate.
constexpr Index kPanelColumns = 2048;
constexpr double kStepFlops = 2e11;

// Square root of x_0^2 - ||x||^2.
double root_determinant(double head, double norm) {
  return std::sqrt(std::max((head - norm) * (head + norm), std::numeric_limits<double>::min()));
}

// Length at which x + a dx leaves the cone, infinite if it never does: the first positive root of
// a^2 p + 2 a q + r, by the formula without cancellation.
double leaves(double x0, const Eigen::Ref<const Vector>& x, double dx0,
              const Eigen::Ref<const Vector>& dx) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const double norm = x.norm();
  const double p = dx0 * dx0 - dx.squaredNorm(), q = x0 * dx0 - x.dot(dx);
  const double r = (x0 - norm) * (x0 + norm), under = q * q - p * r;
  const double apex = dx0 < 0.0 ? -x0 / dx0 : kNever;
  if ((p >= 0.0 && q >= 0.0) || under < 0.0) return apex;
  const double bottom = std::sqrt(under) - q;
  return bottom > 0.0 ? std::min(apex, r / bottom) : apex;
}

// u <- W u or W^-1 u, for one block.
void scale(double eta, double w0, const Eigen::Ref<const Vector>& w, double& head,
           Eigen::Ref<Vector> tail) {
  const double along = w.dot(tail);
  const double first = w0 * head + along;
  tail = eta * (tail + w * (head + along / (1.0 + w0)));
  head = eta * first;
}

}  // namespace

PatternScale pattern_scale(const Matrix& Y, double g) {
  const double size = Y.norm();
  const double targets = size > 0.0 ? size : 1.0;
  return {.targets = targets, .data = targets / g, .weights = targets * (targets / g)};
}

double NormState::product() const { return t.sum() - v.cwiseProduct(y).sum(); }

double NormState::product_after(const NormMove& move, double length) const {
  return (t + length * move.t).sum() -
         (v + length * move.v).cwiseProduct(y + length * move.y).sum();
}

void NormState::advance(const NormMove& move, double length) {
  t += length * move.t;
  v += length * move.v;
  y += length * move.y;
}

double NormState::reach(const NormMove& move) const {
  double out = 1.0;
  for (Index b = 0; b < blocks(); ++b) {
    out = std::min(out, leaves(t[b], v.col(b), move.t[b], move.v.col(b)));
    out = std::min(out, leaves(1.0, y.col(b), 0.0, move.y.col(b)));
  }
  return out;
}

NormScaling::NormScaling(const NormState& at)
    : eta_(at.blocks()),
      w0_(at.blocks()),
      square_(at.blocks()),
      determinant_(at.blocks()),
      w_(at.v.rows(), at.blocks()),
      lambda_(at.v.rows() + 1, at.blocks()) {
  for (Index b = 0; b < at.blocks(); ++b) {
    const auto v = at.v.col(b), y = at.y.col(b);
    const double x = root_determinant(at.t[b], v.norm()), z = root_determinant(1.0, y.norm());
    const double cosine = (at.t[b] - v.dot(y)) / (x * z);
    const double twice = 2.0 * std::sqrt(0.5 * (1.0 + cosine));
    eta_[b] = std::sqrt(x / z);
    w_.col(b) = (v / x + y / z) / twice;
    square_[b] = w_.col(b).squaredNorm();
    w0_[b] = std::sqrt(1.0 + square_[b]);
    determinant_[b] = x * z;
    double head = 1.0;
    Vector tail = -y;
    scale(eta_[b], w0_[b], w_.col(b), head, tail);
    lambda_(0, b) = head;
    lambda_.col(b).tail(tail.size()) = tail;
  }
}

Matrix NormScaling::predictor(const NormState& at) const {
  Matrix asked(at.v.rows() + 1, at.blocks());
  asked.row(0) = -at.t.transpose();
  asked.bottomRows(at.v.rows()) = -at.v;
  return asked;
}

void NormScaling::unscale(Matrix& u) const {
  const Index d = w_.rows();
  for (Index b = 0; b < u.cols(); ++b) {
    auto tail = u.col(b).tail(d);
    const auto l = lambda_.col(b).tail(d);
    const double l0 = lambda_(0, b);
    double head = (l0 * u(0, b) - l.dot(tail)) / determinant_[b];
    tail = (tail - l * head) / l0;
    scale(eta_[b], w0_[b], w_.col(b), head, tail);
    u(0, b) = head;
  }
}

Matrix NormScaling::corrector(const NormState& at, const NormMove& predictor, double target) const {
  const Index d = w_.rows();
  Matrix asked = Matrix::Zero(d + 1, at.blocks());
  Vector x(d), z(d);
  for (Index b = 0; b < at.blocks(); ++b) {
    double x0 = predictor.t[b], z0 = 0.0;
    x = predictor.v.col(b);
    scale(1.0 / eta_[b], w0_[b], -w_.col(b), x0, x);
    z = -predictor.y.col(b);
    scale(eta_[b], w0_[b], w_.col(b), z0, z);
    asked(0, b) = target - (x0 * z0 + x.dot(z));
    asked.col(b).tail(d) = -(x0 * z + z0 * x);
  }
  unscale(asked);
  return asked + this->predictor(at);
}

Matrix NormScaling::centring(const NormState& at, double target) const {
  Matrix asked = Matrix::Zero(w_.rows() + 1, at.blocks());
  asked.row(0).setConstant(target);
  unscale(asked);
  return asked + predictor(at);
}

Matrix NormScaling::inverse(const Eigen::Ref<const Matrix>& u) const {
  Matrix out = u;
  for (Index b = 0; b < out.cols(); ++b) {
    const auto w = w_.col(b);
    if (square_[b] > 0.0) {
      const double along = w.dot(u.col(b)) / square_[b];
      out.col(b) -= along * w;
      out.col(b) += along / (1.0 + 2.0 * square_[b]) * w;
    }
    out.col(b) /= eta_[b] * eta_[b];
  }
  return out;
}

NormMove NormScaling::move(const Matrix& asked, Matrix dv) const {
  const Matrix rest = dv - asked.bottomRows(dv.rows());  // M dy
  const Vector along = w_.cwiseProduct(rest).colwise().sum().transpose();
  const Vector share = 2.0 * w0_.array() / (1.0 + 2.0 * square_.array());
  return {.t = asked.row(0).transpose() + share.cwiseProduct(along),
          .v = std::move(dv),
          .y = inverse(rest)};
}

RowsInUse rows_in_use(const Matrix& X, Index samples) {
  RowsInUse out;
  for (Index r = 0; r < samples; ++r) {
    const std::size_t before = out.rows.size();
    for (Index row = r; row < X.rows(); row += samples)
      if (!X.row(row).isZero(0.0)) out.rows.push_back(row);
    if (out.rows.size() == before) continue;
    out.samples.push_back(r);
    out.first.push_back(static_cast<std::int32_t>(before));
  }
  out.first.push_back(static_cast<std::int32_t>(out.rows.size()));
  return out;
}

std::vector<std::int32_t> packed_words(const PatternSet& patterns, std::span<const Index> rows) {
  const std::size_t per_pattern = (rows.size() + 31) / 32;
  std::vector<std::uint32_t> words(per_pattern * static_cast<std::size_t>(patterns.size()));
  for (Index i = 0; i < patterns.size(); ++i) {
    const std::size_t first = per_pattern * static_cast<std::size_t>(i);
    for (std::size_t r = 0; r < rows.size(); ++r)
      if (patterns.active(rows[r], i)) words[first + r / 32] |= std::uint32_t{1} << (r % 32);
  }
  std::vector<std::int32_t> out(words.size());
  std::ranges::transform(words, out.begin(),
                         [](std::uint32_t w) { return std::bit_cast<std::int32_t>(w); });
  return out;
}

Index pattern_panel_blocks(Index d, Index blocks) {
  return std::clamp<Index>(kPanelColumns / std::max<Index>(d, 1), 1, std::max<Index>(blocks, 1));
}

Index pattern_pooled_blocks(Index n, Index rows, Index d, Index blocks) {
  return std::max<Index>(pattern_panel_blocks(d, blocks) * n / std::max<Index>(rows, 1), 1);
}

EngineBytes pattern_interior_bytes(Index n, Index rows, Index d, Index patterns,
                                   PatternProgram program) {
  Needs needs;
  count_pattern_blocks(needs, n, rows, d, patterns, program);
  const Index blocks = program == PatternProgram::relu ? 2 * patterns : patterns;
  return {
      .engine = needs.storage_bytes,
      .host = static_cast<std::int64_t>(sizeof(double)) * (24 * blocks * (d + 2) + 2 * rows * d)};
}

bool pattern_interior_affordable(Index n, Index rows, Index d, Index patterns,
                                 PatternProgram program) {
  const double blocks = static_cast<double>(patterns) * (program == PatternProgram::relu ? 2 : 1);
  const double order = static_cast<double>(n), columns = static_cast<double>(d) * blocks;
  const double flops = order * order * (columns + order / 3.0) +
                       4.0 * static_cast<double>(rows) * static_cast<double>(d) * columns;
  return flops <= kStepFlops;
}

}  // namespace relulift
