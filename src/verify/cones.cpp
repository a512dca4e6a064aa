// SPDX-License-Identifier: Apache-2.0
#include "src/verify/cones.hpp"

#include <algorithm>

#include "src/verify/positive.hpp"

namespace relulift::verifier {
namespace {

// A row that reaches the other side by less than this, relative, counts as decided.
constexpr Real kDecided = 1e-15L;
// Cells open at a time, each of O(n r) numbers.
constexpr std::size_t kDeepest = 2000;

Real dot(const std::vector<Real>& a, const std::vector<Real>& b) {
  Real sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
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
      removed = std::all_of(keep.begin(), keep.end(),
                            [&](Index q) { return B[keep[p] * r + q] >= 0; });
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
    mass += above(norm_X[i] * norm_G[i]);
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
    Row row{i, std::vector<Real>(static_cast<std::size_t>(r), 0)};
    for (Index j = 0; j < r; ++j) {
      for (Index l = 0; l < r; ++l) row.t[j] += rows.X[i * r + l] * vertices_[j].v[l];
      if (!(row.t[j] > 0)) continue;
      for (Index o = 0; o < rows.c; ++o) vertices_[j].F[o] += rows.G[i * rows.c + o] * row.t[j];
    }
    undecided_.push_back(std::move(row));
  }
  drop_decided();
}

// Row i takes g_i d_i from F with 0 <= d_i <= sum_j l_j D_ij. Where that is small the row counts as
// linear from here on: that changes F by as much, on the cell and at its vertices.
void Cone::drop_decided() {
  const auto decided = [&](const Row& row) {
    for (const bool up : {false, true}) {
      bool small = true;
      for (std::size_t j = 0; j < row.t.size() && small; ++j)
        small = side(row.t[j], up) <= kDecided * rows_->norm_X[row.i] * vertices_[j].length;
      if (!small) continue;
      for (std::size_t j = 0; j < row.t.size(); ++j) {
        const Real D = side(row.t[j], up) + vertices_[j].error * rows_->norm_X[row.i];
        vertices_[j].noise = above(vertices_[j].noise + 2 * rows_->norm_G[row.i] * D);
      }
      return true;
    }
    return false;
  };
  std::erase_if(undecided_, decided);
}

Cone Cone::split(Index j, Index k, double f) {
  const Vertex &from = vertices_[j], &to = vertices_[k];
  const Real b = f, a = 1 - b;
  Vertex w;
  for (std::size_t l = 0; l < from.v.size(); ++l) w.v.push_back(a * from.v[l] + b * to.v[l]);
  for (std::size_t o = 0; o < from.F.size(); ++o) w.F.push_back(a * from.F[o] + b * to.F[o]);
  const Real size = a * (from.length + from.error) + b * (to.length + to.error);
  w.length = length_above(w.v);
  w.error = above(a * from.error + b * to.error + 4 * kUnit * size);
  // F(w) = a F_j + b F_k - sum_i g_i min(a |t_ij|, b |t_ik|) over the rows that change sides.
  Real mass = 0, terms = a * length_above(from.F) + b * length_above(to.F);
  for (const Row& row : undecided_) {
    mass += rows_->norm_G[row.i] * rows_->norm_X[row.i];
    const Real tj = a * row.t[j], tk = b * row.t[k];
    if (!((tj > 0 && tk < 0) || (tj < 0 && tk > 0))) continue;
    const Real d = std::min(std::abs(tj), std::abs(tk));
    terms += rows_->norm_G[row.i] * d;
    for (Index o = 0; o < rows_->c; ++o) w.F[o] -= rows_->G[row.i * rows_->c + o] * d;
  }
  const auto count = static_cast<Index>(undecided_.size());
  const Real rounding = static_cast<Real>(count + 6) * kUnit;
  w.noise = above(a * from.noise + b * to.noise + mass * w.error + rounding * terms, count);

  Cone other = *this;
  for (std::size_t s = 0; s < undecided_.size(); ++s) {
    const Real t = a * undecided_[s].t[j] + b * undecided_[s].t[k];
    undecided_[s].t[j] = t;
    other.undecided_[s].t[k] = t;
  }
  vertices_[j] = w;
  other.vertices_[k] = std::move(w);
  drop_decided();
  other.drop_decided();
  return other;
}

// ||F(u)||^2 <= l'A l and ||u||^2 >= l'K l for u = sum_j l_j v_j, l >= 0.
void Cone::bounds(std::vector<Real>& A, std::vector<Real>& K) const {
  const auto r = static_cast<std::size_t>(rows_->r);
  std::vector<Real> z(r, 0), a(r), D(r), size(r);
  for (const Row& row : undecided_) {
    Real sum[2] = {0, 0};
    for (std::size_t j = 0; j < r; ++j) {
      sum[0] += side(row.t[j], false);
      sum[1] += side(row.t[j], true);
    }
    const bool up = sum[1] <= sum[0];
    const double* g = rows_->G.data() + row.i * rows_->c;
    for (std::size_t j = 0; j < r; ++j) {
      D[j] = side(row.t[j], up) + vertices_[j].error * rows_->norm_X[row.i];
      z[j] += rows_->norm_G[row.i] * D[j];
      Real inner = 0, terms = 0;
      for (Index o = 0; o < rows_->c; ++o) {
        inner -= g[o] * vertices_[j].F[o];
        terms += std::abs(g[o] * vertices_[j].F[o]);
      }
      a[j] = std::max<Real>(0, inner + above(static_cast<Real>(rows_->c + 2) * kUnit * terms));
    }
    for (std::size_t j = 0; j < r; ++j)
      for (std::size_t k = 0; k <= j; ++k) A[j * r + k] += a[j] * D[k] + D[j] * a[k];
  }
  const auto count = static_cast<Index>(undecided_.size());
  const Real dots = static_cast<Real>(rows_->r + rows_->c + 4) * kUnit;
  for (std::size_t j = 0; j < r; ++j) {
    const Vertex& p = vertices_[j];
    z[j] = above(z[j], count);
    const Real length = length_above(p.F);
    size[j] = length + z[j];
    for (std::size_t k = 0; k <= j; ++k) {
      const Vertex& q = vertices_[k];
      const Real tail = A[j * r + k] + z[j] * z[k] + size[j] * q.noise + p.noise * size[k] +
                        p.noise * q.noise + dots * length * length_above(q.F);
      A[j * r + k] = A[k * r + j] = dot(p.F, q.F) + above(tail, count);
      const Real error = p.error * (q.length + q.error) + p.length * q.error;
      K[j * r + k] = K[k * r + j] = dot(p.v, q.v) - above(error + dots * p.length * q.length);
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
