// SPDX-License-Identifier: Apache-2.0
// Which pairs of lifted rows are violated or nearly so: one pass over the upper triangle of tiles
// of K K', 4 n^2 r flops, that leaves a mask of 32 rows in every double: n^2 bytes in all, read
// back stripe by stripe. T: the type in which K K' is formed. float costs cosines below 1e-6 their
// sign, which a list of near pairs does not mind.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "kernels/entries.hpp"
#include "kernels/low_rank.hpp"
#include "src/core/backend.hpp"
#include "src/core/needs.hpp"
#include "src/core/transfer.hpp"
#include "src/solvers/pairs_point.hpp"

namespace relulift {

// Tiles are height x height, a multiple of kernels::kMaskRows; columns of K are multiplied `depth`
// at a time. Host: products that run on the thread that asks for them, see GramShape. A stripe of
// masks takes about stripe_bytes, at least one tile's.
struct ScanShape {
  Index height = 64, depth = 64, stripe_bytes = Index{64} << 20;
};
inline constexpr ScanShape kScanShapeHost{};
inline constexpr ScanShape kScanShapeDevice{2048, 1024};

template <Backend B, class T = double>
class PairScan {
 public:
  // rank: rows of K, at most.
  PairScan(B& be, Index samples, Index rank, ScanShape shape)
      : be_(be),
        samples_(samples),
        shape_(fitted(samples, shape)),
        gram_(be.matrix(stored(shape_.height * shape_.height * be.lanes()), 1)),
        narrow_(be.matrix(narrow_entries(samples, rank), 1)),
        mask_(be.matrix(rows(samples, shape_), stripe(samples, shape_))),
        norm_(be.matrix(2 * samples, 1)),
        host_(rows(samples, shape_), stripe(samples, shape_)) {}

  static void count(Needs& needs, Index samples, Index rank, Index lanes, ScanShape shape) {
    const ScanShape fit = fitted(samples, shape);
    needs.matrix(stored(fit.height * fit.height * lanes), 1)
        .matrix(narrow_entries(samples, rank), 1)
        .matrix(rows(samples, fit), stripe(samples, fit))
        .matrix(2 * samples, 1);
  }

  // Pairs p < q with K_p K_q' < margin ||K_p|| ||K_q||, K: r x 2n, ascending in (q, p); those of
  // one sample left out. Waits. Stops early, with more than `most`, once there are more.
  std::vector<LiftedPair> below(MatrixView<const double> K, double margin, std::size_t most) {
    const Index order = 2 * samples_;
    be_.sum_columns({K.rows, order}, kernels::SquareOf{K}, Slot{norm_.view().data});
    be_.launch({order}, kernels::RootOf{norm_.view()});
    std::vector<LiftedPair> found;
    for (Index col = 0; col < order && found.size() <= most; col += mask_.cols()) {
      const Index cols = std::min(mask_.cols(), order - col);
      mark(entries(K), margin, col, cols);
      fetch(be_, mask_.view(), host_);
      decode(col, cols, most, found);
    }
    return found;
  }

 private:
  static ScanShape fitted(Index samples, ScanShape shape) {
    const Index most = (2 * samples + kernels::kMaskRows - 1) / kernels::kMaskRows;
    return {std::min(shape.height, std::max<Index>(1, most) * kernels::kMaskRows), shape.depth,
            shape.stripe_bytes};
  }
  static Index blocks(Index samples, const ScanShape& shape) {
    return std::max<Index>((2 * samples + shape.height - 1) / shape.height, 1);
  }
  // Masks of a column, and columns of a stripe: a whole number of tiles.
  static Index rows(Index samples, const ScanShape& shape) {
    return blocks(samples, shape) * (shape.height / kernels::kMaskRows);
  }
  static Index stripe(Index samples, const ScanShape& shape) {
    const Index tiles = shape.stripe_bytes / (8 * rows(samples, shape) * shape.height);
    return shape.height * std::clamp<Index>(tiles, 1, blocks(samples, shape));
  }

  static Index stored(Index count) { return doubles_for<T>(count); }
  static Index narrow_entries(Index samples, Index rank) {
    return std::is_same_v<T, double> ? 0 : stored(2 * samples * rank);
  }

  // K in T.
  MatrixView<const T> entries(MatrixView<const double> K) {
    if constexpr (std::is_same_v<T, double>) {
      return K;
    } else {
      const MatrixView<T> to{reinterpret_cast<T*>(narrow_.view().data), K.rows, K.cols, K.rows};
      be_.launch({K.rows, K.cols}, kernels::CopyEntries<double, float>{K, to});
      return to;
    }
  }
  // The tile of a lane.
  MatrixView<T> tile_of(Index lane, Index rows, Index cols) const {
    T* const first = reinterpret_cast<T*>(gram_.view().data);
    return {first + lane * shape_.height * shape_.height, rows, cols, shape_.height};
  }

  void mark(MatrixView<const T> K, double margin, Index col, Index cols) {
    const Index h = shape_.height, order = 2 * samples_, masks = h / kernels::kMaskRows;
    const Index first = col / h, count = (cols + h - 1) / h;
    be_.concurrently(count, [&](Index task, Index lane, auto& be) {
      const Index block = first + count - 1 - task, q = block * h;  // the longest first
      const Index width = std::min(h, order - q);
      for (Index row = 0; row <= q; row += h) {
        const Index height = std::min(h, order - row);
        const auto tile = tile_of(lane, height, width);
        for (Index k = 0; k == 0 || k < K.rows; k += shape_.depth) {
          const Index depth = std::min(shape_.depth, K.rows - k);
          be.gemm(Op::transpose, Op::none, 1.0, K.block(k, row, depth, height),
                  K.block(k, q, depth, width), k == 0 ? 0.0 : 1.0, tile);
        }
        const auto mask = mask_.view().block(row / h * masks, q - col, masks, width);
        be.launch({(height + kernels::kMaskRows - 1) / kernels::kMaskRows, width},
                  kernels::NearlyViolated<T>{tile, norm_.view(), row, q, samples_, margin, mask});
      }
    });
  }

  void decode(Index col, Index cols, std::size_t most, std::vector<LiftedPair>& found) const {
    for (Index j = 0; j < cols && found.size() <= most; ++j) {
      const auto q = static_cast<std::int32_t>(col + j);
      for (Index a = 0; a * kernels::kMaskRows < q; ++a) {
        auto bits = static_cast<std::uint64_t>(host_(a, j));
        for (; bits != 0; bits &= bits - 1) {
          const Index p = a * kernels::kMaskRows + std::countr_zero(bits);
          found.push_back({static_cast<std::int32_t>(p), q});
        }
      }
    }
  }

  B& be_;
  Index samples_;
  ScanShape shape_;
  typename B::Matrix gram_;    // a tile per lane
  typename B::Matrix narrow_;  // K in T, where that is not double
  typename B::Matrix mask_, norm_;
  Matrix host_;
};

}  // namespace relulift
