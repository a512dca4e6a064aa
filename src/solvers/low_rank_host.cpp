// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/low_rank_host.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/core/random.hpp"
#include "src/solvers/lanczos.hpp"

namespace relulift {
namespace {

// First penalty in units of penalty / ||s||^4, and the noise of the start relative to s.
constexpr double kFirstPenalty = 10.0, kNoise = 3e-2;
// Inner tolerances: the gradient relative to the point, both in the scaling of L-BFGS.
constexpr double kFirstTolerance = 1e-2, kTighten = 0.7, kLastTolerance = 1e-7;
// Curvatures below this share of the mean are taken for it.
constexpr double kFlat = 1e-3;
// What an entry's own curvature counts beside the mean of its column.
constexpr double kOwnShare = 0.5;
// Squared singular values of Z below this share of the largest are nothing: 0.3 of the violation,
// within limits.
constexpr double kNothingLeast = 1e-6, kNothingMost = 1e-4;
constexpr Index kSpareRank = 4;
// A violation below this many times the inner residual is not what holds the bound back: Q lacks
// about residual times sigma.
constexpr double kBalance = 3.0;
// An inner solve counts as solved within this factor of its tolerance.
constexpr double kSolved = 2.0;

Matrix gaussian(Index rows, Index cols, Random& random) {
  Matrix out(rows, cols);
  for (Index j = 0; j < cols; ++j)
    for (Index i = 0; i < rows; ++i) out(i, j) = random.normal();
  return out;
}

Matrix orthonormal(const Matrix& A) {
  return Eigen::HouseholderQR<Matrix>(A).householderQ() * Matrix::Identity(A.rows(), A.cols());
}

// F with r rows and F'F near Z'Z: the range by one step of subspace iteration (Halko, Martinsson &
// Tropp 2011), the square root of what is seen in it.
Matrix compressed(const Matrix& Z, Index r, Random& random) {
  if (Z.rows() <= r) {
    Matrix F = Matrix::Zero(r, Z.cols());
    F.topRows(Z.rows()) = Z;
    return F;
  }
  Matrix range = orthonormal(Z.transpose() * gaussian(Z.rows(), r, random));
  range = orthonormal(Z.transpose() * (Z * range));
  const Matrix seen = Z * range;
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(seen.transpose() * seen);
  return eig.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() * eig.eigenvectors().transpose() *
         range.transpose();
}

// Columns s_i, u, v of the neurons, balanced; one neuron per column of X where there are none.
Matrix lifted(const UnitRows& rows, const Weights& network) {
  const Index n = rows.X.rows(), d = rows.X.cols(), m = network.neurons(), c = network.V.rows();
  Matrix Z(m, n + d + c);
  for (Index j = 0; j < m; ++j) {
    const double u = network.U.col(j).norm(), v = network.V.col(j).norm();
    const double balance = u > 0.0 && v > 0.0 ? std::sqrt(v / u) : 0.0;
    Z.row(j).segment(n, d) = balance * network.U.col(j);
    Z.row(j).tail(c) = balance > 0.0 ? Vector(network.V.col(j) / balance) : Vector::Zero(c);
  }
  Z.leftCols(n) = (Z.middleCols(n, d) * rows.X.transpose()).cwiseAbs();
  return Z;
}

}  // namespace

UnitRows::UnitRows(const ReducedProblem& problem)
    : length(problem.X.rowwise().norm()), X(length.cwiseInverse().asDiagonal() * problem.X) {}

Index start_rank(const LowRankOptions& options, Index order) {
  const Index rank = options.rank > 0 ? options.rank : std::clamp<Index>(order / 4, 16, 64);
  return std::min(rank, order);
}

double tolerance_for(const LowRankOptions& options, Index samples) {
  return options.tolerance > 0.0
             ? options.tolerance
             : std::min(5e-7, 2e-4 / static_cast<double>(std::max<Index>(samples, 1)));
}

Index largest_rank(const LowRankOptions& options, Index order) {
  return 2 * start_rank(options, order);
}

LowRankState low_rank_start(const ReducedProblem& problem, const Weights& network,
                            const LowRankOptions& options) {
  const UnitRows rows(problem);
  const Index n = problem.n(), d = problem.d(), c = problem.c(), order = n + d + c;
  const Index r = start_rank(options, order);
  Random random(options.seed, 9);
  LowRankState state;
  Matrix neurons = lifted(rows, network);
  // Without a network: neurons of Gaussian weights as large as the targets suggest.
  if (!(neurons.squaredNorm() > 0.0)) {
    Weights drawn{gaussian(d, r, random), gaussian(c, r, random)};
    const double size = std::sqrt(problem.Y.norm() / rows.length.norm() / static_cast<double>(r));
    drawn.U *= size;
    drawn.V *= size;
    neurons = lifted(rows, drawn);
  }
  state.Z = compressed(neurons, r, random);
  const double s2 = neurons.leftCols(n).squaredNorm() / static_cast<double>(n);
  state.Z += kNoise * std::sqrt(s2 / static_cast<double>(r)) * gaussian(r, order, random);
  const double penalty = 0.5 * problem.weight_decay * neurons.rightCols(d + c).squaredNorm();
  state.y = Vector::Zero(n);
  state.w = Vector(0);
  state.sigma = kFirstPenalty * penalty / std::max(s2 * s2 * static_cast<double>(n), 1e-300);
  state.tolerance = kFirstTolerance;
  return state;
}

PairLists::PairLists(const std::vector<LiftedPair>& pairs, Index samples)
    : begin(static_cast<std::size_t>(2 * samples + 1)) {
  first.reserve(pairs.size());
  second.reserve(pairs.size());
  for (const auto& [i, j] : pairs) {
    first.push_back(i);
    second.push_back(j);
    ++begin[static_cast<std::size_t>(i) + 1];
    ++begin[static_cast<std::size_t>(j) + 1];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  other.resize(2 * pairs.size());
  pair.resize(2 * pairs.size());
  auto next = begin;
  for (std::size_t e = 0; e < pairs.size(); ++e) {
    const auto enter = [&](std::int32_t row, std::int32_t partner) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(row)]++);
      other[at] = partner;
      pair[at] = static_cast<std::int32_t>(e);
    };
    enter(pairs[e].i, pairs[e].j);
    enter(pairs[e].j, pairs[e].i);
  }
}

void relist(LowRankState& state, std::vector<LiftedPair> found, std::size_t most) {
  struct Entry {
    LiftedPair pair;
    double w;
  };
  std::sort(found.begin(), found.end());
  std::vector<Entry> all;
  all.reserve(found.size() + state.pairs.size());
  std::size_t k = 0;
  for (std::size_t e = 0; e < state.pairs.size(); ++e) {
    const LiftedPair old = state.pairs[e];
    for (; k < found.size() && found[k] < old; ++k) all.push_back({found[k], 0.0});
    const bool again = k < found.size() && found[k] == old;
    const double w = state.w[static_cast<Index>(e)];
    if (again || w > 0.0) all.push_back({old, w});
    k += again;
  }
  for (; k < found.size(); ++k) all.push_back({found[k], 0.0});
  if (all.size() > most) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most), all.end(),
                     [](const Entry& a, const Entry& b) { return a.w > b.w; });
    all.resize(most);
    std::sort(all.begin(), all.end(),
              [](const Entry& a, const Entry& b) { return a.pair < b.pair; });
  }
  state.pairs.resize(all.size());
  state.w.resize(static_cast<Index>(all.size()));
  for (std::size_t e = 0; e < all.size(); ++e) {
    state.pairs[e] = all[e].pair;
    state.w[static_cast<Index>(e)] = all[e].w;
  }
}

double next_margin(double margin, std::size_t found, std::size_t most) {
  constexpr double kWidest = 0.1, kLeast = 1e-6, kDeepest = -0.5;
  if (found > most) {
    if (margin > kLeast) return margin / 4.0;
    return margin > 0.0 ? -1e-3 : std::max(2.0 * margin, kDeepest);
  }
  if (4 * found >= most) return margin;
  if (margin < -1e-3) return margin / 2.0;
  return margin <= 0.0 ? kLeast : std::min(2.0 * margin, kWidest);
}

Matrix entry_scaling(const ReducedProblem& problem, const UnitRows& rows, const LowRankState& state,
                     const LowRankPoint& at, const Matrix& K) {
  const Index n = problem.n(), d = problem.d(), c = problem.c(), r = state.Z.rows();
  const Vector squares = rows.length.cwiseAbs2();
  const Matrix K2 = K.cwiseAbs2();
  Matrix lifted = Matrix::Zero(r, 2 * n);  // curvature in K, but for the alpha-beta pairs
  for (std::size_t e = 0; e < state.pairs.size(); ++e) {
    if (!(at.m[static_cast<Index>(e)] > 0.0)) continue;
    const auto [i, j] = state.pairs[e];
    lifted.col(i) += state.sigma * K2.col(j);
    lifted.col(j) += state.sigma * K2.col(i);
  }
  const Vector output = state.Z.rightCols(c).rowwise().squaredNorm();
  lifted.leftCols(n) += output * squares.transpose();
  Vector fit = K2.leftCols(n) * squares;
  for (Index k = 0; k < problem.p(); ++k) {
    const Index i = problem.beta_rows[k];
    const double weight = problem.beta_weight[k] * problem.beta_weight[k] * squares[i];
    lifted.col(n + i) += weight * output;
    fit += weight * K2.col(n + i);
  }
  const Matrix both = lifted.leftCols(n) + lifted.rightCols(n);
  const Matrix s2 = (K.leftCols(n) + K.rightCols(n)).cwiseAbs2();
  const Matrix t2 = (K.leftCols(n) - K.rightCols(n)).cwiseAbs2();
  Matrix D(r, n + d + c);
  D.leftCols(n) = (0.25 * both + 0.25 * state.sigma * s2).rowwise() +
                  0.5 * (-at.free).cwiseMax(0.0).transpose();
  D.middleCols(n, d) =
      ((0.25 * both + 0.25 * state.sigma * t2) * rows.X.cwiseAbs2()).array() + problem.weight_decay;
  D.rightCols(c) = (fit.array() + problem.weight_decay).matrix().replicate(1, c);
  const Eigen::RowVectorXd mean = D.colwise().mean();
  D = (kOwnShare * D).rowwise() + (1.0 - kOwnShare) * mean;
  return D.cwiseMax(kFlat * D.mean()).cwiseSqrt().cwiseInverse();
}

Vector column_scaling(const Matrix& factor) {
  const Eigen::RowVectorXd curvature = factor.cwiseAbs2().cwiseInverse().colwise().mean();
  return curvature.cwiseSqrt().cwiseInverse().transpose();
}

void to_principal_axes(LowRankState& state) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(state.Z * state.Z.transpose());
  state.Z = (eig.eigenvectors().transpose() * state.Z).eval();
}

double relative_violation(const LowRankState& state, const LowRankPoint& at) {
  const double pairs = (state.w - at.m).squaredNorm(), free = (state.y - at.free).squaredNorm();
  const double size = at.norms.sum() / std::sqrt(static_cast<double>(at.free.size()));
  return std::sqrt(pairs + free) / (state.sigma * std::max(size, 1e-300));
}

double low_rank_dual(const ReducedProblem& problem, const LowRankPoint& at) {
  double value = -at.G.cwiseProduct(problem.Y).sum() - 0.5 * at.G.squaredNorm();
  for (Index k = 0; k < problem.p(); ++k) {
    const auto h = at.H.row(problem.beta_rows[k]);
    value -= h.dot(problem.Y_beta.row(k)) + 0.5 * h.squaredNorm();
  }
  return value;
}

Multipliers low_rank_multipliers(const ReducedProblem& problem, const UnitRows& rows,
                                 const LowRankState& state, const LowRankPoint& at) {
  const Index n = problem.n();
  Multipliers out{at.G, Matrix(problem.p(), problem.c()), {}, {}};
  for (Index k = 0; k < problem.p(); ++k) out.H.row(k) = at.H.row(problem.beta_rows[k]);
  // The Lagrangian counts a pair once, <W, K> twice.
  const auto enter = [&](Index i, Index j, double value) {
    const double lengths = rows.length[i % n] * rows.length[j % n];
    out.entries.push_back({i, j, 0.5 * value / lengths});
  };
  for (std::size_t e = 0; e < state.pairs.size(); ++e)
    if (const double m = at.m[static_cast<Index>(e)]; m > 0.0)
      enter(state.pairs[e].i, state.pairs[e].j, m);
  for (Index i = 0; i < n; ++i) enter(i, n + i, at.free[i]);
  return out;
}

void update_multipliers(LowRankState& state, const LowRankPoint& at, double residual,
                        const LowRankOptions& options) {
  const double violation = relative_violation(state, at);
  state.w = at.m;
  state.y = at.free;
  const bool needed = violation > options.tolerance && violation > kBalance * residual;
  // A penalty that grows ahead of the inner solves freezes Z where it is (iris).
  const bool solved = residual <= kSolved * state.tolerance;
  if (needed && solved && violation > 0.5 * state.violation) state.sigma *= options.growth;
  state.violation = violation;
  if (solved) state.tolerance = std::max(kLastTolerance, kTighten * state.tolerance);
  ++state.iteration;
}

Vector apply_slack(const ReducedProblem& problem, const UnitRows& rows, const LowRankState& state,
                   const LowRankPoint& at, const Vector& v) {
  const Index n = problem.n(), d = problem.d(), c = problem.c();
  const Vector t = rows.X * v.segment(n, d);
  Vector k(2 * n), out(2 * n);
  k << 0.5 * (v.head(n) + t), 0.5 * (v.head(n) - t);
  const Vector fit = at.G * v.tail(c);
  out.head(n) = rows.length.cwiseProduct(fit) - at.free.cwiseProduct(k.tail(n));
  out.tail(n) = -at.free.cwiseProduct(k.head(n));
  Vector outputs = at.G.transpose() * rows.length.cwiseProduct(k.head(n));
  for (Index b = 0; b < problem.p(); ++b) {
    const Index i = problem.beta_rows[b];
    const double weight = problem.beta_weight[b] * rows.length[i];
    out[n + i] += weight * at.H.row(i).dot(v.tail(c));
    outputs += weight * k[n + i] * at.H.row(i).transpose();
  }
  for (std::size_t e = 0; e < state.pairs.size(); ++e) {
    const double m = at.m[static_cast<Index>(e)];
    if (m == 0.0) continue;
    const auto [i, j] = state.pairs[e];
    out[i] -= m * k[j];
    out[j] -= m * k[i];
  }
  Vector q(n + d + c);
  q.head(n) = 0.25 * (out.head(n) + out.tail(n));
  q.segment(n, d) = 0.25 * rows.X.transpose() * (out.head(n) - out.tail(n)) +
                    0.5 * problem.weight_decay * v.segment(n, d);
  q.tail(c) = 0.5 * outputs + 0.5 * problem.weight_decay * v.tail(c);
  return q;
}

void escape(const ReducedProblem& problem, const UnitRows& rows, LowRankState& state,
            const LowRankPoint& at, const Vector& factor, Index most_rank) {
  constexpr Index kDirections = 6, kProducts = 80;
  constexpr double kNegative = -1e-4, kStep = 0.05;
  const Index r = state.Z.rows(), order = state.Z.cols();
  const auto scaled = [&](const Vector& v) -> Vector {
    const Vector in = factor.cwiseProduct(v);
    return factor.cwiseProduct(apply_slack(problem, rows, state, at, in));
  };
  const RitzPairs found = smallest_ritz_pairs(scaled, order, kDirections, kProducts,
                                              static_cast<std::uint64_t>(state.iteration));
  const Index negative = (found.values.array() < kNegative).count();
  const Index added = std::min(negative, most_rank - r);
  if (added <= 0) return;
  const double size = (state.Z * factor.cwiseInverse().asDiagonal()).norm();
  Matrix Z(r + added, order);
  Z.topRows(r) = state.Z;
  const double step = kStep * size / std::sqrt(static_cast<double>(r));
  Z.bottomRows(added) = step * found.vectors.leftCols(added).transpose() * factor.asDiagonal();
  state.Z = std::move(Z);
}

void adapt_rank(LowRankState& state, Index most, std::uint64_t seed) {
  const Index r = state.Z.rows(), order = state.Z.cols();
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(state.Z * state.Z.transpose());
  const double largest = eig.eigenvalues().maxCoeff();
  const double nothing = std::clamp(0.3 * state.violation, kNothingLeast, kNothingMost);
  const Index used = (eig.eigenvalues().array() > nothing * largest).count();
  const Index target = std::min(used < r ? used + kSpareRank : r + r / 4 + 1, most);
  if (target == r) return;
  // Ascending eigenvalues: the last ones are kept.
  const Index kept = std::min(target, r);
  Matrix Z = Matrix::Zero(target, order);
  Z.topRows(kept) = eig.eigenvectors().rightCols(kept).transpose() * state.Z;
  if (target > r) {
    Random random(seed, 10 + static_cast<std::uint64_t>(state.iteration));
    const double size = std::sqrt(nothing * largest / static_cast<double>(order));
    Z.bottomRows(target - r) = size * gaussian(target - r, order, random);
  }
  state.Z = std::move(Z);
}

Matrix unscaled_factor(const UnitRows& rows, Matrix Z) {
  Z.leftCols(rows.length.size()) *= rows.length.asDiagonal();
  return Z;
}

Matrix low_rank_gram(const UnitRows& rows, const Matrix& Z) {
  const Matrix F = unscaled_factor(rows, Z);
  return F.transpose() * F;
}

}  // namespace relulift
