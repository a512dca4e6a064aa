// SPDX-License-Identifier: Apache-2.0
#include "src/api/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/error.hpp>
#include <relulift/system.hpp>

#include "src/io/file.hpp"
#include "src/io/safetensors.hpp"

namespace relulift {
namespace {

using Json = nlohmann::json;
using io::TensorView;
using Metadata = std::map<std::string, std::string>;

constexpr const char* kFormat = "relulift checkpoint";
constexpr const char* kFormatVersion = "1";

// One finaliser of SplitMix64 per word: a bijection of every word, so that a single changed one
// always changes the hash.
class Hash {
 public:
  void add(std::uint64_t word) {
    std::uint64_t z = (value_ ^ word) + 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    value_ = z ^ (z >> 31);
  }
  void add(std::span<const double> entries) {
    add(entries.size());
    for (const double entry : entries) add(std::bit_cast<std::uint64_t>(entry));
  }
  void add(const std::string& text) {
    add(text.size());
    for (const char c : text) add(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

std::string in_hex(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

// Of all that is written but the checksum itself.
std::uint64_t checksum(const std::map<std::string, TensorView>& tensors, const Metadata& metadata) {
  Hash hash;
  for (const auto& [key, value] : metadata) {
    if (key == "checksum") continue;
    hash.add(key);
    hash.add(value);
  }
  for (const auto& [name, tensor] : tensors) {
    hash.add(name);
    hash.add(tensor.shape.size());
    for (const Index size : tensor.shape) hash.add(static_cast<std::uint64_t>(size));
    hash.add(tensor.entries);
  }
  return hash.value();
}

// ---- Writing ----

// The tensors of a checkpoint: views of it, and integers as doubles of our own.
class Content {
 public:
  explicit Content(const Checkpoint& checkpoint) {
    const Network& network = checkpoint.network;
    tensors_["network.U"] = {{network.neurons, network.features}, network.U};
    tensors_["network.V"] = {{network.neurons, network.outputs}, network.V};
    const DualCandidate& multipliers = checkpoint.multipliers;
    if (multipliers.G.size() > 0) {
      add("multipliers.G", multipliers.G);
      add("multipliers.H", multipliers.H);
      add("multipliers.dense", multipliers.dense);
      add_entries(multipliers);
    }
    if (!checkpoint.low_rank.empty()) add_low_rank(checkpoint.low_rank);
    add_metadata(checkpoint);
  }

  void write(const Path& path) const {
    io::NewFile file(path);
    file.append(io::safetensors_header(tensors_, metadata_));
    for (const auto& [name, tensor] : tensors_) file.append(io::bytes_of(tensor.entries));
    file.commit();
  }

 private:
  // Column by column, so the shape is that of the transpose.
  void add(const std::string& name, const Matrix& matrix) {
    if (matrix.size() == 0) return;
    tensors_[name] = {{matrix.cols(), matrix.rows()},
                      {matrix.data(), static_cast<std::size_t>(matrix.size())}};
  }

  void add_entries(const DualCandidate& multipliers) {
    if (!multipliers.representative.empty()) {
      representative_.assign(multipliers.representative.begin(), multipliers.representative.end());
      tensors_["multipliers.representative"] = {{static_cast<Index>(representative_.size())},
                                                representative_};
    }
    if (multipliers.entries.empty()) return;
    for (const auto& [i, j, value] : multipliers.entries)
      entries_.insert(entries_.end(), {static_cast<double>(i), static_cast<double>(j), value});
    tensors_["multipliers.entries"] = {{static_cast<Index>(multipliers.entries.size()), 3},
                                       entries_};
  }

  void add_low_rank(const LowRankState& state) {
    add("low_rank.Z", state.Z);
    for (const auto& [i, j] : state.pairs)
      pairs_.insert(pairs_.end(), {static_cast<double>(i), static_cast<double>(j)});
    const auto view = [](const Vector& v) {
      return TensorView{{v.size()}, {v.data(), static_cast<std::size_t>(v.size())}};
    };
    tensors_["low_rank.pairs"] = {{static_cast<Index>(state.pairs.size()), 2}, pairs_};
    tensors_["low_rank.w"] = view(state.w);
    tensors_["low_rank.y"] = view(state.y);
    metadata_["low_rank.sigma"] = Json(state.sigma).dump();
    metadata_["low_rank.tolerance"] = Json(state.tolerance).dump();
    metadata_["low_rank.violation"] =
        (std::isfinite(state.violation) ? Json(state.violation) : Json()).dump();
    metadata_["low_rank.iteration"] = Json(state.iteration).dump();
  }

  void add_metadata(const Checkpoint& checkpoint) {
    metadata_["format"] = kFormat;
    metadata_["format_version"] = kFormatVersion;
    metadata_["version"] = version();
    metadata_["problem"] = in_hex(checkpoint.problem);
    metadata_["seconds"] = Json(checkpoint.seconds).dump();
    metadata_["trained"] = Json(checkpoint.trained).dump();
    metadata_["winner"] = to_string(checkpoint.winner);
    metadata_["checksum"] = in_hex(checksum(tensors_, metadata_));
  }

  std::vector<double> representative_, entries_, pairs_;
  std::map<std::string, TensorView> tensors_;
  Metadata metadata_;
};

// ---- Reading ----

class Reader {
 public:
  Reader(const Path& path, const std::string& source)
      : source_(source), content_(io::parse_safetensors(io::read_file(path), source)) {
    if (text("format") != kFormat) throw InvalidInput(source + ": is no relulift checkpoint");
    if (text("format_version") != kFormatVersion)
      throw InvalidInput(fmt::format("{}: is a checkpoint of another format version than {}",
                                     source, kFormatVersion));
    std::map<std::string, TensorView> views;
    for (const auto& [name, tensor] : content_.tensors)
      views[name] = {tensor.shape, tensor.entries};
    if (text("checksum") != in_hex(checksum(views, content_.metadata)))
      throw InvalidInput(source + ": is damaged: its checksum is not that of its content");
  }

  Checkpoint read(const Problem& problem) const {
    Checkpoint out;
    out.problem = hash_of(problem);
    if (text("problem") != in_hex(out.problem))
      throw InvalidInput(
          source_ + ": is a checkpoint of other data, another preparation or another weight decay");
    out.seconds = number("seconds", 0.0);
    if (text("trained") != "true" && text("trained") != "false") wrong("trained");
    out.trained = text("trained") == "true";
    out.winner = winner();
    read_network(problem, out.network);
    read_multipliers(out.multipliers);
    if (has("low_rank.Z")) read_low_rank(out.low_rank);
    return out;
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    throw InvalidInput(
        fmt::format("{}: is no usable checkpoint: '{}' is not what it should be", source_, what));
  }

  std::string text(const std::string& key) const {
    const auto at = content_.metadata.find(key);
    return at == content_.metadata.end() ? std::string() : at->second;
  }

  // At least `least`.
  double number(const std::string& key, double least) const {
    const Json value = Json::parse(text(key), nullptr, /*allow_exceptions=*/false);
    if (!value.is_number() || !(value.get<double>() >= least)) wrong(key);
    return value.get<double>();
  }

  Winner winner() const {
    for (const Winner winner : {Winner::network, Winner::column_generation, Winner::rounding})
      if (text("winner") == to_string(winner)) return winner;
    wrong("winner");
  }

  bool has(const std::string& name) const { return content_.tensors.contains(name); }

  const io::Tensor& tensor(const std::string& name, std::size_t dimensions) const {
    const auto at = content_.tensors.find(name);
    if (at == content_.tensors.end() || at->second.shape.size() != dimensions) wrong(name);
    return at->second;
  }

  Matrix matrix(const std::string& name) const {
    if (!has(name)) return {};
    const io::Tensor& from = tensor(name, 2);
    return Eigen::Map<const Matrix>(from.entries.data(), from.shape[1], from.shape[0]);
  }

  Vector vector(const std::string& name) const {
    const io::Tensor& from = tensor(name, 1);
    return Eigen::Map<const Vector>(from.entries.data(), from.shape[0]);
  }

  // Indices up to those of LiftedPair; -1 is the representative of a zero row.
  Index index(const std::string& name, double value) const {
    if (!(value >= -1.0 && value <= 2147483647.0) || value != std::floor(value)) wrong(name);
    return static_cast<Index>(value);
  }

  void read_network(const Problem& problem, Network& network) const {
    const io::Tensor &U = tensor("network.U", 2), &V = tensor("network.V", 2);
    if (U.shape[1] != problem.features) wrong("network.U");
    if (V.shape[1] != problem.outputs || V.shape[0] != U.shape[0]) wrong("network.V");
    network = {problem.features, problem.outputs, U.shape[0], U.entries, V.entries};
  }

  void read_multipliers(DualCandidate& multipliers) const {
    multipliers.G = matrix("multipliers.G");
    multipliers.H = matrix("multipliers.H");
    multipliers.dense = matrix("multipliers.dense");
    if (has("multipliers.representative"))
      for (const double row : tensor("multipliers.representative", 1).entries)
        multipliers.representative.push_back(index("multipliers.representative", row));
    if (!has("multipliers.entries")) return;
    const io::Tensor& from = tensor("multipliers.entries", 2);
    if (from.shape[1] != 3) wrong("multipliers.entries");
    for (std::size_t k = 0; k < from.entries.size(); k += 3)
      multipliers.entries.push_back({index("multipliers.entries", from.entries[k]),
                                     index("multipliers.entries", from.entries[k + 1]),
                                     from.entries[k + 2]});
  }

  void read_low_rank(LowRankState& state) const {
    state.Z = matrix("low_rank.Z");
    state.w = vector("low_rank.w");
    state.y = vector("low_rank.y");
    const io::Tensor& from = tensor("low_rank.pairs", 2);
    if (from.shape[1] != 2) wrong("low_rank.pairs");
    for (std::size_t k = 0; k < from.entries.size(); k += 2)
      state.pairs.push_back(
          {static_cast<std::int32_t>(index("low_rank.pairs", from.entries[k])),
           static_cast<std::int32_t>(index("low_rank.pairs", from.entries[k + 1]))});
    state.sigma = number("low_rank.sigma", 0.0);
    state.tolerance = number("low_rank.tolerance", 0.0);
    if (text("low_rank.violation") != "null") state.violation = number("low_rank.violation", 0.0);
    state.iteration = index("low_rank.iteration", number("low_rank.iteration", 0.0));
  }

  const std::string& source_;
  io::Safetensors content_;
};

bool is_size(const Matrix& matrix, Index rows, Index cols) {
  return matrix.rows() == rows && matrix.cols() == cols;
}

// What Presolved::dual_candidate could have made. Values are the certificate's to judge.
bool fits(const DualCandidate& multipliers, const Presolved& presolved) {
  const Index n = presolved.reduced.n(), c = presolved.reduced.c();
  if (multipliers.G.size() == 0)
    return multipliers.H.size() == 0 && multipliers.dense.size() == 0 &&
           multipliers.entries.empty() && multipliers.representative.empty();
  const auto& representative = multipliers.representative;
  const bool inside =
      std::all_of(multipliers.entries.begin(), multipliers.entries.end(), [n](const auto& entry) {
        return entry.i >= 0 && entry.j >= 0 && entry.i < 2 * n && entry.j < 2 * n;
      });
  return inside && is_size(multipliers.G, n, c) && is_size(multipliers.H, n, c) &&
         (multipliers.dense.size() == 0 || is_size(multipliers.dense, 2 * n, 2 * n)) &&
         (presolved.exact ? representative.empty() : representative == presolved.representative);
}

}  // namespace

std::uint64_t hash_of(const Problem& problem) {
  Hash hash;
  for (const Index size : {problem.samples, problem.features, problem.outputs})
    hash.add(static_cast<std::uint64_t>(size));
  hash.add(problem.X);
  hash.add(problem.Y);
  hash.add(std::bit_cast<std::uint64_t>(problem.weight_decay));
  return hash.value();
}

void write_checkpoint(const Path& path, const Checkpoint& checkpoint) {
  Content(checkpoint).write(path);
}

Checkpoint read_checkpoint(const Path& path, const Problem& problem) {
  const std::string source = path.string();
  return Reader(path, source).read(problem);
}

bool fits(const LowRankState& state, const ReducedProblem& reduced) {
  const Index n = reduced.n(), order = n + reduced.d() + reduced.c();
  const auto& pairs = state.pairs;
  const bool ascending =
      std::adjacent_find(pairs.begin(), pairs.end(), std::greater_equal<>()) == pairs.end();
  const bool inside = std::all_of(pairs.begin(), pairs.end(), [n](const LiftedPair& pair) {
    return pair.i >= 0 && pair.i < pair.j && pair.j < 2 * n && pair.j != pair.i + n;
  });
  return ascending && inside && state.Z.rows() >= 1 && state.Z.cols() == order &&
         state.Z.allFinite() && state.w.size() == static_cast<Index>(pairs.size()) &&
         state.w.allFinite() && (state.w.array() >= 0.0).all() && state.y.size() == n &&
         state.y.allFinite() && state.sigma > 0.0 && std::isfinite(state.sigma) &&
         state.tolerance >= 0.0 && std::isfinite(state.tolerance) && state.violation >= 0.0 &&
         state.iteration >= 0;
}

void check_fits(const Checkpoint& checkpoint, const Presolved& presolved,
                const std::string& source) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds)
      throw InvalidInput(
          fmt::format("{}: is no usable checkpoint: {} do not fit the data", source, what));
  };
  require(fits(checkpoint.multipliers, presolved), "its multipliers");
  require(checkpoint.low_rank.empty() || fits(checkpoint.low_rank, presolved.reduced),
          "the numbers of its low-rank engine");
}

}  // namespace relulift
