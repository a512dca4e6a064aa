// SPDX-License-Identifier: Apache-2.0
// The tree of a finished cone search at its final threshold. The search's heuristics choose the
// cuts, the verifier's own test decides where a cell is settled: what is recorded is what it will
// accept.
#include <algorithm>
#include <cmath>

#include "src/api/proofs.hpp"
#include "src/certificate/cone_search_cell.hpp"
#include "src/verify/cones.hpp"

namespace relulift {
namespace {

constexpr int kDeepest = 400;
constexpr double kLeastPart = 1e-12;  // of an edge

class Walk {
 public:
  Walk(const ConeData& data, const verifier::ConeRows& rows, double threshold,
       const Control& control)
      : kernel_(data),
        rows_(rows),
        axes_(data.axes.data(), data.axes.data() + data.axes.size()),
        threshold_(threshold),
        control_(control) {}

  bool root(unsigned signs) {
    ConeCell cell;
    kernel_.root(signs, cell);
    return settle(cell, verifier::Cone(rows_, axes_, signs));
  }

  const std::vector<double>& axes() const { return axes_; }
  std::vector<double> tree;

 private:
  bool settle(ConeCell& cell, verifier::Cone cone) {
    if (cone.proves(threshold_)) {
      tree.push_back(0.0);
      return true;
    }
    if (cell.depth >= kDeepest || (tree.size() % 64 == 0 && control_.out_of_time())) return false;
    ConeCell other;
    kernel_.split(cell, other);
    // The search keeps its vertices at length one, the verifier does not.
    const auto& edge = kernel_.edge();
    const double a = edge.a / cone.length(edge.j), b = edge.b / cone.length(edge.k);
    const auto number = static_cast<double>(verifier::edge_number(edge.j, edge.k));
    const double code = number + std::clamp(b / (a + b), kLeastPart, 1.0 - kLeastPart);
    tree.push_back(code);
    verifier::Cone beside = cone.split(edge.j, edge.k, code - number);
    return settle(cell, std::move(cone)) && settle(other, std::move(beside));
  }

  ConeKernel<0> kernel_;
  const verifier::ConeRows& rows_;
  std::vector<double> axes_;
  double threshold_;
  const Control& control_;
};

}  // namespace

std::optional<Proof> cone_proof(const Problem& problem, const Matrix& E, double kappa,
                                const Control& control) {
  if (E.size() == 0 || !(kappa > 0.0) || !std::isfinite(kappa)) return {};
  if (problem.features > kMaxRank) return {};
  const Eigen::Map<const Matrix> X(problem.X.data(), problem.samples, problem.features);
  const Eigen::Map<const Matrix> Y(problem.Y.data(), problem.samples, problem.outputs);
  const double best = std::max(0.0, E.cwiseProduct(Y).sum() / E.squaredNorm());
  // The two searches round in different places.
  for (const double room : {1e-11, 1e-9, 1e-7}) {
    const double t = std::min(best, problem.weight_decay / (kappa * (1.0 + room)));
    const Matrix G = -t * E;
    Proof proof;
    proof.kind = "cones";
    proof.G.assign(G.data(), G.data() + G.size());
    const ConeData data = prepare(X, G);
    const verifier::ConeRows rows(problem, proof.G);
    Walk walk(data, rows, problem.weight_decay * (1.0 - 1e-15), control);
    bool settled = data.r() > 0;
    for (unsigned signs = 0; settled && signs < 1U << data.r(); ++signs) settled = walk.root(signs);
    if (settled) {
      proof.axes = walk.axes();
      proof.cones = std::move(walk.tree);
      return proof;
    }
    if (control.out_of_time()) return {};
  }
  return {};
}

}  // namespace relulift
