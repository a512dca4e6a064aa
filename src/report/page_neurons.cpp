// SPDX-License-Identifier: Apache-2.0
// The network: one column per neuron, largest first, its size as a bar above its weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

constexpr std::size_t kMostNeurons = 60, kMostInputs = 64, kMostOutputs = 32;
constexpr double kCell = 14.0, kBars = 84.0, kLetter = 6.6;
constexpr std::size_t kLabel = 24, kTitledCells = 3000, kListed = 8, kStrongest = 3;

double entry(const std::vector<double>& matrix, Index rows, std::size_t i, std::size_t j) {
  return matrix[i + j * static_cast<std::size_t>(rows)];
}

double norm(const std::vector<double>& matrix, Index rows, std::size_t j) {
  double square = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i)
    square += entry(matrix, rows, i, j) * entry(matrix, rows, i, j);
  return std::sqrt(square);
}

// The neurons, largest first.
struct Ranked {
  std::vector<std::size_t> order;
  std::vector<double> size;  // ||u_j|| ||v_j||, by neuron
  double total = 0.0;
};

Ranked ranked(const Network& network) {
  Ranked out;
  const auto m = static_cast<std::size_t>(network.neurons);
  for (std::size_t j = 0; j < m; ++j) {
    out.size.push_back(norm(network.U, network.features, j) * norm(network.V, network.outputs, j));
    out.total += out.size.back();
  }
  out.order.resize(m);
  std::iota(out.order.begin(), out.order.end(), std::size_t{0});
  std::stable_sort(out.order.begin(), out.order.end(),
                   [&](std::size_t a, std::size_t b) { return out.size[a] > out.size[b]; });
  return out;
}

// One block of the map: rows are features or outputs.
struct Block {
  const std::vector<double>& weights;
  Index height;                    // rows of `weights`
  std::vector<std::size_t> rows;   // shown, in their order
  std::vector<std::string> names;  // of all rows
  double largest = 0.0;
};

// The rows with the largest weights where not all are shown.
Block block_of(const std::vector<double>& weights, Index height, std::vector<std::string> names,
               const std::vector<std::size_t>& columns, std::size_t most) {
  Block block{weights, height, {}, std::move(names)};
  std::vector<double> row_largest(static_cast<std::size_t>(height), 0.0);
  for (std::size_t i = 0; i < row_largest.size(); ++i)
    for (const std::size_t j : columns)
      row_largest[i] = std::max(row_largest[i], std::abs(entry(weights, height, i, j)));
  block.rows.resize(row_largest.size());
  std::iota(block.rows.begin(), block.rows.end(), std::size_t{0});
  std::stable_sort(block.rows.begin(), block.rows.end(),
                   [&](std::size_t a, std::size_t b) { return row_largest[a] > row_largest[b]; });
  if (!block.rows.empty()) block.largest = row_largest[block.rows[0]];
  block.rows.resize(std::min(block.rows.size(), most));
  std::sort(block.rows.begin(), block.rows.end());
  return block;
}

// The square root lets small weights be seen too.
std::string cell_svg(const Block& block, std::size_t i, std::size_t j, double x, double y,
                     const std::string& title) {
  const double weight = entry(block.weights, block.height, i, j);
  const double strength = block.largest > 0.0 ? std::sqrt(std::abs(weight) / block.largest) : 0.0;
  if (strength < 0.02 && title.empty()) return "";
  return fmt::format(
      "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"13\" height=\"13\" "
      "fill-opacity=\"{:.2f}\"{}",
      weight < 0.0 ? "neg" : "pos", at(x), at(y), strength,
      title.empty() ? "/>" : ">" + title + "</rect>");
}

std::string bars_svg(const Ranked& neurons, std::size_t shown, double left) {
  const double largest = neurons.size[neurons.order[0]];
  std::string svg;
  for (std::size_t k = 0; k < shown; ++k) {
    const double size = neurons.size[neurons.order[k]];
    const double height = largest > 0.0 ? kBars * size / largest : 0.0;
    const double x = left + kCell * static_cast<double>(k);
    svg += fmt::format(
        "<rect class=\"full\" x=\"{}\" y=\"{}\" width=\"11\" height=\"{}\"><title>"
        "neuron {}: size {}</title></rect>",
        at(x + 1), at(kBars - height + 4), at(std::max(height, 0.5)), k + 1, figure(size));
    if (k == 0 || (k + 1) % 5 == 0)
      svg += fmt::format("<text class=\"tick\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
                         at(x + 0.5 * kCell), at(kBars + 17), k + 1);
  }
  return svg + fmt::format(
                   "<text class=\"tick\" text-anchor=\"end\" x=\"{0}\" y=\"14\">{1}</text>"
                   "<text class=\"tick\" text-anchor=\"end\" x=\"{0}\" y=\"{2}\">0</text>"
                   "<text class=\"tick\" text-anchor=\"end\" x=\"{0}\" y=\"{3}\">size</text>\n",
                   at(left - 6), figure(largest, 3), at(kBars + 4), at(0.5 * kBars + 10));
}

std::string map_svg(const Ranked& neurons, std::size_t shown, const Block& inputs,
                    const Block& outputs) {
  std::size_t longest = 6;
  for (const Block* block : {&inputs, &outputs})
    for (const std::size_t i : block->rows)
      longest = std::max(longest, std::min(width_of(block->names[i]), kLabel));
  const double left = kLetter * static_cast<double>(longest) + 14.0;
  const double top = kBars + 26.0, gap = 12.0;
  const std::size_t rows = inputs.rows.size() + outputs.rows.size();
  const double width = left + kCell * static_cast<double>(shown) + 12.0;
  const double height = top + kCell * static_cast<double>(rows) + gap + 6.0;
  const bool titled = rows * shown <= kTitledCells;
  std::string svg = svg_open(
      "neurons",
      fmt::format("class=\"fixed\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\"", at(width),
                  at(height)),
      "Sizes and weights of the neurons",
      fmt::format("{} neurons, largest first; the largest has size {}, a share of {} % of all.",
                  count_words(static_cast<Index>(neurons.order.size())),
                  figure(neurons.size[neurons.order[0]]),
                  figure(100.0 * neurons.size[neurons.order[0]] / neurons.total, 3)));
  svg += bars_svg(neurons, shown, left);
  double y = top;
  for (const Block* block : {&inputs, &outputs}) {
    svg += fmt::format("<rect class=\"ground\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                       at(left - 1), at(y - 1), at(kCell * static_cast<double>(shown) + 1),
                       at(kCell * static_cast<double>(block->rows.size()) + 1));
    for (const std::size_t i : block->rows) {
      const std::string name = escaped(shortened(block->names[i], kLabel));
      svg += fmt::format(
          "<text class=\"label\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{}<title>{}"
          "</title></text>",
          at(left - 6), at(y + 10.5), name, escaped(block->names[i]));
      for (std::size_t k = 0; k < shown; ++k) {
        const std::size_t j = neurons.order[k];
        const std::string title =
            titled ? fmt::format("<title>neuron {}, {}: {}</title>", k + 1, name,
                                 figure(entry(block->weights, block->height, i, j), 4))
                   : "";
        svg += cell_svg(*block, i, j, left + kCell * static_cast<double>(k), y, title);
      }
      svg += '\n';
      y += kCell;
    }
    y += gap;
  }
  return svg + "</svg>\n";
}

// "petal_width 1.2, sepal_length −0.3".
std::string strongest(const Block& block, std::size_t j) {
  std::vector<std::size_t> rows(block.names.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::size_t count = std::min(rows.size(), kStrongest);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end(),
                    [&](std::size_t a, std::size_t b) {
                      return std::abs(entry(block.weights, block.height, a, j)) >
                             std::abs(entry(block.weights, block.height, b, j));
                    });
  std::string text;
  for (std::size_t k = 0; k < count; ++k)
    text += fmt::format("{}{}&#160;{}", k > 0 ? ", " : "",
                        name_html(shortened(block.names[rows[k]], 30)),
                        figure(entry(block.weights, block.height, rows[k], j), 3));
  return text;
}

std::string largest_table(const Ranked& neurons, const Block& inputs, const Block& outputs) {
  std::string html =
      "<div class=\"scroll\"><table><caption>The largest neurons</caption><thead><tr><th "
      "scope=\"col\" class=\"n\">Neuron</th><th scope=\"col\" class=\"n\">Size</th><th "
      "scope=\"col\" class=\"n\">Share</th><th scope=\"col\">Strongest inputs</th><th "
      "scope=\"col\">Strongest outputs</th></tr></thead><tbody>\n";
  for (std::size_t k = 0; k < std::min(neurons.order.size(), kListed); ++k) {
    const std::size_t j = neurons.order[k];
    html += fmt::format(
        "<tr><th scope=\"row\" class=\"n\">{}</th><td class=\"n\">{}</td><td "
        "class=\"n\">{} %</td><td class=\"names\">{}</td><td class=\"names\">{}</td></tr>\n",
        k + 1, figure(neurons.size[j], 4), figure(100.0 * neurons.size[j] / neurons.total, 2),
        strongest(inputs, j), strongest(outputs, j));
  }
  return html + "</tbody></table></div>\n";
}

std::string legend(double inputs, double outputs, const PageData& page) {
  std::string html = "<p class=\"legend\" aria-hidden=\"true\">";
  for (const auto& [sign, strength] :
       {std::pair("neg", 1.0), {"neg", 0.5}, {"pos", 0.5}, {"pos", 1.0}})
    html += fmt::format(
        "<svg width=\"14\" height=\"14\"><rect class=\"ground\" width=\"14\" "
        "height=\"14\"/><rect class=\"{}\" fill-opacity=\"{}\" width=\"14\" "
        "height=\"14\"/></svg> {}{} ",
        sign, strength, sign[0] == 'n' ? "−" : "+", strength < 1.0 ? "a quarter" : "the largest");
  return html + fmt::format(
                    "</p><p class=\"note\">Upper map: weights {}, at most {}; lower map: "
                    "output weights, at most {}. Size is ‖u‖ ‖v‖{}.</p>\n",
                    page.facts.standardized ? "of the standardized features" : "of the features",
                    figure(inputs, 3), figure(outputs, 3),
                    page.facts.program.group == Group::neuron
                        ? ", what a neuron pays in the penalty, divided by g"
                        : "");
}

}  // namespace

std::string neurons_section(const PageData& page) {
  std::string html = "<section><h2>The network’s neurons</h2>\n";
  const Network& network = page.network;
  if (network.neurons == 0)
    return html + "<p>The network has no neurons: it answers zero everywhere.</p></section>\n";
  const Ranked neurons = ranked(network);
  const std::size_t shown = std::min(neurons.order.size(), kMostNeurons);
  const std::vector<std::size_t> columns(
      neurons.order.begin(), neurons.order.begin() + static_cast<std::ptrdiff_t>(shown));
  const Block inputs =
      block_of(network.U, network.features, input_names(page), columns, kMostInputs);
  const Block outputs =
      block_of(network.V, network.outputs, page.facts.columns.outputs, columns, kMostOutputs);
  html += fmt::format("<figure><figcaption>Sizes and weights of {} neurons, largest first",
                      count_words(network.neurons));
  std::string rest;
  const auto left_out = [&](std::size_t all, std::size_t some, const char* what) {
    if (all > some)
      rest += fmt::format("{}{} smaller {}", rest.empty() ? "" : ", ",
                          count_words(static_cast<Index>(all - some)), what);
  };
  left_out(neurons.order.size(), shown, "neurons");
  left_out(inputs.names.size(), inputs.rows.size(), "inputs");
  left_out(outputs.names.size(), outputs.rows.size(), "outputs");
  if (!rest.empty()) html += "; left out: " + rest;
  html += ".</figcaption>\n<div class=\"scroll\">" + map_svg(neurons, shown, inputs, outputs) +
          "</div>\n" + legend(inputs.largest, outputs.largest, page) + "</figure>\n";
  return html + largest_table(neurons, inputs, outputs) + "</section>\n";
}

}  // namespace relulift
