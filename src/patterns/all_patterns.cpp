// SPDX-License-Identifier: Apache-2.0
// Hyperplane t cuts those cells of the first t - 1 that its own arrangement, one dimension lower,
// has as cells: the lists grow by recursion in the rank, and a point of every cell comes for free.
#include "src/patterns/all_patterns.hpp"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace relulift {
namespace {

// Directions closer than this angle are one hyperplane; singular values below this share are zero.
constexpr double kSameAngle = 1e-11, kRank = 1e-12;

// Points in cells, column by column; throws Stopped when there are too many.
struct Stopped {};
class Points {
 public:
  Points(Index rank, Index limit, const std::function<bool()>& go_on)
      : rank_(rank), limit_(limit), go_on_(go_on) {}
  void add(const Vector& point) {
    if (count() >= limit_) throw Stopped{};
    if (count() % 4096 == 0 && go_on_ && !go_on_()) throw Stopped{};
    entries_.insert(entries_.end(), point.begin(), point.end());
  }
  Index count() const { return static_cast<Index>(entries_.size()) / rank_; }
  Eigen::Map<const Matrix> all() const { return {entries_.data(), rank_, count()}; }

 private:
  Index rank_, limit_;
  const std::function<bool()>& go_on_;
  std::vector<double> entries_;
};

// Unit rows, one of each hyperplane.
Matrix directions(const Matrix& rows) {
  const Vector length = rows.rowwise().norm();
  const double least = kRank * (length.size() > 0 ? length.maxCoeff() : 0.0);
  Matrix kept(rows.rows(), rows.cols());
  Index count = 0;
  for (Index r = 0; r < rows.rows(); ++r) {
    if (!(length[r] > least)) continue;
    const Eigen::RowVectorXd unit = rows.row(r) / length[r];
    bool fresh = true;
    for (Index s = 0; s < count && fresh; ++s) {
      const double cosine = kept.row(s).dot(unit);
      // The cosine alone cannot tell small angles.
      fresh = (unit - (cosine < 0.0 ? -1.0 : 1.0) * kept.row(s)).norm() > kSameAngle;
    }
    if (fresh) kept.row(count++) = unit;
  }
  return kept.topRows(count);
}

// Orthonormal basis of the hyperplane orthogonal to the unit vector x: the columns but the first of
// a reflection that takes x to an axis.
Matrix hyperplane(const Vector& x) {
  const Index r = x.size();
  Vector v = x;
  v[0] += x[0] < 0.0 ? -1.0 : 1.0;
  const Matrix reflection = Matrix::Identity(r, r) - v * v.transpose() * (2.0 / v.squaredNorm());
  return reflection.rightCols(r - 1);
}

// rank 2: the middles of the sectors between lines.
void sectors(const Matrix& lines, Points& out) {
  std::vector<double> angle;
  for (Index r = 0; r < lines.rows(); ++r) {
    double a = std::atan2(lines(r, 0), -lines(r, 1));  // of the line itself, in [0, pi)
    if (a < 0.0) a += std::numbers::pi;
    if (a >= std::numbers::pi) a -= std::numbers::pi;
    angle.push_back(a);
  }
  std::ranges::sort(angle);
  for (std::size_t k = 0; k < angle.size(); ++k) {
    const double next = k + 1 < angle.size() ? angle[k + 1] : angle[0] + std::numbers::pi;
    const double middle = 0.5 * (angle[k] + next);
    const Vector point{{std::cos(middle), std::sin(middle)}};
    out.add(point);
    out.add(-point);
  }
}

// Points of the same cell of `rows` once.
Matrix distinct(const Matrix& rows, const Matrix& points) {
  PatternSet seen(rows.rows());
  std::vector<Index> kept;
  for (Index k = 0; k < points.cols(); ++k)
    if (seen.add(packed_signs(rows * points.col(k)))) kept.push_back(k);
  return points(Eigen::all, kept);
}

// A point of every cell of `rows`, and some cells twice. rows: from directions(), one at least.
void cells(const Matrix& rows, Points& out, Index limit, const std::function<bool()>& go_on) {
  const Index rank = rows.cols();
  if (rank == 2) return sectors(rows, out);
  if (rank == 1) {
    out.add(Vector::Constant(1, 1.0));
    out.add(Vector::Constant(1, -1.0));
    return;
  }
  for (Index t = 0; t < rows.rows(); ++t) {
    const Vector normal = rows.row(t).transpose();
    const auto earlier = rows.topRows(t);
    const Matrix basis = hyperplane(normal);
    Points inside(rank - 1, limit, go_on);
    if (t == 0)
      inside.add(Vector::Unit(rank - 1, 0));
    else
      cells(directions(earlier * basis), inside, limit, go_on);
    // Some cells were met twice: without them the list would double at every level.
    const Matrix on = basis * distinct(earlier * basis, inside.all());
    for (Index k = 0; k < on.cols(); ++k) {
      const double margin = t == 0 ? 1.0 : (earlier * on.col(k)).cwiseAbs().minCoeff();
      for (const double side : {0.5 * margin, -0.5 * margin})
        out.add((on.col(k) + side * normal).normalized());
    }
  }
}

}  // namespace

double most_patterns(Index directions, Index rank) {
  double total = 0.0, binomial = 1.0;
  for (Index k = 0; k < std::min(rank, directions); ++k) {
    total += binomial;
    binomial *= static_cast<double>(directions - 1 - k) / static_cast<double>(k + 1);
  }
  return 2.0 * total;
}

std::optional<GatedPatterns> all_patterns(const Matrix& X, Index limit,
                                          const std::function<bool()>& go_on) {
  // Of unit size: squares of very small or large entries are no doubles.
  const double size = X.size() > 0 ? X.cwiseAbs().maxCoeff() : 0.0;
  const Matrix scaled = size > 0.0 ? Matrix(X / size) : X;
  const Eigen::BDCSVD<Matrix> svd(scaled, Eigen::ComputeThinV);
  const Vector& s = svd.singularValues();
  const Index rank = s.size() > 0 && s[0] > 0.0 ? (s.array() > kRank * s[0]).count() : 0;
  if (rank == 0) return patterns_of(X, Matrix::Zero(X.cols(), 1));
  const Matrix basis = svd.matrixV().leftCols(rank);
  const Matrix rows = directions(scaled * basis);
  // Some cells are met twice.
  Points points(rank, 4 * limit + 4, go_on);
  try {
    cells(rows, points, 4 * limit + 4, go_on);
  } catch (const Stopped&) {
    return std::nullopt;
  }
  // A cell without an active sample is left out: it carries no neuron that matters.
  GatedPatterns out = patterns_of(X, basis * points.all());
  if (out.patterns.size() > limit) return std::nullopt;
  return out;
}

}  // namespace relulift
