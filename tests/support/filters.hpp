// SPDX-License-Identifier: Apache-2.0
// Networks of filters with average pooling [eq:pooled] by plain loops over pixels, and their
// optimum for filters of two pixels by brute force.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "src/core/dense.hpp"

namespace relulift::testing {

struct Images {
  Index height, width, planes, patch, stride;
  bool bias = false;

  Index side_down() const { return std::min(patch, height); }
  Index side_across() const { return std::min(patch, width); }
  Index features() const { return height * width * planes + (bias ? 1 : 0); }
};

// The entries of every patch of one sample, plane by plane, row by row, the bias last.
inline std::vector<Vector> naive_patches(const Images& images, const Vector& sample) {
  std::vector<Vector> out;
  for (Index top = 0; top + images.side_down() <= images.height; top += images.stride)
    for (Index left = 0; left + images.side_across() <= images.width; left += images.stride) {
      std::vector<double> entries;
      for (Index plane = 0; plane < images.planes; ++plane)
        for (Index y = top; y < top + images.side_down(); ++y)
          for (Index x = left; x < left + images.side_across(); ++x)
            entries.push_back(sample[plane * images.height * images.width + y * images.width + x]);
      if (images.bias) entries.push_back(sample[images.features() - 1]);
      out.emplace_back(
          Eigen::Map<const Vector>(entries.data(), static_cast<Index>(entries.size())));
    }
  return out;
}

// The mean over patches of (x'u)_+, of every sample.
inline Vector naive_filter(const Images& images, const Matrix& X, const Vector& u) {
  Vector out(X.rows());
  for (Index r = 0; r < X.rows(); ++r) {
    const std::vector<Vector> patches = naive_patches(images, X.row(r).transpose());
    double sum = 0.0;
    for (const Vector& patch : patches) sum += std::max(0.0, patch.dot(u));
    out[r] = sum / static_cast<double>(patches.size());
  }
  return out;
}

// Filters of two entries: min 1/2 ||sum_j a_j phi(u_j) - y||^2 + g sum_j |a_j| over unit u_j on a
// fine grid of directions that has every kink of phi, which is the optimum of networks of such
// filters but for the width of the grid. The direction that gains most joins, those that have
// joined are descended along one by one.
inline double brute_force_of_two(const Images& images, const Matrix& X, const Vector& y, double g,
                                 Index directions) {
  std::vector<double> angles;
  for (Index k = 0; k < directions; ++k)
    angles.push_back(2.0 * std::numbers::pi * static_cast<double>(k) /
                     static_cast<double>(directions));
  for (Index r = 0; r < X.rows(); ++r)
    for (const Vector& patch : naive_patches(images, X.row(r).transpose()))
      for (const double side : {0.5, -0.5})
        angles.push_back(std::atan2(patch[1], patch[0]) + side * std::numbers::pi);
  Matrix phi(y.size(), static_cast<Index>(angles.size()));
  for (Index j = 0; j < phi.cols(); ++j) {
    const double angle = angles[static_cast<std::size_t>(j)];
    phi.col(j) = naive_filter(images, X, Vector{{std::cos(angle), std::sin(angle)}});
  }
  std::vector<Index> joined;
  Vector a = Vector::Zero(phi.cols()), e = y;
  for (int round = 0; round < 100; ++round) {
    Index most = 0;
    if ((phi.transpose() * e).cwiseAbs().maxCoeff(&most) <= g * (1.0 + 1e-6)) break;
    joined.push_back(most);
    for (int sweep = 0; sweep < 2000; ++sweep)
      for (const Index j : joined) {
        const double square = phi.col(j).squaredNorm(), z = phi.col(j).dot(e) + a[j] * square;
        const double size = std::max(0.0, std::abs(z) - g) / square;
        const double next = z < 0.0 ? -size : size;
        e -= (next - a[j]) * phi.col(j);
        a[j] = next;
      }
  }
  return 0.5 * e.squaredNorm() + g * a.lpNorm<1>();
}

}  // namespace relulift::testing
