// SPDX-License-Identifier: Apache-2.0
// Alternating directions [eq:pattern-admm] on the programs over patterns [eq:gated]
// [eq:relu-cones], for every loss with a prox, after CRONOS (Feng, Frangella & Pilanci 2024,
// arXiv 2411.01088), until a certified gap. Signs square away, K_i'K_i = X'X, so the matrix of the
// linear step is diagonal but for the coupling by the n predictions (PatternSystem), and one
// penalty on all splits leaves it as it is. An iteration is 12 n d P c flops with cones, 4 n d P c
// without, the solve, and passes over the state: n x 2 P c numbers with cones.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/any_loss.hpp"
#include "kernels/group_norm.hpp"
#include "kernels/pattern_admm.hpp"
#include "kernels/proximal.hpp"
#include "src/core/control.hpp"
#include "src/solvers/group_penalty.hpp"
#include "src/solvers/pattern_admm_cones.hpp"
#include "src/solvers/pattern_admm_options.hpp"
#include "src/solvers/pattern_admm_system.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/proximal_options.hpp"
#include "src/solvers/scalars.hpp"

namespace relulift {

template <Backend B, class T, template <class, class> class Penalty>
class PatternAdmm {
 public:
  using Loss = kernels::AnyLoss<T>;
  // X of the request in the coordinates of `basis`; cones: null for gated programs.
  PatternAdmm(B& be, const ProgramRequest& request, const MetricBasis& basis, const Loss& loss,
              PatternCones* cones, const AdmmOptions& options);

  static void count(Needs& needs, Index n, Index d, Index patterns, Index outputs,
                    PatternProgram program, const AdmmOptions& options);

  // From V, N and E of the request's start, or zero. The best pair of point and bound.
  PatternPoint run(const Control& control, const OnProgram& on_check);

 private:
  enum Scalar {
    kEta,
    kTau,
    kRho,
    kConeWeight,
    kDualWeight,
    kDualNorm,
    kFactor,
    kBound,
    kLoss,
    kOmega,
    kCones,  // four, of the cones, then two of each kind, of the other splits
    kSplits = kCones + 4,
    kScalars = kSplits + 8
  };
  enum Metric { kPull, kInverse };

  Index n() const { return products_.samples(); }
  Index rows() const { return products_.rows(); }
  Index c() const { return products_.outputs(); }
  Index d() const { return products_.features(); }
  Index half() const { return products_.columns(); }
  Index columns() const { return options_.system.halves * half(); }
  bool cones() const { return cones_ != nullptr; }
  using View = MatrixView<T>;
  View shaped(const typename B::Matrix& m, Index rows, Index cols) const {
    return {reinterpret_cast<T*>(m.view().data), rows, cols, rows};
  }
  View weights(const typename B::Matrix& m) const { return shaped(m, d(), columns()); }
  View scores(const typename B::Matrix& m) const { return shaped(m, n(), c()); }
  View difference() const { return shaped(w_, d(), half()); }
  View half_of(View A, Index h) const { return A.block(0, h * half(), A.rows, half()); }
  const double* metric(Metric which) const { return metric_[which * d()].address; }
  // G = F'R, and with cones + K'p(z) by a weight.
  void adjoint(View R, kernels::ConePart part, Scalar weight, View G);
  // F = sum_i A_i (V_i - N_i).
  void forward(View V, View F);
  enum class Measure { nothing, residuals };
  void update_cones(double relaxation, Measure measure);
  Index cone_tiles();
  // Of all splits: the sums that kernels::ConeSum names.
  struct Residuals {
    double primal, change, size, duals;
  };
  Residuals residuals();

  void begin(const PatternPoint& start);
  void iterate(double accuracy, Measure measure);
  void linear_step(double accuracy);
  void remember();
  void set_penalty(double rho);
  void balance();
  static double least_accuracy() { return sizeof(T) == sizeof(double) ? 1e-12 : 1e-6; }
  void dual();
  void primal();

  B& be_;
  const ProgramRequest& request_;
  const MetricBasis& basis_;
  Loss loss_;
  PatternCones* cones_;
  AdmmOptions options_;
  GatedProducts<B, T> products_;
  Vector pull_, inverse_diagonal_;
  typename B::Slots metric_;
  Scalars<B> scalars_;
  typename B::Slots cone_sums_;  // four of each tile
  Penalty<B, T> penalty_;
  PatternSystem<B, T> system_;
  typename B::Matrix y_, f_, fz_, t_, r_, f_before_, u_, v_, vz_, v_before_, w_, z_;
  double rho_ = 1.0, pull_scale_;
  double accuracy_ = 1e-2;  // of the linear step, relative
  Index adaptions_ = 0;
  PatternPoint best_;
};

}  // namespace relulift

#include "src/solvers/pattern_admm_steps.hpp"
