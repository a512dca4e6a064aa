// SPDX-License-Identifier: Apache-2.0
// One cell of the branch and bound [eq:cone]: cone(v_1..v_r), its bound and its split.
// R > 0 fixes the dimension at compile time; R = 0 reads it from the data (at most kMaxRank).
//
// Rounding. A cell is the exact cone of exact combinations a v_j + b v_k of the root's vertices;
// inside an orthant no term of V, and no term of the positive functional u -> sum_i ||e_i||
// |x_i|'|u|, cancels, so errors of T and F grow by a few units per level relative to that
// functional. `rho` adds them up: |F^ - F(u)| <= rho mass ||u|| on the whole cell, and relative
// errors of V stay below rho. The test uses T (1 - rho) - rho mass, less the rounding of A, K and
// Cholesky.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "src/certificate/cone_search_data.hpp"

namespace relulift {

inline constexpr int kMaxRank = 10;

struct ConeCell {
  int depth = 0;
  double rho = 0.0;
  std::vector<double> V;           // r x r, vertex after vertex, unit length
  std::vector<double> F;           // r x c, F(v_j) after one another
  std::vector<std::int32_t> rows;  // undecided samples ...
  std::vector<double> T;           // ... and their x_i'v_j, r per sample
};

template <int R>
class ConeKernel {
 public:
  explicit ConeKernel(const ConeData& data)
      : data_(data), z_(data.c()), transposed_(data.c() * data.r()) {}

  // The orthant with signs by the bits of `code`, in principal axes.
  void root(std::uint32_t code, ConeCell& cell) const {
    const int r = rank(), c = data_.c();
    cell.depth = 0;
    cell.rho = data_.rounding;
    cell.V.assign(r * r, 0.0);
    cell.F.assign(r * c, 0.0);
    cell.rows.clear();
    cell.T.clear();
    for (int j = 0; j < r; ++j) cell.V[j * r + j] = sign(code, j);
    for (Index i = 0; i < data_.n(); ++i) {
      bool positive = false, negative = false;
      double t[kMax];
      for (int j = 0; j < r; ++j) {
        t[j] = sign(code, j) * data_.X(i, j);
        if (t[j] > 0.0) {
          positive = true;
          for (int k = 0; k < c; ++k) cell.F[j * c + k] += data_.E(i, k) * t[j];
        } else if (t[j] < 0.0) {
          negative = true;
        }
      }
      if (!(positive && negative)) continue;
      cell.rows.push_back(static_cast<std::int32_t>(i));
      cell.T.insert(cell.T.end(), t, t + r);
    }
  }

  // Forms A and K of the cell: |F(u)|^2 <= l'A l and |u|^2 = l'K l for u = sum_j l_j v_j, l >= 0.
  void form(const ConeCell& cell) {
    const int r = rank(), c = data_.c();
    Square tail = Square::Zero(r, r);  // sum_i a_i D_i'
    Column z = Column::Zero(r);
    const double* F = cell.F.data();
    for (int j = 0; j < r; ++j)
      for (int k = 0; k < c; ++k) transposed_[k * r + j] = F[j * c + k];
    for (std::size_t s = 0; s < cell.rows.size(); ++s) {
      const Index i = cell.rows[s];
      const ConstColumn t(cell.T.data() + s * r, r);
      const double* e = data_.E.data() + i * c;
      const Column up = t.max(0.0), down = up - t;
      const Column D = up.sum() <= down.sum() ? up : down;
      Column a = Column::Zero(r);
      for (int k = 0; k < c; ++k) a -= ConstColumn(&transposed_[k * r], r) * e[k];
      a = a.max(0.0);
      z += data_.norm[i] * D;
      for (int k = 0; k < r; ++k) tail.col(k).array() += a * D[k];
    }
    for (int j = 0; j < r; ++j) {
      for (int k = j; k < r; ++k) {
        double m = 0.0, v = 0.0;
        for (int l = 0; l < c; ++l) m += F[j * c + l] * F[k * c + l];
        for (int l = 0; l < r; ++l) v += cell.V[j * r + l] * cell.V[k * r + l];
        if (k == j) value_[j] = std::sqrt(m);
        A_[j * r + k] = A_[k * r + j] = m + tail(j, k) + tail(k, j) + z[j] * z[k];
        K_[j * r + k] = K_[k * r + j] = v;
      }
    }
    V_ = cell.V.data();
    rho_ = cell.rho;
    slack_ = kUnit * 4.0 * r * (static_cast<double>(cell.rows.size()) + 2.0 * c + r + 16.0);
  }

  // Proves ||F(u)|| <= T ||u|| on the cell last formed: B = T^2 K - A is copositive.
  bool proves(double T) {
    const int r = rank();
    const double margin = T * (1.0 - rho_) - rho_ * data_.mass;
    if (!(margin > 0.0)) return false;
    const double square = margin * margin * (1.0 - slack_);
    double B[kMax * kMax];
    bool nonnegative = true;
    for (int j = 0; j < r * r; ++j) {
      B[j] = square * K_[j] - A_[j];
      nonnegative = nonnegative && B[j] >= 0.0;
    }
    for (int j = 0; j < r; ++j)
      if (!(B[j * r + j] >= 0.0)) return false;  // a vertex above T
    if (nonnegative) return true;
    // Rows without a negative entry only help; what is left: positive semidefinite, or that plus
    // a nonnegative matrix.
    int keep[kMax], m = 0;
    for (int j = 0; j < r; ++j) keep[m++] = j;
    for (bool removed = true; removed && m > 0;) {
      removed = false;
      for (int p = 0; p < m; ++p) {
        bool helps = true;
        for (int q = 0; q < m; ++q) helps = helps && B[keep[p] * r + keep[q]] >= 0.0;
        if (!helps) continue;
        for (int q = p + 1; q < m; ++q) keep[q - 1] = keep[q];
        --m;
        removed = true;
        break;
      }
    }
    return m == 0 || cholesky(B, keep, m, true) || cholesky(B, keep, m, false);
  }

  // The smallest threshold proved for the cell last formed, to 2 %, at most `ceiling` (which holds
  // for the whole sphere).
  double bound(double from, double ceiling) {
    double low = from, high = from;
    for (double step = 1.02; !proves(high); step *= step) {
      low = high;
      high = std::max(high * step, 1e-6 * ceiling);
      if (!(high < ceiling)) return ceiling;
    }
    while (high > 1.02 * low) {
      const double middle = std::sqrt(std::max(low, 1e-3 * high) * high);
      (proves(middle) ? high : low) = middle;
    }
    return high;
  }

  // Splits edge (j, k) at w into `cell` (v_j -> w) and `other` (v_k -> w). The length of the new
  // F is returned: above T it is a better direction.
  double split(ConeCell& cell, ConeCell& other) {
    const int r = rank(), c = data_.c();
    Edge edge = choose_edge(cell);
    const double* vj = &cell.V[edge.j * r];
    const double* vk = &cell.V[edge.k * r];
    double w[kMax], length = 0.0;
    for (int l = 0; l < r; ++l) {
      w[l] = edge.a * vj[l] + edge.b * vk[l];
      length += w[l] * w[l];
    }
    length = std::sqrt(length);
    edge.a /= length;
    edge.b /= length;
    edge_ = edge;
    std::vector<double>& F = z_;
    for (int l = 0; l < c; ++l)
      F[l] = edge.a * cell.F[edge.j * c + l] + edge.b * cell.F[edge.k * c + l];
    for (int l = 0; l < r; ++l) w[l] /= length;

    // [eq:cone] F(w) = a F_j + b F_k - sum e_i min(a |T_ij|, b |T_ik|) over samples crossing.
    const std::size_t count = cell.rows.size();
    other.rows.resize(count);
    other.T.resize(count * r);
    std::size_t kept = 0, passed = 0;
    for (std::size_t s = 0; s < count; ++s) {
      const std::int32_t i = cell.rows[s];
      Column t = ConstColumn(cell.T.data() + s * r, r), mine = t;
      const double tj = edge.a * t[edge.j], tk = edge.b * t[edge.k];
      double tw = tj + tk;
      if (tj * tk < 0.0) {
        const double d = std::min(std::abs(tj), std::abs(tk));
        const double* e = data_.E.data() + Index{i} * c;
        for (int l = 0; l < c; ++l) F[l] -= e[l] * d;
        // The cut goes through this sample: exactly zero, so that both children may decide it.
        if (std::abs(tw) <= 4.0 * kUnit * (std::abs(tj) + std::abs(tk))) tw = 0.0;
      }
      mine[edge.j] = tw;
      t[edge.k] = tw;
      cell.rows[kept] = i;  // never ahead of s: overwritten unless undecided
      MutableColumn(cell.T.data() + kept * r, r) = mine;
      kept += mixed(mine);
      other.rows[passed] = i;
      MutableColumn(other.T.data() + passed * r, r) = t;
      passed += mixed(t);
    }
    cell.rows.resize(kept);
    cell.T.resize(kept * r);
    other.rows.resize(passed);
    other.T.resize(passed * r);
    cell.depth += 1;
    cell.rho += kUnit * (static_cast<double>(count) + 16.0);
    other.depth = cell.depth;
    other.rho = cell.rho;
    other.V = cell.V;
    other.F = cell.F;
    std::copy(w, w + r, &cell.V[edge.j * r]);
    std::copy(w, w + r, &other.V[edge.k * r]);
    std::copy(F.begin(), F.end(), &cell.F[edge.j * c]);
    std::copy(F.begin(), F.end(), &other.F[edge.k * c]);
    w_.assign(w, w + r);
    double value = 0.0;
    for (int l = 0; l < c; ++l) value += F[l] * F[l];
    return std::sqrt(value);
  }

  struct Edge {
    int j = 0, k = 1;
    double a = 1.0, b = 1.0;  // the cut a v_j + b v_k
  };
  // Of the last split.
  const Edge& edge() const { return edge_; }

  // The largest ||F(v_j)|| of the cell last formed; vertex() is that v_j.
  double best_vertex() {
    const int r = rank();
    const int j = static_cast<int>(std::max_element(value_, value_ + r) - value_);
    w_.assign(V_ + j * r, V_ + (j + 1) * r);
    return value_[j];
  }

  // The vertex that the last split made, or that best_vertex found.
  const std::vector<double>& vertex() const { return w_; }

 private:
  static constexpr int kMax = R > 0 ? R : kMaxRank;
  static constexpr double kUnit = std::numeric_limits<double>::epsilon();

  // R entries, unrolled for fixed R.
  static constexpr int kSize = R > 0 ? R : Eigen::Dynamic;
  using Column = Eigen::Array<double, kSize, 1, 0, kMax, 1>;
  using Square = Eigen::Matrix<double, kSize, kSize, 0, kMax, kMax>;
  using ConstColumn = Eigen::Map<const Eigen::Array<double, kSize, 1>>;
  using MutableColumn = Eigen::Map<Eigen::Array<double, kSize, 1>>;

  int rank() const { return R > 0 ? R : data_.r(); }
  static bool mixed(const Column& t) { return t.maxCoeff() > 0.0 && t.minCoeff() < 0.0; }
  static double sign(std::uint32_t code, int j) { return (code >> j) & 1u ? -1.0 : 1.0; }

  // Cholesky of the kept rows of B, with positive off-diagonal entries or with zeros there. The
  // backward error is covered by slack_.
  bool cholesky(const double* B, const int* keep, int m, bool with_positive) const {
    const int r = rank();
    double L[kMax * kMax];
    for (int p = 0; p < m; ++p) {
      for (int q = 0; q <= p; ++q) {
        double s = B[keep[p] * r + keep[q]];
        if (p != q && !with_positive) s = std::min(s, 0.0);
        for (int l = 0; l < q; ++l) s -= L[p * kMax + l] * L[q * kMax + l];
        if (p == q) {
          if (!(s > 0.0)) return false;
          L[p * kMax + p] = std::sqrt(s);
        } else {
          L[p * kMax + q] = s / L[q * kMax + q];
        }
      }
    }
    return true;
  }

  // Widest edge every fourth level, or else slivers at crossings never resolve; otherwise the edge
  // that carries most of the excess, cut at the weighted median of its crossings.
  Edge choose_edge(const ConeCell& cell) {
    const int r = rank();
    if (cell.rows.empty() || cell.depth % 4 == 3) return widest(cell);
    Square weight = Square::Zero(r, r);
    for (std::size_t s = 0; s < cell.rows.size(); ++s) {
      const ConstColumn t(cell.T.data() + s * r, r);
      const double norm = data_.norm[cell.rows[s]];
      const Column up = norm * t.max(0.0), down = up - norm * t;
      for (int k = 0; k < r; ++k) weight.col(k).array() += up.min(down[k]);
    }
    Edge edge;
    double heaviest = 0.0;
    for (int j = 0; j < r; ++j)
      for (int k = j + 1; k < r; ++k)
        if (weight(j, k) + weight(k, j) > heaviest) {
          heaviest = weight(j, k) + weight(k, j);
          edge.j = j;
          edge.k = k;
        }
    if (!(heaviest > 0.0)) return widest(cell);
    return median_crossing(cell, edge) ? edge : widest(cell);
  }

  bool median_crossing(const ConeCell& cell, Edge& edge) {
    const int r = rank();
    double total = 0.0;
    crossings_.clear();
    for (std::size_t s = 0; s < cell.rows.size(); ++s) {
      const double tj = cell.T[s * r + edge.j], tk = cell.T[s * r + edge.k];
      if (!(tj * tk < 0.0)) continue;
      const double sum = std::abs(tj) + std::abs(tk);
      crossings_.push_back({std::abs(tj) / sum, std::abs(tk) / sum,
                            data_.norm[cell.rows[s]] * std::abs(tj) * (std::abs(tk) / sum)});
      total += crossings_.back().weight;
    }
    std::sort(crossings_.begin(), crossings_.end(),
              [](const Crossing& x, const Crossing& y) { return x.at < y.at; });
    double before = 0.0;
    for (const Crossing& x : crossings_) {
      before += x.weight;
      if (before < 0.5 * total && &x != &crossings_.back()) continue;
      edge.a = x.left;  // x_i'w = 0 at a : b = |T_ik| : |T_ij|
      edge.b = x.at;
      return std::min(edge.a, edge.b) > 1e-9;
    }
    return false;
  }

  // Bisects by angle in the whitened metric; once F is linear on the cell, in the metric of u.
  Edge widest(const ConeCell& cell) const {
    const int r = rank();
    const bool whitened = !cell.rows.empty();
    double a[kMax * kMax], length[kMax];
    for (int j = 0; j < r; ++j) {
      double square = 0.0;
      for (int l = 0; l < r; ++l) {
        a[j * r + l] = cell.V[j * r + l] * (whitened ? data_.stretch[l] : 1.0);
        square += a[j * r + l] * a[j * r + l];
      }
      length[j] = std::sqrt(square);
      for (int l = 0; l < r; ++l) a[j * r + l] /= length[j];
    }
    Edge edge;
    double widest = -1.0;
    for (int j = 0; j < r; ++j) {
      for (int k = j + 1; k < r; ++k) {
        double square = 0.0;
        for (int l = 0; l < r; ++l)
          square += (a[j * r + l] - a[k * r + l]) * (a[j * r + l] - a[k * r + l]);
        if (square > widest) {
          widest = square;
          edge = {j, k, 1.0 / length[j], 1.0 / length[k]};
        }
      }
    }
    const double sum = edge.a + edge.b;  // lengths may be of any size
    edge.a /= sum;
    edge.b /= sum;
    return edge;
  }

  struct Crossing {
    double at, left, weight;
  };

  const ConeData& data_;
  double A_[kMax * kMax], K_[kMax * kMax];
  double value_[kMax];
  const double* V_ = nullptr;
  double rho_ = 0.0, slack_ = 0.0;
  std::vector<double> z_, transposed_, w_;
  std::vector<Crossing> crossings_;
  Edge edge_;
};

}  // namespace relulift
