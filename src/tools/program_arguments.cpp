// SPDX-License-Identifier: Apache-2.0
#include "src/tools/program_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <relulift/error.hpp>
#include <vector>

namespace relulift::tools {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput(message);
}

std::optional<Index> whole(std::string_view text) {
  Index value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value among `values` that to_string() calls by this name.
template <class Enum>
Enum named(const std::string& text, std::initializer_list<Enum> values) {
  const auto* const found =
      std::ranges::find_if(values, [&](Enum value) { return text == to_string(value); });
  require(found != values.end(), "unknown name " + text);  // CLI11 has refused it before
  return *found;
}

struct Image {
  Index height, width, planes;
};
Image parse_image(const std::string& text) {
  std::array<Index, 3> sides{0, 0, 1};
  std::size_t count = 0, from = 0;
  bool good = true;
  while (good && from <= text.size()) {
    const std::size_t cross = std::min(text.find('x', from), text.size());
    const auto side = whole(std::string_view(text).substr(from, cross - from));
    good = side && *side >= 1 && *side <= 1'000'000 && count < sides.size();
    if (good) sides[count++] = *side;
    from = cross + 1;
  }
  require(good && count >= 2,
          fmt::format("--image must be HEIGHTxWIDTH or HEIGHTxWIDTHxPLANES, not {}", text));
  return {sides[0], sides[1], sides[2]};
}

}  // namespace

void ProgramArguments::add_to(CLI::App& command) {
  const auto choice = [&](const char* name, std::string& value, const char* help,
                          std::vector<std::string> names) {
    command.add_option(name, value, help)
        ->type_name("NAME")
        ->check(CLI::IsMember(std::move(names)))
        ->capture_default_str()
        ->group("Programs over activation patterns");
  };
  const auto option = [&](const char* name, auto& value, const char* type, const char* help) {
    command.add_option(name, value, help)
        ->type_name(type)
        ->group("Programs over activation patterns");
  };
  choice("--method", method,
         "sdp: train and bound every network; relu: convex program over sampled patterns; gated: "
         "gated neurons; exact: all patterns, small rank; linear: no activation; circular: "
         "linear convolutions, rows are signals",
         {"sdp", "relu", "gated", "exact", "linear", "circular"});
  choice("--outputs", outputs, "joint: a neuron serves all outputs; one-vs-all: one",
         {"joint", "one-vs-all"});
  option("--gates", gates, "N|FILE.npy",
         "how many to draw (default: 1000), or features x N to use");
  choice("--gate-kind", gate_kind,
         "how they are drawn: gaussian, sparse, patches of images, network",
         {"gaussian", "sparse", "patches", "network"});
  option("--gate-features", gate_features, "K", "features of a sparse gate (default: 2)");
  choice("--pool", pool, "average: neurons are filters that see the patches of an image one by one",
         {"none", "average"});
  option("--image", image, "HxW[xP]", "shape of a sample, for patches");
  option("--patch", patch, "K", "side of a patch (default: 3)");
  option("--stride", stride, "S", "pixels between the patches of --pool (default: 1)");
  choice("--loss", loss, "squared, logistic, hinge, huber or absolute",
         {"squared", "logistic", "hinge", "huber", "absolute"});
  option("--huber-delta", huber_delta, "D", "where the Huber loss turns linear (default: 1)");
  choice("--group", group, "whose norms are summed: neuron, or feature (leaves features out)",
         {"neuron", "feature"});
  choice("--solver", solver,
         "of the program: auto, interior, gradient, admm, lagrangian, or decomposition (relu, from "
         "gated)",
         {"auto", "interior", "gradient", "admm", "lagrangian", "decomposition"});
  choice("--decomposition", decomposition,
         "exact: V - N = W; approximate: less where that is shorter", {"exact", "approximate"});
  option("--tolerance", tolerance, "T", "stop at this relative gap of the program (default: 1e-6)");
  command
      .add_flag("--refine", refine,
                "relu: patterns that lower the objective join until none is found")
      ->group("Programs over activation patterns");
}

std::string ProgramArguments::gate_file() const {
  return gates.empty() || whole(gates) ? std::string() : gates;
}

void ProgramArguments::check() const {
  if (!program()) {
    const bool untouched = outputs == "joint" && group == "neuron" && loss == "squared" &&
                           gates.empty() && gate_kind == "gaussian" && image.empty() &&
                           pool == "none" && !stride && solver == "auto" &&
                           decomposition == "exact" && !huber_delta && !gate_features && !patch &&
                           !tolerance && !refine;
    require(
        untouched,
        "--outputs, --gates, --gate-kind, --gate-features, --pool, --image, --patch, --stride, "
        "--loss, --huber-delta, --group, --solver, --decomposition, --tolerance and --refine are "
        "for --method relu, gated, exact, linear or circular");
    return;
  }
  const auto count = whole(gates);
  require(!count || *count >= 1, fmt::format("--gates must be at least 1, not {}", gates));
  const bool samples_patterns = method == "relu" || method == "gated";
  require(samples_patterns || (gates.empty() && gate_kind == "gaussian"),
          fmt::format("--gates and --gate-kind are for --method relu and gated, not {}", method));
  require(gate_file().empty() || gate_kind == "gaussian",
          "--gate-kind says how gates are drawn; those of a file are not");
  require(gate_file().empty() || std::filesystem::exists(gate_file()),
          fmt::format("--gates must be a whole number or an NPY file: there is no file {}", gates));
  require(gate_features.value_or(1) >= 1,
          fmt::format("--gate-features must be at least 1, not {}", gate_features.value_or(1)));
  require(patch.value_or(1) >= 1, fmt::format("--patch must be at least 1, not {}", *patch));
  check_images();
  require(!gate_features || gate_kind == "sparse", "--gate-features goes with --gate-kind sparse");
  require(!huber_delta || loss == "huber", "--huber-delta goes with --loss huber");
  require(
      !huber_delta || (std::isfinite(*huber_delta) && *huber_delta > 0.0),
      fmt::format("--huber-delta must be finite and positive, not {}", huber_delta.value_or(0)));
  require(!tolerance || (*tolerance > 0.0 && *tolerance < 1.0),
          fmt::format("--tolerance must lie in (0, 1), not {}", tolerance.value_or(0)));
  require(!refine || method == "relu", "--refine is for --method relu");
  require(solver != "decomposition" || method == "relu",
          fmt::format("--solver decomposition is for --method relu, not {}", method));
  require(solver == "decomposition" || decomposition == "exact",
          "--decomposition goes with --solver decomposition");
  if (!image.empty()) parse_image(image);
}

void ProgramArguments::check_images() const {
  const bool pooled = pool != "none";
  require(!pooled || !image.empty(), "--pool average needs --image, the shape of a sample");
  require(pooled || (gate_kind == "patches") == !image.empty(),
          "--gate-kind patches and --image go together");
  require(pooled || !patch || gate_kind == "patches",
          "--patch goes with --gate-kind patches or --pool average");
  require(pooled || !stride, "--stride goes with --pool average");
  require(stride.value_or(1) >= 1,
          fmt::format("--stride must be at least 1, not {}", stride.value_or(1)));
  require(!pooled || method == "relu" || method == "gated" || method == "exact",
          fmt::format("--pool is for --method relu, gated and exact, not {}", method));
  require(!pooled || gate_kind == "gaussian" || gate_kind == "sparse",
          fmt::format("--pool average takes --gate-kind gaussian or sparse, not {}", gate_kind));
}

void ProgramArguments::apply(Options& options, Index features,
                             const Preparation& preparation) const {
  options.method = named(method, {Method::sdp, Method::relu, Method::gated, Method::exact,
                                  Method::linear, Method::circular});
  if (!program()) return;
  require(options.method != Method::circular || !preparation.bias,
          "--bias is not for --method circular: the column of ones would be part of the signal");
  ProgramOptions& to = options.program;
  to.outputs = named(outputs, {Outputs::joint, Outputs::one_vs_all});
  to.group = named(group, {Group::neuron, Group::feature});
  to.loss = named(loss, {Loss::squared, Loss::logistic, Loss::hinge, Loss::huber, Loss::absolute});
  to.huber_delta = huber_delta.value_or(to.huber_delta);
  to.gates = whole(gates).value_or(to.gates);
  to.gate_kind = named(
      gate_kind, {GateKind::gaussian, GateKind::sparse, GateKind::patches, GateKind::network});
  to.gate_features = gate_features.value_or(to.gate_features);
  to.patch = patch.value_or(to.patch);
  to.pooling = named(pool, {Pooling::none, Pooling::average});
  to.stride = stride.value_or(to.stride);
  to.solver =
      named(solver, {ProgramSolver::automatic, ProgramSolver::interior, ProgramSolver::gradient,
                     ProgramSolver::admm, ProgramSolver::lagrangian, ProgramSolver::decomposition});
  to.decomposition = named(decomposition, {Decomposition::exact, Decomposition::approximate});
  to.tolerance = tolerance.value_or(to.tolerance);
  to.refine = refine;
  if (!image.empty()) {
    const Image shape = parse_image(image);
    to.image_height = shape.height;
    to.image_width = shape.width;
    to.image_planes = shape.planes;
    const Index raw = features - (preparation.bias ? 1 : 0);
    require(shape.height * shape.width * shape.planes == raw,
            fmt::format("--image {}: the data have {} features", image, raw));
    require(pool != "none" || !preparation.bias, "--gate-kind patches knows no --bias");
  }
  if (const std::string file = gate_file(); !file.empty()) {
    Dataset table = read_dataset(file, {});
    const bool pooled = to.pooling == Pooling::average;
    const Index weights = pooled ? std::min(to.patch, to.image_height) *
                                           std::min(to.patch, to.image_width) * to.image_planes +
                                       (preparation.bias ? 1 : 0)
                                 : features;
    require(table.samples == weights,
            fmt::format("{}: holds {} rows of gates, {} {} {}", file, table.samples,
                        pooled ? "a filter has" : "the prepared problem has", weights,
                        pooled ? "weights" : "features"));
    to.gate_matrix = std::move(table.X);
  }
}

}  // namespace relulift::tools
