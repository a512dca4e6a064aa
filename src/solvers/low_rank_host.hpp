// SPDX-License-Identifier: Apache-2.0
// Host side of the low-rank engine: options, start, lists of pairs, and the rules that steer it.
// docs/math.md, section 9. Rows are of unit length here: x_i / ||x_i||.
#pragma once

#include <cstdint>
#include <vector>

#include "src/presolve/reduced_problem.hpp"
#include "src/solvers/low_rank_state.hpp"

namespace relulift {

struct LowRankOptions {
  // Rows of the factor Z at the start, and half as many as there may be; 0 = from the order of S.
  Index rank = 0;
  // Outer iterations; 0 = no limit.
  Index max_iterations = 0;
  // L-BFGS steps of one outer iteration, >= 1.
  Index inner_steps = 300;
  // Columns of L-BFGS for pairs of steps and gradients, 2 to 12; one is being filled.
  Index memory = 5;
  // Pairs listed per sample, at most. Only these have multipliers [eq:sparse-alm]. >= 1.
  Index pairs_per_sample = 40;
  // Factor of the penalty where a solved inner problem has not halved the violation. > 1.
  double growth = 1.6;
  // Relative violation of the constraints at which the penalty stays and the engine may end; 0 =
  // from the number of samples: a proof spreads g over them, so the more there are, the smaller an
  // error of Q it can repair.
  double tolerance = 0.0;
  std::uint64_t seed = 0;
};

// Unit rows and their lengths.
struct UnitRows {
  explicit UnitRows(const ReducedProblem& problem);
  Vector length;  // n
  Matrix X;       // n x d
};

// The rank an engine starts with: enough for the solutions measured, little enough for L-BFGS.
Index start_rank(const LowRankOptions& options, Index order);
Index largest_rank(const LowRankOptions& options, Index order);
// options.tolerance, or what it stands for.
double tolerance_for(const LowRankOptions& options, Index samples);
// Up to this order an outcome holds S as a matrix, for rounding and for the interior engine.
inline constexpr Index kLargestGram = 4000;

// Z from a trained network (its Gram matrix compressed to the rank, and a little noise so that no
// direction is missing), W = 0, and a first penalty from the scale of both.
LowRankState low_rank_start(const ReducedProblem& problem, const Weights& network,
                            const LowRankOptions& options);

// The pairs of every lifted row, in compressed rows.
struct PairLists {
  PairLists(const std::vector<LiftedPair>& pairs, Index samples);
  std::vector<std::int32_t> first, second;  // of every pair
  std::vector<std::int32_t> begin, other, pair;
};

// Replaces the list by the pairs found and those with a multiplier; at most `most`, the largest
// multipliers first.
void relist(LowRankState& state, std::vector<LiftedPair> found, std::size_t most);

// The cosine below which pairs are listed, after a scan that found so many: steers their number
// to a quarter of what may be listed or more. Negative cosines are violated pairs, of which the
// worst count.
double next_margin(double margin, std::size_t found, std::size_t most);

// What is known of a point when an inner solve ends or begins.
struct LowRankPoint {
  Matrix G, H;             // residuals, n x c; H has zero rows where beta does not count
  Vector m;                // multipliers of the listed pairs after the step, >= 0
  Vector free;             // n
  Vector norms;            // 2n: ||K_p||^2
  double output = 0.0;     // ||V||^2
  double objective = 0.0;  // of [eq:sdp] at S = Z'Z, without the constant
};

// Z rotated to its principal axes, ascending rows.
void to_principal_axes(LowRankState& state);

// 1 / sqrt of the curvature of the augmented Lagrangian in the entries of Z: the scaling in which
// L-BFGS works. Gauss-Newton in constraints and loss, half that of the entry and half the mean of
// its column. It tells rows apart where Z is in its principal axes: what a constraint gives to a
// row falls with the row's size, and slow rows are the small ones. K: r x 2n.
Matrix entry_scaling(const ReducedProblem& problem, const UnitRows& rows, const LowRankState& state,
                     const LowRankPoint& at, const Matrix& K);
// 1 / sqrt of the mean curvature of every column, from that scaling.
Vector column_scaling(const Matrix& factor);

// ||min(K, W/sigma)|| over the listed pairs and ||diag(alpha beta)||, relative to K.
double relative_violation(const LowRankState& state, const LowRankPoint& at);

// D(G) of [eq:dual-value] without the constant; a bound as far as Q is PSD.
double low_rank_dual(const ReducedProblem& problem, const LowRankPoint& at);

// The dual candidate of the point, in the terms of [eq:slack].
Multipliers low_rank_multipliers(const ReducedProblem& problem, const UnitRows& rows,
                                 const LowRankState& state, const LowRankPoint& at);

// The method of multipliers: W <- m, and the next penalty and tolerance. residual: of the inner
// solve, relative.
void update_multipliers(LowRankState& state, const LowRankPoint& at, double residual,
                        const LowRankOptions& options);

// Q v of [eq:slack] at the point, in the coordinates of Z: half the gradient of the Lagrangian is
// Z Q. O(pairs + n (d + c)).
Vector apply_slack(const ReducedProblem& problem, const UnitRows& rows, const LowRankState& state,
                   const LowRankPoint& at, const Vector& v);

// The directions of the most negative curvatures of the Lagrangian in S, scaled by `factor` as
// L-BFGS sees them, as further rows of Z: they lead out of a spurious point [eq:escape].
void escape(const ReducedProblem& problem, const UnitRows& rows, LowRankState& state,
            const LowRankPoint& at, const Vector& factor, Index most_rank);

// Z rotated to its principal axes without those that are nothing; a full one grows by random rows.
void adapt_rank(LowRankState& state, Index most, std::uint64_t seed);

// S = Z'Z in the coordinates of the problem, blocks (s, u, v).
Matrix low_rank_gram(const UnitRows& rows, const Matrix& Z);
// Z in the coordinates of the problem.
Matrix unscaled_factor(const UnitRows& rows, Matrix Z);

}  // namespace relulift
