// SPDX-License-Identifier: Apache-2.0
// relulift predict: class and scores, or values, per row as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <memory>
#include <relulift/error.hpp>

#include "src/tools/arguments.hpp"
#include "src/tools/exit_code.hpp"

namespace relulift::tools {
namespace {

struct PredictArguments {
  std::string model;
  std::string data;
  std::string out;
  TargetArguments targets;
};

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

// Column names of the outputs: of the model, else of the data, else counted.
std::vector<std::string> output_names(const Model& model, const Dataset& data) {
  if (!model.schema.outputs.empty()) return model.schema.outputs;
  if (!data.schema.outputs.empty()) return data.schema.outputs;
  std::vector<std::string> names;
  for (Index k = 0; k < model.network.outputs; ++k) names.push_back(fmt::format("y{}", k));
  return names;
}

std::string predictions_csv(const std::vector<double>& scores, Index samples,
                            const std::vector<std::string>& names, TargetKind kind) {
  const bool labels = kind == TargetKind::labels;
  const auto outputs = static_cast<Index>(names.size());
  std::string text = labels ? "class" : "";
  for (const std::string& name : names)
    text += (text.empty() ? "" : ",") + csv_text(labels ? "score_" + name : name);
  text += '\n';
  auto end = std::back_inserter(text);
  for (Index i = 0; i < samples; ++i) {
    if (labels)
      text += csv_text(names[static_cast<std::size_t>(argmax_row(scores, samples, outputs, i))]);
    for (Index k = 0; k < outputs; ++k)
      fmt::format_to(end, "{}{}", k > 0 || labels ? "," : "",
                     scores[static_cast<std::size_t>(i + k * samples)]);
    text += '\n';
  }
  return text;
}

std::string score_words(const Scores& scores, Index samples) {
  std::string text;
  if (std::isfinite(scores.accuracy)) text += fmt::format("accuracy {:.4f}, ", scores.accuracy);
  if (std::isfinite(scores.rmse)) text += fmt::format("rmse {:.6g}, ", scores.rmse);
  return text + fmt::format("loss {:.6g} on {} rows\n", scores.loss, samples);
}

int predict_rows(const PredictArguments& arguments) {
  if (!arguments.out.empty()) {
    check_no_overwrite(arguments.out, {arguments.model, arguments.data, arguments.targets.file});
    check_writable(arguments.out);
  }
  const Model model = read_model(arguments.model);
  const Dataset data = read_dataset(arguments.data, arguments.targets.targets(), model.schema);
  check_fits(model, data, arguments.data);
  const std::vector<double> scores = predict(model, data.X, data.samples);
  const TargetKind kind =
      model.schema.kind != TargetKind::none ? model.schema.kind : data.schema.kind;
  const std::string text = predictions_csv(scores, data.samples, output_names(model, data), kind);
  // Standard output carries the table unless a file does.
  std::ostream& words = arguments.out.empty() ? std::cerr : std::cout;
  if (arguments.out.empty()) {
    if (!(std::cout << text << std::flush)) throw FileError("standard output: cannot be written");
  } else {
    write_file(arguments.out, text);
  }
  if (data.outputs > 0) words << score_words(score(data, scores), data.samples);
  return kWritten;
}

}  // namespace

void add_predict(CLI::App& app, int& code) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command =
      app.add_subcommand("predict", "Class and scores, or values, for every row of a table");
  command->add_option("MODEL", arguments->model, "model.safetensors")->required();
  command->add_option("DATA", arguments->data, kTableWords)->required();
  command->add_option("--out", arguments->out, "write here, not to standard output")
      ->type_name("FILE.csv");
  arguments->targets.add_to(*command);
  command->footer(
      "Columns are matched by name. Where the targets are present, the accuracy or error is "
      "reported.\nExample:\n  relulift predict out/iris/model.safetensors data/iris_test.csv "
      "--out out/iris_predictions.csv");
  command->callback([arguments, &code] { code = predict_rows(*arguments); });
}

}  // namespace relulift::tools
