// SPDX-License-Identifier: Apache-2.0
// An estimate of the smallest kappa with Q + kappa C positive semidefinite, [eq:shift], by Lanczos
// on C^(-1/2) Q C^(-1/2) without any matrix of order N. It proves nothing: it says where a proof is
// worth its factorisation, and what one would give where none fits.
#pragma once

#include <functional>
#include <limits>

#include "src/certificate/slack.hpp"

namespace relulift {

struct KappaEstimate {
  // Minus the smallest Ritz value, or 0: from below, up to rounding. NaN: no estimate.
  double kappa = std::numeric_limits<double>::quiet_NaN();
  // Residual of that Ritz value: some eigenvalue lies within this of -kappa.
  double error = std::numeric_limits<double>::infinity();
  bool exists() const { return kappa < std::numeric_limits<double>::infinity(); }
};

struct LanczosOptions {
  Index max_products = 1500;
  std::function<bool()> stop = {};  // true: no estimate
  // Nobody needs the estimate once it is larger than this.
  double give_up_above = std::numeric_limits<double>::infinity();
  // Whether it makes no difference where between the two kappa lies.
  std::function<bool(double low, double high)> settled = [](double, double) { return false; };
};

using Product = std::function<void(const Vector& x, Vector& y)>;  // y = Q x

// Both keep a reference. O(entries + N (d + c)) and O(N^2) a product.
Product product_with(const ListSlack<double>& slack);
Product product_with(const Slack<double>& slack);

// The first kKept vectors are kept and orthogonalised against; beyond, copies of converged Ritz
// values may appear, which does not harm the smallest one (Paige 1980). O(N kKept) memory.
class KappaLanczos {
 public:
  static constexpr Index kKept = 250;

  KappaLanczos(Product q, Index order, const Shift<double>& shift);

  KappaEstimate run(const LanczosOptions& options);

  // sum over the `count` most negative Ritz vectors v (v'Cv = 1) of |lambda| v_i^2 on s, after
  // run(): where Q lacks curvature. Of the vectors that were kept.
  Vector negative_weight(Index count) const;

 private:
  struct Ritz {
    Vector values;
    Matrix vectors;  // in the coordinates of the Lanczos vectors
  };
  void apply(const Vector& x, Vector& y) const;    // y = C^(-1/2) Q C^(-1/2) x
  void unscale(const Vector& x, Vector& y) const;  // y = C^(-1/2) x
  // Of the first `steps` Lanczos vectors.
  Ritz smallest(Index steps, Index count) const;

  Product q_;
  Index directions_;
  Vector root_;          // 1/sqrt of the diagonal of C on s and v; u goes through u_factor_
  Matrix u_factor_;      // Cholesky factor of the u block of C
  bool usable_ = false;  // C positive definite
  std::vector<double> diagonal_, off_diagonal_;
  Matrix basis_;
  mutable Vector scaled_;
};

}  // namespace relulift
