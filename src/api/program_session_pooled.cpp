// SPDX-License-Identifier: Apache-2.0
// The part of a session over patterns whose neurons are filters [eq:pooled].
#include <relulift/error.hpp>

#include "src/api/program_session.hpp"
#include "src/io/file.hpp"
#include "src/solvers/pattern_network.hpp"

namespace relulift {

PatchGrid ProgramSession::grid() const {
  const ProgramOptions& program = options_.program;
  return {{program.image_height, program.image_width, program.image_planes},
          program.patch,
          program.stride,
          problem_.features};
}

void ProgramSession::check_pooling() const {
  const ProgramOptions& program = options_.program;
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw InvalidInput(what);
  };
  require(relu() || options_.method == Method::gated,
          "pooling is for the methods relu, gated and exact");
  require(!relu() || !joint(),
          "filters of a ReLU network serve one output each: choose one-vs-all");
  require(
      program.solver != ProgramSolver::decomposition && program.solver != ProgramSolver::lagrangian,
      "the solvers lagrangian and decomposition know no pooling");
  const Index d = problem_.features;
  const auto side = [d](Index length) { return length >= 1 && length <= d; };
  require(side(program.image_height) && side(program.image_width) && side(program.image_planes),
          "image height, width and planes must be at least 1, and at most the number of features");
  const Index pixels = program.image_height * program.image_width * program.image_planes;
  require(pixels == d || pixels == d - 1,
          "image height x width x planes must be the number of features, a bias aside");
  require(!program.gate_matrix.empty() || program.gate_kind == GateKind::gaussian ||
              program.gate_kind == GateKind::sparse || options_.method == Method::exact,
          "gates of filters are gaussian, sparse or given");
  const PatchGrid patches = grid();
  io::check_fits_memory("pooling", "the matrix of all patches",
                        16.0 * static_cast<double>(patches.patches() * problem_.samples) *
                            static_cast<double>(patches.entries()));
}

void ProgramSession::to_whole_samples(Network& network) {
  result_.program.filters = network.neurons;
  const PatchGrid patches = grid();
  io::check_fits_memory(
      "pooling", "the network of " + std::to_string(network.neurons) + " filters in all patches",
      16.0 * static_cast<double>(network.neurons * patches.patches()) *
          static_cast<double>(problem_.features + problem_.outputs));
  network = pooled_network(network, patches, problem_.features);
}

}  // namespace relulift
