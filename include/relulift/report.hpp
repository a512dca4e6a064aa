// SPDX-License-Identifier: Apache-2.0
// Text from results: progress rows, result.json, trace.csv, and the closing words. Nothing here
// prints but ProgressReport, into the stream that the caller gives.
#pragma once

#include <iosfwd>
#include <limits>
#include <optional>
#include <relulift/io.hpp>
#include <relulift/result.hpp>
#include <span>
#include <string>

namespace relulift {

// NaN where a score does not exist.
struct Scores {
  // Share of rows whose largest output is the right one (the first of several equal ones).
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  // Root of the mean squared error over all entries of Y; of numeric targets.
  double rmse = std::numeric_limits<double>::quiet_NaN();
  // 1/2 ||f(X) - Y||_F^2, the data term of [eq:train].
  double loss = std::numeric_limits<double>::quiet_NaN();
};

// `predictions` is samples x outputs, column-major.
Scores score(const Dataset& data, std::span<const double> predictions);

// Index of the largest output of row i, the first of several equal ones.
Index argmax_row(std::span<const double> scores, Index samples, Index outputs, Index i);

enum class Command { train, certify };

// Files of a run as its command line named them; empty where there was none.
struct RunFiles {
  std::string data = {};
  std::string targets = {};  // of NPY data
  std::string test = {};
  std::string test_targets = {};
  std::string model = {};  // of certify
};

// What a result does not know about its run.
struct RunFacts {
  Command command = Command::train;
  Index samples = 0;
  Index features = 0;  // of the data, without the bias
  Index outputs = 0;
  double weight_decay = 0.0;
  bool standardized = false;
  bool bias = false;
  std::optional<Scores> train = std::nullopt;
  std::optional<Scores> test = std::nullopt;
  double total_seconds = 0.0;  // of the whole command
  Method method = Method::sdp;
  ProgramOptions program = {};  // of the other methods; without the gates
  RunFiles files = {};
  Schema columns = {};           // of the data
  Preparation preparation = {};  // folded into the weights of Result::suggestion
};

// (objective - lower_bound) / objective; 0 when the two are equal, NaN where one is NaN.
double relative_gap(double objective, double lower_bound);

// The same of a result; NaN without a bound for every network.
double relative_gap(const Result& result);

// The file docs/formats.md describes: null for what does not exist, never NaN.
std::string result_json(const Result& result, const RunFacts& facts);

// One line per check; an empty field for what does not exist.
std::string trace_csv(const Result& result);

// What was reached and what is proved, in plain words, for people. Bounds are rounded down.
std::string closing_words(const Result& result, const RunFacts& facts);

// table: fixed width with a header every 50 rows, for a terminal. log: one line now and then.
enum class ProgressStyle { table, log, quiet };

class ProgressReport {
 public:
  ProgressReport(std::ostream& out, ProgressStyle style) : out_(out), style_(style) {}

  // Rows closer than a quarter of a second (log: five seconds) are held back.
  void show(const Progress& progress);
  // Writes the row held back last.
  void finish();

 private:
  bool due(const Progress& progress) const;
  void write(const Progress& progress);

  std::ostream& out_;
  ProgressStyle style_;
  Index rows_ = 0;
  double last_seconds_ = -std::numeric_limits<double>::infinity();
  std::string last_phase_;
  std::optional<Progress> held_;
};

}  // namespace relulift
