// SPDX-License-Identifier: Apache-2.0
// A path on all rows and on those of each fold, with the scores of its models.
#include <fmt/format.h>

#include <cmath>
#include <relulift/error.hpp>
#include <relulift/path.hpp>
#include <utility>

#include "src/api/path_solver.hpp"

namespace relulift {
namespace {

std::vector<double> rows_of(const std::vector<double>& entries, Index samples, Index columns,
                            const std::vector<Index>& rows) {
  std::vector<double> out;
  out.reserve(rows.size() * static_cast<std::size_t>(columns));
  for (Index j = 0; j < columns; ++j)
    for (const Index i : rows) out.push_back(entries[static_cast<std::size_t>(i + j * samples)]);
  return out;
}

Dataset rows_of(const Dataset& data, const std::vector<Index>& rows) {
  return {.source = data.source,
          .schema = data.schema,
          .samples = static_cast<Index>(rows.size()),
          .features = data.features,
          .outputs = data.outputs,
          .X = rows_of(data.X, data.samples, data.features, rows),
          .Y = rows_of(data.Y, data.samples, data.outputs, rows)};
}

// Of a problem that is solved at the decays of the path.
constexpr double kAnyDecay = 1.0;

class Validation {
 public:
  explicit Validation(const PathRequest& request)
      : request_(request),
        classes_(request.data.is_classification()),
        solver_(request.options, request.weight_decays, request.folds, request.on_step) {}

  RegularizationPath run() {
    check_test();
    std::vector<Index> fold_of;
    if (request_.folds != 0)
      fold_of = assign_folds(request_.data, request_.folds, request_.options.seed);
    path_.folds = request_.folds;
    path_.seed = request_.options.seed;
    path_.criterion = criterion();
    solve_all();
    try {
      for (Index f = 0; f < request_.folds && !solver_.stopped(); ++f) solve_fold(fold_of, f);
    } catch (const InvalidInput& error) {  // the points on all rows are kept
      path_.fold_failure = fmt::format("fold {}: {}", path_.folds_done + 1, error.what());
    }
    path_.interrupted = solver_.stopped();
    if (path_.folds > 0 && path_.folds_done == path_.folds)
      path_.choice = choose(path_.rows, path_.criterion);
    return std::move(path_);
  }

 private:
  void check_test() const {
    if (request_.test == nullptr) return;
    const Dataset& test = *request_.test;
    try {
      validate_targets(request_.options.program.loss, test.Y, test.samples, test.outputs);
    } catch (const InvalidInput& error) {
      throw InvalidInput(test.source + ": " + error.what());
    }
  }

  Criterion criterion() const {
    if (classes_) return Criterion::accuracy;
    const Loss loss = request_.options.program.loss;
    const bool of_labels = loss == Loss::logistic || loss == Loss::hinge;
    return of_labels ? Criterion::loss : Criterion::rmse;
  }

  Preparation prepared(const Dataset& data) const {
    return fit_preparation(data, request_.standardize, request_.bias);
  }

  // A point of the path on `problem`, the rows of `trained` prepared.
  static Model model_of(const PathPoint& point, const Preparation& preparation,
                        const Dataset& trained, const Problem& problem) {
    return make_model(point.result.network, preparation, trained, problem.X);
  }

  Scores scores(const Model& model, const Dataset& data) const {
    const std::vector<double> f = predict(model, data.X, data.samples);
    Scores out = score(data, f);
    if (!classes_) out.accuracy = std::numeric_limits<double>::quiet_NaN();
    const ProgramOptions& program = request_.options.program;
    out.loss =
        loss_value(program.loss, f, data.Y, data.samples, data.outputs, program.huber_delta) /
        static_cast<double>(data.samples);
    return out;
  }

  void solve_all() {
    path_.preparation = prepared(request_.data);
    const Problem problem = make_problem(request_.data, path_.preparation, kAnyDecay);
    for (PathPoint& point : solver_.solve(problem, 0)) {
      PathRow row{.point = std::move(point)};
      const Model model = model_of(row.point, path_.preparation, request_.data, problem);
      row.train = scores(model, request_.data);
      if (request_.test != nullptr) row.test = scores(model, *request_.test);
      path_.rows.push_back(std::move(row));
    }
  }

  // A fold counts when it was solved to its end.
  void solve_fold(const std::vector<Index>& fold_of, Index fold) {
    std::vector<Index> trained, held_out;
    for (Index i = 0; i < request_.data.samples; ++i)
      (fold_of[static_cast<std::size_t>(i)] == fold ? held_out : trained).push_back(i);
    const Dataset train = rows_of(request_.data, trained);
    const Dataset test = rows_of(request_.data, held_out);
    const Preparation preparation = prepared(train);
    const Problem problem = make_problem(train, preparation, kAnyDecay);
    const std::vector<PathPoint> points = solver_.solve(problem, fold + 1);
    if (solver_.stopped()) return;
    for (std::size_t k = 0; k < points.size(); ++k)
      path_.rows[k].folds.push_back(scores(model_of(points[k], preparation, train, problem), test));
    ++path_.folds_done;
  }

  const PathRequest& request_;
  bool classes_;
  PathSolver solver_;
  RegularizationPath path_;
};

}  // namespace

RegularizationPath regularization_path(const PathRequest& request) {
  if (request.folds < 0) throw InvalidInput("folds must not be negative");
  if (request.folds > 0 && request.folds < 2) throw InvalidInput("folds must be at least 2");
  return Validation(request).run();
}

}  // namespace relulift
