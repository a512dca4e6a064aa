// SPDX-License-Identifier: Apache-2.0
// One engine alone on one data set: its value and bound against time, and where the time goes by
// operation.
//   engine_profile FILE.csv|teacher:N:D:C[+near][+scaled][+bias] [--engine dense|low-rank|interior]
//   [--rows N]
//                  [--seconds S] [--iterations K] [--certify] [--then-interior]
//                  [--scaling network|none] [--neurons M] [--train-seconds S]
// --certify proves a bound at checks, as a solve does; its time counts. --then-interior goes on
// with the interior engine where the low-rank one ended. --scaling none takes the dense engine's
// block scaling away.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>
#include <relulift/system.hpp>

#include "bench/inputs.hpp"
#include "bench/timed_backend.hpp"
#include "src/api/engines.hpp"
#include "src/backends/cpu/cpu_backend.hpp"
#include "src/certificate/dual_bound.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/block_scaling.hpp"
#include "src/solvers/dense_admm.hpp"
#include "src/solvers/low_rank_alm.hpp"
#include "src/solvers/pairs_interior_point.hpp"
#include "src/solvers/train_network.hpp"

namespace {

using namespace relulift;

struct Arguments {
  std::string file, engine = "interior", scaling = "network", precision = "double";
  double weight_decay = 0.1, seconds = 60.0, train_seconds = 10.0;
  Index rows = 1 << 30, iterations = 0, neurons = 0;
  int threads = 2;
  bool certify = false, then_interior = false;
  PairsOptions pairs;
  LowRankOptions low_rank;
};

class Profile {
  using Timed = bench::TimedBackend<CpuBackend>;

 public:
  explicit Profile(const Arguments& arguments)
      : given_(arguments),
        problem_(bench::head(bench::problem_of(given_.file, given_.weight_decay), given_.rows)),
        presolved_(presolve(problem_)),
        cpu_(given_.threads),
        backend_(cpu_) {}

  void run() {
    if (given_.engine != "interior") train();
    control_ = Control(given_.seconds);
    if (given_.engine == "interior") interior();
    if (given_.engine == "dense") dense();
    if (given_.engine == "low-rank") low_rank();
    if (given_.then_interior && outcome_.S.size() > 0) {
      given_.pairs.start = pairs_point(outcome_.multipliers, outcome_.S);
      given_.pairs.primal = outcome_.primal - reduced().constant;
      given_.pairs.tolerance = 1e-4;
      interior();
    }
    if (given_.certify && outcome_.multipliers.G.size() > 0) prove(outcome_.multipliers);
    const double elapsed = control_.seconds();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print(
        "{}: n {}, d {}, c {}: {}, {} iterations, {:.4f} s each, primal {:.7f}, dual {:.7f}, "
        "proved {:.7f}, {:.1f} s, peak {:.0f} MB\n",
        given_.file, reduced().n(), reduced().d(), reduced().c(), to_string(outcome_.status),
        outcome_.iterations, elapsed / static_cast<double>(std::max<Index>(outcome_.iterations, 1)),
        outcome_.primal, outcome_.dual, proved_, elapsed,
        static_cast<double>(usage.ru_maxrss) / 1e3);
    backend_.profile().print(elapsed);
  }

 private:
  const ReducedProblem& reduced() const { return presolved_.reduced; }

  void train() {
    TrainOptions options;
    options.max_neurons = given_.neurons;
    network_ =
        NetworkTrainer(cpu_, reduced(), options).run(Control(given_.train_seconds), {}).weights;
    objective_ = objective(reduced(), network_);
    fmt::print("network: objective {:.5f}, {} neurons\n", objective_, network_.neurons());
  }

  double prove(const Multipliers& multipliers) {
    const double begun = control_.seconds();
    const Bound bound = certify_multipliers(problem_, presolved_.dual_candidate(multipliers),
                                            {.objective_upper = objective_});
    proved_ = std::max(proved_, bound.value);
    fmt::print("{:8.2f} s  proved {:.6f}, kappa {:.1e}, in {:.2f} s\n", control_.seconds(),
               bound.value, bound.kappa, control_.seconds() - begun);
    return bound.value;
  }

  // Certifies as a solve does: when the estimate promises 0.1 % more than what is proved.
  bool check(const EngineCheck& c) {
    fmt::print("{:8.2f} s  iteration {:5}  primal {:.6f}  dual {:.6f}  residuals {:.2e} {:.2e}\n",
               control_.seconds(), c.iteration, c.primal, c.dual, c.primal_residual,
               c.dual_residual);
    if (given_.certify && c.multipliers && c.dual > certified_ + 1e-3 * objective_)
      certified_ = std::max(prove(c.multipliers()), proved_);
    std::fflush(stdout);
    return true;
  }
  OnCheck on_check() {
    return [this](const EngineCheck& c) { return check(c); };
  }

  void interior() {
    PairsOptions& pairs = given_.pairs;
    pairs.max_iterations = given_.iterations;
    pairs.max_pairs = affordable_pairs(reduced());
    pairs.on_iteration = [this](const PairsStep& s) {
      fmt::print(
          "{:8.2f} s  round {:2} iteration {:4}  order {:6}  dual {:.7f}  gap {:.2e}  steps "
          "{:.3f} {:.3f}\n",
          control_.seconds(), s.round, s.iteration, s.variables, s.dual, s.gap, s.primal_step,
          s.dual_step);
      std::fflush(stdout);
    };
    outcome_ = PairsInteriorPoint(backend_, reduced(), pairs).run(control_, {});
  }

  void low_rank() {
    LowRankOptions& options = given_.low_rank;
    options.max_iterations = given_.iterations;
    LowRankState start = low_rank_start(reduced(), network_, options);
    if (given_.precision == "mixed") {
      run(LowRankAlm<Timed, float>(backend_, reduced(), std::move(start), options));
    } else {
      run(LowRankAlm<Timed>(backend_, reduced(), std::move(start), options));
    }
  }
  template <class LowRank>
  void run(LowRank engine) {
    outcome_ = engine.run(control_, [&](const EngineCheck& c) {
      const LowRankState& s = engine.state();
      fmt::print("{:8.2f} s  sigma {:.2e}, rank {}, {} pairs, {} with a multiplier\n",
                 control_.seconds(), s.sigma, s.Z.rows(), s.pairs.size(),
                 (s.w.array() > 0.0).count());
      return check(c);
    });
  }

  void dense() {
    DenseAdmmOptions options;
    options.limits.max_iterations = given_.iterations;
    BlockScaling scales = block_scaling(reduced(), network_);
    if (given_.scaling == "none") {  // rows of unit mean square, u and v as they come
      const double mean = reduced().X.squaredNorm() / static_cast<double>(reduced().n());
      scales = {.row = Vector::Constant(reduced().n(), 1.0 / std::sqrt(mean)), .u = 1.0, .v = 1.0};
    }
    DenseAdmm engine(backend_, reduced(), scales, options);
    engine.warm_start(network_);
    outcome_ = engine.run(control_, on_check());
  }

  Arguments given_;
  Problem problem_;
  Presolved presolved_;
  CpuBackend cpu_;
  Timed backend_;
  Control control_;
  Weights network_;
  EngineOutcome outcome_;
  double objective_ = std::numeric_limits<double>::infinity();
  double proved_ = -std::numeric_limits<double>::infinity(), certified_ = -1e300;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Profile of one engine");
  Arguments a;
  app.add_option("file", a.file)->required();
  app.add_option("--engine", a.engine)->check(CLI::IsMember({"dense", "low-rank", "interior"}));
  app.add_option("--scaling", a.scaling);
  app.add_option("--rows", a.rows);
  app.add_option("--seconds", a.seconds);
  app.add_option("--iterations", a.iterations);
  app.add_option("--train-seconds", a.train_seconds);
  app.add_option("--neurons", a.neurons);
  app.add_option("--weight-decay", a.weight_decay);
  app.add_option("--threads", a.threads);
  app.add_option("--neighbours", a.pairs.neighbours);
  app.add_option("--per-row", a.pairs.per_row);
  app.add_option("--blend", a.pairs.blend);
  app.add_option("--rank", a.low_rank.rank);
  app.add_option("--inner-steps", a.low_rank.inner_steps);
  app.add_option("--growth", a.low_rank.growth);
  app.add_option("--tolerance", a.low_rank.tolerance);
  app.add_option("--memory", a.low_rank.memory)->check(CLI::Range(2, 12));
  app.add_option("--precision", a.precision)->check(CLI::IsMember({"double", "mixed"}));
  app.add_option("--pairs", a.low_rank.pairs_per_sample);
  app.add_flag("--certify", a.certify);
  app.add_flag("--then-interior", a.then_interior);
  CLI11_PARSE(app, argc, argv);
  set_blas_threads(a.threads);
  Profile(a).run();
}
