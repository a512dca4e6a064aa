// SPDX-License-Identifier: Apache-2.0
// Options of a solve. Defaults are the same on every device and bound to the command line by name.
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <relulift/problem.hpp>
#include <relulift/program.hpp>

namespace relulift {

enum class Device { automatic, cpu, cuda };

// Which relaxation engine raises the lower bound. automatic: the plan chooses and the result says
// which. none: no relaxation; on data with few features the cones may still prove a bound.
enum class Engine { automatic, dense, low_rank, interior, none };

// Of the low-rank engine. mixed: the memory of its optimiser and the search for violated pairs are
// in single precision, half the bytes; values, gradients, multipliers and the certificate are not.
// fp32: of the programs over patterns, data and weights while they are solved; the bound and the
// objective that are reported are not.
enum class Precision { fp64, mixed, fp32 };

// What a check of a long solve reports; NaN where a value does not exist yet.
struct Progress {
  const char* phase = "";  // network, low-rank, interior, dense, cones, split, rounding, or
                           // patterns, relu, gated, exact, linear, circular
  Index iteration = 0;     // of the phase
  double objective = std::numeric_limits<double>::quiet_NaN();    // best network so far [eq:train]
  double lower_bound = std::numeric_limits<double>::quiet_NaN();  // best proved bound so far
  // Of the convex program alone, [eq:gated], [eq:relu-cones] or [eq:circular].
  double program_bound = std::numeric_limits<double>::quiet_NaN();
  double primal_residual = std::numeric_limits<double>::quiet_NaN();  // of the engine, relative
  double dual_residual = std::numeric_limits<double>::quiet_NaN();    // of the engine, relative
  double seconds = 0.0;                                               // since the start of solve
  // Nothing new: sent from inside a long phase so that the caller can stop it. Not in the trace.
  bool heartbeat = false;
};

struct Options {
  // Which program is solved; `program` below says how, where it is one over patterns.
  Method method = Method::sdp;
  // cuda: fail if there is none. automatic: the plan chooses and the result says which.
  Device device = Device::automatic;
  Engine engine = Engine::automatic;
  Precision precision = Precision::fp64;
  // Width limit of the network while searching and of the result; 0 = chosen from the data
  // (about 2n, less where memory forbids). InvalidInput when so many do not fit into memory.
  Index max_neurons = 0;
  // Stop when (objective - lower bound) / objective is at most this. In [0, 1).
  double gap = 0.01;
  // Wall-clock limit of solve() in seconds, > 0.
  double time_limit_seconds = std::numeric_limits<double>::infinity();
  // Cones of weight space that the relaxation is split into to raise its bound [eq:split]: 0 for
  // none, 2 or more for so many at most; kAutomaticSplit: as many as the time limit allows, 40
  // seconds' worth without one. After the interior engine alone (no effect with others), where the
  // gap is not met without, and as far as memory allows.
  static constexpr Index kAutomaticSplit = -1;
  Index split = kAutomaticSplit;
  // Limit on the iterations of the relaxation engine; 0 = no limit.
  Index max_iterations = 0;
  // OpenMP threads of the CPU backend; 0 = leave as is. BLAS threads belong to the process.
  int threads = 0;
  // Seed of every random draw, >= 0.
  std::uint64_t seed = 0;
  // Of solve() alone: a file to go on from later, written anew while the solve runs and at its end,
  // whole or not there (docs/formats.md). Empty: none. FileError when it cannot be written there.
  std::filesystem::path checkpoint = {};
  // What a killed process loses at most, as long as checks of the engine are not farther apart;
  // > 0. Infinity: only when the solve is interrupted or ends.
  double checkpoint_every_seconds = 60.0;
  // Of solve() alone: a checkpoint of the same problem to go on from. Empty: none. Other options
  // may differ from those of the run that wrote it, but training that had ended stays ended, unless
  // its network is wider than max_neurons. Time limit and Result::seconds count this run alone.
  // InvalidInput for a file of another problem or a damaged one, FileError where there is none.
  std::filesystem::path resume = {};
  // Result::proof receives what proves the bound, checked by the verifier; the bound is then what
  // the verifier proves. Costs the memory of the multipliers, and the time of another proof: two
  // minutes at most, and a tenth of a time limit on top of it. None where that is not enough, and
  // after an interruption.
  bool keep_proof = false;
  // Called at every check on the calling thread; return false to stop with Status::interrupted.
  std::function<bool(const Progress&)> on_progress = {};
  // Of all methods but sdp.
  ProgramOptions program = {};
};

// Throws InvalidInput naming the first bad field.
void validate(const Options& options);

}  // namespace relulift
