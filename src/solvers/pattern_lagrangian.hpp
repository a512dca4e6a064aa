// SPDX-License-Identifier: Apache-2.0
// ReLU programs over given patterns [eq:relu-cones] with a smooth loss and one output per neuron,
// by an augmented Lagrangian [eq:pattern-lagrangian]: of the dual, whose multipliers are the
// weights (Rockafellar 1976; Li, Sun & Toh 2018, arXiv 1607.05428, for the lasso). A semismooth
// Newton method minimises it over E; each value projects blocks onto their cones, so that every
// iterate has a feasible point and a bound. Active sets twice: blocks within ||w|| <= g cost one
// product, 2 n d flops, and cones are known by the rows that matter (cone_faces.hpp). A Newton step
// over blocks that span R directions forms a matrix of order min(R, n): n R min(R, n) flops.
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "src/core/control.hpp"
#include "src/solvers/cone_faces.hpp"
#include "src/solvers/pattern_lagrangian_loss.hpp"
#include "src/solvers/pattern_lagrangian_system.hpp"
#include "src/solvers/program_request.hpp"

namespace relulift {

struct LagrangianOptions {
  Index tile_entries = kTileHost;
  SystemSize system = kSystemHost;
};
inline LagrangianOptions lagrangian_options(Index tile_entries) {
  LagrangianOptions options;
  options.tile_entries = tile_entries;
  if (tile_entries >= kTileDevice) options.system = kSystemDevice;
  return options;
}

template <Backend B>
class PatternLagrangian {
 public:
  PatternLagrangian(B& be, const ProgramRequest& request, const LagrangianOptions& options);

  static void count(Needs& needs, const ProgramRequest& request, const LagrangianOptions& options);

  // From V and N of the request's start, or zero; the best point and the best bound.
  PatternPoint run(const Control& control, const OnProgram& on_check);

 private:
  static constexpr double kPenalty = 10.0;  // sigma to begin with, in units of 1 / ||X||^2
  // Of sigma, by how Newton's method did. Where it did not converge sigma stays: beyond some size
  // it would never.
  static constexpr double kGrowth = 10.0, kSlowGrowth = 2.0;
  static constexpr Index kQuick = 10;      // steps, at most, of a fast one
  static constexpr Index kMostSteps = 30;  // between updates of the multipliers
  // Newton's method ends where its gap is this share of what the multipliers moved.
  static constexpr double kAccuracy = 0.1;
  // Of blocks, that more than one thread pays for.
  static constexpr std::size_t kWorthThreads = 16;

  // At f, E = -grad L(f), with the multipliers and sigma as they are.
  struct Value {
    Matrix residual, f;  // f - F u+
    double merit = 0.0;  // the augmented Lagrangian, but for constants
    double gap = 0.0;    // its own, which Newton's method closes
    double moved = 0.0;  // ||u+ - u||^2 / (2 sigma)
  };

  Index n() const { return request_.X.rows(); }
  Index d() const { return request_.X.cols(); }
  Index c() const { return request_.Y.cols(); }
  Index half() const { return patterns() * c(); }
  Index patterns() const { return request_.gated.patterns.size(); }
  Index pattern_of(Index block) const { return block % half() / c(); }
  Index output_of(Index block) const { return block % half() % c(); }
  double sign_of(Index block) const { return block < half() ? 1.0 : -1.0; }

  void begin();
  Value evaluate(Matrix f);
  // w_b, unless halted, and the largest ||A_b'E + K_b'mu||, from q_b = u_b/sigma + A_b'E in w_.
  double project(const Matrix& G);
  // Those of `blocks` whose nearest points leave their cones, which now know the rows.
  std::vector<Index> outside(const std::vector<Index>& blocks);
  void keep(double objective, const Matrix& E, double largest);
  enum class Inner { solved, slow, stuck, stopped };
  Inner minimise(Value& at, const OnProgram& on_check);
  bool search(Value& at, const Matrix& step);
  bool finished(const OnProgram& on_check);

  // Newton's direction in f [eq:lagrangian-newton].
  Matrix direction(const Value& at);
  // Blocks that move, of an output or of all (-1).
  std::vector<Index> moving(Index output) const;
  Index directions(const std::vector<Index>& blocks) const;
  enum class Part { face, weight };  // of a tangent space: all of it, or w alone
  MovingColumns columns_of(const std::vector<Index>& blocks, Part part) const;
  void fill(Index block, Part part, Eigen::Ref<Matrix> T) const;
  // W += T (Q'Q + I/sigma)^-1 T'G, G = F'B B'r.
  void by_columns(const std::vector<Index>& blocks, Part part, const Matrix& G, Matrix& W);
  // (I + sigma Q Q')^-1 right.
  Vector by_rows(const std::vector<Index>& blocks, const Vector& right);
  // W += sigma J G.
  void add_curved(const std::vector<Index>& blocks, const Matrix& G, Matrix& W) const;

  B& be_;
  const ProgramRequest& request_;
  LagrangianOptions options_;
  LagrangianLoss loss_;
  ConeFaces faces_;
  LagrangianProducts<B> products_;
  LagrangianSystem<B> system_;
  const Control* control_ = nullptr;  // of the run
  bool halted_ = false;               // in the middle of a projection, which is none then
  double sigma_ = 1.0;
  Matrix u_, w_, next_;  // d x blocks: multipliers, nearest points, u+
  Matrix pull_;          // K'mu of the last projections
  Vector length_;        // of the w_b with ||w_b|| > g, else zero
  PatternPoint best_;
};

}  // namespace relulift

#include "src/solvers/pattern_lagrangian_newton.hpp"
#include "src/solvers/pattern_lagrangian_steps.hpp"
