// SPDX-License-Identifier: Apache-2.0
// How tight and how fast kappa(E) is bounded on the residual of a trained network.
//   cone_bench DATA.csv WEIGHT_DECAY [TRAIN_SECONDS [SEARCH_SECONDS [TOLERANCE]]]
// DATA: numeric, targets are the columns y*. Training is a stand-in: scans of the sphere and block
// coordinate descent on the group lasso over the directions found.
#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "src/certificate/cone_search.hpp"
#include "src/certificate/cone_search_bound.hpp"

namespace relulift {
namespace {

struct Data {
  Matrix X, Y;
};

Data read(const std::string& path) {
  std::ifstream file(path);
  std::string line, field;
  std::getline(file, line);
  std::vector<bool> target;
  for (std::stringstream head(line); std::getline(head, field, ',');)
    target.push_back(field.front() == 'y');
  std::vector<std::vector<double>> rows;
  while (std::getline(file, line)) {
    rows.emplace_back();
    for (std::stringstream cells(line); std::getline(cells, field, ',');)
      rows.back().push_back(std::strtod(field.c_str(), nullptr));
  }
  const auto n = static_cast<Index>(rows.size()), all = static_cast<Index>(target.size());
  const Index outputs = std::count(target.begin(), target.end(), true);
  Data data{Matrix(n, all - outputs), Matrix(n, outputs)};
  for (Index i = 0; i < n; ++i)
    for (Index j = 0, x = 0, y = 0; j < all; ++j)
      (target[j] ? data.Y(i, y++) : data.X(i, x++)) = rows[i][j];
  return data;
}

struct Fit {
  Matrix S, W;  // unit directions d x m, output weights c x m
  Matrix E;     // Y - (XS)_+ W'
  double objective = 0.0;
};

// min 1/2 ||Y - (XS)_+ W'||^2 + g sum_j ||w_j|| by block coordinate descent; drops zero blocks.
void refit(const Data& data, double g, const Control& control, Fit& fit) {
  const Matrix A = (data.X * fit.S).cwiseMax(0.0);
  fit.E = data.Y - A * fit.W.transpose();
  const Vector square = A.colwise().squaredNorm();
  double last = 1e300;
  for (int sweep = 0; sweep < 3000 && !control.stop(); ++sweep) {
    for (Index j = 0; j < A.cols(); ++j) {
      if (!(square[j] > 0.0)) continue;
      if (sweep % 10 != 0 && fit.W.col(j).isZero(0.0)) continue;
      const Vector q = fit.E.transpose() * A.col(j) + square[j] * fit.W.col(j);
      const Vector w = q * (std::max(0.0, 1.0 - g / std::max(q.norm(), 1e-300)) / square[j]);
      fit.E -= A.col(j) * (w - fit.W.col(j)).transpose();
      fit.W.col(j) = w;
    }
    fit.objective = 0.5 * fit.E.squaredNorm() + g * fit.W.colwise().norm().sum();
    if (sweep % 10 == 9) {
      if (last - fit.objective < 1e-7 * fit.objective) break;
      last = fit.objective;
    }
  }
  std::vector<Index> alive;
  for (Index j = 0; j < fit.W.cols(); ++j)
    if (!fit.W.col(j).isZero(0.0)) alive.push_back(j);
  fit.S = Matrix(fit.S(Eigen::all, alive));
  fit.W = Matrix(fit.W(Eigen::all, alive));
}

Fit train(const Data& data, double g, double seconds) {
  const Control control(seconds);
  Fit fit{Matrix(data.X.cols(), 0), Matrix(data.Y.cols(), 0), data.Y, 0.0};
  for (int round = 0; !control.stop(); ++round) {
    const Control scan = control.within(2.0);
    const ConeSearchResult found = scan_sphere(data.X, fit.E, g * (1.0 + 1e-4), fit.S, 300, scan);
    fmt::print(
        "  scan {:3}: J {:.6f}, neurons {}, best {:.5f} g, violators {}, nodes {}, {:.2f} s{}\n",
        round, fit.objective, fit.S.cols(), found.kappa_lower / g, found.violators.cols(),
        found.nodes, scan.seconds(), found.complete ? "" : " (stopped)");
    if (found.violators.cols() == 0) break;
    const Index old = fit.S.cols(), fresh = found.violators.cols();
    fit.S.conservativeResize(Eigen::NoChange, old + fresh);
    fit.S.rightCols(fresh) = found.violators;
    fit.W.conservativeResize(Eigen::NoChange, old + fresh);
    fit.W.rightCols(fresh).setZero();
    refit(data, g, control.within(5.0), fit);
  }
  return fit;
}

void report(const Data& data, const Fit& fit, double g, double seconds, double tolerance) {
  for (double tol = 0.3; tol >= tolerance * 0.999; tol /= 3.1623) {
    ConeSearchOptions options;
    options.tolerance = tol;
    options.starts = fit.S;
    options.control = Control(seconds);
    const ConeSearchResult found = search_cones(data.X, fit.E, options);
    const RescaleBound bound = rescale_bound(fit.E, data.Y, g, found.kappa_upper);
    fmt::print(
        "tolerance {:7.4f}: kappa/g in [{:.6f}, {:.6f}], bound {:.5f} of {:.5f} ({:.3f} %), nodes "
        "{}, {:.3f} s{}\n",
        tol, found.kappa_lower / g, found.kappa_upper / g, bound.lower_bound, fit.objective,
        100.0 * (1.0 - bound.lower_bound / fit.objective), found.nodes, options.control.seconds(),
        found.complete ? "" : " (stopped)");
    if (!found.complete) break;
  }
}

}  // namespace
}  // namespace relulift

int main(int argc, char** argv) {
  const auto number = [&](int k, double otherwise) {
    return argc > k ? std::atof(argv[k]) : otherwise;
  };
  if (argc < 3) return 2;
  const relulift::Data data = relulift::read(argv[1]);
  const double g = number(2, 0.1);
  const relulift::Fit fit = relulift::train(data, g, number(3, 10.0));
  fmt::print("{}: n {}, d {}, c {}, g {}, J {:.6f}, neurons {}\n", argv[1], data.X.rows(),
             data.X.cols(), data.Y.cols(), g, fit.objective, fit.S.cols());
  relulift::report(data, fit, g, number(4, 30.0), number(5, 1e-3));
}
