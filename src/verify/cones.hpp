// SPDX-License-Identifier: Apache-2.0
// Proofs by a tree of cones that ||G'(Xu)_+|| <= T ||u|| for all u [eq:cone]. A cell is the cone of
// exact combinations of the roots' vertices; what is computed of it carries error bounds.
#pragma once

#include <relulift/proof.hpp>

#include "src/verify/ball.hpp"

namespace relulift::verifier {

// X and G by rows, and their norms.
struct ConeRows {
  explicit ConeRows(const Problem& problem, const std::vector<double>& G);

  Index n, r, c;
  std::vector<double> X, G;
  std::vector<Real> norm_X, norm_G;  // of the rows, rounded up
  std::vector<Real> weight;          // their products
  Real mass = 0;                     // >= sum_i ||g_i|| ||x_i||
};

class Cone {
 public:
  // The orthant of the columns of `axes`, column k negative where bit k of `signs` is set.
  Cone(const ConeRows& rows, const std::vector<double>& axes, unsigned signs);

  // True only if ||G'(Xu)_+|| <= T ||u|| on the cell.
  bool proves(Real T) const;

  // Cuts edge (j, k) at w = (1 - f) v_j + f v_k. This cell becomes the one with w for v_j; the one
  // with w for v_k is returned.
  Cone split(Index j, Index k, double f);

  // About the length of v_j.
  double length(Index j) const { return static_cast<double>(vertices_[j].length); }

 private:
  struct Vertex {
    std::vector<Real> v, F;     // F(u) = G'(Xu)_+ at v
    Real length = 0, size = 0;  // of v and F, rounded up
    // v errs by this, and x_i'v by this times ||x_i||.
    Real error = 0;
    // F errs by this; what rows that were dropped can add on top is in it too.
    Real noise = 0;
  };
  void drop_decided();
  void bounds(std::vector<Real>& A, std::vector<Real>& K) const;

  const ConeRows* rows_;
  std::vector<Vertex> vertices_;
  std::vector<Index> undecided_;  // rows that are not linear on the cell ...
  std::vector<Real> t_;           // ... and their x_i'v_j, one after the other
};

// Empty when the trees of `proof` prove ||G'(Xu)_+|| <= sigma g ||u||, the reason otherwise.
std::string check_cones(const Problem& problem, const Proof& proof);

// Numbers of edges, as they stand in Proof::cones.
inline Index edge_number(Index j, Index k) { return 1 + k * (k - 1) / 2 + j; }

}  // namespace relulift::verifier
