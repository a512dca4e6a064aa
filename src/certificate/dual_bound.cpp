// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/dual_bound.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "src/certificate/slack.hpp"

namespace relulift {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Extended kEpsilon = std::numeric_limits<Extended>::epsilon();
// Above this order a factorisation in extended precision takes longer than it is worth.
constexpr Index kMaxExtendedOrder = 1200;
// Differences of the bound below this, relative, are not worth a factorisation.
constexpr double kWorthwhile = 1e-5;

// The right-hand side of [eq:repair] as a function of kappa, rounded down.
class Repair {
 public:
  Repair(const MergedData& data, const DualCandidate& candidate, double objective_upper) {
    Extended upper = data.half_square;  // the zero network
    if (std::isfinite(objective_upper))
      upper = std::min(upper, Extended(objective_upper) * (1 + Extended(1e-9)));
    if (data.perturbation > 0) {  // [eq:perturb]
      const Extended move = data.perturbation * upper / Extended(data.weight_decay);
      cost_ = (move * std::sqrt(2 * upper) + move * move / 2) * (1 + Extended(1e-12));
    }
    constant_ = data.constant;
    const Extended fitted = data.half_square - constant_;  // 1/2 (||A Ya||^2 + ||B Yb||^2)
    penalty_ = std::max<Extended>(0, std::min(upper + cost_ - constant_, fitted / 2));
    penalty_ += Extended(1e-12) * upper;  // [eq:penalty]
    for (Index o = 0; o < data.outputs(); ++o)
      for (Index i = 0; i < data.directions(); ++i) {
        add(candidate.G(i, o), data.AYa(i, o));
        if (candidate.H.size() > 0 && data.B(i) > 0) add(candidate.H(i, o), data.BYb(i, o));
      }
    const auto terms = static_cast<Extended>(2 * data.directions() * data.outputs() + 64);
    rounding_ = 4 * terms * kEpsilon + 4 * Extended(data.weight_rounding);
  }

  double value(double kappa) const {
    if (!(square_ > 0) || !std::isfinite(square_) || !std::isfinite(kappa)) return at(0, 1);
    const Extended growth = 1 + Extended(kappa);
    const Extended t = std::clamp<Extended>(linear_ / square_, 0, 1 / growth);
    return at(std::max(t, (linear_ - growth * penalty_) / square_), growth);
  }

 private:
  void add(Extended multiplier, Extended target) {
    linear_ -= multiplier * target;
    size_ += std::abs(multiplier * target);
    square_ += multiplier * multiplier;
  }

  // Valid for every t >= 0, so the choice of t needs no rounding analysis of its own.
  double at(Extended t, Extended growth) const {
    if (t == 0) return rounded_down(constant_ - cost_, constant_ + cost_);
    const Extended quadratic = t * t / 2 * square_;
    const Extended deficit = std::max<Extended>(0, t * growth - 1) * penalty_;
    const Extended bound = constant_ + t * linear_ - quadratic - deficit - cost_;
    const Extended size = constant_ + t * size_ + quadratic + (t * growth + 1) * penalty_ + cost_;
    return rounded_down(bound, size);
  }

  double rounded_down(Extended bound, Extended size) const {
    return std::nextafter(static_cast<double>(bound - rounding_ * size), -kInfinity);
  }

  Extended constant_ = 0, penalty_ = 0, cost_ = 0;
  Extended linear_ = 0, square_ = 0, size_ = 0, rounding_ = 0;
};

// Largest eigenvalue of X' diag(e) X by the smaller of its two Gram matrices.
double gram_norm(const Matrix& X, const Vector& e) {
  const Matrix root = e.cwiseSqrt().asDiagonal() * X;
  const Matrix gram =
      X.rows() < X.cols() ? Matrix(root * root.transpose()) : Matrix(root.transpose() * root);
  const Eigen::SelfAdjointEigenSolver<Matrix> eig(gram, Eigen::EigenvaluesOnly);
  return eig.info() == Eigen::Success ? eig.eigenvalues().maxCoeff() : gram.trace();
}

// -2 W(alpha_i, beta_i), the curvature on s_i that the candidate itself chose.
Vector own_curvature(const DualCandidate& candidate, Index k) {
  Vector e = Vector::Zero(k);
  if (candidate.dense.size() > 0)
    for (Index i = 0; i < k; ++i) e(i) = -2.0 * candidate.dense(i, k + i);
  for (const auto& [p, q, value] : candidate.entries)
    if (p - q == k || q - p == k) e(std::min(p, q)) -= 2.0 * value;
  const double largest = e.cwiseMax(0.0).maxCoeff();
  return e.cwiseMax(1e-6 * largest);
}

// Choices of e for [eq:shift]. Nine tenths of what keeps C positive semidefinite: the rest
// covers the rounding of the norm, whatever the data.
std::vector<Vector> shift_choices(const MergedData& data, const DualCandidate& candidate) {
  const Index k = data.directions();
  std::vector<Vector> choices = {own_curvature(candidate, k), Vector::Ones(k),
                                 data.X.rowwise().squaredNorm().cwiseInverse()};
  std::vector<Vector> usable;
  for (Vector& e : choices) {
    const double norm = gram_norm(data.X, e);
    // Below this, what underflows in the Gram matrix is more than the tenth that is left for it.
    if (!(norm > 1e-290) || !std::isfinite(norm) || !e.allFinite()) continue;
    usable.push_back(0.9 * 2.0 * data.weight_decay / norm * e);
  }
  return usable;
}

bool is_finite(const DualCandidate& candidate) {
  return candidate.G.allFinite() && candidate.H.allFinite() && candidate.dense.allFinite() &&
         std::all_of(candidate.entries.begin(), candidate.entries.end(),
                     [](const DualCandidate::Entry& entry) { return std::isfinite(entry.value); });
}

// Smallest kappa below `known` that is proved for this shift, up to what is worth having.
double smallest_kappa(const Slack<double>& slack, const Shift<double>& shift, const Repair& repair,
                      double known, double at_least) {
  constexpr std::array ladder = {0.0, 1e-8, 1e-5, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e5, 1e7};
  const auto worthwhile = [&](double low, double high) {
    const double best = repair.value(low);
    return best > at_least && best - repair.value(high) > kWorthwhile * std::abs(best);
  };
  double failed = 0.0, proved = known;
  for (const double kappa : ladder) {
    if (!(kappa < known) || (kappa > 0.0 && !worthwhile(kappa, known))) break;
    if (proves_psd(slack, shift, kappa)) {
      proved = kappa;
      break;
    }
    failed = kappa;
  }
  while (proved > 0.0 && proved < kInfinity && proved > 1.01 * failed &&
         worthwhile(failed, proved)) {
    const double middle = failed > 0.0 ? std::sqrt(failed * proved) : 1e-2 * proved;
    if (middle < 1e-12) break;
    (proves_psd(slack, shift, middle) ? proved : failed) = middle;
  }
  return proved;
}

// Where double roundings, not the candidate, set kappa, extended precision proves a smaller one.
double refine_extended(const MergedData& data, const DualCandidate& candidate,
                       const Slack<double>& slack, const Vector& e, const Repair& repair,
                       double kappa) {
  if (slack.Q.rows() > kMaxExtendedOrder) return kappa;
  const Shift<double> shift = build_shift<double>(data, e);
  for (const double part : {1e-4, 1e-2}) {
    const double gain = repair.value(part * kappa) - repair.value(kappa);
    if (!(gain > kWorthwhile * std::abs(repair.value(kappa)))) break;
    if (!looks_psd(slack, shift, part * kappa)) continue;
    if (proves_psd(build_slack<long double>(data, candidate), build_shift<long double>(data, e),
                   part * kappa))
      return part * kappa;
  }
  return kappa;
}

}  // namespace

Bound certify_multipliers(const Problem& problem, const DualCandidate& candidate,
                          const BoundOptions& options) {
  const MergedData data = merge_data(problem, candidate.representative);
  const Slack<double> slack = build_slack<double>(data, candidate);  // checks the sizes
  const Repair repair(data, candidate, options.objective_upper);
  const Bound floor{repair.value(kInfinity), "floor", kInfinity};
  if (data.directions() == 0 || !is_finite(candidate)) return floor;

  double kappa = kInfinity;
  Vector best_e;
  for (const Vector& e : shift_choices(data, candidate)) {
    const double found =
        smallest_kappa(slack, build_shift<double>(data, e), repair, kappa, options.at_least);
    if (!(found < kappa)) continue;
    kappa = found;
    best_e = e;
    if (kappa == 0.0) break;
  }
  if (!(kappa < kInfinity)) return floor;
  kappa = refine_extended(data, candidate, slack, best_e, repair, kappa);
  return {repair.value(kappa), "cholesky", kappa};
}

}  // namespace relulift
