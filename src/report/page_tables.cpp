// SPDX-License-Identifier: Apache-2.0
// Bounds by method, and the data set and settings of the run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "src/report/html.hpp"
#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"

namespace relulift {
namespace {

struct MethodTotals {
  const BoundAttempt* best = nullptr;
  Index proofs = 0;
  double proof_seconds = 0.0;
};

std::string kind_words(const std::string& kind) {
  if (kind == "floor") return "norms of the data";
  if (kind == "cholesky") return "a factorisation";
  if (kind == "split") return "factorisations, one for each cone";
  if (kind == "cones") return "a search over cones";
  return "nothing";
}

// The share of the objective as a bar, which the number beside it says too.
std::string bar(double share) {
  return fmt::format(
      "<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"10\"><rect class=\"rest\" "
      "width=\"100%\" height=\"10\"/><rect class=\"full\" width=\"{}%\" height=\"10\"/></svg>",
      at(100.0 * std::clamp(share, 0.0, 1.0)));
}

// largest: of all bounds.
std::string method_row(const std::string& name, const MethodTotals& method, double largest,
                       const PageData& page) {
  const BoundAttempt& best = *method.best;
  const bool proved = std::isfinite(best.value);
  const bool kept = proved && best.value == largest;
  const double gap = proved ? relative_gap(page.result.objective, best.value) : NAN;
  const int digits = digits_for(relative_gap(page.result));
  return fmt::format(
      "<tr{}><th scope=\"row\">{}{}</th><td>{}</td><td class=\"n\">{}</td><td "
      "class=\"wide\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
      "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
      kept ? " class=\"kept\"" : "", escaped(name), kept ? " (the best)" : "",
      kind_words(best.kind), proved ? significant(best.value, digits, Rounding::down) : "–",
      proved ? bar(page.result.objective > 0.0 ? best.value / page.result.objective : 1.0) : "",
      percent(gap), duration(best.at_seconds), duration(best.method_seconds),
      count_words(method.proofs), duration(method.proof_seconds));
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name, value);
}

std::string file_cell(const std::string& file) {
  return file.empty() ? "–" : "<code>" + name_html(file) + "</code>";
}

std::string yes(bool value) { return value ? "yes" : "no"; }

std::string target_words(const PageData& page) {
  constexpr std::size_t kMost = 30;
  const Schema& schema = page.facts.columns;
  const auto& names = page.facts.columns.outputs;
  std::string text;
  for (std::size_t k = 0; k < std::min(names.size(), kMost); ++k)
    text += (k > 0 ? ", " : "") + name_html(shortened(names[k], 40));
  if (names.size() > kMost)
    text += fmt::format(" and {} more", count_words(static_cast<Index>(names.size() - kMost)));
  if (schema.kind == TargetKind::labels)
    return fmt::format("classes of {}: {}", name_html(shortened(schema.label_column, 40)), text);
  return (schema.kind == TargetKind::values ? "numbers: " : "") + text;
}

std::string score_cell(const std::optional<Scores>& scores) {
  if (!scores) return "–";
  std::string text;
  if (std::isfinite(scores->accuracy))
    text += fmt::format("accuracy {} %, ", figure(100.0 * scores->accuracy, 3));
  if (std::isfinite(scores->rmse))
    text += fmt::format("root mean squared error {}, ", figure(scores->rmse, 4));
  return text + fmt::format("loss {}", figure(scores->loss, 5));
}

}  // namespace

std::string bounds_section(const PageData& page) {
  const Method method = page.facts.method;
  const bool relu = method == Method::sdp || method == Method::relu || method == Method::exact;
  if (!relu) return "";  // nothing is said of ReLU networks, for which these bounds are
  std::string html = "<section><h2>Bounds by method</h2>\n";
  const auto& bounds = page.result.bounds;
  if (bounds.empty())
    return html +
           "<p>Nothing is proved for every ReLU network: a bound contradicted the objective, or "
           "none was tried.</p></section>\n";
  std::vector<std::string> order;
  std::vector<MethodTotals> methods;
  for (const BoundAttempt& bound : bounds) {
    const auto known = std::find(order.begin(), order.end(), bound.method);
    const auto k = static_cast<std::size_t>(known - order.begin());
    if (known == order.end()) {
      order.push_back(bound.method);
      methods.emplace_back();
    }
    MethodTotals& method = methods[k];
    if (method.best == nullptr || bound.value > method.best->value) method.best = &bound;
    ++method.proofs;
    method.proof_seconds += bound.proof_seconds;
  }
  html +=
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Method</th><th "
      "scope=\"col\">Proved by</th><th scope=\"col\" class=\"n\">Best bound</th><th scope=\"col\">"
      "Share</th><th scope=\"col\" class=\"n\">Gap</th><th scope=\"col\" "
      "class=\"n\">Found at</th><th scope=\"col\" class=\"n\">It took</th><th scope=\"col\" "
      "class=\"n\">Proofs</th><th scope=\"col\" class=\"n\">They took</th></tr></thead><tbody>\n";
  double largest = -std::numeric_limits<double>::infinity();
  for (const MethodTotals& method : methods) largest = std::max(largest, method.best->value);
  for (std::size_t k = 0; k < order.size(); ++k)
    html += method_row(order[k], methods[k], largest, page);
  html += "</tbody></table></div>\n";
  html +=
      "<p class=\"note\">Each bound holds for every network of any width; the best is the result. "
      "The share is that of the objective. “It took” counts the method from its start to its best "
      "bound, “they took” all its proofs.";
  const Relaxation& relaxation = page.result.relaxation;
  if (relaxation.engine != "none")
    html += fmt::format(
        " The last engine, {}, ended as {} after {} iterations; of the relaxation it knew the "
        "value {} of {}, and proved at least {}.",
        escaped(relaxation.engine), escaped(relaxation.status), count_words(relaxation.iterations),
        figure(relaxation.primal, 6),
        relaxation.engine == "dense" ? "an estimate" : "a feasible point",
        std::isfinite(relaxation.dual) ? significant(relaxation.dual, 6, Rounding::down) : "–");
  if (std::isfinite(page.result.certificate.estimate))
    html += fmt::format(" An estimate that is not proved: {}.",
                        figure(page.result.certificate.estimate, 6));
  return html + "</p></section>\n";
}

std::string settings_section(const PageData& page) {
  const RunFacts& facts = page.facts;
  const Seconds& seconds = page.result.seconds;
  const bool train = facts.command == Command::train;
  std::string html = "<section><h2>Data set and settings</h2>\n<div class=\"columns\">";
  html += "<table><caption>Data set</caption><tbody>\n";
  html += row("Data", file_cell(facts.files.data));
  if (!facts.files.targets.empty()) html += row("Targets", file_cell(facts.files.targets));
  if (!facts.files.test.empty()) html += row("Test data", file_cell(facts.files.test));
  if (!facts.files.model.empty()) html += row("Model", file_cell(facts.files.model));
  html += row("Samples", count_words(facts.samples));
  html += row("Features", count_words(facts.features));
  html += row("Outputs", count_words(facts.outputs));
  html += row("Targets are", target_words(page));
  html += row("Rows removed or merged", count_words(page.result.removed_rows));
  html += row("On the training data", score_cell(facts.train));
  if (facts.test) html += row("On the test data", score_cell(facts.test));
  html += "</tbody></table>\n<table><caption>Settings</caption><tbody>\n";
  html += row("Command", train ? "train" : "certify");
  html += row("Method", to_string(facts.method));
  const ProgramReport& program = page.result.program;
  if (facts.method != Method::sdp) {
    html += facts.method == Method::circular
                ? row("Filters", count_words(program.filters))
                : row("Activation patterns", count_words(program.patterns));
    if (facts.program.pooling == Pooling::average)
      html += row("Filters, pooled over patches", count_words(program.filters));
    html += row("Solver", escaped(program.solver));
    html += row("Convex program reached", figure(program.objective, 8));
    html += row("Bound of this program alone", figure(program.bound, 8));
  }
  html += row("Weight decay g", figure(facts.weight_decay, 6));
  html += row("Standardized features", yes(facts.standardized));
  html += row("Bias", yes(facts.bias));
  html += row("Device", escaped(page.result.device));
  html += row("Engines", escaped(page.result.plan));
  html += row("Version", escaped(page.version));
  html += "</tbody></table>\n<table><caption>Time</caption><tbody>\n";
  html += row("Whole command", duration(seconds.total));
  html += row("Presolve", duration(seconds.presolve));
  html += row(train ? "Training" : "Work on networks", duration(seconds.network));
  html += row(facts.method == Method::sdp ? "Relaxation" : "Convex programs",
              duration(seconds.relaxation));
  html += row("Proofs and cones", duration(seconds.certificate));
  html += row("Rounding", duration(seconds.rounding));
  return html + "</tbody></table></div></section>\n";
}

}  // namespace relulift
