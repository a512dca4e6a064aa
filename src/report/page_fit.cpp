// SPDX-License-Identifier: Apache-2.0
// How the answers fit the targets: a confusion matrix for classes, prediction against target for
// numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

constexpr Index kMostClasses = 20, kMostOutputs = 6, kMostPoints = 1000;
constexpr std::size_t kMostMistakes = 15;

// Rows counted by class and answer.
using Confusion = std::map<std::pair<Index, Index>, Index>;

Confusion confusion_of(const PageTable& table) {
  const Dataset& data = table.data;
  Confusion counts;
  for (Index i = 0; i < data.samples; ++i)
    ++counts[{argmax_row(data.Y, data.samples, data.outputs, i),
              argmax_row(table.predictions, data.samples, data.outputs, i)}];
  return counts;
}

Index count_of(const Confusion& counts, Index actual, Index answer) {
  const auto found = counts.find({actual, answer});
  return found == counts.end() ? 0 : found->second;
}

std::string matrix_html(const Confusion& counts, const std::vector<std::string>& names,
                        const std::string& caption) {
  const auto classes = static_cast<Index>(names.size());
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"confusion\"><caption>{}</caption><thead><tr><td></td>",
      caption);
  for (const auto& name : names)
    html += fmt::format("<th scope=\"col\">{}</th>", name_html(shortened(name, 20)));
  html += "<th scope=\"col\">right</th></tr></thead><tbody>\n";
  for (Index actual = 0; actual < classes; ++actual) {
    Index rows = 0;
    for (Index answer = 0; answer < classes; ++answer) rows += count_of(counts, actual, answer);
    html += fmt::format("<tr><th scope=\"row\">{}</th>",
                        name_html(shortened(names[static_cast<std::size_t>(actual)], 20)));
    for (Index answer = 0; answer < classes; ++answer) {
      const Index count = count_of(counts, actual, answer);
      const double share = rows > 0 ? static_cast<double>(count) / static_cast<double>(rows) : 0.0;
      html += fmt::format("<td class=\"n {}\" style=\"--share:{:.0f}%\">{}</td>",
                          actual == answer ? "hit" : "miss", count == 0 ? 0.0 : 8.0 + 62.0 * share,
                          count_words(count));
    }
    const Index right = count_of(counts, actual, actual);
    html += fmt::format(
        "<td class=\"n\">{}</td></tr>\n",
        rows > 0 ? figure(100.0 * static_cast<double>(right) / static_cast<double>(rows), 3) + " %"
                 : "–");
  }
  return html + "</tbody></table></div>\n";
}

// Of more classes than a matrix is readable for.
std::string mistakes_html(const Confusion& counts, const std::vector<std::string>& names,
                          const std::string& caption) {
  std::vector<std::pair<Index, std::pair<Index, Index>>> wrong;
  for (const auto& [classes, count] : counts)
    if (classes.first != classes.second) wrong.push_back({-count, classes});
  if (wrong.empty()) return fmt::format("<p>{}: every answer is right.</p>\n", caption);
  std::sort(wrong.begin(), wrong.end());
  wrong.resize(std::min(wrong.size(), kMostMistakes));
  std::string html = fmt::format(
      "<table><caption>{}: the most frequent mistakes</caption><thead><tr><th "
      "scope=\"col\">Class</th><th scope=\"col\">Answer</th><th scope=\"col\" "
      "class=\"n\">Rows</th></tr></thead><tbody>\n",
      caption);
  const auto name = [&](Index k) {
    return name_html(shortened(names[static_cast<std::size_t>(k)], 40));
  };
  for (const auto& [count, classes] : wrong)
    html += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n",
                        name(classes.first), name(classes.second), count_words(-count));
  return html + "</tbody></table>\n";
}

std::string scatter_svg(const PageTable& table, Index k, const std::string& name,
                        const std::string& id) {
  const Dataset& data = table.data;
  const auto first = static_cast<std::size_t>(k * data.samples);
  const auto samples = static_cast<std::size_t>(data.samples);
  double low = INFINITY, high = -INFINITY, squares = 0.0;
  for (std::size_t i = 0; i < samples; ++i) {
    const double target = data.Y[first + i], answer = table.predictions[first + i];
    low = std::min({low, target, answer});
    high = std::max({high, target, answer});
    squares += (target - answer) * (target - answer);
  }
  const double margin = 0.04 * (high - low);
  const Axis axis(low - margin, high + margin, Axis::Scale::linear);
  constexpr double kSide = 180.0, kLeft = 48.0, kTop = 22.0;
  const double error = std::sqrt(squares / static_cast<double>(samples));
  std::string svg = svg_open(
      id, "class=\"panel\" viewBox=\"0 0 240 240\" width=\"240\"",
      "Prediction against target of " + name,
      fmt::format("Targets and predictions lie between {} and {}; the root mean squared error is "
                  "{}.",
                  figure(low), figure(high), figure(error, 4)));
  svg += fmt::format("<text class=\"name\" x=\"{}\" y=\"13\">{}<title>{}</title></text>", at(kLeft),
                     escaped(shortened(name, 26)), escaped(name));
  for (const double tick : axis.ticks(3)) {
    const double along = kSide * axis.share(tick);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/><line class=\"grid\" "
        "x1=\"{3}\" x2=\"{4}\" y1=\"{5}\" y2=\"{5}\"/><text class=\"tick\" text-anchor=\"middle\" "
        "x=\"{0}\" y=\"{6}\">{7}</text><text class=\"tick\" text-anchor=\"end\" x=\"{8}\" "
        "y=\"{9}\">{7}</text>",
        at(kLeft + along), at(kTop), at(kTop + kSide), at(kLeft), at(kLeft + kSide),
        at(kTop + kSide - along), at(kTop + kSide + 14), figure(tick, 3), at(kLeft - 5),
        at(kTop + kSide - along + 4));
  }
  svg += fmt::format("<line class=\"diagonal\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n",
                     at(kLeft), at(kTop + kSide), at(kLeft + kSide), at(kTop));
  const std::size_t stride = (samples + kMostPoints - 1) / kMostPoints;
  for (std::size_t i = 0; i < samples; i += stride)
    svg += fmt::format("<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"2.4\"/>",
                       at(kLeft + kSide * axis.share(data.Y[first + i])),
                       at(kTop + kSide * (1.0 - axis.share(table.predictions[first + i]))));
  return svg + fmt::format(
                   "\n<text class=\"tick\" text-anchor=\"middle\" x=\"{}\" "
                   "y=\"233\">target</text></svg>\n",
                   at(kLeft + 0.5 * kSide));
}

std::string scatters_html(const PageTable& table, const std::vector<std::string>& names,
                          const std::string& kind, const std::string& id) {
  const Index outputs = table.data.outputs, shown = std::min(outputs, kMostOutputs);
  std::string html = fmt::format(
      "<figure><figcaption>{}: prediction (upwards) against target (to the right); on the line "
      "they agree{}{}.</figcaption><div class=\"panels\">\n",
      kind,
      table.data.samples > kMostPoints
          ? fmt::format("; about {} of {} rows", count_words(kMostPoints),
                        count_words(table.data.samples))
          : "",
      outputs > shown ? fmt::format("; the first {} of {} targets", shown, count_words(outputs))
                      : "");
  for (Index k = 0; k < shown; ++k)
    html += scatter_svg(table, k, names[static_cast<std::size_t>(k)], fmt::format("{}-{}", id, k));
  return html + "</div></figure>\n";
}

std::string table_html(const PageTable& table, const std::vector<std::string>& names,
                       const std::string& kind, const std::string& id) {
  if (!table.there())
    return fmt::format("<p class=\"missing\">{}: {} With the table at hand, give it by --{}.</p>\n",
                       kind, escaped(table.why_not), id == "fit" ? "data" : "test");
  if (!table.data.is_classification()) return scatters_html(table, names, kind, id);
  const Confusion counts = confusion_of(table);
  return static_cast<Index>(names.size()) <= kMostClasses ? matrix_html(counts, names, kind)
                                                          : mistakes_html(counts, names, kind);
}

}  // namespace

std::string fit_section(const PageData& page) {
  std::string html = "<section><h2>Answers and targets</h2>\n";
  const auto& names = page.facts.columns.outputs;
  if (page.train.there() && page.train.data.is_classification())
    html += "<p class=\"note\">Rows counted: a row per class, a column per answer.</p>\n";
  html += table_html(page.train, names, "Training data", "fit");
  if (page.facts.test) html += table_html(page.test, names, "Test data", "test-fit");
  return html + "</section>\n";
}

}  // namespace relulift
