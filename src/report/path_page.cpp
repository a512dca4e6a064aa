// SPDX-License-Identifier: Apache-2.0
// A regularization path as one page: the choice, the drawings, the table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <relulift/path.hpp>
#include <relulift/system.hpp>

#include "src/report/numbers.hpp"
#include "src/report/page_sections.hpp"
#include "src/report/path_charts.hpp"

namespace relulift {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

class PathPage {
 public:
  PathPage(const RegularizationPath& path, const RunFacts& facts) : path_(path), facts_(facts) {
    const bool classes = !path.rows.empty() && std::isfinite(path.rows[0].train.accuracy);
    if (path.criterion == Criterion::loss) {
      score_ = &Scores::loss;
      score_name_ = "Loss per row";
    } else if (classes) {
      score_ = &Scores::accuracy;
      score_name_ = "Accuracy";
      unit_ = 100.0;
      suffix_ = " %";
    }
  }

  std::string html() const {
    const std::string name =
        facts_.files.data.empty() ? "a table" : Path(facts_.files.data).filename().string();
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<title>relulift path: {}</title>\n<style>{}{}</style>\n</head>\n"
        "<body>\n<main>\n<h1>Regularization path for {}</h1>\n",
        escaped(name), page_style(), path_chart_style(), name_html(name));
    text += words() + tiles() + "<section><h2>Against the weight decay</h2>\n" + charts() +
            "</section>\n" + table();
    return text +
           fmt::format(
               "</main>\n<footer>Made by relulift {}. Bounds are rounded down. The standard error "
               "is that of the mean over folds; test scores chose nothing.</footer>\n</body>\n"
               "</html>\n",
               escaped(version()));
  }

 private:
  const PathRow& row(Index k) const { return path_.rows[static_cast<std::size_t>(k)]; }
  double decay(const std::optional<Index>& k) const {
    return k ? row(*k).point.weight_decay : kNone;
  }
  std::string score(double value) const {
    return std::isfinite(value) ? figure(unit_ * value, 4) + suffix_ : "–";
  }
  MeanScore validated(const PathRow& row) const {
    return path_.folds_done == path_.folds ? mean_score(row.folds, score_) : MeanScore{};
  }
  static double lower_bound(const Result& result) {
    return result.certificate.claim == Claim::every_network ? result.certificate.lower_bound
                                                            : kNone;
  }

  std::string words() const {
    std::string html;
    const std::string text = path_words(path_);
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = std::min(text.find('\n', from), text.size());
      html += "<p>" + escaped(text.substr(from, end - from)) + "</p>\n";
      from = end + 1;
    }
    return html;
  }

  std::string tiles() const {
    std::string html = "<dl class=\"tiles\">\n";
    const auto tile = [&](const char* name, const std::string& value) {
      html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
    };
    tile("Method", to_string(facts_.method));
    tile("Loss", to_string(facts_.program.loss));
    tile("Samples × features",
         fmt::format("{} × {}", count_words(facts_.samples), count_words(facts_.features)));
    if (path_.choice.best) {
      const PathRow& best = row(*path_.choice.best);
      tile("Best weight decay", figure(best.point.weight_decay, 4));
      tile("One standard error", figure(decay(path_.choice.one_standard_error), 4));
      tile("Neurons of the best", count_words(best.point.result.network.neurons));
    }
    tile("Time", duration(facts_.total_seconds));
    return html + "</dl>\n";
  }

  template <class Value>
  std::vector<double> values(Value value) const {
    std::vector<double> out;
    for (const PathRow& row : path_.rows) out.push_back(value(row));
    return out;
  }

  PathChart chart(const char* id, const std::string& title) const {
    return {.id = id,
            .title = title,
            .description = fmt::format("Values at {} weight decays; the table below has them.",
                                       path_.rows.size()),
            .weight_decays = values([](const PathRow& row) { return row.point.weight_decay; }),
            .lines = {},
            .best = decay(path_.choice.best),
            .one_standard_error = decay(path_.choice.one_standard_error)};
  }

  std::string charts() const {
    if (path_.rows.empty()) return "<p>No weight decay was solved.</p>\n";
    PathChart scores = chart("scores", score_name_);
    scores.unit = unit_;
    scores.suffix = suffix_;
    if (path_.folds > 0)
      scores.lines.push_back({"validation", "rows held out",
                              values([&](const PathRow& r) { return validated(r).mean; }),
                              values([&](const PathRow& r) { return validated(r).error; })});
    scores.lines.push_back(
        {"train", "training rows", values([&](const PathRow& r) { return r.train.*score_; })});
    scores.lines.push_back(
        {"test", "test rows", values([&](const PathRow& r) { return r.test.*score_; })});
    PathChart objective = chart("objective", "Objective and bounds");
    objective.lines = {{"objective", "objective",
                        values([](const PathRow& r) { return r.point.result.objective; })},
                       {"bound", "lower bound of every network",
                        values([](const PathRow& r) { return lower_bound(r.point.result); })},
                       {"program", "bound of the program",
                        values([](const PathRow& r) { return r.point.result.program.bound; })}};
    PathChart neurons = chart("neurons", "Neurons");
    neurons.lines = {{"neurons", "neurons", values([](const PathRow& r) {
                        return static_cast<double>(r.point.result.network.neurons);
                      })}};
    const std::string marked =
        path_.choice.best
            ? "<p class=\"note\">Upright lines: the best weight decay, and dashed the largest "
              "within one standard error of it.</p>\n"
            : "";
    return path_chart(scores) + path_chart(objective) + path_chart(neurons) + marked;
  }

  struct TableColumn {
    const char* name;
    std::vector<std::string> cells;
  };
  template <class Cell>
  TableColumn column(const char* name, Cell cell) const {
    TableColumn out{name, {}};
    for (const PathRow& row : path_.rows) out.cells.push_back(cell(row));
    return out;
  }

  // Those that have a value.
  std::vector<TableColumn> columns() const {
    const auto bound = [](double value) {
      return std::isfinite(value) ? significant(value, 5, Rounding::down) : "–";
    };
    const auto held_out = [this](const PathRow& row) {
      const MeanScore mean = validated(row);
      return score(mean.mean) +
             (std::isfinite(mean.error) ? " ± " + figure(unit_ * mean.error, 2) : "");
    };
    std::vector<TableColumn> out{
        column("Objective", [](const PathRow& r) { return figure(r.point.result.objective, 5); }),
        column("Lower bound", [&](const PathRow& r) { return bound(lower_bound(r.point.result)); }),
        column("Program's bound",
               [&](const PathRow& r) { return bound(r.point.result.program.bound); }),
        column("Gap", [](const PathRow& r) { return percent(relative_gap(r.point.result)); }),
        column("Neurons",
               [](const PathRow& r) { return count_words(r.point.result.network.neurons); }),
        column("Training", [this](const PathRow& r) { return score(r.train.*score_); }),
        column("Test", [this](const PathRow& r) { return score(r.test.*score_); }),
        column("Held out", held_out),
        column("Time", [](const PathRow& r) { return duration(r.point.seconds); }),
        column("Status", [](const PathRow& r) { return to_string(r.point.result.status); })};
    std::erase_if(out, [](const TableColumn& column) {
      return std::ranges::all_of(column.cells, [](const auto& cell) { return cell == "–"; });
    });
    return out;
  }

  std::string table() const {
    if (path_.rows.empty()) return "";
    const std::vector<TableColumn> shown = columns();
    std::string html =
        "<section><h2>Table</h2>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\" "
        "class=\"n\">Weight decay</th>";
    for (const TableColumn& column : shown)
      html += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", column.name);
    html += "</tr></thead><tbody>\n";
    for (std::size_t k = 0; k < path_.rows.size(); ++k) {
      html += fmt::format("<tr{}><th scope=\"row\" class=\"n\">{}</th>",
                          path_.choice.best == static_cast<Index>(k) ? " class=\"best\"" : "",
                          figure(path_.rows[k].point.weight_decay, 4));
      for (const TableColumn& column : shown)
        html += "<td class=\"n\">" + column.cells[k] + "</td>";
      html += "</tr>\n";
    }
    return html +
           "</tbody></table></div>\n<p class=\"note\">Training, test and held out: " + score_name_ +
           "; held out with its standard error.</p></section>\n";
  }

  const RegularizationPath& path_;
  const RunFacts& facts_;
  double Scores::*score_ = &Scores::rmse;
  std::string score_name_ = "Root mean squared error";
  double unit_ = 1.0;
  const char* suffix_ = "";
};

}  // namespace

std::string path_page(const RegularizationPath& path, const RunFacts& facts) {
  return PathPage(path, facts).html();
}

}  // namespace relulift
