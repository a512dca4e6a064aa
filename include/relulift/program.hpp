// SPDX-License-Identifier: Apache-2.0
// The convex programs over activation patterns: what may be asked of them and what they report
// (Pilanci & Ergen 2020; Mishkin, Sahiner & Pilanci 2022; Sahiner et al. 2021). With
// A_i = D_i X, D_i = diag(1[X h_i >= 0]) of gate h_i [eq:pattern]:
//     gated:  min L(sum_i A_i W_i) + g sum_i Omega(W_i)                                [eq:gated]
//     relu:   the same with W_i = V_i - N_i in the cones of the patterns          [eq:relu-cones]
#pragma once

#include <limits>
#include <relulift/loss.hpp>
#include <relulift/problem.hpp>
#include <string>
#include <vector>

namespace relulift {

// sdp:    the best network that training finds, and a bound for every network: not a program over
//         patterns.
// relu:   a ReLU network from the program over sampled patterns; its objective is that of
//         [eq:train], its optimum lies above p_nn.
// gated:  a network of gated neurons x -> 1[x'h >= 0] x'u v', a model of its own: its optimum
//         compares with no ReLU network.
// exact:  the program over all patterns, for data of small rank: its optimum is p_nn.
// linear: a network without activation, x -> x'U V'.
// circular: a linear network of circular convolutions of the rows of X [eq:circular].
enum class Method { sdp, relu, gated, exact, linear, circular };

// joint: a neuron serves all outputs, as in [eq:train]; Omega of a gated program is the nuclear
// norm. one_vs_all: a neuron serves one output; the same for one output.
enum class Outputs { joint, one_vs_all };

// Whose Euclidean norms are summed. neuron: of each W_i e_k, which equals weight decay on the
// network. feature: of each row of (W_1, .., W_P), which leaves features out; gated programs only.
enum class Group { neuron, feature };

// Gates that are drawn. gaussian: N(0, I). sparse: zero but for ProgramOptions::gate_features.
// patches: zero but for a square of an image. network: the input weights of a network that is
// trained first.
enum class GateKind { gaussian, sparse, patches, network };

// automatic: interior where it can and a step is short, else lagrangian where it can (up to 100
// features), gradient for gated programs of more than 4000 samples, or admm. interior: primal-dual
// interior point; squared loss, groups of neurons, one output at a time. gradient: accelerated
// proximal gradient; gated, smooth losses. admm: alternating directions. lagrangian: augmented
// Lagrangian; ReLU, smooth losses, precision fp64. decomposition: of ReLU programs, the gated one
// over the same patterns, whose blocks are taken apart into neurons of the cones.
enum class ProgramSolver { automatic, interior, gradient, admm, lagrangian, decomposition };

// How gated blocks are taken apart, W = V - N in the cones: exact leaves W as it is, at the least
// ||V|| + ||N||; approximate gives way where that is shorter.
enum class Decomposition { exact, approximate };

// average: of relu, gated and exact, one_vs_all for ReLU: neurons are filters, the mean of what
// they give on the K patches of an image [eq:pooled]; filter j is neurons j K .. j K + K - 1 of
// Result.
enum class Pooling { none, average };

struct ProgramOptions {
  Outputs outputs = Outputs::joint;
  Group group = Group::neuron;
  Loss loss = Loss::squared;
  double huber_delta = 1.0;  // where the loss turns linear, in the units of Y; > 0
  // Gates to draw, >= 1; patterns that repeat or have no active sample are left out.
  Index gates = 1000;
  GateKind gate_kind = GateKind::gaussian;
  Index gate_features = 2;  // of sparse gates, >= 1
  // Of patches: height x width x planes = features, planes one after the other, row by row.
  Index image_height = 0, image_width = 0, image_planes = 1;
  Index patch = 3;  // side, >= 1; at most that of the image in each direction
  // With pooling, image and patch are those of the filters, and gates have one entry per pixel of
  // a patch (and one for a bias column at the end of X).
  Pooling pooling = Pooling::none;
  Index stride = 1;  // of pooled patches, >= 1
  // Gates to use instead of drawing any: features x count, column-major. Empty: none.
  std::vector<double> gate_matrix = {};
  // relu: patterns that lower the optimum join until none is found.
  bool refine = false;
  ProgramSolver solver = ProgramSolver::automatic;
  Decomposition decomposition = Decomposition::exact;  // of the solver of that name
  // Stop when (objective - bound) / objective of the program is at most this. In (0, 1).
  double tolerance = 1e-6;
};

// The program as its solver left it; empty for Method::sdp.
struct ProgramReport {
  std::string solver = "none";  // interior, gradient, admm, lagrangian, decomposition, exchange
  Index patterns = 0;
  bool all_patterns = false;
  // Of the point found, by the solver; of a network made from it, Result::objective.
  double objective = std::numeric_limits<double>::quiet_NaN();
  // Nothing that the program admits has a smaller objective. No claim about other networks: those
  // have Certificate::lower_bound.
  double bound = -std::numeric_limits<double>::infinity();
  Index iterations = 0;
  Index rounds = 0;   // of a working set, of refinement, or of the exchange method
  Index filters = 0;  // of a pooled or circular network
};

// "sdp", "one-vs-all", ..: the words of the command line and of result.json.
const char* to_string(Method method);
const char* to_string(Outputs outputs);
const char* to_string(Group group);
const char* to_string(GateKind kind);
const char* to_string(ProgramSolver solver);
const char* to_string(Decomposition decomposition);
const char* to_string(Pooling pooling);

}  // namespace relulift
