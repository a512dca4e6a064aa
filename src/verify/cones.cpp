// SPDX-License-Identifier: Apache-2.0
#include "src/verify/cones.hpp"

#include <algorithm>

#include "src/verify/positive.hpp"

namespace relulift::verifier {
namespace {

// A row that reaches the other side by less than this, relative, counts as decided.
constexpr Real kDecided = 1e-14L;
// Cells open at a time, each of O(n r) numbers.
constexpr std::size_t kDeepest = 2000;

Real dot(const Real* a, const Real* b, Index count) {
  Real sum = 0;
  for (Index k = 0; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

Real length_above(const std::vector<Real>& v) {
  return norm_above(static_cast<Index>(v.size()), [&](Index k) { return v[k]; });
}

Real side(Real t, bool up) { return up ? std::max<Real>(0, t) : std::max<Real>(0, -t); }

// l'Bl >= 0 for all l >= 0; B is r x r and symmetric.
bool copositive(const std::vector<Real>& B, Index r) {
  std::vector<Index> keep;
  for (Index j = 0; j < r; ++j) {
    if (!(B[j * r + j] >= 0)) return false;
    keep.push_back(j);
  }
  // Rows without a negative entry only help.
  for (bool removed = true; removed;) {
    removed = false;
    for (std::size_t p = 0; p < keep.size() && !removed; ++p) {
      removed =
          std::all_of(keep.begin(), keep.end(), [&](Index q) { return B[keep[p] * r + q] >= 0; });
      if (removed) keep.erase(keep.begin() + static_cast<std::ptrdiff_t>(p));
    }
  }
  // What is left is positive semidefinite, or that plus a nonnegative matrix.
  const auto m = static_cast<Index>(keep.size());
  const auto proves = [&](bool with_positive) {
    std::vector<Entry> entries;
    for (Index p = 0; p < m; ++p)
      for (Index q = 0; q <= p; ++q) {
        const Real b = B[keep[p] * r + keep[q]];
        entries.push_back({p, q, Ball{p == q || with_positive ? b : std::min<Real>(0, b)}});
      }
    return proves_positive(m, std::move(entries));
  };
  return m == 0 || proves(true) || proves(false);
}

}  // namespace

ConeRows::ConeRows(const Problem& problem, const std::vector<double>& given)
    : n(problem.samples), r(problem.features), c(problem.outputs) {
  for (Index i = 0; i < n; ++i) {
    for (Index l = 0; l < r; ++l) X.push_back(problem.X[i + l * n]);
    for (Index o = 0; o < c; ++o) G.push_back(given[i + o * n]);
    norm_X.push_back(norm_above(r, [&](Index l) { return X[i * r + l]; }));
    norm_G.push_back(norm_above(c, [&](Index o) { return G[i * c + o]; }));
    weight.push_back(above(norm_X[i] * norm_G[i]));
    mass += weight[i];
  }
  mass = above(mass, n);
}

Cone::Cone(const ConeRows& rows, const std::vector<double>& axes, unsigned signs)
    : rows_(&rows), vertices_(static_cast<std::size_t>(rows.r)) {
  const Index r = rows.r;
  for (Index j = 0; j < r; ++j) {
    Vertex& vertex = vertices_[j];
    for (Index l = 0; l < r; ++l)
      vertex.v.push_back((signs >> j & 1U) != 0 ? -axes[l + j * r] : axes[l + j * r]);
    vertex.F.assign(static_cast<std::size_t>(rows.c), 0);
    vertex.length = length_above(vertex.v);
    vertex.error = above(static_cast<Real>(r + 2) * kUnit * vertex.length);
    // Every F_o is a sum of n products; x_i'v errs on top.
    const Real rounding = static_cast<Real>(rows.n + 4) * kUnit;
    vertex.noise = above(rows.mass * (vertex.error + rounding * (vertex.length + vertex.error)));
  }
  for (Index i = 0; i < rows.n; ++i) {
    undecided_.push_back(i);
    for (Vertex& vertex : vertices_) {
      Real t = 0;
      for (Index l = 0; l < r; ++l) t += rows.X[i * r + l] * vertex.v[l];
      t_.push_back(t);
      if (!(t > 0)) continue;
      for (Index o = 0; o < rows.c; ++o) vertex.F[o] += rows.G[i * rows.c + o] * t;
    }
  }
  for (Vertex& vertex : vertices_) vertex.size = length_above(vertex.F);
  drop_decided();
}

// Row i takes g_i d_i from F with 0 <= d_i <= sum_j l_j D_ij. Where that is small the row counts as
// linear from here on: that changes F by as much, on the cell and at its vertices.
void Cone::drop_decided() {
  const std::size_t r = vertices_.size();
  std::size_t kept = 0;
  for (std::size_t s = 0; s < undecided_.size(); ++s) {
    const Index i = undecided_[s];
    const Real* t = t_.data() + s * r;
    bool decided = false;
    for (const bool up : {false, true}) {
      bool small = !decided;
      for (std::size_t j = 0; j < r && small; ++j)
        small = side(t[j], up) <= kDecided * rows_->norm_X[i] * vertices_[j].length;
      if (!small) continue;
      decided = true;
      for (std::size_t j = 0; j < r; ++j) {
        const Real D = side(t[j], up) + vertices_[j].error * rows_->norm_X[i];
        vertices_[j].noise = above(vertices_[j].noise + 2 * rows_->norm_G[i] * D);
      }
    }
    if (decided) continue;
    undecided_[kept] = i;
    std::copy_n(t, r, t_.data() + kept * r);
    ++kept;
  }
  undecided_.resize(kept);
  t_.resize(kept * r);
}

Cone Cone::split(Index j, Index k, double f) {
  const Vertex &from = vertices_[j], &to = vertices_[k];
  const std::size_t r = vertices_.size();
  const Real b = f, a = 1 - b;
  Vertex w;
  for (std::size_t l = 0; l < r; ++l) w.v.push_back(a * from.v[l] + b * to.v[l]);
  for (std::size_t o = 0; o < from.F.size(); ++o) w.F.push_back(a * from.F[o] + b * to.F[o]);
  w.length = length_above(w.v);
  const Real lengths = a * (from.length + from.error) + b * (to.length + to.error);
  w.error = above(a * from.error + b * to.error + 4 * kUnit * lengths);
  // F(w) = a F_j + b F_k - sum_i g_i min(a |t_ij|, b |t_ik|) over the rows that change sides.
  Real mass = 0, terms = a * from.size + b * to.size;
  for (std::size_t s = 0; s < undecided_.size(); ++s) {
    const Index i = undecided_[s];
    const Real tj = a * t_[s * r + j], tk = b * t_[s * r + k];
    mass += rows_->weight[i];
    if (!((tj > 0 && tk < 0) || (tj < 0 && tk > 0))) continue;
    const Real d = std::min(std::abs(tj), std::abs(tk));
    terms += rows_->norm_G[i] * d;
    for (Index o = 0; o < rows_->c; ++o) w.F[o] -= rows_->G[i * rows_->c + o] * d;
  }
  const auto count = static_cast<Index>(undecided_.size());
  const Real rounding = static_cast<Real>(count + 6) * kUnit;
  w.noise = above(a * from.noise + b * to.noise + mass * w.error + rounding * terms, count);
  w.size = length_above(w.F);

  Cone other = *this;
  for (std::size_t s = 0; s < undecided_.size(); ++s) {
    const Real t = a * t_[s * r + j] + b * t_[s * r + k];
    t_[s * r + j] = t;
    other.t_[s * r + k] = t;
  }
  vertices_[j] = w;
  other.vertices_[k] = std::move(w);
  drop_decided();
  other.drop_decided();
  return other;
}

// ||F(u)||^2 <= l'A l and ||u||^2 >= l'K l for u = sum_j l_j v_j, l >= 0.
void Cone::bounds(std::vector<Real>& A, std::vector<Real>& K) const {
  const std::size_t r = vertices_.size();
  const Index c = rows_->c;
  std::vector<Real> z(r, 0), a(r), D(r);
  for (std::size_t s = 0; s < undecided_.size(); ++s) {
    const Index i = undecided_[s];
    const Real *t = t_.data() + s * r, norm_G = rows_->norm_G[i];
    const double* g = rows_->G.data() + i * c;
    Real balance = 0;
    for (std::size_t j = 0; j < r; ++j) balance += t[j];
    for (std::size_t j = 0; j < r; ++j) {
      const Vertex& vertex = vertices_[j];
      D[j] = side(t[j], balance <= 0) + vertex.error * rows_->norm_X[i];
      z[j] += norm_G * D[j];
      Real inner = static_cast<Real>(c + 4) * kUnit * norm_G * vertex.size;
      for (Index o = 0; o < c; ++o) inner -= g[o] * vertex.F[o];
      a[j] = std::max<Real>(0, inner);
    }
    for (std::size_t j = 0; j < r; ++j)
      for (std::size_t k = 0; k <= j; ++k) A[j * r + k] += a[j] * D[k] + D[j] * a[k];
  }
  const auto count = static_cast<Index>(undecided_.size());
  const Real dots = static_cast<Real>(rows_->r + c + 4) * kUnit;
  for (std::size_t j = 0; j < r; ++j) {
    const Vertex& p = vertices_[j];
    z[j] = above(z[j], count);
    for (std::size_t k = 0; k <= j; ++k) {
      const Vertex& q = vertices_[k];
      const Real tail = A[j * r + k] + z[j] * z[k] + (p.size + z[j]) * q.noise +
                        p.noise * (q.size + z[k]) + p.noise * q.noise + dots * p.size * q.size;
      A[j * r + k] = A[k * r + j] = dot(p.F.data(), q.F.data(), c) + above(tail, count);
      const Real error = p.error * (q.length + q.error) + p.length * q.error;
      K[j * r + k] = K[k * r + j] =
          dot(p.v.data(), q.v.data(), rows_->r) - above(error + dots * p.length * q.length);
    }
  }
}

bool Cone::proves(Real T) const {
  const Index r = rows_->r;
  std::vector<Real> A(static_cast<std::size_t>(r * r), 0), B(A);
  bounds(A, B);
  for (std::size_t k = 0; k < B.size(); ++k) {
    const Real left = T * T * B[k];
    B[k] = left - A[k] - 8 * kUnit * (std::abs(left) + std::abs(A[k]));
  }
  return copositive(B, r);
}

std::string check_cones(const Problem& problem, const Proof& proof) {
  const Index r = problem.features;
  if (r > 16 || proof.axes.size() != static_cast<std::size_t>(r * r))
    return "its axes do not fit the features";
  // The orthants of independent axes cover the space.
  std::vector<Entry> gram;
  for (Index p = 0; p < r; ++p)
    for (Index q = 0; q <= p; ++q) {
      Sum sum;
      for (Index l = 0; l < r; ++l) sum.add_product(proof.axes[l + p * r], proof.axes[l + q * r]);
      gram.push_back({p, q, sum.ball()});
    }
  if (!proves_positive(r, std::move(gram))) return "its axes are not independent";

  const ConeRows rows(problem, proof.G);
  const Real T = static_cast<Real>(problem.weight_decay) * proof.sigma * (1 - 4 * kUnit);
  std::size_t at = 0;
  for (unsigned signs = 0; signs < 1U << r; ++signs) {
    std::vector<Cone> open{Cone(rows, proof.axes, signs)};
    while (!open.empty()) {
      if (at == proof.cones.size()) return "its tree of cones ends early";
      const double code = proof.cones[at++];
      if (code == 0.0) {
        if (!open.back().proves(T)) return "a cone of its tree is not settled";
        open.pop_back();
        continue;
      }
      const double number = std::floor(code), f = code - number;
      if (!(number >= 1.0) || !(number < edge_number(0, r)) || !(f > 0.0))
        return "its tree of cones names an edge that is not there";
      if (open.size() > kDeepest) return "its tree of cones is too deep";
      Index k = 1;
      while (edge_number(0, k + 1) <= number) ++k;
      const Index j = static_cast<Index>(number) - edge_number(0, k);
      Cone other = open.back().split(j, k, f);
      // The part with w for v_j is the next one.
      std::swap(open.back(), other);
      open.push_back(std::move(other));
    }
  }
  return at == proof.cones.size() ? "" : "its tree of cones goes on after its end";
}

}  // namespace relulift::verifier
