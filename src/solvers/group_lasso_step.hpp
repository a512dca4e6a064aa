// SPDX-License-Identifier: Apache-2.0
// Host side of the interior-point method of group_lasso.hpp: points, steps and their lengths. With
// y_j = E'a_j and s_j = (g^2 - ||y_j||^2)/2 the conditions are
//     E + sum_j lambda_j a_j y_j' = Y,   lambda_j s_j = mu,   lambda_j, s_j > 0 [eq:lasso-kkt]
// and W_j = lambda_j y_j are output weights. Everything here is in units with ||Y|| = 1, g = 1.
#pragma once

#include <functional>

#include "src/core/control.hpp"
#include "src/core/dense.hpp"

namespace relulift {

// Of the data as given. Empty E and lambda: a start from nothing.
struct GroupLassoPoint {
  Matrix W;       // k x c, row j = W_j
  Matrix E;       // n x c, ||E'a_j|| < g
  Vector lambda;  // k
  double objective = 0.0;
  double bound = 0.0;  // no W has a smaller objective (weak duality, rounding aside)
  int steps = 0;
};

struct LassoScale {
  double targets = 1.0;      // ||Y||
  double activations = 1.0;  // what A is multiplied by: ||Y|| / g
  double decay = 1.0;        // g
};
LassoScale lasso_scale(const Matrix& Y, double g);

struct LassoMove {
  Matrix E, y;
  Vector lambda;
};

struct LassoValues {
  double objective = 0.0, bound = 0.0;
  bool finite() const;
};

struct LassoIterate {
  Matrix E, y;
  Vector lambda, slack;

  Matrix weights() const { return lambda.asDiagonal() * y; }
  Vector complementarity() const { return lambda.cwiseProduct(slack); }
  // Diagonal weights of the block (p, q) of H in [eq:lasso-newton].
  Vector curvature(Index p, Index q) const;
  // infeasible = E - Y + sum_j lambda_j a_j y_j'
  LassoValues values(const Matrix& Y, const Matrix& infeasible) const;
  GroupLassoPoint point(const LassoValues& values, const LassoScale& scale) const;
  void advance(const LassoMove& move, double length);
};

// E scaled into the interior, lambda lifted off the border.
LassoIterate lasso_start(const GroupLassoPoint& start, const LassoScale& scale, const Matrix& Y,
                         const std::function<Matrix(const Matrix&)>& correlations);

// Right-hand sides of lambda_j s_j = mu after the predictor, and for plain centring.
Vector corrected_complement(const LassoIterate& at, const LassoMove& predictor);
Vector centred_complement(const LassoIterate& at);

// The largest step, at most 1, that keeps a share of every lambda_j and s_j.
double longest_step(const LassoIterate& at, const LassoMove& move);
inline constexpr double kShortStep = 0.1;

}  // namespace relulift
