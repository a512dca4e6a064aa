// SPDX-License-Identifier: Apache-2.0
// The global optimum of [eq:train] on tiny data (d <= 3) from both sides, by enumeration of all
// activation patterns. Slow, and shares no code with the library.
#pragma once

#include <Eigen/Dense>
#include <relulift/network.hpp>
#include <vector>

namespace relulift::testing {

struct BruteForce {
  double lower = 0;  // [eq:rescale] with the exact maximum; rounding of about 1e-13 relative
  double upper = 0;  // objective of `network`
  Network network;
};

namespace brute {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// ||E'(Xu)_+|| / ||u||.
inline double gain(const MatrixXd& X, const MatrixXd& E, const VectorXd& u) {
  const double size = u.norm();
  if (!(size > 1e-300)) return 0;
  return (E.transpose() * (X * u).cwiseMax(0.0)).norm() / size;
}

// Rays in which d - 1 of the hyperplanes x_i'u = 0 meet, both signs; coordinate axes besides.
inline std::vector<VectorXd> rays(const MatrixXd& X) {
  std::vector<VectorXd> found;
  const auto both = [&](const VectorXd& r) {
    if (r.norm() > 1e-12 * (1 + X.norm()))
      found.insert(found.end(), {r.normalized(), -r.normalized()});
  };
  for (Index l = 0; l < X.cols(); ++l) both(VectorXd::Unit(X.cols(), l) * (2 + X.norm()));
  for (Index i = 0; i < X.rows(); ++i) {
    if (X.cols() == 2) both(Eigen::Vector2d(-X(i, 1), X(i, 0)));
    for (Index j = 0; X.cols() == 3 && j < i; ++j) {
      const Eigen::Vector3d a = X.row(i), b = X.row(j);
      both(a.cross(b));
    }
  }
  return found;
}

// Every pattern 1[Xu > 0] of a full-dimensional cell (and perhaps a few more): the cells that
// meet at each ray, whose tied rows take all combinations.
inline std::vector<std::vector<bool>> patterns(const MatrixXd& X) {
  std::vector<std::vector<bool>> found;
  for (const VectorXd& r : rays(X)) {
    const VectorXd z = X * r;
    std::vector<Index> tied;
    std::vector<bool> base(static_cast<std::size_t>(X.rows()));
    for (Index i = 0; i < X.rows(); ++i) {
      base[i] = z(i) > 0;
      if (std::abs(z(i)) <= 1e-9 * X.row(i).norm()) tied.push_back(i);
    }
    for (std::size_t mask = 0; mask < (std::size_t{1} << tied.size()); ++mask) {
      for (std::size_t b = 0; b < tied.size(); ++b) base[tied[b]] = (mask >> b) & 1;
      found.push_back(base);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// All stationary directions of ||E'D X u|| on the sphere, in the whole space and on each
// hyperplane x_i'u = 0, for every pattern D, and the rays: the maximiser of `gain` is among them.
inline std::vector<VectorXd> stationary(const MatrixXd& X, const MatrixXd& E,
                                        const std::vector<std::vector<bool>>& cells) {
  std::vector<VectorXd> found = rays(X);
  for (const auto& cell : cells) {
    MatrixXd active = X;
    for (Index i = 0; i < X.rows(); ++i)
      if (!cell[i]) active.row(i).setZero();
    const MatrixXd M = E.transpose() * active;
    const MatrixXd square = M.transpose() * M;
    for (Index i = -1; i < X.rows(); ++i) {
      MatrixXd P = MatrixXd::Identity(X.cols(), X.cols());
      if (i >= 0) {
        if (X.row(i).norm() == 0 || X.cols() < 3) continue;
        const VectorXd normal = X.row(i).transpose().normalized();
        P -= normal * normal.transpose();
      }
      const MatrixXd vectors =
          Eigen::SelfAdjointEigenSolver<MatrixXd>(P * square * P).eigenvectors();
      for (Index l = 0; l < vectors.cols(); ++l)
        found.insert(found.end(), {P * vectors.col(l), -P * vectors.col(l)});
    }
  }
  return found;
}

}  // namespace brute

// kappa(E) = max ||E'(Xu)_+|| over ||u|| <= 1, d <= 3, up to rounding.
inline double exact_kappa(const Eigen::MatrixXd& X, const Eigen::MatrixXd& E) {
  double best = 0;
  for (const auto& u : brute::stationary(X, E, brute::patterns(X)))
    best = std::max(best, brute::gain(X, E, u));
  return best;
}

// Column generation over all directions with the exact oracle; the fit of the output weights is
// block coordinate descent on a group lasso. Converges to the optimum over networks of any width.
inline BruteForce brute_force(const Problem& p, double gap = 1e-5) {
  using Eigen::MatrixXd;
  using Eigen::VectorXd;
  const Eigen::Map<const MatrixXd> X(p.X.data(), p.samples, p.features);
  const Eigen::Map<const MatrixXd> Y(p.Y.data(), p.samples, p.outputs);
  const double g = p.weight_decay;
  const auto cells = brute::patterns(X);
  std::vector<VectorXd> directions, atoms;
  std::vector<VectorXd> outputs;
  MatrixXd residual = Y;  // Y - f
  BruteForce result;
  for (int round = 0; round < 100; ++round) {
    for (int sweep = 0; sweep < 1000; ++sweep) {
      double moved = 0;
      for (std::size_t k = 0; k < atoms.size(); ++k) {
        const VectorXd target =
            residual.transpose() * atoms[k] + atoms[k].squaredNorm() * outputs[k];
        const double size = target.norm();
        const VectorXd next = size > g ? VectorXd((1 - g / size) / atoms[k].squaredNorm() * target)
                                       : VectorXd(VectorXd::Zero(p.outputs));
        residual += atoms[k] * (outputs[k] - next).transpose();
        moved = std::max(moved, (outputs[k] - next).norm() * atoms[k].norm());
        outputs[k] = next;
      }
      if (moved <= 1e-12 * (1 + Y.norm())) break;
    }
    double penalty = 0;
    for (const VectorXd& v : outputs) penalty += v.norm();
    result.upper = 0.5 * residual.squaredNorm() + g * penalty;

    std::vector<std::pair<double, VectorXd>> candidates;
    for (const VectorXd& u : brute::stationary(X, residual, cells))
      candidates.emplace_back(brute::gain(X, residual, u), u);
    std::sort(candidates.begin(), candidates.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
    const double kappa = candidates.empty() ? 0 : candidates[0].first;
    const double inner = residual.cwiseProduct(Y).sum(), square = residual.squaredNorm();
    double t = square > 0 ? std::max(0.0, inner / square) : 0;
    if (kappa > 0) t = std::min(t, g / kappa);
    result.lower = std::max(result.lower, t * inner - t * t / 2 * square);
    if (result.upper - result.lower <= gap * result.upper) break;
    for (std::size_t k = 0; k < std::min<std::size_t>(4, candidates.size()); ++k) {
      if (candidates[k].first <= g) break;
      const VectorXd u = candidates[k].second.normalized();
      const VectorXd atom = (X * u).cwiseMax(0.0);
      bool known = false;
      for (const VectorXd& old : directions) known = known || (old - u).norm() < 1e-9;
      if (known) continue;
      directions.push_back(u);
      atoms.push_back(atom);
      outputs.push_back(VectorXd::Zero(p.outputs));
    }
  }
  Network& net = result.network;
  net.features = p.features;
  net.outputs = p.outputs;
  for (std::size_t k = 0; k < atoms.size(); ++k) {
    const double size = outputs[k].norm();
    if (size == 0) continue;
    ++net.neurons;
    for (Index l = 0; l < p.features; ++l) net.U.push_back(std::sqrt(size) * directions[k](l));
    for (Index l = 0; l < p.outputs; ++l) net.V.push_back(outputs[k](l) / std::sqrt(size));
  }
  return result;
}

}  // namespace relulift::testing
