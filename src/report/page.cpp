// SPDX-License-Identifier: Apache-2.0
// The page as a whole: what was reached first, then how, then from what.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

const char* kind_of_network(Method method) {
  if (method == Method::gated) return "gated network";
  if (method == Method::circular) return "circular network";
  return method == Method::linear ? "linear network" : "ReLU network";
}

std::string tile(const std::string& name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

std::string tiles(const PageData& page) {
  const Result& result = page.result;
  const bool proved = result.certificate.claim == Claim::every_network;
  const bool program = page.facts.method != Method::sdp && !proved;
  const double gap =
      program ? relative_gap(result.program.objective, result.program.bound) : relative_gap(result);
  const int digits = digits_for(gap);
  const auto bound = [&](double value, bool there) {
    return there ? significant(value, digits, Rounding::down) : "none";
  };
  std::string html = "<dl class=\"tiles\">\n";
  html += tile("Objective", std::isfinite(result.objective)
                                ? significant(result.objective, digits, Rounding::nearest)
                                : "–");
  html += program ? tile("Program bound",
                         bound(result.program.bound, std::isfinite(result.program.bound)))
                  : tile("Lower bound", bound(result.certificate.lower_bound, proved));
  html += tile(program ? "Program gap" : "Relative gap", percent(gap));
  html += page.facts.method == Method::circular
              ? tile("Filters", count_words(result.program.filters))
              : tile("Neurons", count_words(result.network.neurons));
  const auto score = [&](const char* kind, const Scores& scores) {
    if (std::isfinite(scores.accuracy))
      html +=
          tile(fmt::format("{} accuracy", kind), fmt::format("{:.1f} %", 100.0 * scores.accuracy));
    else
      html += tile(fmt::format("{} error", kind), figure(scores.rmse, 4));
  };
  if (page.facts.train) score("Train", *page.facts.train);
  if (page.facts.test) score("Test", *page.facts.test);
  return html + tile("Time", duration(result.seconds.total)) + "</dl>\n";
}

std::string paragraphs(const std::string& text) {
  std::string html;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end > from) html += "<p>" + escaped(text.substr(from, end - from)) + "</p>\n";
    from = end + 1;
  }
  return html;
}

std::string weights_words(const std::vector<std::string>& names,
                          const std::vector<double>& weights) {
  constexpr std::size_t kMost = 8;
  std::vector<std::size_t> order(weights.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(weights[a]) > std::abs(weights[b]);
  });
  std::string text;
  for (std::size_t k = 0; k < std::min(order.size(), kMost); ++k) {
    const std::string name = order[k] < names.size() ? names[order[k]] : "bias";
    text += fmt::format("{}{}&#160;{}", k > 0 ? ", " : "", name_html(shortened(name, 40)),
                        figure(weights[order[k]], 4));
  }
  return text + (order.size() > kMost ? ", .." : "");
}

// u of read_page_data is that of the model file, with its bias at the end where there is one.
std::string suggestion(const PageData& page) {
  if (!page.result.suggestion) return "";
  const NewNeuron& neuron = *page.result.suggestion;
  std::vector<std::string> names = input_names(page);
  names.resize(std::min(names.size(), static_cast<std::size_t>(page.facts.features)));
  return fmt::format(
      "<div class=\"suggestion\"><p>With one more neuron the objective is {}. Its input weights "
      "are {}; its output weights are {}.</p></div>\n",
      figure(neuron.objective, 6), weights_words(names, neuron.u),
      weights_words(page.facts.columns.outputs, neuron.v));
}

// What the figures at the top are.
std::string figures_words(const PageData& page) {
  const ProgramOptions& program = page.facts.program;
  const bool circular = page.facts.method == Method::circular;
  const std::string loss = program.loss == Loss::squared
                               ? "½‖f(X) − Y‖²"
                               : fmt::format("the {} loss", to_string(program.loss));
  const std::string penalty = circular ? "g/2 (‖filter‖² + ‖weights‖²)"
                              : program.group == Group::feature
                                  ? "g times the lengths of the weights of each feature"
                                  : "g/2 (‖U‖² + ‖V‖²)";
  const bool alone =
      page.facts.method != Method::sdp && page.result.certificate.claim != Claim::every_network;
  return fmt::format("The objective is {} + {}; {}.", loss, penalty,
                     alone ? "the program bound holds for the networks that the program is over "
                             "and for no others"
                           : "the lower bound holds for every ReLU network of any width");
}

}  // namespace

Page report_page(const PageRequest& request) {
  const PageData data = read_page_data(request);
  const RunFiles& files = data.facts.files;
  const std::string name = files.data.empty() ? "a table" : Path(files.data).filename().string();
  Page page;
  for (const PageTable* table : {&data.train, &data.test})
    if (!table->why_not.empty()) page.missing.push_back(table->why_not);
  page.files = {files.data, files.targets, files.test, files.test_targets, files.model};
  std::string& html = page.html;
  html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>relulift: "
      "{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n"
      "<h1>Two-layer {} for {}</h1>\n",
      escaped(name), page_style(), kind_of_network(data.facts.method), name_html(name));
  html += paragraphs(closing_words(data.result, data.facts));
  html += tiles(data);
  html += suggestion(data);
  html += progress_section(data);
  html += bounds_section(data);
  html += data.facts.method == Method::circular ? filters_section(data) : neurons_section(data);
  html += regions_section(data);
  html += fit_section(data);
  html += settings_section(data);
  html += fmt::format(
      "</main>\n<footer>Made by relulift {} from the files of the run. {}</footer>\n</body>\n"
      "</html>\n",
      escaped(data.version), figures_words(data));
  return page;
}

}  // namespace relulift
