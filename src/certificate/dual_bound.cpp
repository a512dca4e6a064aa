// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/dual_bound.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "src/certificate/kappa_estimate.hpp"
#include "src/certificate/repair.hpp"
#include "src/certificate/slack.hpp"

namespace relulift {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Above this order a factorisation in extended precision takes longer than it is worth.
constexpr Index kMaxExtendedOrder = 1200;
// Differences of the bound below this, relative, are not worth a factorisation.
constexpr double kWorthwhile = 1e-5;
// Above this order factorisations count more: ten times as much.
constexpr Index kFewFactorisations = 2000;
// Below this the roundings, not the candidate, decide what can be proved.
constexpr double kTinyKappa = 1e-9;

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

// e scaled for [eq:shift]. Nine tenths of what keeps C positive semidefinite: the rest covers the
// rounding of the norm, whatever the data. Empty where it is not usable.
Vector scaled_shift(const MergedData& data, const Vector& e) {
  if (!e.allFinite()) return {};
  const double norm = gram_norm(data.X, e);
  // Below this, what underflows in the Gram matrix is more than the tenth that is left for it.
  if (!(norm > 1e-290) || !std::isfinite(norm)) return {};
  return 0.9 * 2.0 * data.weight_decay / norm * e;
}

std::vector<Vector> shift_choices(const MergedData& data, const DualCandidate& candidate) {
  const Index k = data.directions();
  std::vector<Vector> usable;
  for (const Vector& e : {own_curvature(candidate, k), Vector(Vector::Ones(k)),
                          Vector(data.X.rowwise().squaredNorm().cwiseInverse())})
    if (Vector scaled = scaled_shift(data, e); scaled.size() > 0)
      usable.push_back(std::move(scaled));
  return usable;
}

bool is_finite(const DualCandidate& candidate) {
  return candidate.G.allFinite() && candidate.H.allFinite() && candidate.dense.allFinite() &&
         std::all_of(candidate.entries.begin(), candidate.entries.end(),
                     [](const DualCandidate::Entry& entry) { return std::isfinite(entry.value); });
}

// What one call works on. The factorisations are counted.
struct Task {
  const MergedData& data;
  const DualCandidate& candidate;
  const Repair& repair;
  const std::function<bool()>& stop;
  double tolerance;            // of the bound, relative, below which no factorisation is worth it
  std::vector<Vector> shifts;  // plain choices of e, never empty
  int factorisations = 0;

  bool stopped() const { return stop && stop(); }
  bool worthwhile(double low, double high) const {
    const double best = repair.value(low);
    return best - repair.value(high) > tolerance * std::abs(best);
  }
};

struct Proof {
  double kappa = kInfinity;
  Vector e;
  double estimated = 0.0;  // no kappa below this can be proved, where it was estimated
};

using Prove = std::function<bool(double kappa)>;

// Bisection of (failed, proved] up to what is worth having.
double bisected(const Task& task, const Prove& proves, double failed, double proved) {
  while (proved > 0.0 && proved < kInfinity && proved > 1.01 * failed &&
         task.worthwhile(failed, proved)) {
    const double middle = failed > 0.0 ? std::sqrt(failed * proved) : 1e-2 * proved;
    if (middle < 1e-12) break;
    (proves(middle) ? proved : failed) = middle;
  }
  return proved;
}

// Smallest kappa below `known` that is proved, without any idea of its size.
double climbed(const Task& task, const Prove& proves, double known) {
  constexpr std::array ladder = {0.0, 1e-8, 1e-5, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e5, 1e7};
  double failed = 0.0, proved = known;
  for (const double kappa : ladder) {
    if (!(kappa < known) || (kappa > 0.0 && !task.worthwhile(kappa, known))) break;
    if (proves(kappa)) {
      proved = kappa;
      break;
    }
    failed = kappa;
  }
  return bisected(task, proves, failed, proved);
}

// Where double roundings, not the candidate, set kappa, extended precision proves a smaller one.
// looks and prove take a shift and kappa.
template <class Looks, class ProveExtended>
void refine_extended(Task& task, const Looks& looks, const ProveExtended& prove, Proof& proof) {
  const double kappa = proof.kappa;
  const Shift<double> shift = build_shift<double>(task.data, proof.e);
  for (const double part : {1e-4, 1e-2}) {
    if (task.stopped() || !task.worthwhile(part * kappa, kappa)) break;
    if (part * kappa < 0.5 * proof.estimated) continue;
    ++task.factorisations;
    if (!looks(shift, part * kappa)) continue;
    ++task.factorisations;
    if (prove(build_shift<long double>(task.data, proof.e), part * kappa)) {
      proof.kappa = part * kappa;
      break;
    }
  }
}

// Q as the estimate sees it.
struct Operator {
  Product product;
  Index order;
  Index max_products;  // of one estimate
  bool cheap;          // an estimate costs less than a factorisation
};

struct Choice {
  Vector e;
  KappaEstimate estimate;
};

// The shift with the smallest estimated kappa, and the estimate. Beside the plain choices of e
// it tries the rows where the eigenvectors say that curvature is missing, on top of their mean.
Choice choose_shift(const Task& task, const Operator& q) {
  constexpr int kRounds = 3;
  constexpr Index kEigenvectors = 32;
  Choice best;
  Vector best_lack;
  // Where curvature is missing at e, with mean 1; empty or not finite where nothing is known.
  const auto consider = [&](const Vector& e) -> Vector {
    if (e.size() == 0) return {};
    KappaLanczos lanczos(q.product, q.order, build_shift<double>(task.data, e));
    const double known = best.estimate.exists() ? best.estimate.kappa : kInfinity;
    const KappaEstimate estimate = lanczos.run(
        {.max_products = q.max_products,
         .stop = task.stop,
         .give_up_above = known,
         .settled = [&](double low, double high) { return !task.worthwhile(low, high); }});
    if (!estimate.exists()) return {};
    const Vector weight = lanczos.negative_weight(kEigenvectors);
    const double mean = weight.mean();
    const Vector lack = (weight / mean).array() / 2 + 0.5;
    if (estimate.kappa < known) {
      best = {e, estimate};
      best_lack = lack;
    }
    return lack;
  };
  const auto reweighted = [&](const Vector& e) { consider(scaled_shift(task.data, e)); };

  for (const Vector& e : task.shifts) {
    const Vector lack = consider(e);
    if (best.estimate.kappa <= kTinyKappa) return best;
    if (q.cheap && lack.size() > 0) reweighted(lack);
  }
  for (int k = 0; k < kRounds && best.estimate.kappa > kTinyKappa; ++k) {
    const double before = best.estimate.kappa;
    reweighted(best_lack);
    if (!(best.estimate.kappa < 0.97 * before)) break;
  }
  return best;
}

// Kappa that the margin of [eq:cholesky] costs where Q and C are of one size.
double margin_kappa(Index order) {
  const auto n = static_cast<double>(order);
  return 4.0 * n * n * std::numeric_limits<double>::epsilon();
}

// A little above the estimate, then more: the first one that is proved.
double prove_estimated(const Task& task, const Prove& proves, const KappaEstimate& estimate,
                       double margin) {
  double failed = estimate.kappa;
  const double start = estimate.kappa + std::min(estimate.error, 0.3 * estimate.kappa) + margin;
  for (const double factor : {1.0003, 1.01, 1.1, 1.5, 5.0, 30.0}) {
    const double kappa = factor * start;
    if (!task.worthwhile(kappa, kInfinity)) break;
    if (proves(kappa)) return bisected(task, proves, failed, kappa);
    failed = kappa;
  }
  return kInfinity;
}

// Every shift in turn.
template <class ProveShift>
Proof climb_all(Task& task, const ProveShift& prove) {
  Proof best;
  for (const Vector& e : task.shifts) {
    const Shift<double> shift = build_shift<double>(task.data, e);
    const double found = climbed(
        task, [&](double kappa) { return prove(shift, kappa); }, best.kappa);
    if (!(found < best.kappa)) continue;
    best = {found, e, 0.0};
    if (best.kappa == 0.0) break;
  }
  return best;
}

// Most candidates of an interior point method are feasible: one factorisation, no estimate.
template <class ProveShift>
bool proved_as_it_stands(const Task& task, const Operator& q, const ProveShift& prove) {
  const Shift<double> shift = build_shift<double>(task.data, task.shifts.front());
  const KappaEstimate glance =
      KappaLanczos(q.product, q.order, shift).run({.max_products = 40, .stop = task.stop});
  return glance.exists() && glance.kappa <= kTinyKappa && prove(shift, 0.0);
}

// The smallest kappa that prove(shift, kappa) confirms, at the shift where the estimate is least.
template <class ProveShift>
Proof prove_best(Task& task, const Operator& q, const ProveShift& prove) {
  if (proved_as_it_stands(task, q, prove)) return {0.0, task.shifts.front(), 0.0};
  const Choice choice = choose_shift(task, q);
  const KappaEstimate& estimate = choice.estimate;
  if (estimate.exists() && estimate.kappa > kTinyKappa) {
    const Shift<double> shift = build_shift<double>(task.data, choice.e);
    const double kappa = prove_estimated(
        task, [&](double kappa) { return prove(shift, kappa); }, estimate, margin_kappa(q.order));
    if (kappa < kInfinity) return {kappa, choice.e, estimate.kappa};
    if (q.order > kFewFactorisations) return {};  // dozens more would hardly find one
  }
  return climb_all(task, prove);
}

// The floor with what it took to get no further.
Bound floor_of(const Task& task) {
  Bound floor{.value = task.repair.value(kInfinity), .kind = "floor", .kappa = kInfinity};
  floor.factorisations = task.factorisations;
  return floor;
}

Bound bound_of(const Task& task, const Proof& proof) {
  if (!(proof.kappa < kInfinity)) return floor_of(task);
  Bound bound{.value = task.repair.value(proof.kappa), .kind = "cholesky", .kappa = proof.kappa};
  bound.factorisations = task.factorisations;
  bound.shift = proof.e;
  return bound;
}

// The slack stays a list; one matrix of order N is factored, again and again, in place.
Bound certify_list(Task& task, Index memory_bytes) {
  const ListSlack<double> slack = build_list_slack<double>(task.data, task.candidate);
  const Operator q{product_with(slack), slack.order(), 1500, true};
  const Index thin = task.data.features() + task.data.outputs();
  if (certificate_bytes(q.order, thin) > memory_bytes) {
    Bound bound = floor_of(task);
    const KappaEstimate estimate = choose_shift(task, q).estimate;
    if (estimate.exists()) bound.estimate = task.repair.value(estimate.kappa + estimate.error);
    return bound;
  }
  if (q.order > kFewFactorisations) task.tolerance *= 10.0;
  Matrix work;
  Proof proof = prove_best(task, q, [&](const Shift<double>& shift, double kappa) {
    if (task.stopped()) return false;
    ++task.factorisations;
    return proves_psd(slack, shift, kappa, work);
  });
  if (proof.kappa < kInfinity && q.order <= kMaxExtendedOrder)
    refine_extended(
        task,
        [&](const Shift<double>& shift, double kappa) {
          return looks_psd(slack, shift, kappa, work);
        },
        [&](const Shift<long double>& shift, double kappa) {
          work.resize(0, 0);
          MatrixOf<long double> extended;
          return proves_psd(build_list_slack<long double>(task.data, task.candidate), shift, kappa,
                            extended);
        },
        proof);
  return bound_of(task, proof);
}

Bound certify_dense(Task& task) {
  const Slack<double> slack = build_slack<double>(task.data, task.candidate);
  // An estimate takes as long as about two factorisations; of small matrices it is converged.
  const Index order = slack.Q.rows();
  const Index products = std::min<Index>(1500, std::max(20'000'000 / (order * order), order / 36));
  Proof proof = prove_best(task, {product_with(slack), order, products, order <= 300},
                           [&](const Shift<double>& shift, double kappa) {
                             ++task.factorisations;
                             return proves_psd(slack, shift, kappa);
                           });
  if (proof.kappa < kInfinity && order <= kMaxExtendedOrder)
    refine_extended(
        task,
        [&](const Shift<double>& shift, double kappa) { return looks_psd(slack, shift, kappa); },
        [&](const Shift<long double>& shift, double kappa) {
          return proves_psd(build_slack<long double>(task.data, task.candidate), shift, kappa);
        },
        proof);
  return bound_of(task, proof);
}

}  // namespace

Index certificate_bytes(Index order, Index thin) {
  // Extended precision works in one matrix of its own, of twice the size.
  return 8 * order * (KappaLanczos::kKept + 16 * thin) +
         (order <= kMaxExtendedOrder ? 16 : 8) * order * order;
}

Bound certify_multipliers(const Problem& problem, const DualCandidate& candidate,
                          const BoundOptions& options) {
  const MergedData data = merge_data(problem, candidate.representative);
  check_sizes(data, candidate);
  const Repair repair(data, candidate, options.objective_upper);
  Task task{.data = data,
            .candidate = candidate,
            .repair = repair,
            .stop = options.stop,
            .tolerance = kWorthwhile,
            .shifts = {}};
  if (data.directions() == 0 || !is_finite(candidate)) return floor_of(task);
  task.shifts = shift_choices(data, candidate);
  if (task.shifts.empty()) return floor_of(task);
  return candidate.dense.size() > 0 ? certify_dense(task)
                                    : certify_list(task, options.memory_bytes);
}

}  // namespace relulift
