// SPDX-License-Identifier: Apache-2.0
// One solve of a program over patterns: gates, the program, the network it stands for, and what can
// be proved about every network.
#pragma once

#include <memory>
#include <optional>
#include <relulift/solve.hpp>
#include <string>

#include "src/api/engines.hpp"
#include "src/core/control.hpp"
#include "src/core/dense.hpp"
#include "src/solvers/program_request.hpp"

namespace relulift {

class ProgramSession {
 public:
  ProgramSession(const Problem& problem, const Options& options);
  Result run();

 private:
  bool linear() const { return options_.method == Method::linear; }
  bool relu() const {
    return options_.method == Method::relu || options_.method == Method::exact;
  }
  bool joint() const {
    return options_.program.outputs == Outputs::joint && problem_.outputs > 1;
  }

  GatedPatterns choose_patterns();
  Matrix drawn_gates();
  Matrix gates_of_a_network();
  // Which solver runs, and why; throws InvalidInput for one that cannot.
  ProgramSolver choose_solver(const GatedPatterns& gated);
  void solve_program(const GatedPatterns& gated);
  Network network_of(const PatternPoint& point, const Matrix& gates) const;
  // The objective of Result: of the network, or of the program where features are the groups.
  double objective_of(const Network& network, const PatternPoint& point) const;
  // A bound for every ReLU network, where one comes cheaply; the network may be what it was.
  void prove_for_every_network();

  OnProgram on_check();
  bool report(const Progress& progress);
  bool interrupted();
  Status status() const;

  const Problem& problem_;
  Options options_;
  Control control_;
  std::unique_ptr<Engines> engines_;
  Matrix X_, Y_;
  PatternPoint point_;
  Result result_;
  std::string why_;
  const char* phase_ = "patterns";
  double last_report_ = 0.0;
  bool stopped_ = false;
};

// Solves the program that options.method names; not for Method::sdp.
Result solve_program(const Problem& problem, const Options& options);

}  // namespace relulift
