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
#include "src/solvers/program_request.hpp"

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
  bool joint() const { return options_.program.outputs == Outputs::joint && problem_.outputs > 1; }

  void check() const;  // throws InvalidInput for what cannot go together
  GatedPatterns choose_patterns();
  Matrix drawn_gates();

  ProgramRequest request(const GatedPatterns& gated) const;
  bool interior_fits(Index patterns) const;
  // Throws InvalidInput with the sizes where so much is not free.
  void check_memory(const EngineBytes& needed) const;
  // The program over these patterns, by the solver that was asked for or fits; gradient and admm
  // begin at `start` where there is one.
  PatternPoint solve_over(const GatedPatterns& gated, const PatternPoint& start = {});
  Network solve_gated(const GatedPatterns& gated);
  // ReLU: over these patterns, over all by a working set, or over more and more.
  Network solve_relu(const GatedPatterns& gated);
  // ReLU: the gated program over these patterns, taken apart into neurons of their cones.
  Network solve_by_decomposition(const GatedPatterns& gated);
  Result solve_gated_program();
  // Weights W (k x c) of unit directions S at the optimum of [eq:refit], where that lowers the
  // objective and there is time; one output at a time where a neuron serves one.
  void refit(const Matrix& S, Matrix& W);
  Network solve_joint_relu(const GatedPatterns& gated, const Network& start);
  // [eq:train] with several outputs by the exchange method of Method::sdp.
  Result solve_exactly();
  // A bound for every ReLU network, where one comes cheaply.
  void prove_for_every_network();
  // Of the program, rounding allowed for.
  void note_ends(double objective, double bound);
  void note_program(const PatternPoint& point);
  double objective_of(const Network& network) const;

  OnProgram on_check();
  bool report(const Progress& progress);
  bool interrupted();
  Status status() const;

  const Problem& problem_;
  Options options_;
  Control control_;
  std::unique_ptr<Engines> engines_;
  Matrix X_, Y_;
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
