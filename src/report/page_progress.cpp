// SPDX-License-Identifier: Apache-2.0
// Drawings over time. Widths are shares of the page and heights are pixels, so that lettering keeps
// its size on a telephone: lines stand in an inner drawing that is stretched, text does not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

constexpr double kHeight = 200.0, kWidth = 1000.0;
// A range of values beyond this ratio is drawn on a logarithmic axis.
constexpr double kLogarithmic = 15.0;

struct Point {
  double seconds, value;
};

constexpr std::string_view kObjective = "objective", kBound = "bound", kProgram = "program";

struct Line {
  std::string_view css;
  std::vector<Point> points;  // a step function; the last value holds to the end
};

std::vector<Point> points_of(const PageData& page, double Progress::*member, double last) {
  std::vector<Point> points;
  for (const Progress& row : page.result.trace)
    if (std::isfinite(row.*member) && (points.empty() || points.back().value != row.*member))
      points.push_back({row.seconds, row.*member});
  if (std::isfinite(last)) points.push_back({page.result.seconds.total, last});
  return points;
}

// Steps closer than a pixel are one.
std::string step_path(const Line& line, const Axis& time, const Axis& value) {
  std::string path;
  double drawn = -1.0;
  for (std::size_t k = 0; k < line.points.size(); ++k) {
    const double x = kWidth * time.share(line.points[k].seconds);
    const bool last = k + 1 == line.points.size();
    if (!path.empty() && x - drawn < 0.7 && !last) continue;
    drawn = x;
    const double y = kHeight * (1.0 - value.share(line.points[k].value));
    path +=
        path.empty() ? fmt::format("M{} {}", at(x), at(y)) : fmt::format("H{}V{}", at(x), at(y));
  }
  return path + fmt::format("H{}", at(kWidth));
}

// What ran when, below the time axis.
std::string phases_svg(const PageData& page, const Axis& time) {
  struct Span {
    std::string phase;
    double from, to;
  };
  std::vector<Span> spans;
  double before = 0.0;
  for (const Progress& row : page.result.trace) {
    if (spans.empty() || spans.back().phase != row.phase)
      spans.push_back({row.phase, before, row.seconds});
    spans.back().to = before = row.seconds;
  }
  std::string svg;
  for (std::size_t k = 0; k < spans.size(); ++k) {
    const double from = 100.0 * time.share(spans[k].from), to = 100.0 * time.share(spans[k].to);
    if (to - from < 0.1) continue;
    svg += fmt::format(
        "<rect class=\"phase p{}\" x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"16\"><title>{}: {} to "
        "{}</title></rect>",
        k % 2, at(from), at(to - from), at(kHeight + 24), escaped(spans[k].phase),
        duration(spans[k].from), duration(spans[k].to));
    if (to - from > 20.0)
      svg += fmt::format("<text class=\"tick\" text-anchor=\"middle\" x=\"{}%\" y=\"{}\">{}</text>",
                         at(0.5 * (from + to)), at(kHeight + 36), escaped(spans[k].phase));
  }
  return svg + "\n";
}

Axis time_axis(const PageData& page) {
  const auto& trace = page.result.trace;
  double last = std::max(page.result.seconds.total, 1e-3), first = last;
  for (const Progress& row : trace) {
    last = std::max(last, row.seconds);
    if (row.seconds > 0.0) first = std::min(first, row.seconds);
  }
  const double middle = trace.empty() ? last : trace[trace.size() / 2].seconds;
  const bool early = middle < 0.15 * last && first < 0.05 * last;
  if (!early) return {0.0, last, Axis::Scale::linear};
  return {std::max(first, 1e-4 * last), last, Axis::Scale::logarithmic};
}

template <class Words>
std::string chart(const std::string& opening, const std::vector<Line>& lines, const Axis& time,
                  const Axis& value, Words words, const std::string& below) {
  std::string svg = "<div class=\"chart\">" + opening;
  for (const double tick : value.ticks(5)) {
    const double y = kHeight * (1.0 - value.share(tick));
    svg += fmt::format(
        "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/><text class=\"tick\" "
        "text-anchor=\"end\" x=\"-8\" y=\"{1}\">{2}</text>",
        at(y), at(y + 4), words(tick));
  }
  for (const double tick : time.ticks(4))
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}%\" x2=\"{0}%\" y1=\"0\" y2=\"200\"/><text class=\"tick\" "
        "text-anchor=\"middle\" x=\"{0}%\" y=\"217\">{1}</text>",
        at(100.0 * time.share(tick)), tick == 0.0 ? "0" : figure(tick, 2) + " s");
  svg +=
      "\n<svg viewBox=\"0 0 1000 200\" preserveAspectRatio=\"none\" width=\"100%\" "
      "height=\"200\" overflow=\"visible\">";
  for (const Line& line : lines)
    svg +=
        fmt::format("<path class=\"line {}\" d=\"{}\"/>", line.css, step_path(line, time, value));
  return svg + "</svg>\n" + below + "</svg></div>\n";
}

std::pair<double, double> range_of(const std::vector<Line>& lines) {
  double low = INFINITY, high = -INFINITY;
  for (const Line& line : lines)
    for (const Point& point : line.points) {
      low = std::min(low, point.value);
      high = std::max(high, point.value);
    }
  return {low, high};
}

Axis value_axis(double low, double high) {
  if (low > 0.0 && high / low > kLogarithmic)
    return {low / 1.2, high * 1.2, Axis::Scale::logarithmic};
  const double margin = 0.04 * (high - low);
  return {low >= 0.0 ? std::max(0.0, low - margin) : low - margin, high + margin,
          Axis::Scale::linear};
}

const char* scale_words(const Axis& axis) {
  return axis.scale() == Axis::Scale::logarithmic ? "logarithmic" : "linear";
}

std::string bound_words(double bound) {
  return std::isfinite(bound) ? significant(bound, 6, Rounding::down) : "–";
}

const char* name_of(const Line& line) {
  if (line.css == kObjective) return "objective";
  return line.css == kBound ? "lower bound" : "bound of the program";
}

std::string legend(const std::vector<Line>& lines) {
  std::string html = "<span class=\"legend\">";
  for (const Line& line : lines)
    html += fmt::format("<span class=\"key {0}\"></span>{1} ", line.css, name_of(line));
  return html + "</span>";
}

std::string both_chart(const PageData& page, const std::vector<Line>& lines, const Axis& time) {
  const auto [low, high] = range_of(lines);
  const Axis value = value_axis(low, high);
  const int digits = high > low ? digits_for((high - low) / std::abs(high)) : 4;
  std::string words = fmt::format("After {}", duration(page.result.seconds.total));
  for (const Line& line : lines)
    words += fmt::format(", the {} ends at {}", name_of(line),
                         line.css == kObjective ? figure(line.points.back().value, 6)
                                                : bound_words(line.points.back().value));
  return fmt::format(
             "<figure><figcaption>Objective and proved bound over the seconds of the "
             "run ({} time, {} values); below, what ran.{}</figcaption>\n",
             scale_words(time), scale_words(value), legend(lines)) +
         chart(
             svg_open("progress", "width=\"100%\" height=\"246\" overflow=\"visible\"",
                      "Objective and bounds over time", words + "."),
             lines, time, value, [=](double v) { return figure(v, digits); },
             phases_svg(page, time)) +
         "</figure>\n";
}

std::string gap_chart(const PageData& page, const Axis& time) {
  const Result& result = page.result;
  // Of the program where nothing was proved beyond it.
  const bool alone = page.facts.method != Method::sdp && !std::isfinite(relative_gap(result));
  Line gap{"gap", {}};
  for (const Progress& row : result.trace) {
    const double value = relative_gap(row.objective, alone ? row.program_bound : row.lower_bound);
    if (std::isfinite(value)) gap.points.push_back({row.seconds, value});
  }
  const double last =
      alone ? relative_gap(result.program.objective, result.program.bound) : relative_gap(result);
  if (std::isfinite(last)) gap.points.push_back({result.seconds.total, last});
  constexpr double kLeast = 1e-8;  // what the page calls 0
  double low = INFINITY, high = kLeast;
  for (Point& point : gap.points) {
    point.value = std::max(point.value, kLeast);
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  if (gap.points.size() < 2) return "";
  const Axis value = high / low > 3.0 ? Axis(low / 1.2, high, Axis::Scale::logarithmic)
                                      : Axis(0.0, high, Axis::Scale::linear);
  return fmt::format("<figure><figcaption>Relative gap between the two ({}).</figcaption>\n",
                     scale_words(value)) +
         chart(
             svg_open(
                 "gap", "width=\"100%\" height=\"224\" overflow=\"visible\"",
                 "Relative gap over time",
                 fmt::format("The gap begins at {} and ends at {}.",
                             percent(gap.points.front().value), percent(gap.points.back().value))),
             {gap}, time, value, [](double v) { return figure(100.0 * v, 2) + " %"; }, "") +
         "</figure>\n";
}

}  // namespace

std::string progress_section(const PageData& page) {
  std::string html = "<section><h2>Gap against time</h2>\n";
  if (page.result.trace.empty())
    return html +
           "<p>The run recorded no check: it ended before there was anything to improve.</p>"
           "</section>\n";
  std::vector<Line> lines{
      {kObjective, points_of(page, &Progress::objective, page.result.objective)},
      {kBound, points_of(page, &Progress::lower_bound, page.result.certificate.lower_bound)},
      {kProgram, points_of(page, &Progress::program_bound, page.result.program.bound)}};
  // Over all patterns the two bounds are one.
  if (page.result.program.bound == page.result.certificate.lower_bound) lines.pop_back();
  std::erase_if(lines, [](const Line& line) { return line.points.empty(); });
  if (lines.empty()) return html + "<p>No check knew an objective or a bound.</p></section>\n";
  const Axis time = time_axis(page);
  return html + both_chart(page, lines, time) + gap_chart(page, time) + "</section>\n";
}

}  // namespace relulift
