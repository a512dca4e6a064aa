// SPDX-License-Identifier: Apache-2.0
// The plane of two features: regions of equal answer for classes, levels of each output for
// numbers, and the rows of the training data in it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

constexpr Index kMostPoints = 2000, kMostOutputs = 6, kMostClasses = 24;
constexpr double kLeft = 52.0, kTop = 8.0;

// The part of the plane that is drawn, and the answers in the middle of its cells.
struct Plane {
  Axis x, y;
  double side;  // pixels
  Index cells;  // along each side
  std::vector<double> answers;

  double column(double value) const { return kLeft + side * x.share(value); }
  double line(double value) const { return kTop + side * (1.0 - y.share(value)); }
};

struct Range {
  double low, high;
};

Range range_of(const Dataset& data, Index j) {
  const auto from = data.X.begin() + j * data.samples;
  const auto [low, high] = std::minmax_element(from, from + data.samples);
  const double margin = *high > *low ? 0.06 * (*high - *low) : std::max(1.0, std::abs(*low));
  return {*low - margin, *high + margin};
}

Plane plane_of(const PageData& page, double side, Index cells) {
  const Range x = range_of(page.train.data, 0), y = range_of(page.train.data, 1);
  std::vector<double> points(static_cast<std::size_t>(2 * cells * cells));
  const auto middle = [&](const Range& range, Index k) {
    const double share = (static_cast<double>(k) + 0.5) / static_cast<double>(cells);
    return range.low + share * (range.high - range.low);
  };
  for (Index row = 0; row < cells; ++row)
    for (Index k = 0; k < cells; ++k) {
      points[static_cast<std::size_t>(row * cells + k)] = middle(x, k);
      points[static_cast<std::size_t>(cells * cells + row * cells + k)] = middle(y, row);
    }
  return {Axis(x.low, x.high, Axis::Scale::linear), Axis(y.low, y.high, Axis::Scale::linear), side,
          cells, predict(page.model, points, cells * cells)};
}

std::string frame_svg(const Plane& plane, const std::vector<std::string>& names) {
  const double bottom = kTop + plane.side;
  std::string svg;
  for (const double tick : plane.x.ticks(5))
    svg += fmt::format("<text class=\"tick\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
                       at(plane.column(tick)), at(bottom + 15), figure(tick, 3));
  for (const double tick : plane.y.ticks(5))
    svg += fmt::format("<text class=\"tick\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{}</text>",
                       at(kLeft - 6), at(plane.line(tick) + 4), figure(tick, 3));
  const double middle = kTop + 0.5 * plane.side;
  return svg + fmt::format(
                   "<text class=\"name\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>"
                   "<text class=\"name\" text-anchor=\"middle\" x=\"12\" y=\"{}\" "
                   "transform=\"rotate(-90 12 {})\">{}</text><rect class=\"frame\" "
                   "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                   at(kLeft + 0.5 * plane.side), at(bottom + 32), escaped(shortened(names[0], 40)),
                   at(middle), at(middle), escaped(shortened(names[1], 40)), at(kLeft), at(kTop),
                   at(plane.side), at(plane.side));
}

// One rectangle per run of cells of a line for which `css` is the same.
template <class Css>
std::string cells_svg(const Plane& plane, Css css) {
  const double cell = plane.side / static_cast<double>(plane.cells);
  std::string svg;
  for (Index row = 0; row < plane.cells; ++row)
    for (Index k = 0; k < plane.cells;) {
      const std::string mine = css(row * plane.cells + k);
      Index end = k + 1;
      while (end < plane.cells && css(row * plane.cells + end) == mine) ++end;
      if (!mine.empty())
        svg += fmt::format("<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", mine,
                           at(kLeft + cell * static_cast<double>(k)),
                           at(kTop + plane.side - cell * static_cast<double>(row + 1)),
                           at(cell * static_cast<double>(end - k)), at(cell));
      k = end;
    }
  return svg + '\n';
}

std::string opening(const Plane& plane, const std::string& id, const std::string& title,
                    const std::string& description, const char* css) {
  return svg_open(id,
                  fmt::format("class=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\"", css,
                              at(kLeft + plane.side + 12), at(kTop + plane.side + 40),
                              at(kLeft + plane.side + 12)),
                  title, description);
}

Index stride_of(const Dataset& data) { return (data.samples + kMostPoints - 1) / kMostPoints; }

std::string classes_html(const PageData& page) {
  const Dataset& data = page.train.data;
  const Plane plane = plane_of(page, 420.0, 140);
  const auto& names = page.facts.columns.outputs;
  const Index cells = plane.cells * plane.cells;
  std::string svg =
      opening(plane, "regions", "Decision regions",
              fmt::format("The plane of {} and {}, coloured by the class that the network answers, "
                          "with the training rows as marks of their own class.",
                          page.facts.columns.features[0], page.facts.columns.features[1]),
              "square");
  svg +=
      "<g class=\"region\">" +
      cells_svg(plane,
                [&](Index point) {
                  return fmt::format("class=\"t{}\"",
                                     tone(argmax_row(plane.answers, cells, data.outputs, point)));
                }) +
      "</g>";
  Index wrong = 0;
  const Index stride = stride_of(data);
  for (Index i = 0; i < data.samples; ++i) {
    const Index actual = argmax_row(data.Y, data.samples, data.outputs, i);
    const bool miss = argmax_row(page.train.predictions, data.samples, data.outputs, i) != actual;
    wrong += miss ? 1 : 0;
    if (i % stride != 0) continue;
    svg += mark_svg(actual, plane.column(data.X[static_cast<std::size_t>(i)]),
                    plane.line(data.X[static_cast<std::size_t>(i + data.samples)]), 4.2,
                    miss ? "mark miss" : "mark");
  }
  svg += frame_svg(plane, input_names(page)) + "</svg>\n";
  std::string html = fmt::format(
      "<figure><figcaption>The class the network answers, by colour; each mark is a training row "
      "of "
      "the class of its colour and shape{}. {} of {} rows lie in a wrong region{}.</figcaption>\n"
      "<p class=\"legend\">",
      stride > 1 ? fmt::format(" (one row in {} is drawn)", stride) : "", count_words(wrong),
      count_words(data.samples), wrong > 0 ? ", their marks have a thick edge" : "");
  for (Index k = 0; k < std::min(data.outputs, kMostClasses); ++k)
    html += "<svg width=\"14\" height=\"14\" aria-hidden=\"true\">" +
            mark_svg(k, 7.0, 7.0, 5.0, "mark") + "</svg> " +
            name_html(shortened(names[static_cast<std::size_t>(k)], 30)) + " ";
  return html + "</p>\n" + svg + "</figure>\n";
}

std::string levels_html(const PageData& page) {
  const Dataset& data = page.train.data;
  const Index shown = std::min(data.outputs, kMostOutputs);
  const Plane plane = plane_of(page, 200.0, 40);
  const auto& names = page.facts.columns.outputs;
  const Index cells = plane.cells * plane.cells, stride = stride_of(data);
  std::string html =
      "<figure><figcaption>What the network answers, by colour (blue below zero, orange above, the "
      "stronger the larger); each circle is a training row in the colour of its "
      "target.</figcaption><div class=\"panels\">\n";
  for (Index k = 0; k < shown; ++k) {
    double largest = 0.0;
    for (Index i = 0; i < cells; ++i)
      largest = std::max(largest, std::abs(plane.answers[static_cast<std::size_t>(i + k * cells)]));
    for (Index i = 0; i < data.samples; ++i)
      largest = std::max(largest, std::abs(data.Y[static_cast<std::size_t>(i + k * data.samples)]));
    const auto css = [&](double value) {
      const double strength =
          largest > 0.0 ? std::round(20.0 * std::abs(value) / largest) / 20.0 : 0.0;
      return fmt::format("class=\"{}\" fill-opacity=\"{:.2f}\"", value < 0.0 ? "neg" : "pos",
                         strength);
    };
    const std::string& name = names[static_cast<std::size_t>(k)];
    html += "<div><p class=\"name\">" + name_html(shortened(name, 30)) +
            fmt::format(", up to ±{}</p>", figure(largest, 3));
    html += opening(plane, fmt::format("levels-{}", k), "Answers of output " + name,
                    "Levels over the plane of the two features.", "panel");
    html += cells_svg(plane, [&](Index point) {
      return css(plane.answers[static_cast<std::size_t>(point + k * cells)]);
    });
    for (Index i = 0; i < data.samples; i += stride) {
      const double x = plane.column(data.X[static_cast<std::size_t>(i)]);
      const double y = plane.line(data.X[static_cast<std::size_t>(i + data.samples)]);
      html += fmt::format(
          "<circle class=\"paper\" cx=\"{0}\" cy=\"{1}\" r=\"4\"/><circle {2} "
          "cx=\"{0}\" cy=\"{1}\" r=\"4\"/>",
          at(x), at(y), css(data.Y[static_cast<std::size_t>(i + k * data.samples)]));
    }
    html += frame_svg(plane, input_names(page)) + "</svg></div>\n";
  }
  html += "</div></figure>\n";
  if (data.outputs > shown)
    html += fmt::format("<p class=\"note\">The first {} of {} outputs.</p>\n", shown,
                        count_words(data.outputs));
  return html;
}

}  // namespace

std::string mark_svg(Index k, double x, double y, double r, const std::string& css) {
  const std::string attributes = fmt::format("class=\"{} t{}\"", css, tone(k));
  const auto polygon = [&](std::initializer_list<std::pair<double, double>> corners) {
    std::string points;
    for (const auto& [dx, dy] : corners) points += at(x + r * dx) + "," + at(y + r * dy) + " ";
    points.pop_back();
    return fmt::format("<polygon {} points=\"{}\"/>", attributes, points);
  };
  switch (k % 6) {
    case 0:
      return fmt::format("<circle {} cx=\"{}\" cy=\"{}\" r=\"{}\"/>", attributes, at(x), at(y),
                         at(r));
    case 1:
      return polygon({{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}});
    case 2:
      return polygon({{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}});
    case 3:
      return polygon({{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}});
    case 4:
      return polygon({{0, 1.2}, {1.1, -0.8}, {-1.1, -0.8}});
    default:
      return polygon({{-0.4, -1.2},
                      {0.4, -1.2},
                      {0.4, -0.4},
                      {1.2, -0.4},
                      {1.2, 0.4},
                      {0.4, 0.4},
                      {0.4, 1.2},
                      {-0.4, 1.2},
                      {-0.4, 0.4},
                      {-1.2, 0.4},
                      {-1.2, -0.4},
                      {-0.4, -0.4}});
  }
}

std::string regions_section(const PageData& page) {
  if (page.facts.features != 2) return "";
  std::string html = "<section><h2>The plane of the two features</h2>\n";
  if (!page.train.there())
    return html +
           "<p class=\"missing\">It takes the training data, which are not there: see "
           "“Answers and targets”.</p></section>\n";
  return html + (page.train.data.is_classification() ? classes_html(page) : levels_html(page)) +
         "</section>\n";
}

}  // namespace relulift
