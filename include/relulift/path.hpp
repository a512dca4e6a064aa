// SPDX-License-Identifier: Apache-2.0
// The regularization path: one problem at many weight decays, the largest first, and the choice
// among them by cross-validation.
#pragma once

#include <functional>
#include <optional>
#include <relulift/io.hpp>
#include <relulift/report.hpp>
#include <relulift/solve.hpp>
#include <string>
#include <vector>

namespace relulift {

// `count` weight decays from `high` down to `low`, each the same share of the one before. Throws
// InvalidInput unless 0 < low < high are finite and count >= 2, or low = high and count = 1.
std::vector<double> geometric_weight_decays(double low, double high, Index count);

struct PathPoint {
  double weight_decay = 0.0;
  Result result;
  double seconds = 0.0;  // of this solve
};

// What is solved next. Counted from 1; fold 0: all rows.
struct PathStep {
  Index point = 0, points = 0;
  Index fold = 0, folds = 0;
  double weight_decay = 0.0;
};

// Called before each solve; return false to stop there.
using OnPathStep = std::function<bool(const PathStep&)>;

// solve() at each weight decay in place of that of `problem`, from the largest to the smallest. The
// gates are the same for all points (a network that is trained for them is trained once, at the
// smallest), and the gradient solver of gated and linear programs starts from the point before;
// all others start anew. A time limit is for the whole path, split evenly over what is left of it.
// Progress::seconds count from its start. After an interruption the points end with the one that
// was interrupted. Throws what solve() throws, and InvalidInput for weight decays that are none,
// not positive or named twice, and for checkpoints.
std::vector<PathPoint> solve_path(const Problem& problem, std::vector<double> weight_decays,
                                  const Options& options = {}, const OnPathStep& on_step = {});

// ---- Cross-validation ----

// For each row, the fold 0, .., folds - 1 that holds it out. Of a classification each class is
// spread over all folds: numbers of rows of a class, and of all rows, differ by at most one between
// folds. Else folds are contiguous parts of the shuffled rows. The same seed gives the same folds
// on every machine. Throws InvalidInput unless 2 <= folds <= samples.
std::vector<Index> assign_folds(const Dataset& data, Index folds, std::uint64_t seed);

// A sentence naming a class with fewer rows than there are folds; empty where there is none.
std::string fold_warning(const Dataset& data, Index folds);

// What chooses: accuracy of a classification; else loss, where the loss is logistic or hinge (of
// labels -1 and +1); else rmse.
enum class Criterion { accuracy, rmse, loss };
const char* to_string(Criterion criterion);

struct PathRow {
  PathPoint point = {};  // on all rows
  // As score() says, but loss is that of ProgramOptions::loss per row. NaN where there is none.
  Scores train = {}, test = {};
  std::vector<Scores> folds = {};  // of the rows held out, for each fold that was solved
};

struct MeanScore {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double error = std::numeric_limits<double>::quiet_NaN();  // standard deviation / sqrt(folds)
};

// Over the folds of a row; NaN without folds.
MeanScore mean_score(const std::vector<Scores>& folds, double Scores::*member);

struct PathChoice {
  // Best mean score, of equal ones the largest weight decay.
  std::optional<Index> best;
  // The largest weight decay whose mean is within one standard error of the best.
  std::optional<Index> one_standard_error;
};

// Among rows of falling weight decay; those without a finite mean score are left out.
PathChoice choose(const std::vector<PathRow>& rows, Criterion criterion);

struct PathRequest {
  const Dataset& data;
  const Dataset* test = nullptr;  // scored, never used to choose anything
  Standardize standardize = Standardize::no;
  Bias bias = Bias::no;
  std::vector<double> weight_decays = {};
  Index folds = 0;  // 0: no cross-validation; else 2 .. samples
  Options options = {};
  OnPathStep on_step = {};
};

struct RegularizationPath {
  Preparation preparation;    // of all rows
  std::vector<PathRow> rows;  // of falling weight decay
  Index folds = 0;
  Index folds_done = 0;  // less than folds after an interruption
  std::uint64_t seed = 0;
  Criterion criterion = Criterion::rmse;
  // Why the rows of a fold could not be solved, though all rows were; empty where they could.
  std::string fold_failure;
  // Empty without folds, and when not all of them were solved.
  PathChoice choice;
  bool interrupted = false;
};

// solve_path() on all rows, then on the rows of each fold, standardized by themselves. The time
// limit is for all of it. Folds use the gates of the whole path, but for a network that is trained
// for its gates: it is trained on the rows of the fold alone. In folds nothing is proved about
// every network. Throws what solve_path() and assign_folds() throw.
RegularizationPath regularization_path(const PathRequest& request);

// ---- Files (docs/formats.md) ----

std::string path_csv(const RegularizationPath& path);
std::string path_json(const RegularizationPath& path, const RunFacts& facts);
// One page that needs nothing else: no script, nothing is fetched.
std::string path_page(const RegularizationPath& path, const RunFacts& facts);
// What was found, in plain words.
std::string path_words(const RegularizationPath& path);

}  // namespace relulift
