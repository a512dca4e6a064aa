// SPDX-License-Identifier: Apache-2.0
// The inverse of result_json and trace_csv, and the tables of the run. A table that only
// result.json names may be gone since; one that the request names must be there.
#include "src/report/page_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/error.hpp>

#include "src/report/numbers.hpp"
#include "src/report/page_fields.hpp"
#include "src/report/page_trace.hpp"

namespace relulift {
namespace {

// The value among `values` that to_string() calls by the text of the field.
template <class Enum>
Enum named(const PageFields& fields, const char* name, std::initializer_list<Enum> values) {
  const std::string text = fields.text(name);
  for (const Enum value : values)
    if (text == to_string(value)) return value;
  fields.fail(name, "has none of the known values");
}

Scores read_scores(const PageFields& fields) {
  return {.accuracy = fields.number_or_nan("accuracy"),
          .rmse = fields.number_or_nan("rmse"),
          .loss = fields.number_or_nan("loss")};
}

std::vector<double> read_numbers(const PageFields& fields, const char* name, Index size) {
  const auto& list = fields.at(name);
  const bool numbers =
      list.is_array() && static_cast<Index>(list.size()) == size &&
      std::all_of(list.begin(), list.end(), [](const auto& entry) { return entry.is_number(); });
  if (!numbers) fields.fail(name, fmt::format("is not a list of {} numbers", size));
  return list.get<std::vector<double>>();
}

// u in the coordinates of the model file; the page shows objective and reduction, and those.
NewNeuron read_suggestion(const PageFields& fields, const RunFacts& facts) {
  NewNeuron neuron;
  neuron.objective = fields.number("objective");
  neuron.reduction = fields.number("reduction");
  neuron.u = read_numbers(fields, "u", facts.features);
  neuron.v = read_numbers(fields, "v", facts.outputs);
  if (!fields.is_null("bias")) neuron.u.push_back(fields.number("bias"));
  return neuron;
}

std::vector<std::string> read_names(const PageFields& fields, const char* name, Index size) {
  const auto& list = fields.at(name);
  const bool texts =
      list.is_array() && static_cast<Index>(list.size()) == size &&
      std::all_of(list.begin(), list.end(), [](const auto& entry) { return entry.is_string(); });
  if (!texts) fields.fail(name, fmt::format("is not a list of {} texts", size));
  return list.get<std::vector<std::string>>();
}

void read_bounds(const PageFields& fields, const std::string& source, Result& result) {
  const auto& list = fields.at("bounds");
  if (!list.is_array()) fields.fail("bounds", "is not a list");
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (!list[k].is_object()) fields.fail(fmt::format("bounds[{}]", k), "is not an object");
    const PageFields bound(list[k], source, fmt::format("bounds[{}].", k));
    const double value = bound.number_or_nan("value");
    result.bounds.push_back({bound.text("method"), bound.text("kind"),
                             std::isnan(value) ? -INFINITY : value, bound.number("at"),
                             bound.number("method_seconds"), bound.number("proof_seconds")});
  }
}

void read_facts(const PageFields& fields, RunFacts& facts) {
  const std::string command = fields.text("command");
  if (command != "train" && command != "certify")
    fields.fail("command", "is neither train nor certify");
  facts.command = command == "train" ? Command::train : Command::certify;
  const PageFields problem = fields.in("problem"), files = fields.in("files");
  facts.samples = problem.count("samples");
  facts.features = problem.count("features");
  facts.outputs = problem.count("outputs");
  facts.weight_decay = problem.number("weight_decay");
  facts.standardized = problem.flag("standardized");
  facts.bias = problem.flag("bias");
  if (!fields.is_null("train")) facts.train = read_scores(fields.in("train"));
  if (!fields.is_null("test")) facts.test = read_scores(fields.in("test"));
  facts.total_seconds = fields.in("seconds").number("total");
  facts.files = {.data = files.text_or_empty("data"),
                 .targets = files.text_or_empty("targets"),
                 .test = files.text_or_empty("test"),
                 .test_targets = files.text_or_empty("test_targets"),
                 .model = files.text_or_empty("model")};
  const PageFields columns = fields.in("columns");
  facts.columns.features = read_names(columns, "features", facts.features);
  facts.columns.outputs = read_names(columns, "outputs", facts.outputs);
  facts.columns.label_column = columns.text_or_empty("target");
  facts.columns.kind = columns.is_null("target") ? TargetKind::values : TargetKind::labels;
}

void read_program(const PageFields& fields, PageData& page) {
  using enum Method;
  page.facts.method = named(fields, "method", {sdp, relu, gated, exact, linear, circular});
  if (fields.is_null("convex_program")) return;
  const PageFields stated = fields.in("convex_program");
  ProgramReport& program = page.result.program;
  page.facts.program.outputs = named(stated, "outputs", {Outputs::joint, Outputs::one_vs_all});
  using enum Loss;
  page.facts.program.loss = named(stated, "loss", {squared, logistic, hinge, huber, absolute});
  if (stated.text("groups") == to_string(Group::feature)) page.facts.program.group = Group::feature;
  program.all_patterns = stated.flag("all_patterns");
  program.solver = stated.text("solver");
  if (!stated.is_null("pooling")) page.facts.program.pooling = Pooling::average;
  if (!stated.is_null("filters")) program.filters = stated.count("filters");
  if (page.facts.method != circular) program.patterns = stated.count("patterns");
  program.objective = stated.number_or_nan("objective");
  program.bound = fields.number_or_nan("program_bound");
}

void read_result(const Path& path, PageData& page) {
  const std::string source = path.string();
  const auto json = nlohmann::json::parse(read_text(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw InvalidInput(source + ": is no JSON object");
  const PageFields fields(json, source);
  if (fields.text("program") != "relulift") fields.fail("program", "is not relulift");
  page.version = fields.text("version");
  read_facts(fields, page.facts);
  Result& result = page.result;
  using enum Status;
  result.status = named(
      fields, "status",
      {gap_met, optimal, stalled, time_limit, iteration_limit, interrupted, numerical_failure});
  result.objective = fields.number_or_nan("objective");
  result.better_objective = fields.number_or_nan("better_objective");
  if (!fields.is_null("winner"))
    result.winner =
        named(fields, "winner", {Winner::network, Winner::column_generation, Winner::rounding});
  if (!fields.is_null("suggestion"))
    result.suggestion = read_suggestion(fields.in("suggestion"), page.facts);
  if (json.contains("method")) read_program(fields, page);  // not in files of early versions
  const PageFields certificate = fields.in("certificate");
  result.certificate.kind = certificate.text("kind");
  result.certificate.claim = named(certificate, "claim", {Claim::none, Claim::every_network});
  result.certificate.estimate = certificate.number_or_nan("estimate");
  if (result.certificate.claim == Claim::every_network)
    result.certificate.lower_bound = fields.number("lower_bound");
  read_bounds(fields, source, result);
  const PageFields relaxation = fields.in("relaxation");
  result.relaxation = {relaxation.text("engine"), relaxation.text("status"),
                       relaxation.number_or_nan("primal"), relaxation.number_or_nan("dual"),
                       relaxation.count("iterations")};
  const PageFields seconds = fields.in("seconds");
  result.seconds = {seconds.number("total"),       seconds.number("presolve"),
                    seconds.number("network"),     seconds.number("relaxation"),
                    seconds.number("certificate"), seconds.number("rounding")};
  result.network.neurons = fields.count("neurons");
  result.removed_rows = fields.in("problem").count("removed_rows");
  result.device = fields.text("device");
  result.plan = fields.text("plan");
}

void check_model(const PageData& page, const std::string& source) {
  const auto same = [&](const char* what, Index found, Index stated) {
    if (found != stated)
      throw InvalidInput(
          fmt::format("{}: has {} {}, result.json states {}", source, found, what, stated));
  };
  same("neurons", page.model.network.neurons, page.result.network.neurons);
  same("features", page.model.network.features, page.facts.features);
  same("outputs", page.model.network.outputs, page.facts.outputs);
}

struct TableFiles {
  Path table, targets;
};

// Throws for a table that cannot be the one of the run.
void read_table(const TableFiles& files, const PageData& page, double loss, PageTable& out) {
  const Schema& columns = page.facts.columns;
  Targets targets = columns.targets();
  if (!files.targets.empty()) targets = {.file = files.targets};
  Dataset data = read_dataset(files.table, targets, columns);
  if (data.features != page.facts.features || data.outputs != page.facts.outputs)
    throw InvalidInput(fmt::format("{}: has {} features and {} outputs, the run had {} and {}",
                                   out.name, data.features, data.outputs, page.facts.features,
                                   page.facts.outputs));
  std::vector<double> predictions = predict(page.model, data.X, data.samples);
  const double found = score(data, predictions).loss;
  // Rounding of the loss, where the residuals cancel.
  double scale = std::abs(loss);
  for (const double y : data.Y) scale += 1e-6 * y * y;
  if (!(std::abs(found - loss) <= 1e-6 * scale))
    throw InvalidInput(
        fmt::format("{}: is not the table of the run, its loss is {} where result.json states {}",
                    out.name, figure(found, 6), figure(loss, 6)));
  out.data = std::move(data);
  out.predictions = std::move(predictions);
}

PageTable read_table(const TableFiles& asked, const TableFiles& stated,
                     const std::optional<Scores>& scores, const PageData& page, const char* kind) {
  const bool named = !asked.table.empty();
  TableFiles files = named ? asked : stated;
  if (!asked.targets.empty()) files.targets = asked.targets;
  PageTable table{.name = files.table.string()};
  if (!scores) {
    if (named) throw InvalidInput(fmt::format("{}: the run had no {} data", table.name, kind));
    return table;
  }
  if (table.name.empty()) {
    table.why_not = fmt::format("result.json names no {} data.", kind);
    return table;
  }
  try {
    read_table(files, page, scores->loss, table);
  } catch (const Error& error) {
    if (named) throw;
    table.why_not = std::string(error.what()) + ".";
  }
  return table;
}

}  // namespace

PageData read_page_data(const PageRequest& request) {
  PageData page;
  read_result(request.directory / "result.json", page);
  page.result.trace = read_trace(request.directory / "trace.csv");
  Path model = request.directory / "model.safetensors";
  std::error_code error;
  if (!std::filesystem::exists(model, error) && !page.facts.files.model.empty())
    model = page.facts.files.model;  // of certify
  page.model = read_model(model);
  check_model(page, model.string());
  page.network = prepared_network(page.model);
  const RunFiles& files = page.facts.files;
  page.train = read_table({request.data, request.targets}, {files.data, files.targets},
                          page.facts.train, page, "training");
  page.test = read_table({request.test, request.test_targets}, {files.test, files.test_targets},
                         page.facts.test, page, "test");
  return page;
}

std::vector<std::string> input_names(const PageData& page) {
  std::vector<std::string> names = page.facts.columns.features;
  if (page.network.features > page.model.network.features) names.emplace_back("bias");
  return names;
}

}  // namespace relulift
