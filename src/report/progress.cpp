// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <ostream>
#include <relulift/report.hpp>

namespace relulift {
namespace {

constexpr Index kRowsPerHeader = 50;

// A dash for what does not exist yet.
std::string cell(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

// Of the program over patterns, where it is one that is solved.
double bound_of(const Progress& progress) {
  return std::isnan(progress.program_bound) ? progress.lower_bound : progress.program_bound;
}
double gap_of(const Progress& progress) {
  return relative_gap(progress.objective, bound_of(progress));
}

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.2f} %", 100.0 * share) : "-";
}

std::string table_row(const Progress& progress) {
  return fmt::format("{:<12}{:>10}{:>14}{:>14}{:>11}{:>10}{:>10}{:>10.1f}\n", progress.phase,
                     progress.iteration, cell(progress.objective, "{:.6g}"),
                     cell(bound_of(progress), "{:.6g}"), percent(gap_of(progress)),
                     cell(progress.primal_residual, "{:.1e}"),
                     cell(progress.dual_residual, "{:.1e}"), progress.seconds);
}

std::string log_line(const Progress& progress) {
  const char* const bound = std::isnan(progress.program_bound) ? "lower" : "program's";
  return fmt::format("{:.1f} s, {} iteration {}: objective {}, {} bound {}, gap {}\n",
                     progress.seconds, progress.phase, progress.iteration,
                     cell(progress.objective, "{:.6g}"), bound, cell(bound_of(progress), "{:.6g}"),
                     percent(gap_of(progress)));
}

}  // namespace

bool ProgressReport::due(const Progress& progress) const {
  const bool table = style_ == ProgressStyle::table;
  const double pause = progress.phase == last_phase_ ? (table ? 0.25 : 5.0) : (table ? 0.05 : 1.0);
  return progress.seconds - last_seconds_ >= pause;
}

void ProgressReport::show(const Progress& progress) {
  if (style_ == ProgressStyle::quiet) return;
  held_ = progress;
  if (due(progress)) finish();
}

void ProgressReport::finish() {
  if (held_) write(*held_);
  held_.reset();
}

void ProgressReport::write(const Progress& progress) {
  last_seconds_ = progress.seconds;
  last_phase_ = progress.phase;
  if (style_ == ProgressStyle::log) {
    out_ << log_line(progress) << std::flush;
    return;
  }
  if (rows_++ % kRowsPerHeader == 0)
    out_ << fmt::format("{:<12}{:>10}{:>14}{:>14}{:>11}{:>10}{:>10}{:>10}\n", "phase", "iteration",
                        "objective", "bound", "gap", "primal", "dual", "seconds");
  out_ << table_row(progress) << std::flush;
}

}  // namespace relulift
