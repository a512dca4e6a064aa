// SPDX-License-Identifier: Apache-2.0
// Certificate files of small problems, changed and sealed again; and an oracle in plain doubles
// that says whether their multipliers prove their claim.
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
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
      inequality = smallest_eigenvalue(c, G, sigma * g / 2.0, price);
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

  // Of Q with its diagonal scaled to one, built from the dense L of all rows.
  double smallest_eigenvalue(Certified& c, const Matrix& G, double half, double& price) const {
    const Index d = X_.cols(), outputs = Y_.cols(), s = n_ + d, order = s + outputs;
    const bool merged = c.has("representative");
    const auto stands = [&](double row) {
      if (!(row >= 0.0 && row < static_cast<double>(n_)) || row != std::floor(row)) return false;
      const auto i = static_cast<std::size_t>(row);
      return !merged || (c.tensor("representative")[i] == row && c.tensor("ratio")[i] == 1.0);
    };
    const auto half_of = [&](double lifted) {
      return lifted < static_cast<double>(n_) ? lifted : lifted - static_cast<double>(n_);
    };
    for (Index j = 0; merged && j < n_; ++j) {
      const double row = c.tensor("representative")[j];
      if (!stands(row) && !(row == -1.0 && c.tensor("ratio")[j] == 0.0)) return -1.0;
    }
    Matrix Q = Matrix::Zero(order, order);
    const auto lifted = [&](Index p) {
      Vector l = Vector::Zero(order);
      const Index i = p % n_;
      l(i) = 0.5;
      l.segment(n_, d) = (p < n_ ? 0.5 : -0.5) * X_.row(i).transpose();
      return l;
    };
    if (c.has("entries")) {
      const std::vector<double>& W = c.tensor("entries");
      for (std::size_t k = 0; k < W.size(); k += 3) {
        if (!stands(half_of(W[k])) || !stands(half_of(W[k + 1]))) return -1.0;
        const auto p = static_cast<Index>(W[k]), q = static_cast<Index>(W[k + 1]);
        if (std::abs(p - q) != n_ && W[k + 2] < 0.0) return -1.0;
        Q -= W[k + 2] * (p == q ? 1.0 : 2.0) *
             (lifted(p) * lifted(q).transpose() + lifted(q) * lifted(p).transpose()) / 2.0;
      }
    }
    std::vector<Index> kept;
    for (Index j = 0; j < n_; ++j) {
      const auto i = merged ? static_cast<Index>(c.tensor("representative")[j]) : j;
      const double ratio = merged ? c.tensor("ratio")[j] : 1.0;
      if (i == j) kept.push_back(j);
      Eigen::RowVectorXd there = Eigen::RowVectorXd::Zero(d);
      if (i >= 0) {
        Vector l = Vector::Zero(order);
        l(i) = 0.5 * std::abs(ratio);
        l.segment(n_, d) = 0.5 * ratio * X_.row(i).transpose();
        Q.rightCols(outputs) += 0.5 * l * G.row(j);
        there = ratio * X_.row(i);
      }
      price += G.row(j).norm() * (X_.row(j) - there).norm() / c.number("weight_decay");
    }
    for (Index l = n_; l < order; ++l) {
      Q(l, l) += half;
      kept.push_back(l);
    }
    Matrix S = Q(kept, kept).selfadjointView<Eigen::Upper>();
    const Vector scale = S.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
    S = scale.asDiagonal() * S * scale.asDiagonal();
    return Eigen::SelfAdjointEigenSolver<Matrix>(S, Eigen::EigenvaluesOnly).eigenvalues()(0);
  }

  Index n_;
  Matrix X_, Y_;
  double objective_;
};

}  // namespace relulift::test
