// SPDX-License-Identifier: Apache-2.0
#include "src/solvers/pattern_network.hpp"

#include <Eigen/SVD>
#include <cmath>

namespace relulift {
namespace {

// Blocks below this share of the largest are rounding.
constexpr double kNothing = 1e-12;

class Collector {
 public:
  Collector(Index features, Index outputs) {
    network_.features = features;
    network_.outputs = outputs;
  }
  // The neuron of the rank-one block u v', ||v|| = 1.
  void add(const Vector& u, const Vector& v) {
    const double root = std::sqrt(u.norm());
    const Vector in = u / root, out = v * root;
    network_.U.insert(network_.U.end(), in.begin(), in.end());
    network_.V.insert(network_.V.end(), out.begin(), out.end());
    ++network_.neurons;
  }
  void gate(const Eigen::Ref<const Vector>& h) {
    network_.G.insert(network_.G.end(), h.begin(), h.end());
  }
  Network take() { return std::move(network_); }

 private:
  Network network_;
};

// body(i, u, v) for the rank-one terms of every block.
template <class Body>
void for_each_term(const Matrix& W, Index c, bool joint, const Body& body) {
  if (W.size() == 0) return;
  const double least = kNothing * W.colwise().norm().maxCoeff();
  for (Index i = 0; i * c < W.cols(); ++i) {
    const auto block = W.middleCols(i * c, c);
    if (!joint) {
      for (Index k = 0; k < c; ++k)
        if (block.col(k).norm() > least) body(i, Vector(block.col(k)), Vector(Vector::Unit(c, k)));
      continue;
    }
    if (!(block.norm() > least)) continue;
    const Eigen::JacobiSVD<Matrix> svd(block, Eigen::ComputeThinU | Eigen::ComputeThinV);
    for (Index r = 0; r < svd.singularValues().size(); ++r)
      if (svd.singularValues()[r] > least)
        body(i, Vector(svd.matrixU().col(r) * svd.singularValues()[r]),
             Vector(svd.matrixV().col(r)));
  }
}

}  // namespace

RankOneTerms rank_one_terms(const PatternPoint& point, Index outputs, bool joint) {
  RankOneTerms out;
  std::vector<Vector> U, V;
  for_each_term(point.V, outputs, joint, [&](Index i, const Vector& u, const Vector& v) {
    out.patterns.push_back(i);
    U.push_back(u);
    V.push_back(v);
  });
  out.U.resize(point.V.rows(), static_cast<Index>(U.size()));
  out.V.resize(outputs, static_cast<Index>(V.size()));
  for (std::size_t t = 0; t < U.size(); ++t) {
    out.U.col(static_cast<Index>(t)) = U[t];
    out.V.col(static_cast<Index>(t)) = V[t];
  }
  return out;
}

Network network_of(const Matrix& S, const Matrix& W) {
  Collector all(S.rows(), W.cols());
  for (Index j = 0; j < S.cols(); ++j)
    if (const double size = W.row(j).norm(); size > 0.0)
      all.add(S.col(j) * size, W.row(j).transpose() / size);
  return all.take();
}

Network gated_network(const PatternPoint& point, const Matrix& gates, Index outputs, bool joint) {
  Collector all(point.V.rows(), outputs);
  for_each_term(point.V, outputs, joint, [&](Index i, const Vector& u, const Vector& v) {
    all.add(u, v);
    all.gate(gates.col(i));
  });
  Network network = all.take();
  network.activation = Activation::gated;
  return network;
}

Network linear_network(const PatternPoint& point, Index outputs, bool joint) {
  Collector all(point.V.rows(), outputs);
  for_each_term(point.V, outputs, joint,
                [&](Index, const Vector& u, const Vector& v) { all.add(u, v); });
  Network network = all.take();
  network.activation = Activation::linear;
  return network;
}

Network relu_network(const PatternPoint& point, Index outputs) {
  Collector all(point.V.rows(), outputs);
  for_each_term(point.V, outputs, false,
                [&](Index, const Vector& u, const Vector& v) { all.add(u, v); });
  for_each_term(point.N, outputs, false,
                [&](Index, const Vector& u, const Vector& v) { all.add(u, -v); });
  return all.take();
}

Network pooled_network(const Network& filters, const PatchGrid& grid, Index features) {
  const Index K = grid.patches(), p = grid.entries(), c = filters.outputs;
  const double share = 1.0 / std::sqrt(static_cast<double>(K));
  Network out;
  out.features = features;
  out.outputs = c;
  out.neurons = filters.neurons * K;
  out.activation = filters.activation;
  const auto entry = [](Index row, Index rows, Index col) {
    return static_cast<std::size_t>(row + rows * col);
  };
  out.U.resize(entry(0, features, out.neurons));
  out.V.resize(entry(0, c, out.neurons));
  if (!filters.G.empty()) out.G.resize(out.U.size());
  for (Index j = 0; j < out.neurons; ++j) {
    const Index filter = j / K;
    for (Index q = 0; q < p; ++q) {
      const std::size_t to = entry(grid.feature(j % K, q), features, j);
      out.U[to] = share * filters.U[entry(q, p, filter)];
      if (!filters.G.empty()) out.G[to] = filters.G[entry(q, p, filter)];
    }
    for (Index k = 0; k < c; ++k) out.V[entry(k, c, j)] = share * filters.V[entry(k, c, filter)];
  }
  return out;
}

}  // namespace relulift
