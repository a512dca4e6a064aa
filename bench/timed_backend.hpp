// SPDX-License-Identifier: Apache-2.0
// A backend that measures where the time of a solver goes. Only for backends whose calls complete
// before they return (CPU): nothing waits here.
#pragma once

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "src/core/backend.hpp"

namespace relulift::bench {

struct Profile {
  struct Entry {
    double seconds = 0.0;
    Index calls = 0;
  };
  std::map<std::string, Entry> entries;

  double seconds(const std::vector<std::string>& names) const {
    double total = 0.0;
    for (const auto& name : names)
      if (const auto at = entries.find(name); at != entries.end()) total += at->second.seconds;
    return total;
  }
  void print(double elapsed) const {
    std::vector<std::pair<std::string, Entry>> sorted(entries.begin(), entries.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
    for (const auto& [name, entry] : sorted)
      fmt::print("  {:<28} {:>9} calls {:>9.3f} s {:>6.2f} %\n", name, entry.calls, entry.seconds,
                 100.0 * entry.seconds / elapsed);
    const double heavy =
        seconds({"syevd", "eigenvalues", "gemm", "gemm, float", "syrk", "potrf", "trsm", "potrs"});
    fmt::print("  outside eigendecompositions, factorisations and products: {:.1f} % of {:.2f} s\n",
               100.0 * (1.0 - heavy / elapsed), elapsed);
  }
};

template <Backend B>
class TimedBackend {
 public:
  using Matrix = typename B::Matrix;
  using Slots = typename B::Slots;
  using Indices = typename B::Indices;
  using Recording = typename B::Recording;

  explicit TimedBackend(B& inner) : be_(inner) {}
  Profile& profile() { return *profile_; }

  void reserve(const Needs& needs) { be_.reserve(needs); }
  Matrix matrix(Index rows, Index cols) { return be_.matrix(rows, cols); }
  Slots slots(Index count) { return be_.slots(count); }
  Indices indices(Index count) { return be_.indices(count); }
  template <class From, class To>
  void upload(const From& from, To&& to) {
    be_.upload(from, std::forward<To>(to));
  }
  template <class F>
  void launch(Extent e, const F& f) {
    time(name_of<F>(), [&] { be_.launch(e, f); });
  }
  template <class F>
  void sum(Extent e, const F& f, Slot out) {
    time(name_of<F>(), [&] { be_.sum(e, f, out); });
  }
  Index lanes() { return be_.lanes(); }
  template <class F>
  void concurrently(Index count, const F& f) {
    time("concurrently", [&] { be_.concurrently(count, f); });
  }
  template <class F>
  void sum_columns(Extent e, const F& f, Slot out) {
    time(name_of<F>(), [&] { be_.sum_columns(e, f, out); });
  }
  template <class F>
  void launch_columns(Extent e, const F& f) {
    time(name_of<F>(), [&] { be_.launch_columns(e, f); });
  }
  void gemm(Op a, Op b, double alpha, MatrixView<const double> A, MatrixView<const double> C,
            double beta, MatrixView<double> out) {
    time("gemm", [&] { be_.gemm(a, b, alpha, A, C, beta, out); });
  }
  void gemm(Op a, Op b, double alpha, MatrixView<const float> A, MatrixView<const float> C,
            double beta, MatrixView<float> out) {
    time("gemm, float", [&] { be_.gemm(a, b, alpha, A, C, beta, out); });
  }
  void syrk(Op op, double alpha, MatrixView<const double> A, double beta, MatrixView<double> out) {
    time("syrk", [&] { be_.syrk(op, alpha, A, beta, out); });
  }
  void potrf(MatrixView<double> a, Slot info) {
    time("potrf", [&] { be_.potrf(a, info); });
  }
  void trsm(Side side, Op op, MatrixView<const double> l, MatrixView<double> b) {
    time("trsm", [&] { be_.trsm(side, op, l, b); });
  }
  void potrs(MatrixView<const double> l, MatrixView<double> b) {
    time("potrs", [&] { be_.potrs(l, b); });
  }
  void syevd(MatrixView<double> a, Slot values, Slot info) {
    time("syevd", [&] { be_.syevd(a, values, info); });
  }
  void eigenvalues(MatrixView<double> a, Slot values, Slot info) {
    time("eigenvalues", [&] { be_.eigenvalues(a, values, info); });
  }
  template <class Body>
  Recording record(Body body) {
    return be_.record(std::move(body));
  }
  void fetch(Slot from, std::span<double> to) { be_.fetch(from, to); }
  void fetch(MatrixView<const double> from, std::span<double> to) { be_.fetch(from, to); }
  std::string name() const { return be_.name(); }

 private:
  template <class F>
  static const std::string& name_of() {
    static const std::string name = [] {
      int status = 0;
      const std::unique_ptr<char, decltype(&std::free)> text(
          abi::__cxa_demangle(typeid(F).name(), nullptr, nullptr, &status), std::free);
      const std::string whole = text.get();
      return whole.substr(whole.rfind(':') + 1);
    }();
    return name;
  }
  template <class Call>
  void time(const std::string& name, const Call& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    auto& entry = profile_->entries[name];
    entry.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++entry.calls;
  }

  B& be_;
  std::shared_ptr<Profile> profile_ = std::make_shared<Profile>();
};

}  // namespace relulift::bench
