// SPDX-License-Identifier: Apache-2.0
#include "src/verify/multipliers.hpp"

#include <algorithm>
#include <span>

#include "src/verify/positive.hpp"

namespace relulift::verifier {
namespace {

using Multiplier = Proof::Entry;

// The matrix of [eq:proved-psd] in the blocks (s, u, v), as entries of its lower triangle. In a
// cone of [eq:proved-split] it is that on the face: sign is 1 for rows with x_i'u >= 0 there, -1
// for those with x_i'u <= 0, and 0 for all others.
class Matrix {
 public:
  Matrix(const Problem& problem, const Proof& proof, std::span<const Multiplier> multipliers,
         std::span<const signed char> sign)
      : problem_(problem),
        proof_(proof),
        multipliers_(multipliers),
        sign_(sign),
        n_(problem.samples),
        d_(problem.features),
        c_(problem.outputs),
        position_(static_cast<std::size_t>(n_), -1) {
    for (Index i = 0; i < n_; ++i)
      if (representative(i) == i) {
        position_[i] = static_cast<Index>(rows_.size());
        rows_.push_back(i);
      }
    u_ = static_cast<Index>(rows_.size());
    v_ = u_ + d_;
  }

  std::string check() {
    for (const auto& [i, j, value] : multipliers_) {
      if (i < 0 || j < 0 || i >= 2 * n_ || j >= 2 * n_ || position_[i % n_] < 0 ||
          position_[j % n_] < 0)
        return "a multiplier stands at rows that are not there";
      const bool is_free = i - j == n_ || j - i == n_;
      if (!(is_free || value >= 0.0) || !std::isfinite(value))
        return "a multiplier is negative that must not be";
    }
    add_penalty();
    add_multipliers();
    add_outputs();
    const Index order = restrict_to_face();
    return proves_positive(order, std::move(entries_)) ? ""
                                                       : "its matrix is not proved to be positive "
                                                         "semidefinite";
  }

 private:
  Index representative(Index i) const {
    return proof_.representative.empty() ? i : proof_.representative[i];
  }
  double ratio(Index i) const { return proof_.ratio.empty() ? 1.0 : proof_.ratio[i]; }
  double x(Index i, Index l) const { return problem_.X[i + l * n_]; }
  void add(Index row, Index column, const Ball& value) { entries_.push_back({row, column, value}); }

  // sigma g/2 on u and v.
  void add_penalty() {
    const Ball half = Ball{proof_.sigma} * Ball{static_cast<Real>(problem_.weight_decay) / 2};
    for (Index l = u_; l < v_ + c_; ++l) add(l, l, half);
  }

  // -W_pq l_p l_q' for every ordered pair (p, q); with the signs a of p and b of q,
  // 4 l_p l_q' = (e_i + a x_i)(e_k + b x_k)'.
  void add_multipliers() {
    std::vector<Sum> su(static_cast<std::size_t>(u_ * d_)), uu(static_cast<std::size_t>(u_ * d_));
    const auto ordered = [&](Index p, Index q, double w) {
      const Index i = position_[p % n_], k = position_[q % n_];
      const double b = q < n_ ? w : -w, ab = p < n_ ? b : -b;
      for (Index l = 0; l < d_; ++l) {
        su[i * d_ + l].add_product(b, x(rows_[k], l));
        uu[i * d_ + l].add_product(ab, x(rows_[k], l));
      }
      if (i >= k) add(i, k, Ball{static_cast<Real>(w) / -4});
    };
    for (const auto& [i, j, value] : multipliers_) {
      ordered(i, j, value);
      if (i != j) ordered(j, i, value);
    }
    for (Index i = 0; i < u_; ++i)
      for (Index l = 0; l < d_; ++l) add(u_ + l, i, scaled(su[i * d_ + l].ball(), -0.25));
    std::vector<Ball> sums(uu.size());
    for (std::size_t k = 0; k < uu.size(); ++k) sums[k] = uu[k].ball();
    for (Index l = 0; l < d_; ++l)
      for (Index m = 0; m <= l; ++m) {
        Sum sum;
        for (Index i = 0; i < u_; ++i) sum.add(Ball{x(rows_[i], l)} * sums[i * d_ + m]);
        add(u_ + l, u_ + m, scaled(sum.ball(), -0.25));
      }
  }

  // Half of sum_j l~_j G_j', l~_j = 1/2 (|ratio_j| e_i + ratio_j x_i).
  void add_outputs() {
    for (Index o = 0; o < c_; ++o) {
      std::vector<Sum> on_s(static_cast<std::size_t>(u_)), on_u(static_cast<std::size_t>(u_));
      for (Index j = 0; j < n_; ++j) {
        if (representative(j) < 0) continue;
        const Index i = position_[representative(j)];
        on_s[i].add_product(std::abs(ratio(j)), proof_.G[j + o * n_]);
        on_u[i].add_product(ratio(j), proof_.G[j + o * n_]);
      }
      for (Index i = 0; i < u_; ++i) add(v_ + o, i, scaled(on_s[i].ball(), 0.25));
      for (Index l = 0; l < d_; ++l) {
        Sum sum;
        for (Index i = 0; i < u_; ++i) sum.add(Ball{x(rows_[i], l)} * on_u[i].ball());
        add(v_ + o, u_ + l, scaled(sum.ball(), 0.25));
      }
    }
  }

  // T'QT with s_i = sign_i x_i'u put in for the rows of the cone: first QT, then T' times that.
  // Returns its order.
  Index restrict_to_face() {
    const Index N = v_ + c_;
    std::vector<Index> fixed, moved(static_cast<std::size_t>(N), -1);
    Index order = 0;
    for (Index p = 0; p < N; ++p)
      if (p < u_ && sign_[rows_[p]] != 0)
        fixed.push_back(p);
      else
        moved[p] = order++;
    if (fixed.empty()) return order;
    std::vector<Ball> QT(static_cast<std::size_t>(N * order));
    std::vector<Ball> face(static_cast<std::size_t>(order * order));
    const auto add_to = [order](std::vector<Ball>& matrix, Index row, Index column,
                                const Ball& value) {
      if (value.mid == 0 && value.rad == 0) return;
      Ball& at = matrix[row * order + column];
      at = at + value;
    };
    const auto factor = [&](Index p, Index l) { return Ball{sign_[rows_[p]] * x(rows_[p], l)}; };
    const auto put = [&](Index row, Index column, const Ball& value) {
      if (moved[column] >= 0) return add_to(QT, row, moved[column], value);
      for (Index l = 0; l < d_; ++l) add_to(QT, row, moved[u_ + l], factor(column, l) * value);
    };
    for (const auto& [row, column, value] : entries_) {
      put(row, column, value);
      if (row != column) put(column, row, value);
    }
    for (Index row = 0; row < N; ++row)
      for (Index column = 0; column < order && moved[row] >= 0; ++column)
        add_to(face, moved[row], column, QT[row * order + column]);
    for (const Index p : fixed)
      for (Index l = 0; l < d_; ++l)
        for (Index column = 0; column < order; ++column)
          add_to(face, moved[u_ + l], column, factor(p, l) * QT[p * order + column]);
    entries_.clear();
    for (Index row = 0; row < order; ++row)
      for (Index column = 0; column <= row; ++column) add(row, column, face[row * order + column]);
    return order;
  }

  const Problem& problem_;
  const Proof& proof_;
  std::span<const Multiplier> multipliers_;
  std::span<const signed char> sign_;  // per row of X
  Index n_, d_, c_, u_ = 0, v_ = 0;
  std::vector<Index> position_;  // among the representatives; -1 for other rows
  std::vector<Index> rows_;      // of the representatives
  std::vector<Entry> entries_;
};

}  // namespace

std::string check_multipliers(const Problem& problem, const Proof& proof) {
  const std::vector<signed char> open(static_cast<std::size_t>(problem.samples), 0);
  return Matrix(problem, proof, proof.entries, open).check();
}

// The tree is walked without recursion: how deep it is, a file decides.
std::string check_split(const Problem& problem, const Proof& proof) {
  std::vector<signed char> sign(static_cast<std::size_t>(problem.samples), 0);
  std::vector<Index> path;
  std::span<const Multiplier> left = proof.entries;
  std::size_t leaf = 0, node = 0;
  for (bool done = false; !done; ++node) {
    if (node >= proof.splits.size()) return "its tree of cones breaks off";
    const Index row = proof.splits[node];
    if (row != -1) {
      const bool usable = row >= 0 && row < problem.samples && sign[row] == 0 &&
                          (proof.representative.empty() || proof.representative[row] == row);
      if (!usable) return "its tree of cones cuts by a row that is not there";
      path.push_back(row);
      sign[row] = 1;
      continue;
    }
    const Index count = leaf < proof.leaf_entries.size() ? proof.leaf_entries[leaf] : -1;
    if (count < 0 || static_cast<std::size_t>(count) > left.size())
      return "its cones and their multipliers do not match";
    ++leaf;
    const std::string failure =
        Matrix(problem, proof, left.first(static_cast<std::size_t>(count)), sign).check();
    if (!failure.empty()) return failure;
    left = left.subspan(static_cast<std::size_t>(count));
    while (!path.empty() && sign[path.back()] < 0) {
      sign[path.back()] = 0;
      path.pop_back();
    }
    done = path.empty();
    if (!done) sign[path.back()] = -1;
  }
  const bool all = node == proof.splits.size() && leaf == proof.leaf_entries.size() && left.empty();
  return all ? "" : "its cones and their multipliers do not match";
}

Real cost_of_merging(const Problem& problem, const Proof& proof) {
  if (proof.representative.empty() && proof.ratio.empty()) return 0;
  const Index n = problem.samples, d = problem.features;
  const auto size = static_cast<std::size_t>(n);
  if (proof.representative.size() != size || proof.ratio.size() != size) return kInfinity;
  Real cost = 0;
  for (Index j = 0; j < n; ++j) {
    const Index i = proof.representative[j];
    const double ratio = proof.ratio[j];
    const bool stands = i >= 0 && i < n && proof.representative[i] == i && proof.ratio[i] == 1.0;
    if (!(stands || (i == -1 && ratio == 0.0)) || !std::isfinite(ratio)) return kInfinity;
    if (i == j) continue;
    const Real distance = norm_above(d, [&](Index l) {
      const Ball there = i < 0 ? Ball{} : Ball{ratio} * Ball{problem.X[i + l * n]};
      return (Ball{problem.X[j + l * n]} - there).magnitude();
    });
    cost +=
        above(norm_above(problem.outputs, [&](Index o) { return proof.G[j + o * n]; }) * distance);
  }
  return above(cost, n);
}

}  // namespace relulift::verifier
