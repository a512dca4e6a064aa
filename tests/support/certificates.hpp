// SPDX-License-Identifier: Apache-2.0
// Certificate files of small problems, changed and sealed again; and an oracle in plain doubles
// that says whether their multipliers prove their claim.
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <functional>
#include <nlohmann/json.hpp>
#include <relulift/certificate.hpp>
#include <relulift/solve.hpp>

#include "src/core/dense.hpp"
#include "src/core/random.hpp"
#include "src/io/safetensors.hpp"
#include "src/verify/files.hpp"
#include "tests/support/files.hpp"

namespace relulift::test {

// A certificate, what it is about, and the files of both.
struct Certified {
  Problem problem;
  Result result;
  fs::path data, model, certificate;
  io::Safetensors content;

  std::vector<double>& tensor(const std::string& name) { return content.tensors.at(name).entries; }
  bool has(const std::string& name) const { return content.tensors.contains(name); }
  double number(const std::string& key) const {
    return nlohmann::json::parse(content.metadata.at(key)).get<double>();
  }
  void set(const std::string& key, double value) {
    content.metadata[key] = nlohmann::json(value).dump();
  }
};

inline std::string sealed(io::Safetensors content) {
  const std::string zeros(64, '0');
  content.metadata["sha256"] = zeros;
  std::string bytes = io::safetensors_bytes(content);
  return bytes.replace(bytes.find(zeros), 64, verifier::sha256(bytes));
}

// As `relulift train`: the table is written, read, prepared, solved and certified.
inline Certified certify_table(const TemporaryFolder& folder, const std::string& name,
                               const Targets& targets, double weight_decay, Options options,
                               Standardize standardize = Standardize::no, Bias bias = Bias::no) {
  Certified out;
  out.data = folder / (name + ".csv");
  const Dataset data = read_dataset(out.data, targets);
  const Preparation preparation = fit_preparation(data, standardize, bias);
  out.problem = make_problem(data, preparation, weight_decay);
  options.keep_proof = true;
  out.result = solve(out.problem, options);
  Model model = make_model(out.result.network, preparation, data.schema);
  model.lower_bound = out.result.certificate.lower_bound;
  const std::string model_file = model_bytes(model);
  out.model = folder.write(name + ".model", model_file);
  const std::string bytes =
      certificate_bytes(out.result, out.problem, data.schema, preparation, out.data, model_file);
  out.certificate = folder.write(name + ".certificate", bytes);
  if (!bytes.empty()) out.content = io::parse_safetensors(bytes, name);
  return out;
}

// How far the inequality behind a claim holds, relative: clearly positive, the claim follows;
// clearly negative, it does not.
class Oracle {
 public:
  explicit Oracle(const Certified& c)
      : n_(c.problem.samples),
        X_(Eigen::Map<const Matrix>(c.problem.X.data(), n_, c.problem.features)),
        Y_(Eigen::Map<const Matrix>(c.problem.Y.data(), n_, c.problem.outputs)),
        objective_(c.result.objective) {}

  double margin(Certified c) const {
    const double g = c.number("weight_decay"), sigma = c.number("sigma");
    const Matrix G = Eigen::Map<const Matrix>(c.tensor("G").data(), n_, Y_.cols());
    const double penalty = std::min(objective_, Y_.squaredNorm() / 4.0);
    double price = std::max(0.0, sigma - 1.0), inequality = 0.0;
    const std::string& kind = c.content.metadata.at("kind");
    if (kind == "floor") {
      inequality = 1.0 - norm(X_) * norm(G) / (sigma * g);
    } else if (kind == "cones") {
      inequality = 1.0 - largest(G) / (sigma * g);
    } else {
      inequality = rows_can_stand(c) ? smallest_eigenvalue(c, G, sigma * g / 2.0) : -1.0;
      if (inequality > -1.0) price += cost_of_merging(c, G);
    }
    const double bound = -G.cwiseProduct(Y_ + 0.5 * G).sum() - price * penalty;
    const double claim = c.number("lower_bound");
    return std::min(inequality, (std::max(0.0, bound) - claim) / std::max(claim, 1e-3));
  }

 private:
  static double norm(const Matrix& A) { return Eigen::JacobiSVD<Matrix>(A).singularValues()(0); }

  // ||G'(Xu)_+|| over many directions.
  double largest(const Matrix& G) const {
    double best = 0.0;
    Random random(3, 4);
    Vector u(X_.cols());
    for (int s = 0; s < 4000; ++s) {
      for (double& x : u) x = random.normal();
      best = std::max(best, (G.transpose() * (X_ * u).cwiseMax(0.0)).norm() / u.norm());
    }
    return best;
  }

  bool stands(Certified& c, double row) const {
    if (!(row >= 0.0 && row < static_cast<double>(n_)) || row != std::floor(row)) return false;
    if (!c.has("representative")) return true;
    const auto i = static_cast<std::size_t>(row);
    return c.tensor("representative")[i] == row && c.tensor("ratio")[i] == 1.0;
  }
  bool rows_can_stand(Certified& c) const {
    for (Index j = 0; c.has("representative") && j < n_; ++j) {
      const double row = c.tensor("representative")[j];
      if (!stands(c, row) && !(row == -1.0 && c.tensor("ratio")[j] == 0.0)) return false;
    }
    return true;
  }
  // The row that stands for row j, or none, and its multiple.
  std::pair<Index, double> representative(Certified& c, Index j) const {
    if (!c.has("representative")) return {j, 1.0};
    return {static_cast<Index>(c.tensor("representative")[j]), c.tensor("ratio")[j]};
  }
  double cost_of_merging(Certified& c, const Matrix& G) const {
    double cost = 0.0;
    for (Index j = 0; j < n_; ++j) {
      const auto [i, ratio] = representative(c, j);
      Eigen::RowVectorXd there = Eigen::RowVectorXd::Zero(X_.cols());
      if (i >= 0) there = ratio * X_.row(i);
      cost += G.row(j).norm() * (X_.row(j) - there).norm() / c.number("weight_decay");
    }
    return cost;
  }

  // Over all cones of a partition; -1 where its tree or its counts are none.
  double smallest_eigenvalue(Certified& c, const Matrix& G, double half) const {
    const std::vector<double> none;
    const std::vector<double>& W = c.has("entries") ? c.tensor("entries") : none;
    const Index count = static_cast<Index>(W.size()) / 3;
    std::vector<int> sign(static_cast<std::size_t>(n_), 0);
    if (c.content.metadata.at("kind") != "split")
      return smallest_on_face(c, G, half, W, 0, count, sign);
    if (!c.has("splits") || !c.has("leaf_entries")) return -1.0;
    const std::vector<double>&nodes = c.tensor("splits"), &counts = c.tensor("leaf_entries");
    std::size_t node = 0, leaf = 0;
    Index from = 0;
    const std::function<double()> visit = [&]() -> double {
      if (node >= nodes.size()) return -1.0;
      const double row = nodes[node++];
      if (row == -1.0) {
        if (leaf >= counts.size()) return -1.0;
        const double size = counts[leaf++];
        if (!(size >= 0.0 && size <= static_cast<double>(count - from)) || size != std::floor(size))
          return -1.0;
        const Index first = from;
        from += static_cast<Index>(size);
        return smallest_on_face(c, G, half, W, first, from, sign);
      }
      if (!stands(c, row) || sign[static_cast<std::size_t>(row)] != 0) return -1.0;
      double least = 1.0;
      for (const int side : {1, -1}) {
        sign[static_cast<std::size_t>(row)] = side;
        least = std::min(least, visit());
      }
      sign[static_cast<std::size_t>(row)] = 0;
      return least;
    };
    const double least = visit();
    const bool all = node == nodes.size() && leaf == counts.size() && from == count;
    return all ? least : -1.0;
  }

  // Of Q with its diagonal scaled to one, built from the dense L of all rows and the multipliers in
  // [first, last), where s_i = sign_i x_i'u for the rows that have a sign.
  double smallest_on_face(Certified& c, const Matrix& G, double half, const std::vector<double>& W,
                          Index first, Index last, const std::vector<int>& sign) const {
    const Index d = X_.cols(), outputs = Y_.cols(), s = n_ + d, order = s + outputs;
    const auto half_of = [&](double lifted) {
      return lifted < static_cast<double>(n_) ? lifted : lifted - static_cast<double>(n_);
    };
    Matrix Q = Matrix::Zero(order, order);
    const auto lifted = [&](Index p) {
      Vector l = Vector::Zero(order);
      const Index i = p % n_;
      l(i) = 0.5;
      l.segment(n_, d) = (p < n_ ? 0.5 : -0.5) * X_.row(i).transpose();
      return l;
    };
    for (Index e = first; e < last; ++e) {
      const double* entry = W.data() + 3 * e;
      if (!stands(c, half_of(entry[0])) || !stands(c, half_of(entry[1]))) return -1.0;
      const auto p = static_cast<Index>(entry[0]), q = static_cast<Index>(entry[1]);
      if (std::abs(p - q) != n_ && !(entry[2] >= 0.0)) return -1.0;
      Q -= entry[2] * (p == q ? 1.0 : 2.0) *
           (lifted(p) * lifted(q).transpose() + lifted(q) * lifted(p).transpose()) / 2.0;
    }
    Matrix T = Matrix::Identity(order, order);
    std::vector<Index> kept;
    for (Index j = 0; j < n_; ++j) {
      const auto [i, ratio] = representative(c, j);
      if (i == j && sign[static_cast<std::size_t>(j)] == 0) kept.push_back(j);
      if (sign[static_cast<std::size_t>(j)] != 0) {
        T(j, j) = 0.0;
        T.row(j).segment(n_, d) = sign[static_cast<std::size_t>(j)] * X_.row(j);
      }
      if (i < 0) continue;
      Vector l = Vector::Zero(order);
      l(i) = 0.5 * std::abs(ratio);
      l.segment(n_, d) = 0.5 * ratio * X_.row(i).transpose();
      Q.rightCols(outputs) += 0.5 * l * G.row(j);
    }
    for (Index l = n_; l < order; ++l) {
      Q(l, l) += half;
      kept.push_back(l);
    }
    const Matrix whole = Q.selfadjointView<Eigen::Upper>();
    const Matrix basis = T(Eigen::indexing::all, kept);
    Matrix S = basis.transpose() * whole * basis;
    const Vector scale = S.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
    S = scale.asDiagonal() * S * scale.asDiagonal();
    return Eigen::SelfAdjointEigenSolver<Matrix>(S, Eigen::EigenvaluesOnly).eigenvalues()(0);
  }

  Index n_;
  Matrix X_, Y_;
  double objective_;
};

}  // namespace relulift::test
