// SPDX-License-Identifier: Apache-2.0
// Everything an algorithm may ask of a machine. Every call enqueues and returns; only fetch()
// waits. docs/architecture.md, section 2, has the rules.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>

#include "src/core/needs.hpp"
#include "src/core/view.hpp"

namespace relulift {

namespace archetype {
// Stand-ins that let the concept name "any functor".
struct Kernel {
  RELULIFT_HD void operator()(Index, Index) const {}
};
struct Term {
  RELULIFT_HD double operator()(Index, Index) const { return 0.0; }
};
struct ColumnKernel {
  template <class Team>
  RELULIFT_HD void operator()(Index, const Team&) const {}
};
struct Body {
  void operator()() const {}
};
struct Task {
  template <class B>
  void operator()(Index, Index, B&) const {}
};
}  // namespace archetype

// The larger one, or NaN where there is one: a maximum that decides about a bound must not lose it.
RELULIFT_HD inline double larger(double a, double b) { return b > a || b != b ? b : a; }

// Setup (outside loops and recordings): matrix, slots, indices, upload, reserve.
// Matrices, slots and indices are zeroed, RAII, and convert to their views by .view(); the address
// never moves. Slots: operator[](Index) gives a Slot. Outputs never alias inputs unless said.
template <class B>
concept Backend = requires(B be, MatrixView<double> a, MatrixView<const double> c,
                           MatrixView<float> af, MatrixView<const float> cf, Slot s,
                           std::span<const double> in, std::span<double> out,
                           std::span<const std::int32_t> ints) {
  { be.matrix(Index{}, Index{}) } -> std::same_as<typename B::Matrix>;
  { be.slots(Index{}) } -> std::same_as<typename B::Slots>;
  { be.indices(Index{}) } -> std::same_as<typename B::Indices>;
  be.upload(in, a);  // host -> device; in is packed column-major
  be.upload(in, s);  // consecutive slots from s on
  be.upload(ints, std::declval<typename B::Indices&>());  // the first ints.size() entries
  be.reserve(Needs{});  // the workspaces of these orders now, not in the first iteration

  // f(i, j) for every entry, in any order; or, where f has it, f.column(j, first, last), the same
  // for a stretch of a column that begins at a multiple of 64. Where it has f.work(), an entry
  // costs as much as so many plain ones.
  be.launch(Extent{}, archetype::Kernel{});
  be.sum(Extent{}, archetype::Term{}, s);          // *s = sum_ij f(i, j), run-to-run reproducible
  be.sum_columns(Extent{}, archetype::Term{}, s);  // s[j] = sum_i f(i, j)
  // f(j, team) for every column, in any order. A team shares the rows i of its column: each(b) does
  // b(i), sum(t) and max(t) are of t(i) over all of them (max: by larger(), -infinity of none), and
  // sums(t) those of {first, second}, known to the whole team. All of it does what stands between:
  // the same branches, and no writes but where leads() is true. Where it has f.work(), as above.
  be.launch_columns(Extent{}, archetype::ColumnKernel{});
  be.gemm(Op::none, Op::transpose, 1.0, c, c, 0.0, a);     // a = alpha op(A) op(B) + beta a
  be.gemm(Op::none, Op::transpose, 1.0, cf, cf, 0.0, af);  // in float, accumulated in float
  // Full symmetric a = alpha op(A) op(A)' + beta a: Op::none gives A A', transpose A'A. Both
  // triangles are written, bitwise symmetric; beta reads the lower one.
  be.syrk(Op::none, 1.0, c, 0.0, a);
  // Lower Cholesky factor in place; the strict upper triangle is set to zero. *info = 0, or the
  // order of the first leading minor that is not positive (then a is unspecified).
  be.potrf(a, s);
  // a <- op(L)^-1 a (left) or a op(L)^-1 (right), L lower triangular.
  be.trsm(Side::left, Op::none, c, a);
  // a = lower Cholesky factor's system: b <- (L L')^-1 b.
  be.potrs(c, a);
  be.syevd(a, s, s);        // a (lower read) <- eigenvectors, s[0..n) <- ascending, *info
  be.eigenvalues(a, s, s);  // a destroyed, s[0..n) <- ascending eigenvalues, *info

  // f(k, lane, backend) for 0 <= k < count, in any order: sequences of launches, sums and products
  // that do not touch each other's data. Those of one lane, 0 <= lane < lanes(), never overlap, so
  // a lane may own scratch. Products of up to 64 x 64 x 64 leave no trace of the number of threads.
  { be.lanes() } -> std::same_as<Index>;
  be.concurrently(Index{}, archetype::Task{});
  // Capture once, replay many times. The body may call loop operations only.
  be.record(archetype::Body{}).replay();
  be.fetch(s, out);  // device -> host, out.size() consecutive slots; waits
  be.fetch(c, out);  // device -> host, packed column-major; waits
  { be.name() } -> std::convertible_to<std::string>;
};

}  // namespace relulift
