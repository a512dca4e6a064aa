// SPDX-License-Identifier: Apache-2.0
// Samples as the patches of an image that a filter sees [eq:pooled] (Ergen & Pilanci 2021, arXiv
// 2006.14798): where they lie, and the matrix of all of them.
#pragma once

#include "src/core/dense.hpp"
#include "src/patterns/sample.hpp"

namespace relulift {

// Squares of side `side`, clipped to the image, in all planes, `stride` apart from the upper left
// corner on; what does not fit at the right and at the bottom is seen by none.
class PatchGrid {
 public:
  // image.features() or one more features, the last then a bias column, which every patch has as
  // its last entry. side, stride >= 1.
  PatchGrid(const ImageShape& image, Index side, Index stride, Index features);

  Index patches() const { return down_ * across_; }
  Index entries() const { return height_ * width_ * image_.planes + (bias_ ? 1 : 0); }
  // Of entry `entry` of patch `patch`; patches row by row, entries plane by plane, row by row.
  Index feature(Index patch, Index entry) const;

  // The patches of X (n x features) over K = patches(): row k n + r is patch k of sample r, so that
  // a sum over k is the mean. n K x entries().
  Matrix stacked(const Matrix& X) const;

 private:
  ImageShape image_;
  bool bias_;
  Index height_, width_, stride_, down_, across_;
};

}  // namespace relulift
