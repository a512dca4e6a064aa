// SPDX-License-Identifier: Apache-2.0
// Host side of the interior-point method of pattern_interior.hpp: the norms. Block b has weights v
// with a bound t >= ||v|| and, on the dual side, ||y|| <= 1, so x = (t, v) and z = (1, -y) lie in
// the second-order cone, and are complementary at a solution. Their Nesterov-Todd scaling W, with
// W z = W^-1 x, and its square eta^2 (2 w w' - J) are rank-one terms [eq:pattern-scaling].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/core/dense.hpp"
#include "src/core/needs.hpp"
#include "src/patterns/pattern_set.hpp"
#include "src/solvers/pattern_point.hpp"

namespace relulift {

// Units in which ||Y|| = 1 and g = 1.
struct PatternScale {
  double targets = 1.0;  // ||Y||
  double data = 1.0;     // what X is multiplied by: ||Y|| / g
  double weights = 1.0;  // what weights in these units are multiplied by: ||Y||^2 / g
};
PatternScale pattern_scale(const Matrix& Y, double g);

struct NormMove {
  Vector t;     // blocks
  Matrix v, y;  // d x blocks
};

struct NormState {
  Vector t;
  Matrix v, y;
  Index blocks() const { return t.size(); }
  double product() const;  // x'z, all blocks
  double product_after(const NormMove& move, double length) const;
  void advance(const NormMove& move, double length);
  // The largest step, at most 1, inside both cones.
  double reach(const NormMove& move) const;
};

class NormScaling {
 public:
  explicit NormScaling(const NormState& at);

  const Vector& eta() const { return eta_; }
  const Matrix& w() const { return w_; }  // d x blocks, without its first entry
  // What is asked of dx + W^2 dz, (1 + d) x blocks: -x for the predictor; after it, with the second
  // order of `predictor`; and for plain centring.
  Matrix predictor(const NormState& at) const;
  Matrix corrector(const NormState& at, const NormMove& predictor, double target) const;
  Matrix centring(const NormState& at, double target) const;
  // M^-1 u with M = eta^2 (I + 2 w w'), block by block; no cancellation along w.
  Matrix inverse(const Eigen::Ref<const Matrix>& u) const;
  // The move of which dv is a part: dy and dt follow from it within the block.
  NormMove move(const Matrix& asked, Matrix dv) const;

 private:
  // u <- W (lambda \ u) with the second-order cone's product.
  void unscale(Matrix& u) const;

  Vector eta_, w0_, square_, determinant_;  // square: w'w; determinant: of lambda
  Matrix w_, lambda_;                       // lambda: (1 + d) x blocks
};

// Rows of X that are not zero, sample by sample; a sample with none of them adds ||y_r||^2 / 2 to
// the objective and to the bound.
struct RowsInUse {
  std::vector<Index> rows;
  std::vector<Index> samples;       // that have such a row
  std::vector<std::int32_t> first;  // of each of these samples among `rows`, and their number
};
// Row k samples + r of X is patch k of sample r.
RowsInUse rows_in_use(const Matrix& X, Index samples);
// Bits of these rows, 32 to a word, the words of one pattern after those of another.
std::vector<std::int32_t> packed_words(const PatternSet& patterns, std::span<const Index> rows);

// Bytes of the method, and whether a step of it takes a few seconds at most. rows: n x patches.
EngineBytes pattern_interior_bytes(Index n, Index rows, Index d, Index patterns,
                                   PatternProgram program);
bool pattern_interior_affordable(Index n, Index rows, Index d, Index patterns,
                                 PatternProgram program);
// Columns of a panel of the normal equations: whole blocks.
Index pattern_panel_blocks(Index d, Index blocks);
// Blocks whose products with all patches are formed at once: about the size of a panel.
Index pattern_pooled_blocks(Index n, Index rows, Index d, Index blocks);

}  // namespace relulift
