// SPDX-License-Identifier: Apache-2.0
// One solve of a program over patterns: gates, the program, the network it stands for, and what can
// be proved about every network.
#pragma once

#include <memory>
#include <optional>
#include <relulift/solve.hpp>
#include <string>

#include "src/api/engines.hpp"
#include "src/api/program_memory.hpp"
#include "src/core/control.hpp"
#include "src/core/dense.hpp"
#include "src/patterns/patches.hpp"
#include "src/presolve/presolve.hpp"
#include "src/solvers/joint_relu.hpp"
#include "src/solvers/program_request.hpp"
#include "src/solvers/working_set.hpp"

namespace relulift {

class ProgramSession {
 public:
  // `memory`: of a path, read and written; null for a solve on its own.
  ProgramSession(const Problem& problem, const Options& options, ProgramMemory* memory = nullptr);
  Result run();
  // Input weights of a network that is trained for them, at most options.program.gates.
  Matrix gates_of_a_network();

 private:
  bool linear() const { return options_.method == Method::linear; }
  bool relu() const { return options_.method == Method::relu || options_.method == Method::exact; }
  bool pooled() const { return options_.program.pooling == Pooling::average; }
  bool joint() const { return options_.program.outputs == Outputs::joint && problem_.outputs > 1; }

  void check() const;  // throws InvalidInput for what cannot go together
  void check_pooling() const;
  GatedPatterns choose_patterns();
  Matrix drawn_gates();

  // A network trained from the start, or from a given one; never worse than that.
  Network train(const Network* from, Index neurons);

  ProgramRequest request(const GatedPatterns& gated) const;
  bool interior_suits() const;
  bool interior_fits(Index patterns) const;
  PatchGrid grid() const;  // of pooling
  // From a network of filters to the one it is on whole samples.
  void to_whole_samples(Network& network);
  // Throws InvalidInput with the sizes where so much is not free.
  void check_memory(const EngineBytes& needed) const;
  // The program over these patterns, by the solver that was asked for or those that fit, one after
  // the other until it is solved; first-order ones begin at `start` where there is one.
  PatternPoint solve_over(const GatedPatterns& gated, const PatternPoint& start = {});
  std::vector<ProgramSolver> solvers(const GatedPatterns& gated) const;
  PatternPoint solve_by(ProgramSolver solver, const GatedPatterns& gated,
                        const PatternPoint& start);
  // The same a few at a time: ReLU programs with more patterns than a solver takes at once.
  PatternPoint solve_over_list(const GatedPatterns& gated);
  bool few_at_a_time(const GatedPatterns& gated) const;
  Network solve_gated(const GatedPatterns& gated);
  Network solve_relu(const GatedPatterns& gated);
  // ReLU: the gated program over these patterns, taken apart into neurons of their cones.
  Network solve_by_decomposition(const GatedPatterns& gated);
  Result solve_gated_program();
  // Weights W (k x c) of unit directions S at the optimum of [eq:refit], where that lowers the
  // objective and there is time; one output at a time where a neuron serves one.
  void refit(const Matrix& S, Matrix& W);
  // On W, at most 1, of least objective.
  double best_factor_of_loss(const Matrix& S, const Matrix& W) const;
  // ReLU: over more and more patterns, from these and those of trained networks.
  Network refine(const GatedPatterns& gated);
  Network refine_once(GatedPatterns& held, const Network& trained, Index round);
  bool take_trained(const Network& trained, Network& network);
  double missing_slack() const;
  PatternOracle of_samples(PatternOracle of_rows) const;
  Network solve_joint_relu(const GatedPatterns& gated, const Network& start,
                           const JointOptions& effort);
  // [eq:train] with several outputs by the exchange method of Method::sdp.
  Result solve_exactly();
  // Whether a bound for every ReLU network is asked for or comes cheaply.
  bool bound_for_every_network() const;
  void prove_for_every_network();
  // Of the program, rounding allowed for.
  void note_ends(double objective, double bound);
  void note_program(const PatternPoint& point);
  double objective_of(const Network& network) const;

  // What is known of drawn gates on data like these; empty where nothing is.
  std::string sampling_words() const;
  OnProgram on_check();
  bool report(const Progress& progress);
  bool interrupted();
  Status status() const;

  const Problem& problem_;
  Options options_;
  Control control_;
  std::unique_ptr<Engines> engines_;
  std::optional<Presolved> presolved_;  // for training
  Matrix X_, Y_;  // with pooling X_ holds patches (PatchGrid::stacked) once run() has begun
  ProgramMemory own_memory_;
  ProgramMemory& memory_;
  Result result_;
  std::string why_;
  const char* phase_ = "patterns";
  double last_report_ = 0.0;
  bool stopped_ = false;
};

// Solves the program that options.method names; not for Method::sdp.
Result solve_program(const Problem& problem, const Options& options,
                     ProgramMemory* memory = nullptr);

}  // namespace relulift
