// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/group_lasso_step.hpp"

#include <algorithm>
#include <cmath>

namespace relulift {
namespace {

// Share of the way to the border that a step may go.
constexpr double kOfTheWay = 0.95;
// A start is within this share of the border, and no lambda_j s_j below this share of their mean.
constexpr double kInside = 0.95;
constexpr double kLeastProduct = 0.1;
// mu falls at most by this factor in a step; and by this when only centring.
constexpr double kLeastCentring = 1e-4;
constexpr double kCentring = 0.5;

Vector slack_of(const Matrix& y) { return 0.5 * (1.0 - y.rowwise().squaredNorm().array()); }

// Both lengths before a border is met, at most 1.
struct Lengths {
  double lambda = 1.0, E = 1.0;
};
Lengths lengths_to_border(const LassoIterate& at, const LassoMove& move) {
  Lengths out;
  for (Index j = 0; j < at.lambda.size(); ++j) {
    if (move.lambda[j] < 0.0) out.lambda = std::min(out.lambda, -at.lambda[j] / move.lambda[j]);
    // ||y + t dy||^2 = 1, the stable formula of its positive root.
    const double a = move.y.row(j).squaredNorm(), b = at.y.row(j).dot(move.y.row(j));
    const double c = 2.0 * at.slack[j];
    if (a > 0.0) out.E = std::min(out.E, c / (b + std::sqrt(b * b + a * c)));
  }
  return out;
}

double mean_product(const LassoIterate& at) {
  return at.lambda.dot(at.slack) / static_cast<double>(at.lambda.size());
}

}  // namespace

LassoScale lasso_scale(const Matrix& Y, double g) {
  const double size = Y.norm();
  return {
      .targets = size > 0.0 ? size : 1.0, .activations = (size > 0.0 ? size : 1.0) / g, .decay = g};
}

bool LassoValues::finite() const { return std::isfinite(objective) && std::isfinite(bound); }

// lambda_j (1[p = q] + y_jp y_jq / s_j)
Vector LassoIterate::curvature(Index p, Index q) const {
  Vector w = lambda.cwiseQuotient(slack).cwiseProduct(y.col(p)).cwiseProduct(y.col(q));
  if (p == q) w += lambda;
  return w;
}

LassoValues LassoIterate::values(const Matrix& Y, const Matrix& infeasible) const {
  const double penalty = lambda.dot(y.rowwise().norm());
  return {.objective = 0.5 * (E - infeasible).squaredNorm() + penalty,
          .bound = E.cwiseProduct(Y).sum() - 0.5 * E.squaredNorm()};
}

GroupLassoPoint LassoIterate::point(const LassoValues& values, const LassoScale& scale) const {
  const double square = scale.targets * scale.targets;
  return {.W = weights() * (square / scale.decay),
          .E = E * scale.targets,
          .lambda = lambda * (square / (scale.decay * scale.decay)),
          .objective = values.objective * square,
          .bound = values.bound * square};
}

void LassoIterate::advance(const LassoMove& move, double length) {
  E += length * move.E;
  y += length * move.y;
  lambda += length * move.lambda;
  slack = slack_of(y);
}

LassoIterate lasso_start(const GroupLassoPoint& start, const LassoScale& scale, const Matrix& Y,
                         const std::function<Matrix(const Matrix&)>& correlations) {
  LassoIterate at;
  at.E = start.E.size() == Y.size() ? Matrix(start.E / scale.targets) : Y;
  at.y = correlations(at.E);
  const double worst = at.y.rows() > 0 ? at.y.rowwise().norm().maxCoeff() : 0.0;
  const double shrink = worst > kInside ? kInside / worst : 1.0;
  at.E *= shrink;
  at.y *= shrink;
  at.slack = slack_of(at.y);
  const double unit = scale.decay / scale.targets;
  at.lambda = Vector::Zero(at.y.rows());
  if (start.lambda.size() == at.lambda.size()) at.lambda = start.lambda * (unit * unit);
  at.lambda = at.lambda.cwiseMax(0.0);
  if (!(at.lambda.sum() > 0.0)) at.lambda.setConstant(1.0 / static_cast<double>(at.y.rows() + 1));
  at.lambda = at.lambda.cwiseMax(kLeastProduct * mean_product(at) * at.slack.cwiseInverse());
  return at;
}

Vector corrected_complement(const LassoIterate& at, const LassoMove& predictor) {
  const Lengths reach = lengths_to_border(at, predictor);
  const Vector slack = slack_of(at.y + reach.E * predictor.y);
  const double mu = mean_product(at);
  const double after = (at.lambda + reach.lambda * predictor.lambda).dot(slack) /
                       static_cast<double>(at.lambda.size());
  const double share = std::clamp(std::pow(after / mu, 3), kLeastCentring, 1.0);
  // Second order: s_j also loses ||dy_j||^2 / 2.
  const Vector linear = -at.y.cwiseProduct(predictor.y).rowwise().sum();
  const Vector square = predictor.y.rowwise().squaredNorm();
  const Vector second = reach.lambda * reach.E * predictor.lambda.cwiseProduct(linear) -
                        0.5 * reach.E * reach.E * at.lambda.cwiseProduct(square);
  return (share * mu - second.array()).matrix() - at.complementarity();
}

Vector centred_complement(const LassoIterate& at) {
  return (kCentring * mean_product(at) - at.complementarity().array()).matrix();
}

double longest_step(const LassoIterate& at, const LassoMove& move) {
  const Lengths reach = lengths_to_border(at, move);
  return std::min(1.0, kOfTheWay * std::min(reach.lambda, reach.E));
}

}  // namespace relulift
