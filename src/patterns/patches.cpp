// SPDX-License-Identifier: Apache-2.0
#include "src/patterns/patches.hpp"

#include <algorithm>

namespace relulift {

PatchGrid::PatchGrid(const ImageShape& image, Index side, Index stride, Index features)
    : image_(image),
      bias_(features > image.features()),
      height_(std::min(side, image.height)),
      width_(std::min(side, image.width)),
      stride_(stride),
      down_((image.height - height_) / stride + 1),
      across_((image.width - width_) / stride + 1) {}

Index PatchGrid::feature(Index patch, Index entry) const {
  const Index plane = entry / (height_ * width_), within = entry % (height_ * width_);
  if (plane == image_.planes) return image_.features();  // the bias
  const Index y = patch / across_ * stride_ + within / width_;
  const Index x = patch % across_ * stride_ + within % width_;
  return (plane * image_.height + y) * image_.width + x;
}

Matrix PatchGrid::stacked(const Matrix& X) const {
  const Index n = X.rows(), K = patches();
  Matrix out(n * K, entries());
  for (Index q = 0; q < entries(); ++q)
    for (Index k = 0; k < K; ++k)
      out.col(q).segment(k * n, n) = X.col(feature(k, q)) / static_cast<double>(K);
  return out;
}

}  // namespace relulift
