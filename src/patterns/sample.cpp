// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/sample.hpp"

#include <algorithm>

#include "src/core/portable_normal.hpp"

namespace relulift {
namespace {

// Streams of the draws.
constexpr std::uint64_t kEntries = 100, kPlaces = 101, kSteps = 103;
// Samples of a smaller cosine are on the hyperplane; a step is this share of the distance to the
// nearest other sample's.
constexpr double kOnIt = 1e-9, kShare = 0.5;

Index below(Random& random, Index bound) {
  const auto drawn = static_cast<Index>(random.uniform() * static_cast<double>(bound));
  return std::min(drawn, bound - 1);
}

}  // namespace

Matrix gaussian_gates(Index features, Index count, std::uint64_t seed) {
  Random random(seed, kEntries);
  Matrix gates(features, count);
  for (double& entry : gates.reshaped()) entry = portable::normal(random);
  return gates;
}

Matrix sparse_gates(Index features, Index order, Index count, std::uint64_t seed) {
  Random entries(seed, kEntries), places(seed, kPlaces);
  Matrix gates = Matrix::Zero(features, count);
  for (Index j = 0; j < count; ++j) {
    for (Index k = 0; k < order;) {
      double& entry = gates(below(places, features), j);
      if (entry != 0.0) continue;
      entry = portable::normal(entries);
      ++k;
    }
  }
  return gates;
}

Matrix patch_gates(const ImageShape& image, Index patch, Index count, std::uint64_t seed) {
  Random entries(seed, kEntries), places(seed, kPlaces);
  const Index side_down = std::min(patch, image.height), side_across = std::min(patch, image.width);
  Matrix gates = Matrix::Zero(image.features(), count);
  for (Index j = 0; j < count; ++j) {
    const Index down = below(places, image.height - side_down + 1);
    const Index across = below(places, image.width - side_across + 1);
    for (Index plane = 0; plane < image.planes; ++plane)
      for (Index y = down; y < down + side_down; ++y)
        for (Index x = across; x < across + side_across; ++x)
          gates((plane * image.height + y) * image.width + x, j) = portable::normal(entries);
  }
  return gates;
}

Matrix gates_beside(const Matrix& X, const Matrix& U, std::uint64_t seed) {
  Random random(seed, kSteps);
  const Vector lengths = X.rowwise().norm();
  Matrix gates(U.rows(), 2 * U.cols());
  for (Index j = 0; j < U.cols(); ++j) {
    const Vector u = U.col(j).normalized(), along = (X * u).cwiseAbs();
    double distance = 1.0;
    for (Index r = 0; r < along.size(); ++r)
      if (along[r] > kOnIt * lengths[r]) distance = std::min(distance, along[r] / lengths[r]);
    Vector step(U.rows());
    for (double& entry : step) entry = portable::normal(random);
    step *= kShare * distance / step.norm();
    gates.col(2 * j) = u + step;
    gates.col(2 * j + 1) = u - step;
  }
  return gates;
}

}  // namespace relulift
