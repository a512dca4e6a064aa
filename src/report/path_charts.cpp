// SPDX-License-Identifier: Apache-2.0
// Widths are shares of the page and heights are pixels, as in the drawings over time.
#include "src/report/path_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/report/numbers.hpp"

namespace relulift {
namespace {

constexpr double kHeight = 180.0, kWidth = 1000.0;
// A range of values beyond this ratio is drawn on a logarithmic axis.
constexpr double kLogarithmic = 15.0;

// What is left out has no share of an axis.
bool drawn(double value) { return std::isfinite(value); }

double error_of(const PathLine& line, std::size_t k) {
  return k < line.errors.size() && drawn(line.errors[k]) ? line.errors[k] : 0.0;
}

Axis value_axis(const std::vector<PathLine>& lines) {
  double low = INFINITY, high = -INFINITY;
  bool banded = false;
  for (const PathLine& line : lines) {
    banded = banded || !line.errors.empty();
    for (std::size_t k = 0; k < line.values.size(); ++k) {
      if (!drawn(line.values[k])) continue;
      low = std::min(low, line.values[k] - error_of(line, k));
      high = std::max(high, line.values[k] + error_of(line, k));
    }
  }
  if (low > 0.0 && !banded && high / low > kLogarithmic)
    return {low / 1.2, high * 1.2, Axis::Scale::logarithmic};
  const double margin = 0.05 * (high - low);
  return {low >= 0.0 ? std::max(0.0, low - margin) : low - margin, high + margin,
          Axis::Scale::linear};
}

class Drawing {
 public:
  explicit Drawing(const PathChart& chart)
      : chart_(chart),
        decay_(*std::ranges::min_element(chart.weight_decays),
               *std::ranges::max_element(chart.weight_decays), Axis::Scale::logarithmic),
        value_(value_axis(chart.lines)) {}

  std::string html() const {
    std::string svg = "<div class=\"chart\">" +
                      svg_open(chart_.id, "width=\"100%\" height=\"222\" overflow=\"visible\"",
                               chart_.title, chart_.description) +
                      grid() + marks() +
                      "\n<svg viewBox=\"0 0 1000 180\" preserveAspectRatio=\"none\" width=\"100%\" "
                      "height=\"180\" overflow=\"visible\">";
    for (const PathLine& line : chart_.lines) svg += band(line) + path(line);
    svg += "</svg>\n";
    for (const PathLine& line : chart_.lines) svg += dots(line);
    return svg + "</svg></div>\n";
  }
  bool logarithmic() const { return value_.scale() == Axis::Scale::logarithmic; }

 private:
  double x(std::size_t k) const { return decay_.share(chart_.weight_decays[k]); }
  double y(double value) const { return kHeight * (1.0 - value_.share(value)); }

  std::string grid() const {
    std::string svg;
    for (const double tick : value_.ticks(5))
      svg += fmt::format(
          "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/><text class=\"tick\" "
          "text-anchor=\"end\" x=\"-8\" y=\"{1}\">{2}{3}</text>",
          at(y(tick)), at(y(tick) + 4), figure(chart_.unit * tick, 4), chart_.suffix);
    for (const double tick : decay_.ticks(6))
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{0}%\" x2=\"{0}%\" y1=\"0\" y2=\"180\"/><text "
          "class=\"tick\" text-anchor=\"middle\" x=\"{0}%\" y=\"197\">{1}</text>",
          at(100.0 * decay_.share(tick)), figure(tick, 3));
    return svg +
           "<text class=\"tick\" text-anchor=\"middle\" x=\"50%\" y=\"216\">weight decay g "
           "(logarithmic)</text>";
  }

  std::string marks() const {
    std::string svg;
    const auto mark = [&](double decay, const char* css, const char* words) {
      if (drawn(decay))
        svg += fmt::format(
            "<line class=\"choice {0}\" x1=\"{1}%\" x2=\"{1}%\" y1=\"0\" y2=\"180\"><title>{2}: "
            "{3}</title></line>",
            css, at(100.0 * decay_.share(decay)), words, figure(decay, 6));
    };
    mark(chart_.one_standard_error, "error", "one standard error");
    mark(chart_.best, "best", "best");
    return svg;
  }

  std::string path(const PathLine& line) const {
    std::string steps;
    bool pen = false;
    for (std::size_t k = 0; k < line.values.size(); ++k) {
      if (drawn(line.values[k]))
        steps += fmt::format("{}{} {}", pen ? "L" : "M", at(kWidth * x(k)), at(y(line.values[k])));
      pen = drawn(line.values[k]);
    }
    return steps.empty() ? "" : fmt::format("<path class=\"line {}\" d=\"{}\"/>", line.css, steps);
  }

  std::string band(const PathLine& line) const {
    std::string above, below;
    for (std::size_t k = 0; k < line.errors.size(); ++k) {
      if (!drawn(line.values[k])) continue;
      const auto corner = [&](double value) {
        return fmt::format("{},{} ", at(kWidth * x(k)), at(y(value)));
      };
      above += corner(line.values[k] + error_of(line, k));
      below.insert(0, corner(line.values[k] - error_of(line, k)));
    }
    if (above.empty()) return "";
    below.pop_back();
    return fmt::format("<polygon class=\"band\" points=\"{}{}\"/>", above, below);
  }

  std::string dots(const PathLine& line) const {
    std::string svg;
    for (std::size_t k = 0; k < line.values.size(); ++k)
      if (drawn(line.values[k]))
        svg += fmt::format(
            "<circle class=\"point {}\" cx=\"{}%\" cy=\"{}\" r=\"2.5\"><title>g = {}: "
            "{}{}</title></circle>",
            line.css, at(100.0 * x(k)), at(y(line.values[k])), figure(chart_.weight_decays[k], 4),
            figure(chart_.unit * line.values[k], 6), chart_.suffix);
    return svg + "\n";
  }

  const PathChart& chart_;
  Axis decay_, value_;
};

}  // namespace

std::string path_chart(const PathChart& chart) {
  PathChart shown = chart;
  std::erase_if(shown.lines,
                [](const PathLine& line) { return std::ranges::none_of(line.values, drawn); });
  if (shown.lines.empty()) return "";
  const Drawing drawing(shown);
  std::string legend;
  for (const PathLine& line : shown.lines)
    legend += fmt::format("<span class=\"key {}\"></span>{}{}", line.css, line.name,
                          line.errors.empty() ? "" : " ± standard error");
  return fmt::format(
      "<figure><figcaption>{} over the weight decay ({} values).<span "
      "class=\"legend\">{}</span></figcaption>\n{}</figure>\n",
      escaped(shown.title), drawing.logarithmic() ? "logarithmic" : "linear", legend,
      drawing.html());
}

std::string path_chart_style() {
  return R"css(
.key.test, .key.neurons { border-top: 3px dotted var(--green); }
.key.program { border-top: 3px dotted var(--pink); }
.key.train { border-top: 3px dashed var(--orange); }
.line.validation { stroke: var(--blue); }
.line.train { stroke: var(--orange); stroke-dasharray: 7 4; }
.line.test, .line.neurons { stroke: var(--green); stroke-dasharray: 2 3; }
.line.program { stroke: var(--pink); stroke-dasharray: 2 3; }
.band { fill: var(--blue); fill-opacity: .18; }
.point { fill: var(--blue); }
.point.train, .point.bound { fill: var(--orange); }
.point.test, .point.neurons { fill: var(--green); }
.point.program { fill: var(--pink); }
.choice { stroke: var(--ink); stroke-width: 1.5; }
.choice.error { stroke-dasharray: 4 3; }
tr.best th, tr.best td { background: var(--panel); font-weight: 600; }
)css";
}

}  // namespace relulift
