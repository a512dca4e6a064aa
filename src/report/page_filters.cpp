// SPDX-License-Identifier: Apache-2.0
// A circular network: the taps of its filters beside the weights of the filtered signal.
#include <fmt/format.h>

#include <algorithm>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

constexpr Index kMostRows = 64, kMostOutputs = 8;

std::string head_cell(const std::string& words) {
  return "<th scope=\"col\" class=\"n\">" + words + "</th>";
}

}  // namespace

std::string filters_section(const PageData& page) {
  std::string html = "<section><h2>The filter</h2>\n";
  const CircularNetwork& net = page.model.filters;
  if (net.filters == 0)
    return html + "<p>There is no filter: the network answers zero everywhere.</p></section>\n";
  const Index rows = std::min(net.features, kMostRows),
              outputs = std::min(net.outputs, kMostOutputs);
  html +=
      "<div class=\"scroll\"><table><caption>The signal is convolved with the filter around its "
      "length; each output weighs the result by position.</caption><thead><tr>" +
      head_cell("Position") + head_cell("Filter");
  for (Index k = 0; k < outputs; ++k)
    html += head_cell(
        "Weight for " +
        name_html(shortened(page.facts.columns.outputs[static_cast<std::size_t>(k)], 30)));
  html += "</tr></thead><tbody>\n";
  for (Index t = 0; t < rows; ++t) {
    html += fmt::format("<tr><th scope=\"row\" class=\"n\">{}</th><td class=\"n\">{}</td>", t,
                        figure(net.U[static_cast<std::size_t>(t)], 4));
    for (Index k = 0; k < outputs; ++k)
      html += fmt::format("<td class=\"n\">{}</td>",
                          figure(net.W[static_cast<std::size_t>(t + net.features * k)], 4));
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (rows < net.features || outputs < net.outputs)
    html += fmt::format("<p class=\"note\">The first {} of {} positions, {} of {} outputs.</p>\n",
                        count_words(rows), count_words(net.features), count_words(outputs),
                        count_words(net.outputs));
  return html + "</section>\n";
}

}  // namespace relulift
