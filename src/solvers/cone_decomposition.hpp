// SPDX-License-Identifier: Apache-2.0
// A gated block w of a pattern taken apart in its cone K u >= 0, w = V - N [eq:cone-decomposition]
// or nearly so [eq:cone-approximation] (Mishkin, Sahiner & Pilanci 2022): two neurons of a ReLU
// network. A second-order cone program in d or 2 d unknowns with 2 n inequalities by a primal-dual
// interior-point method, Nesterov-Todd scaling of the norms, Mehrotra's predictor and corrector;
// every iterate is strictly inside the cones. On the host, 10 to 20 steps of n d^2 flops (twice for
// the approximate one).
#pragma once

#include <optional>

#include "src/core/control.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_network.hpp"

namespace relulift {

struct ConeDecomposition {
  Vector V, N;         // d, K V >= 0 and K N >= 0; exact: V - N = w
  Vector z;            // d, exact: the multiplier of V - N = w, feasible for the dual
  double bound = 0.0;  // exact: no decomposition has a smaller ||V|| + ||N||, rounding aside
};

// min ||V|| + ||N||.  K: n x d, w not zero, K inside > 0 but for rows of zeros.
ConeDecomposition decompose_exactly(const Matrix& K, const Vector& w, const Vector& inside);
// min ||V|| + ||N|| - <w / ||w||, V - N> + 1/2 (V - N - w)'Q(V - N - w), Q: d x d, semidefinite.
ConeDecomposition decompose_nearly(const Matrix& K, const Vector& w, const Vector& inside,
                                   const Matrix& Q);
// A direction strictly inside: `gate` where it is, else that of least norm with K u >= 1 (or the
// norm of a row); none where the cone has no interior.
std::optional<Vector> strictly_inside(const Matrix& K, const Vector& gate);

struct DecomposedBlocks {
  Matrix S;             // d x k, unit directions in the cones of their patterns
  Matrix W;             // k x c, output weights: a row is that of V v' or of -N v'
  Index projected = 0;  // blocks of cones without interior: V and N are the nearest points of +-w
  Index left_out = 0;   // the time had passed
};

// Every term u v' of a gated point, on the threads of OpenMP. curvature: of the loss over the
// weight decay, for Decomposition::approximate.
DecomposedBlocks decompose_blocks(const Matrix& X, const GatedPatterns& gated,
                                  const RankOneTerms& terms, Decomposition how, double curvature,
                                  const Control& control);

}  // namespace relulift
