// SPDX-License-Identifier: Apache-2.0
// A Model as a safetensors file. The tensors alone are a state dict of
// torch.nn.Sequential(OrderedDict(hidden=Linear(d, m), relu=ReLU(), output=Linear(m, c)));
// what else belongs to the model stands in the metadata, every value as JSON text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/error.hpp>
#include <relulift/io.hpp>
#include <relulift/system.hpp>

#include "src/io/file.hpp"
#include "src/io/safetensors.hpp"
#include "src/io/text.hpp"

namespace relulift {
namespace {

using Json = nlohmann::json;
using io::Safetensors;
using io::Tensor;

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

const char* name_of(Activation activation) {
  if (activation == Activation::gated) return "gated";
  return activation == Activation::linear ? "linear" : "relu";
}

std::map<std::string, std::string> metadata(const Model& model) {
  const Preparation& preparation = model.preparation;
  Json standardization;
  if (preparation.standardized())
    standardization = {{"mean", preparation.mean}, {"scale", preparation.scale}};
  std::map<std::string, std::string> out{
      {"format", "pt"},
      {"version", model.version.empty() ? version() : model.version},
      {"features", Json(model.schema.features).dump()},
      {"bias", Json(preparation.bias).dump()},
      {"standardization", standardization.dump()},
      {"weight_decay", number_or_null(model.weight_decay).dump()},
      {"objective", number_or_null(model.objective).dump()},
      {"lower_bound", number_or_null(model.lower_bound).dump()}};
  // Absent for a ReLU network, which is what other programs take the tensors for.
  if (model.network.activation != Activation::relu)
    out["activation"] = Json(name_of(model.network.activation)).dump();
  if (model.schema.kind == TargetKind::labels) {
    out["target"] = Json(model.schema.label_column).dump();
    out["classes"] = Json(model.schema.outputs).dump();
  } else if (model.schema.kind == TargetKind::values) {
    out["targets"] = Json(model.schema.outputs).dump();
  }
  return out;
}

// ---- Reading ----

class MetadataReader {
 public:
  MetadataReader(const std::map<std::string, std::string>& entries, const std::string& source)
      : entries_(entries), source_(source) {}

  bool has(const std::string& key) const { return entries_.contains(key); }

  template <class T>
  T get(const std::string& key, T otherwise) const {
    return has(key) ? convert<T>(key, parse(key)) : otherwise;
  }

  double number(const std::string& key, double otherwise) const {
    const Json value = has(key) ? parse(key) : Json();
    return value.is_null() ? otherwise : convert<double>(key, value);
  }

  void standardization(Preparation& preparation) const {
    const Json value = has("standardization") ? parse("standardization") : Json();
    if (value.is_null()) return;
    if (!value.is_object() || !value.contains("mean") || !value.contains("scale"))
      fail("standardization");
    preparation.mean = convert<std::vector<double>>("standardization", value["mean"]);
    preparation.scale = convert<std::vector<double>>("standardization", value["scale"]);
    for (const double scale : preparation.scale)
      if (!(scale > 0.0)) fail("standardization");
  }

  [[noreturn]] void fail(const std::string& key) const {
    throw InvalidInput(
        fmt::format("{}: the metadata entry {} cannot be understood", source_, io::in_quotes(key)));
  }

 private:
  Json parse(const std::string& key) const {
    Json value = Json::parse(entries_.at(key), nullptr, /*allow_exceptions=*/false);
    if (value.is_discarded()) fail(key);
    return value;
  }

  template <class T>
  T convert(const std::string& key, const Json& value) const {
    // nlohmann would turn true into 1.0.
    const auto is_number = [](const Json& entry) { return entry.is_number(); };
    const auto is_string = [](const Json& entry) { return entry.is_string(); };
    bool fits = true;
    if constexpr (std::is_same_v<T, bool>) fits = value.is_boolean();
    if constexpr (std::is_same_v<T, double>) fits = value.is_number();
    if constexpr (std::is_same_v<T, std::string>) fits = value.is_string();
    if constexpr (std::is_same_v<T, std::vector<double>>)
      fits = value.is_array() && std::all_of(value.begin(), value.end(), is_number);
    if constexpr (std::is_same_v<T, std::vector<std::string>>)
      fits = value.is_array() && std::all_of(value.begin(), value.end(), is_string);
    if (!fits) fail(key);
    return value.get<T>();
  }

  const std::map<std::string, std::string>& entries_;
  const std::string& source_;
};

void read_metadata(Model& model, const std::map<std::string, std::string>& entries,
                   const std::string& source) {
  const MetadataReader reader(entries, source);
  model.preparation.bias = !model.hidden_bias.empty();
  // Only files of our own follow the keys below; "version" and "features" mark them.
  if (!reader.has("version") || !reader.has("features")) return;
  using Names = std::vector<std::string>;
  model.version = entries.at("version");
  model.schema.features = reader.get("features", Names());
  model.preparation.bias = reader.get("bias", false);
  reader.standardization(model.preparation);
  model.weight_decay = reader.number("weight_decay", model.weight_decay);
  model.objective = reader.number("objective", model.objective);
  model.lower_bound = reader.number("lower_bound", model.lower_bound);
  const auto activation = reader.get("activation", std::string("relu"));
  const bool gated = model.network.activation == Activation::gated;
  if (gated != (activation == "gated") ||
      (activation != "relu" && activation != "linear" && !gated))
    throw InvalidInput(source + ": the metadata entry 'activation' does not fit the tensors");
  if (activation == "linear") model.network.activation = Activation::linear;
  if (reader.has("classes")) {
    model.schema.kind = TargetKind::labels;
    model.schema.label_column = reader.get("target", std::string());
    model.schema.outputs = reader.get("classes", Names());
  } else if (reader.has("targets")) {
    model.schema.kind = TargetKind::values;
    model.schema.outputs = reader.get("targets", Names());
  }
}

void check_metadata(const Model& model, const std::string& source) {
  const auto wrong = [&](const char* what) {
    throw InvalidInput(
        fmt::format("{}: the metadata name {} that the weights do not have", source, what));
  };
  const auto d = static_cast<std::size_t>(model.network.features);
  const auto c = static_cast<std::size_t>(model.network.outputs);
  const Preparation& preparation = model.preparation;
  const Schema& schema = model.schema;
  if (!schema.features.empty() && schema.features.size() != d) wrong("a number of features");
  if (schema.kind != TargetKind::none && schema.outputs.size() != c) wrong("a number of outputs");
  if (preparation.scale.size() != preparation.mean.size() ||
      (preparation.standardized() && preparation.scale.size() != d))
    wrong("a standardization");
  const bool needs_bias = preparation.bias || preparation.standardized();
  if (needs_bias && model.hidden_bias.empty() && model.network.neurons > 0)
    wrong("a bias or standardization");
  if (!needs_bias && !model.hidden_bias.empty())
    throw InvalidInput(source + ": holds a hidden bias, which the metadata deny");
  if (model.network.activation == Activation::gated &&
      model.gate_bias.size() != model.hidden_bias.size())
    throw InvalidInput(source + ": the gates have a bias and the neurons do not, or the reverse");
}

// Takes the tensor under one of its two names; null when absent.
const Tensor* find_tensor(const Safetensors& content, const char* name, const char* torch_name,
                          std::size_t dimensions, const std::string& source) {
  const auto ours = content.tensors.find(name), theirs = content.tensors.find(torch_name);
  const auto end = content.tensors.end();
  if (ours != end && theirs != end)
    throw InvalidInput(fmt::format("{}: holds both '{}' and '{}'", source, name, torch_name));
  if (ours == end && theirs == end) return nullptr;
  const Tensor& tensor = ours != end ? ours->second : theirs->second;
  if (tensor.shape.size() != dimensions)
    throw InvalidInput(fmt::format("{}: tensor '{}' has {} dimensions, {} are needed", source,
                                   ours != end ? name : torch_name, tensor.shape.size(),
                                   dimensions));
  return &tensor;
}

void refuse_other_tensors(const Safetensors& content, const std::string& source) {
  for (const auto& [name, tensor] : content.tensors) {
    if (name == "output.bias" || name == "2.bias")
      throw InvalidInput(fmt::format(
          "{}: holds the output bias '{}', which the objective and its bound do not cover; retrain "
          "without it (bias=False) or append a constant feature",
          source, name));
    if (name != "hidden.weight" && name != "hidden.bias" && name != "output.weight" &&
        name != "0.weight" && name != "0.bias" && name != "2.weight" && name != "gate.weight" &&
        name != "gate.bias" && name != "filter.weight" && name != "filter.output")
      throw InvalidInput(fmt::format(
          "{}: holds the tensor {}, which is no part of a two-layer network (hidden.weight, "
          "hidden.bias, output.weight, gate.weight, gate.bias or 0.weight, 0.bias, 2.weight; "
          "filter.weight and filter.output of a circular one)",
          source, io::in_quotes(name)));
  }
}

// The gates of as many neurons and features, and their bias.
void read_gates(Model& model, const Safetensors& content, const std::string& source) {
  const auto gates = content.tensors.find("gate.weight"), bias = content.tensors.find("gate.bias");
  const auto end = content.tensors.end();
  if (gates == end && bias != end)
    throw InvalidInput(source + ": holds gate.bias, and no gate.weight");
  if (gates == end) return;
  const std::vector<Index> shape{model.network.neurons, model.network.features};
  if (gates->second.shape != shape ||
      (bias != end && bias->second.shape != std::vector<Index>{model.network.neurons}))
    throw InvalidInput(fmt::format(
        "{}: gate.weight must be {} x {} as hidden.weight, and gate.bias have as many entries",
        source, shape[0], shape[1]));
  model.network.activation = Activation::gated;
  model.network.G = gates->second.entries;
  if (bias != end) model.gate_bias = bias->second.entries;
}

// Filters of the same features and outputs. Whether their function is that of the other tensors is
// not asked: nothing here runs them.
void read_filters(Model& model, const Safetensors& content, const std::string& source) {
  const auto filter = content.tensors.find("filter.weight");
  const auto output = content.tensors.find("filter.output");
  const auto end = content.tensors.end();
  if (filter == end && output == end) return;
  const Index d = model.network.features, c = model.network.outputs;
  if (filter == end || output == end || filter->second.shape.size() != 2 ||
      filter->second.shape[1] != d ||
      output->second.shape != std::vector<Index>{filter->second.shape[0], c, d})
    throw InvalidInput(
        fmt::format("{}: filter.weight must be filters x {} and filter.output filters x {} x {}",
                    source, d, c, d));
  model.filters = {.features = d,
                   .outputs = c,
                   .filters = filter->second.shape[0],
                   .U = filter->second.entries,
                   .W = output->second.entries};
}

void read_weights(Model& model, const Safetensors& content, const std::string& source) {
  const Tensor* hidden = find_tensor(content, "hidden.weight", "0.weight", 2, source);
  const Tensor* bias = find_tensor(content, "hidden.bias", "0.bias", 1, source);
  const Tensor* output = find_tensor(content, "output.weight", "2.weight", 2, source);
  if (hidden == nullptr || output == nullptr)
    throw InvalidInput(fmt::format("{}: holds no tensor '{}'", source,
                                   hidden == nullptr ? "hidden.weight" : "output.weight"));
  const Index m = hidden->shape[0], d = hidden->shape[1], c = output->shape[0];
  if (output->shape[1] != m || (bias != nullptr && bias->shape[0] != m))
    throw InvalidInput(fmt::format("{}: the layers disagree: {} neurons in hidden.weight, {} in {}",
                                   source, m,
                                   output->shape[1] != m ? output->shape[1] : bias->shape[0],
                                   output->shape[1] != m ? "output.weight" : "hidden.bias"));
  if (d == 0 || c == 0)
    throw InvalidInput(fmt::format("{}: a network of {} features and {} outputs", source, d, c));
  // Row-major m x d is column-major d x m.
  model.network = {.features = d, .outputs = c, .neurons = m, .U = hidden->entries, .V = {}};
  model.network.V.resize(output->entries.size());
  for (Index k = 0; k < c; ++k)
    for (Index j = 0; j < m; ++j)
      model.network.V[static_cast<std::size_t>(k + j * c)] =
          output->entries[static_cast<std::size_t>(j + k * m)];
  if (bias != nullptr) model.hidden_bias = bias->entries;
  read_gates(model, content, source);
  read_filters(model, content, source);
}

}  // namespace

std::string model_bytes(const Model& model) {
  const Index d = model.network.features, c = model.network.outputs, m = model.network.neurons;
  Safetensors content;
  content.metadata = metadata(model);
  content.tensors["hidden.weight"] = {.shape = {m, d}, .entries = model.network.U};
  Tensor& output = content.tensors["output.weight"] = {.shape = {c, m}, .entries = {}};
  output.entries.resize(model.network.V.size());
  for (Index k = 0; k < c; ++k)
    for (Index j = 0; j < m; ++j)
      output.entries[static_cast<std::size_t>(j + k * m)] =
          model.network.V[static_cast<std::size_t>(k + j * c)];
  const bool biased =
      model.preparation.bias || model.preparation.standardized() || !model.hidden_bias.empty();
  if (biased) content.tensors["hidden.bias"] = {.shape = {m}, .entries = model.hidden_bias};
  if (model.network.activation == Activation::gated) {
    content.tensors["gate.weight"] = {.shape = {m, d}, .entries = model.network.G};
    if (biased) content.tensors["gate.bias"] = {.shape = {m}, .entries = model.gate_bias};
  }
  if (const CircularNetwork& net = model.filters; net.features > 0) {
    // Row-major m x d is column-major d x m, and so on.
    content.tensors["filter.weight"] = {.shape = {net.filters, net.features}, .entries = net.U};
    content.tensors["filter.output"] = {.shape = {net.filters, net.outputs, net.features},
                                        .entries = net.W};
  }
  return safetensors_bytes(content);
}

Model read_model(const Path& path) {
  const std::string source = path.string();
  const Safetensors content = io::parse_safetensors(io::read_file(path), source);
  refuse_other_tensors(content, source);
  Model model;
  read_weights(model, content, source);
  read_metadata(model, content.metadata, source);
  check_metadata(model, source);
  return model;
}

}  // namespace relulift
