// SPDX-License-Identifier: Apache-2.0
#include "src/certificate/cone_search_tree.hpp"

#include <omp.h>

#include <set>

namespace relulift {
namespace {

constexpr Index kQuota = 512;       // nodes of a branch between two merges
constexpr int kBranches = 64;       // wanted side by side
constexpr int kMaxDepth = 400;      // slivers below it are settled by their own bound
constexpr int kScanIterations = 8;  // of the ascent from a vertex above T; the best are polished

// A stack of cells whose storage is reused, and what was met in them.
struct Branch {
  std::vector<ConeCell> stack;
  std::size_t open = 0;  // stack[0, open) are cells, the rest is spare storage
  ConeDirection best;
  std::vector<ConeDirection> found;
  std::set<std::vector<double>> climbed;  // vertices above T that were starts of an ascent
  double settled = 0.0;                   // largest bound of cells given up
  Index nodes = 0;
};

template <int R>
class Tree {
 public:
  Tree(const ConeData& data, const ConeSearchOptions& options, ConePass& pass)
      : data_(data), options_(options), pass_(pass) {}

  void run(Index max_nodes) {
    for (std::uint32_t code = 0; code < (1u << data_.r()); ++code) plant(code);
    while (!branches_.empty() && pass_.nodes < max_nodes && !options_.control.stop()) {
      round();
      merge();
    }
    pass_.finished = branches_.empty();
    pass_.upper = std::max(pass_.threshold, settled_);
    ConeKernel<R> kernel(data_);
    for (Branch& branch : branches_)
      for (std::size_t k = 0; k < branch.open; ++k)
        pass_.upper = std::max(pass_.upper, bound(kernel, branch.stack[k]));
    pass_.upper = std::min(pass_.upper, data_.ceiling);
  }

 private:
  void plant(std::uint32_t code) {
    Branch branch;
    branch.stack.resize(1);
    branch.open = 1;
    ConeKernel<R>(data_).root(code, branch.stack[0]);
    branches_.push_back(std::move(branch));
  }

  double bound(ConeKernel<R>& kernel, const ConeCell& cell) const {
    kernel.form(cell);
    return kernel.bound(pass_.threshold, data_.ceiling);
  }

  void round() {
    const int threads = options_.threads > 0 ? options_.threads : omp_get_max_threads();
    const auto count = static_cast<Index>(branches_.size());
#pragma omp parallel num_threads(threads) if (count > 1)
    {
      ConeKernel<R> kernel(data_);
#pragma omp for schedule(dynamic, 1)
      for (Index b = 0; b < count; ++b) work(kernel, branches_[b]);
    }
  }

  // At most kQuota nodes, depth first.
  void work(ConeKernel<R>& kernel, Branch& branch) {
    double T = pass_.threshold;
    branch.best = pass_.best;
    for (Index k = 0; k < kQuota && branch.open > 0; ++k) {
      if (k % 16 == 15 && options_.control.out_of_time()) return;
      ++branch.nodes;
      if (branch.stack.size() == branch.open) branch.stack.emplace_back();
      ConeCell& cell = branch.stack[branch.open - 1];
      kernel.form(cell);
      if (kernel.proves(T)) {
        --branch.open;
      } else if (cell.depth >= kMaxDepth) {
        give_up(kernel, branch);
      } else if (prune() && cell.depth >= bad_depth() && kernel.best_vertex() > T) {
        climb(kernel, branch);
        give_up(kernel, branch);
      } else {
        const double value = kernel.split(cell, branch.stack[branch.open]);
        ++branch.open;
        if (value > T && !prune()) improve(kernel.vertex(), branch, T);
      }
    }
  }

  void give_up(ConeKernel<R>& kernel, Branch& branch) {
    branch.settled = std::max(branch.settled, kernel.bound(pass_.threshold, data_.ceiling));
    --branch.open;
  }

  ConeDirection ascend_from(const std::vector<double>& vertex, int iterations) const {
    return ascend(data_, Eigen::Map<const Vector>(vertex.data(), data_.r()), iterations);
  }

  // maximise: the new vertex has a value above T.
  void improve(const std::vector<double>& vertex, Branch& branch, double& T) {
    ConeDirection top = ascend_from(vertex, 200);
    if (!(top.value > branch.best.value)) return;
    T = std::max(T, (1.0 + pass_.tolerance) * top.value);
    if (top.value > pass_.report) branch.found.push_back(top);
    branch.best = std::move(top);
  }

  // prune: a cell with a vertex above T cannot be pruned; list what lies there.
  void climb(ConeKernel<R>& kernel, Branch& branch) {
    if (!branch.climbed.insert(kernel.vertex()).second) return;  // cells share vertices
    ConeDirection top = ascend_from(kernel.vertex(), kScanIterations);
    if (top.value > pass_.report) branch.found.push_back(std::move(top));
    if (static_cast<Index>(branch.found.size()) >= 4 * pass_.keep + 64)
      keep_distinct(branch.found, pass_.keep);
  }

  bool prune() const { return pass_.tolerance == 0.0; }
  int bad_depth() const { return 2 * data_.r(); }

  // In branch order, so that nothing depends on who worked on what.
  void merge() {
    std::vector<Branch> next;
    for (Branch& branch : branches_) {
      pass_.nodes += branch.nodes;
      branch.nodes = 0;
      settled_ = std::max(settled_, branch.settled);
      if (branch.best.value > pass_.best.value) pass_.best = branch.best;
      for (ConeDirection& d : branch.found) pass_.found.push_back(std::move(d));
      branch.found.clear();
      if (branch.open > 0) next.push_back(std::move(branch));
    }
    branches_ = std::move(next);
    if (pass_.tolerance > 0.0)
      pass_.threshold = std::max(pass_.threshold, (1.0 + pass_.tolerance) * pass_.best.value);
    if (static_cast<Index>(pass_.found.size()) >= 4 * pass_.keep + 64)
      keep_distinct(pass_.found, pass_.keep);
    divide();
  }

  // The cell lowest in a stack is its largest: it becomes a branch of its own.
  void divide() {
    const std::size_t count = branches_.size();
    for (std::size_t b = 0; b < count && branches_.size() < kBranches; ++b) {
      if (branches_[b].open < 2) continue;
      Branch fresh;
      fresh.stack.push_back(std::move(branches_[b].stack.front()));
      fresh.open = 1;
      branches_[b].stack.erase(branches_[b].stack.begin());
      --branches_[b].open;
      branches_.push_back(std::move(fresh));
    }
  }

  const ConeData& data_;
  const ConeSearchOptions& options_;
  ConePass& pass_;
  std::vector<Branch> branches_;
  double settled_ = 0.0;
};

}  // namespace

void run_pass(const ConeData& data, const ConeSearchOptions& options, Index max_nodes,
              ConePass& pass) {
  switch (data.r()) {
    case 3:
      return Tree<3>(data, options, pass).run(max_nodes);
    case 4:
      return Tree<4>(data, options, pass).run(max_nodes);
    case 5:
      return Tree<5>(data, options, pass).run(max_nodes);
    case 6:
      return Tree<6>(data, options, pass).run(max_nodes);
    default:
      return Tree<0>(data, options, pass).run(max_nodes);
  }
}

}  // namespace relulift
