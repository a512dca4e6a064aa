// SPDX-License-Identifier: Apache-2.0
// A certificate file against its data and model. Nothing in it is believed: the claims have to
// follow from what is proved here.
#include <relulift/certificate.hpp>

#include <algorithm>
#include <new>
#include <nlohmann/json.hpp>
#include <relulift/error.hpp>
#include <relulift/proof.hpp>
#include <stdexcept>

#include "src/verify/statement.hpp"

namespace relulift {
namespace {

using namespace verifier;
using Json = nlohmann::json;

// Relative slack of the two claims that are values, not bounds.
constexpr double kSlack = 1e-12;

struct Content {
  Statement statement;
  Proof proof;
  std::string data_hash, model_hash;
  double lower_bound = 0.0, objective = 0.0, relative_gap = 0.0;
};

template <class T>
T entry(const Safetensors& file, const std::string& key) {
  return Json::parse(file.metadata.at(key)).get<T>();
}

std::vector<double> tensor(const Safetensors& file, const std::string& name) {
  const auto at = file.tensors.find(name);
  return at == file.tensors.end() ? std::vector<double>() : at->second.entries;
}

// Out of every range where it is no whole number.
Index whole(double value) {
  return std::abs(value) <= 1e15 && value == std::floor(value) ? static_cast<Index>(value) : -2;
}

std::vector<Index> whole_numbers(const Safetensors& file, const std::string& name) {
  std::vector<Index> out;
  for (const double value : tensor(file, name)) out.push_back(whole(value));
  return out;
}

Content content_of(const std::string& bytes) {
  const Safetensors file = read_safetensors(bytes);
  Content out;
  try {
    if (file.metadata.at("format") != "relulift certificate" ||
        file.metadata.at("format_version") != "1")
      throw InvalidInput("it is no certificate of format version 1");
    const std::string& own = file.metadata.at("sha256");
    if (sha256(without_hash(bytes, own)) != own)
      throw InvalidInput("it is damaged: its SHA-256 is not the one it states");
    Statement& statement = out.statement;
    using Names = std::vector<std::string>;
    statement.columns.features = entry<Names>(file, "features");
    if (file.metadata.contains("classes")) {
      statement.columns.label = entry<std::string>(file, "target");
      statement.columns.outputs = entry<Names>(file, "classes");
    } else {
      statement.columns.outputs = entry<Names>(file, "targets");
    }
    if (statement.columns.features.empty() || statement.columns.outputs.empty())
      throw InvalidInput("it names no features or no targets");
    Names columns = statement.columns.features;
    if (statement.columns.label.empty())
      columns.insert(columns.end(), statement.columns.outputs.begin(),
                     statement.columns.outputs.end());
    else
      columns.push_back(statement.columns.label);
    std::sort(columns.begin(), columns.end());
    if (std::adjacent_find(columns.begin(), columns.end()) != columns.end())
      throw InvalidInput("it names a column twice");
    statement.bias = entry<bool>(file, "bias");
    statement.weight_decay = entry<double>(file, "weight_decay");
    // Not copied: a copy recurses as deep as the text nests.
    const Json given = Json::parse(file.metadata.at("standardization"));
    if (!given.is_null()) {
      statement.mean = given.at("mean").get<std::vector<double>>();
      statement.scale = given.at("scale").get<std::vector<double>>();
      const std::size_t d = statement.columns.features.size();
      const auto positive = [](double scale) { return scale > 0.0; };
      if (statement.mean.size() != d || statement.scale.size() != d ||
          !std::all_of(statement.scale.begin(), statement.scale.end(), positive))
        throw InvalidInput("its standardization does not fit its features");
    }
    out.data_hash = file.metadata.at("data_sha256");
    out.model_hash = file.metadata.at("model_sha256");
    out.lower_bound = entry<double>(file, "lower_bound");
    out.objective = entry<double>(file, "objective");
    out.relative_gap = entry<double>(file, "relative_gap");
    out.proof.kind = file.metadata.at("kind");
    out.proof.sigma = entry<double>(file, "sigma");
  } catch (const Json::exception&) {
    throw InvalidInput("its metadata are damaged");
  } catch (const std::out_of_range&) {
    throw InvalidInput("its metadata are not complete");
  }
  Proof& proof = out.proof;
  proof.G = tensor(file, "G");
  proof.ratio = tensor(file, "ratio");
  proof.axes = tensor(file, "axes");
  proof.cones = tensor(file, "cones");
  proof.norms = tensor(file, "norms");
  proof.representative = whole_numbers(file, "representative");
  proof.splits = whole_numbers(file, "splits");
  proof.leaf_entries = whole_numbers(file, "leaf_entries");
  const std::vector<double> entries = tensor(file, "entries");
  if (entries.size() % 3 != 0) throw InvalidInput("its multipliers are no triples");
  for (std::size_t k = 0; k < entries.size(); k += 3)
    proof.entries.push_back({whole(entries[k]), whole(entries[k + 1]), entries[k + 2]});
  return out;
}

// As `call`, with what it is about before the reason.
template <class Call>
auto about(const char* what, const Call& call) {
  try {
    return call();
  } catch (const InvalidInput& error) {
    throw InvalidInput(std::string(what) + error.what());
  }
}

void check(const std::string& bytes, const std::string& data_bytes, const std::string* model,
           Verdict& verdict) {
  const Content content = about("the certificate: ", [&] { return content_of(bytes); });
  const Statement& statement = content.statement;
  verdict.kind = content.proof.kind;
  verdict.targets = statement.columns.outputs;
  if (!statement.columns.label.empty()) verdict.targets = {statement.columns.label};
  verdict.bias = statement.bias;
  verdict.standardized = !statement.scale.empty();
  verdict.weight_decay = statement.weight_decay;
  verdict.features = statement.columns.features;
  verdict.outputs = static_cast<Index>(statement.columns.outputs.size());
  verdict.lower_bound = content.lower_bound;
  verdict.objective = content.objective;
  verdict.relative_gap = content.relative_gap;
  if (sha256(data_bytes) != content.data_hash)
    throw InvalidInput("the data are not those of the certificate (SHA-256)");
  if (model != nullptr && sha256(*model) != content.model_hash)
    throw InvalidInput("the model is not that of the certificate (SHA-256)");

  const Problem problem = about(
      "the data: ", [&] { return problem_of(statement, read_csv(data_bytes, statement.columns)); });
  verdict.samples = problem.samples;
  double upper = kInfinity;
  if (model != nullptr) {
    upper = rounded_up(
        about("the model: ", [&] { return objective_of(statement, problem, *model); }).high());
    verdict.model_checked = true;
    if (!(content.objective >= upper && content.objective <= upper * (1 + kSlack)))
      throw InvalidInput("the objective claimed is not that of the model");
  }
  const Proved proved = verify(problem, content.proof, upper);
  verdict.proved = proved.lower_bound;
  if (!proved.failure.empty()) throw InvalidInput("the proof: " + proved.failure);
  if (!(content.lower_bound <= proved.lower_bound))
    throw InvalidInput(
        model == nullptr && content.proof.sigma > 1.0
            ? "the lower bound claimed does not follow without the model; give it too"
            : "the lower bound claimed does not follow");
  const double gap = gap_above(content.objective, content.lower_bound);
  if (!(content.relative_gap >= gap && content.relative_gap <= gap * (1 + kSlack)))
    throw InvalidInput("the relative gap claimed is not that of the objective and the bound");
  verdict.valid = true;
}

}  // namespace

Verdict verify_certificate(const Path& certificate, const Path& data, const Path& model) {
  Verdict verdict;
  const std::string bytes = read_bytes(certificate), data_bytes = read_bytes(data);
  const std::string model_bytes = model.empty() ? "" : read_bytes(model);
  try {
    check(bytes, data_bytes, model.empty() ? nullptr : &model_bytes, verdict);
  } catch (const InvalidInput& error) {
    verdict.reason = error.what();
  } catch (const std::bad_alloc&) {
    verdict.reason = "it needs more memory than there is";
  } catch (const std::length_error&) {
    verdict.reason = "it needs more memory than there is";
  }
  return verdict;
}

}  // namespace relulift
