// SPDX-License-Identifier: Apache-2.0
// Gates to begin with [eq:gates]: the same seed gives the same gates on every machine.
#pragma once

#include <cstdint>

#include "src/core/dense.hpp"

namespace relulift {

// d x count, each N(0, I) (Pilanci & Ergen 2020; Mishkin et al. 2022).
Matrix gaussian_gates(Index features, Index count, std::uint64_t seed);

// N(0, 1) on `order` features drawn for each gate, zero elsewhere; 1 <= order <= features.
Matrix sparse_gates(Index features, Index order, Index count, std::uint64_t seed);

// Images of height x width in planes, one plane after the other, row by row; a patch is a square of
// side `patch` in all planes. N(0, 1) on a patch drawn for each gate, zero elsewhere.
struct ImageShape {
  Index height = 0, width = 0, planes = 1;
  Index features() const { return height * width * planes; }
};
Matrix patch_gates(const ImageShape& image, Index patch, Index count, std::uint64_t seed);

// Gates beside the directions U (d x m, none zero): two for each, opposite steps from it, so short
// that no sample changes sides but those on its hyperplane (x'u = 0 up to rounding), where good
// neurons lie. The closed cones of their patterns hold u; the gates are inside them.
Matrix gates_beside(const Matrix& X, const Matrix& U, std::uint64_t seed);

}  // namespace relulift
