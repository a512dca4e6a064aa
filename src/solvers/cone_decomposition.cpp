// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/cone_decomposition.hpp"

#include <omp.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "src/patterns/pattern_rows.hpp"
#include "src/solvers/cone_projection.hpp"
#include "src/solvers/pattern_interior_step.hpp"

namespace relulift {
namespace {

constexpr int kMaxSteps = 60;
constexpr int kPatience = 4;  // steps that improve nothing
constexpr double kExactGap = 1e-9, kNearGap = 1e-6;
constexpr double kOfTheWay = 0.95, kShortStep = 0.1, kCentring = 0.8, kLeastShare = 1e-4;
// The start is so many times as far inside as it must be.
constexpr double kRoom = 2.0;
// Of the larger part, what is rounding of an approximate one.
constexpr double kNothing = 1e-4;

// One block with ||w|| = 1 and rows of K of unit length. The two parts are the columns of v.
class Splitting {
 public:
  Splitting(const Matrix& K, const Vector& w, const Vector& inside, const Matrix* Q);
  ConeDecomposition solve();

 private:
  struct Move {
    NormMove norms;
    Matrix s, mu;  // n x 2
  };
  Index n() const { return K_.rows(); }
  Index d() const { return K_.cols(); }

  bool evaluate();
  bool closed() const;
  bool factorise(const NormScaling& scaling);
  Matrix gram(const Vector& weights) const;
  Move move(const NormScaling& scaling, const Matrix& asked, const Matrix& complement, double keep);
  double reach(const Move& move) const;
  bool step();

  const Matrix& K_;
  const Vector& w_;
  const Matrix* Q_;  // null: V - N = w
  NormState at_;
  Matrix s_, mu_;         // n x 2: slacks K v and their multipliers
  Matrix stationarity_;   // d x 2: +-z + K'mu - y
  double product_ = 0.0;  // of norms and slacks
  Eigen::LLT<Matrix> factor_;
  ConeDecomposition best_;
  double value_ = std::numeric_limits<double>::infinity();
};

Splitting::Splitting(const Matrix& K, const Vector& w, const Vector& inside, const Matrix* Q)
    : K_(K), w_(w), Q_(Q) {
  const Vector margin = K * inside;
  const double least = (K * w).cwiseQuotient(margin).maxCoeff();
  Matrix v(d(), 2);
  v.col(0) = kRoom * std::max(least, 1.0) * inside;
  v.col(1) = v.col(0) - w;
  at_ = {kRoom * v.colwise().norm().transpose(), v, Matrix::Zero(d(), 2)};
  s_ = K * v;
  mu_ = at_.t.sum() / static_cast<double>(n()) * s_.cwiseInverse();
  best_.z = Vector::Zero(d());
}

// The residuals here, and whether every slack is positive. Exact: the better end replaces the one
// known.
bool Splitting::evaluate() {
  if (Q_ == nullptr) at_.v.col(1) = at_.v.col(0) - w_;
  s_.noalias() = K_ * at_.v;
  if (!(s_.minCoeff() > 0.0) || !mu_.allFinite()) return false;
  const Matrix pull = K_.transpose() * mu_;
  Matrix y = pull;  // +-z + K'mu
  const Vector apart = at_.y.col(0) - at_.y.col(1) - pull.col(0) + pull.col(1);
  const Vector z =
      Q_ == nullptr ? Vector(0.5 * apart) : Vector(w_ - *Q_ * (at_.v.col(0) - at_.v.col(1) - w_));
  y.col(0) += z;
  y.col(1) -= z;
  stationarity_ = y - at_.y;
  product_ = at_.product() + mu_.cwiseProduct(s_).sum();
  const double value = at_.v.colwise().norm().sum();
  if (Q_ != nullptr || value < value_) {
    best_.V = at_.v.col(0);
    best_.N = at_.v.col(1);
    value_ = value;
  }
  if (Q_ != nullptr) return true;
  const double factor = 1.0 / std::max(1.0, y.colwise().norm().maxCoeff());
  if (const double bound = factor * w_.dot(z); !(bound <= best_.bound)) {
    best_.bound = bound;
    best_.z = factor * z;
  }
  return true;
}

bool Splitting::closed() const {
  if (Q_ == nullptr) return value_ - best_.bound <= kExactGap * value_;
  return product_ <= kNearGap && stationarity_.cwiseAbs().maxCoeff() <= kNearGap;
}

// K'diag(weights) K.
Matrix Splitting::gram(const Vector& weights) const {
  const Matrix scaled = weights.cwiseSqrt().asDiagonal() * K_;
  Matrix out = Matrix::Zero(d(), d());
  out.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
  return out.selfadjointView<Eigen::Lower>();
}

// Of the one move of both parts where V - N stays w [eq:decomposition-newton], of both where not.
bool Splitting::factorise(const NormScaling& scaling) {
  const Matrix ratio = mu_.cwiseQuotient(s_);
  std::vector<Matrix> metric;
  for (Index b = 0; b < 2; ++b) {
    const Vector w = scaling.w().col(b);
    metric.push_back(
        (Matrix::Identity(d(), d()) - w * w.transpose() * (2.0 / (1.0 + 2.0 * w.squaredNorm()))) /
        (scaling.eta()[b] * scaling.eta()[b]));
  }
  if (Q_ == nullptr) {
    factor_.compute(metric[0] + metric[1] + gram(ratio.rowwise().sum()));
  } else {
    Matrix both(2 * d(), 2 * d());
    both << metric[0] + gram(ratio.col(0)) + *Q_, -*Q_, -*Q_, metric[1] + gram(ratio.col(1)) + *Q_;
    factor_.compute(both);
  }
  return factor_.info() == Eigen::Success;
}

Splitting::Move Splitting::move(const NormScaling& scaling, const Matrix& asked,
                                const Matrix& complement, double keep) {
  const Matrix right = scaling.inverse(asked.bottomRows(d())) + keep * stationarity_ +
                       K_.transpose() * complement.cwiseQuotient(s_);
  Matrix v(d(), 2);
  if (Q_ == nullptr)
    v = factor_.solve(right.rowwise().sum()).replicate(1, 2);
  else
    v.reshaped() = factor_.solve(right.reshaped());
  Move out;
  out.s = K_ * v;
  out.mu = (complement - mu_.cwiseProduct(out.s)).cwiseQuotient(s_);
  out.norms = scaling.move(asked, std::move(v));
  return out;
}

double Splitting::reach(const Move& move) const {
  double out = at_.reach(move.norms);
  const auto cut = [&out](const Matrix& x, const Matrix& dx) {
    for (Index k = 0; k < x.size(); ++k)
      if (dx(k) < 0.0) out = std::min(out, -x(k) / dx(k));
  };
  cut(s_, move.s);
  cut(mu_, move.mu);
  return out;
}

bool Splitting::step() {
  const NormScaling scaling(at_);
  if (!factorise(scaling)) return false;
  const Matrix products = mu_.cwiseProduct(s_);
  const double mean = product_ / static_cast<double>(2 + 2 * n());
  Move move = this->move(scaling, scaling.predictor(at_), -products, 1.0);
  double length = reach(move);
  const double after = at_.product_after(move.norms, length) +
                       (mu_ + length * move.mu).cwiseProduct(s_ + length * move.s).sum();
  const double share = std::clamp(std::pow(after / product_, 3), kLeastShare, 1.0);
  const auto to = [&](double target) { return (target - products.array()).matrix(); };
  move = this->move(scaling, scaling.corrector(at_, move.norms, share * mean),
                    to(share * mean) - move.mu.cwiseProduct(move.s), 1.0 - share);
  length = kOfTheWay * reach(move);
  if (length < kShortStep) {  // too bold
    const double target = kCentring * mean;
    move = this->move(scaling, scaling.centring(at_, target), to(target), 0.0);
    length = kOfTheWay * reach(move);
  }
  if (!move.norms.v.allFinite() || !move.norms.y.allFinite()) return false;
  at_.advance(move.norms, length);
  mu_ += length * move.mu;
  return true;
}

ConeDecomposition Splitting::solve() {
  int idle = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k < kMaxSteps && idle < kPatience; ++k) {
    if (!evaluate() || closed()) break;
    const double left = Q_ == nullptr ? value_ - best_.bound : product_;
    idle = left < least ? 0 : idle + 1;
    least = std::min(least, left);
    if (!step()) break;
  }
  return best_;
}

// Rows that are not zero, of unit length.
Matrix unit_rows(const Matrix& K) {
  const Vector norms = K.rowwise().norm();
  std::vector<Index> kept;
  for (Index r = 0; r < K.rows(); ++r)
    if (norms[r] > 0.0) kept.push_back(r);
  return norms(kept).cwiseInverse().asDiagonal() * K(kept, Eigen::all);
}

// w or -w in the cone: nothing is to be done.
std::optional<ConeDecomposition> within(const Matrix& K, const Vector& w) {
  const Vector along = K * w, none = Vector::Zero(w.size());
  const double size = w.norm();
  if (along.size() == 0 || along.minCoeff() >= 0.0)
    return ConeDecomposition{.V = w, .N = none, .z = w / size, .bound = size};
  if (along.maxCoeff() <= 0.0)
    return ConeDecomposition{.V = none, .N = -w, .z = w / size, .bound = size};
  return std::nullopt;
}

ConeDecomposition decompose(const Matrix& K, const Vector& w, const Vector& inside,
                            const Matrix* Q) {
  const Matrix rows = unit_rows(K);
  if (auto found = within(rows, w)) return *found;
  const double size = w.norm();
  const Vector unit = w / size;
  ConeDecomposition out = Splitting(rows, unit, inside, Q).solve();
  out.V *= size;
  out.N = Q == nullptr ? Vector(out.V - w) : Vector(size * out.N);
  out.bound *= size;
  return out;
}

// The two nearest points stand in for parts that do not exist.
ConeDecomposition projections(const Matrix& K, const Vector& w) {
  const ConeProjection with = project_on_cone(K, w), against = project_on_cone(K, -w);
  return {.V = with.value * with.direction, .N = against.value * against.direction, .z = {}};
}

// The parts that are there as directions and output weights.
void collect(const std::vector<ConeDecomposition>& parts, const RankOneTerms& terms, bool exact,
             DecomposedBlocks& out) {
  std::vector<Vector> directions, weights;
  for (std::size_t t = 0; t < parts.size(); ++t) {
    const double v = parts[t].V.norm(), n = parts[t].N.norm();
    const double least = exact ? 0.0 : kNothing * std::max(v, n);
    const Vector output = terms.V.col(static_cast<Index>(t));
    if (v > least) directions.push_back(parts[t].V / v), weights.push_back(v * output);
    if (n > least) directions.push_back(parts[t].N / n), weights.push_back(-n * output);
  }
  const auto count = static_cast<Index>(directions.size());
  out.S.resize(terms.U.rows(), count);
  out.W.resize(count, terms.V.rows());
  for (Index k = 0; k < count; ++k) {
    out.S.col(k) = directions[static_cast<std::size_t>(k)];
    out.W.row(k) = weights[static_cast<std::size_t>(k)].transpose();
  }
}

}  // namespace

ConeDecomposition decompose_exactly(const Matrix& K, const Vector& w, const Vector& inside) {
  return decompose(K, w, inside, nullptr);
}

ConeDecomposition decompose_nearly(const Matrix& K, const Vector& w, const Vector& inside,
                                   const Matrix& Q) {
  const Matrix scaled = w.norm() * Q;
  return decompose(K, w, inside, &scaled);
}

std::optional<Vector> strictly_inside(const Matrix& K, const Vector& gate) {
  const Matrix rows = unit_rows(K);
  const auto inside = [&rows](const Vector& u) {
    return rows.rows() == 0 || (rows * u).minCoeff() > 0.0;
  };
  if (inside(gate)) return gate;
  // Least distance as a nearest point (Lawson & Hanson 1974, chapter 23).
  Matrix lifted(rows.rows(), rows.cols() + 1);
  lifted << rows, Vector::Ones(rows.rows());
  const ConeProjection found = project_on_cone(lifted, -Vector::Unit(rows.cols() + 1, rows.cols()));
  const Vector u = found.direction.head(rows.cols());
  if (!(u.norm() > 0.0) || !inside(u)) return std::nullopt;
  return u.normalized();
}

DecomposedBlocks decompose_blocks(const Matrix& X, const GatedPatterns& gated,
                                  const RankOneTerms& terms, Decomposition how, double curvature,
                                  const Control& control) {
  const bool exact = how == Decomposition::exact;
  DecomposedBlocks out;
  std::vector<ConeDecomposition> parts(terms.patterns.size());
  std::atomic<bool> stopped = control.stop();
  std::atomic<Index> projected = 0, left_out = 0;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t t = 0; t < parts.size(); ++t) {
    if (omp_get_thread_num() == 0 && control.stop()) stopped = true;  // it calls the caller
    parts[t].V = parts[t].N = Vector::Zero(X.cols());
    if (stopped) {
      ++left_out;
      continue;
    }
    const Index i = terms.patterns[t];
    const Vector w = terms.U.col(static_cast<Index>(t));
    const Matrix K = cone_rows(X, gated.patterns, i);
    Vector gate = gated.gates.col(i);
    gate.stableNormalize();  // the square of an entry may be no double
    const std::optional<Vector> inside = strictly_inside(K, gate);
    if (!inside) {
      ++projected;
      parts[t] = projections(K, w);
    } else if (exact) {
      parts[t] = decompose_exactly(K, w, *inside);
    } else {
      const Matrix Q = curvature * pattern_correlations(X, gated.patterns, i, X);
      parts[t] = decompose_nearly(K, w, *inside, Q);
    }
  }
  out.projected = projected;
  out.left_out = left_out;
  collect(parts, terms, exact, out);
  return out;
}

}  // namespace relulift
