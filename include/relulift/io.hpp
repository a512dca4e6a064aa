// SPDX-License-Identifier: Apache-2.0
// Reads tables, prepares problems, reads and writes models and results. docs/formats.md says what
// the files hold. Content that cannot be used throws InvalidInput "FILE:line N, column 'name':
// ...", a file that cannot be opened, read or written throws FileError with its path.
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <relulift/convolution.hpp>
#include <relulift/network.hpp>
#include <relulift/problem.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relulift {

using Path = std::filesystem::path;

// labels: one column of classes, one-hot in sorted order. values: numbers, used as they are.
enum class TargetKind { none, labels, values };

// Where the targets of a table stand. At most one of the three is set.
struct Targets {
  std::string label_column = {};
  std::vector<std::string> value_columns = {};
  // An NPY or IDX file, beside an NPY or IDX table: a vector of integers holds class labels, else
  // the columns are numeric targets.
  Path file = {};

  TargetKind kind() const;
};

// The columns a model was trained on. Empty lists: unknown, then columns count by position.
struct Schema {
  std::vector<std::string> features = {};
  TargetKind kind = TargetKind::none;
  std::string label_column = {};          // of TargetKind::labels
  std::vector<std::string> outputs = {};  // class names, or names of the numeric targets

  Targets targets() const;
};

struct Dataset {
  std::string source;  // path, for messages
  Schema schema;
  Index samples = 0;
  Index features = 0;
  Index outputs = 0;           // 0 without targets
  std::vector<double> X = {};  // samples x features, column-major
  std::vector<double> Y = {};  // samples x outputs, column-major

  // Labels, or numeric targets (two columns or more) of which every row is one-hot.
  bool is_classification() const;
};

// Reads a table: CSV, NPY, NPZ, IDX, LIBSVM or CIFAR-10 records, each but NPZ also out of gzip.
// Which of them is told by the content, CIFAR-10 by the name .bin.
// `like` is {} for training data: every column that is no target is a feature. For data that must
// fit a model or a training set, columns are matched by name, in any order, others are ignored, and
// labels outside like.outputs are errors; columns without names (NPY, NPZ, IDX, CIFAR-10) count by
// position. `targets` without a name: those of `like` if the table has all of them, else the data
// set is without targets.
Dataset read_dataset(const Path& path, const Targets& targets, const Schema& like = {});

// ---- Preparation: from raw features to the problem that is solved ----

// x -> (x - mean) / scale per feature when standardized, then a one is appended when bias. The bias
// is penalised like any weight [eq:train].
struct Preparation {
  bool bias = false;
  std::vector<double> mean = {};   // per feature; empty: not standardized
  std::vector<double> scale = {};  // population standard deviation, > 0; of a constant column 1
  Index constant_features = 0;     // how many those are, as fit_preparation counted; in no file

  bool standardized() const { return !scale.empty(); }
};

enum class Standardize { no, yes };
enum class Bias { no, yes };

// Fits mean and scale on `data`; a constant column becomes zero. Throws InvalidInput naming a
// column whose values are too large.
Preparation fit_preparation(const Dataset& data, Standardize standardize, Bias bias);

// samples x (features + bias), column-major.
std::vector<double> prepare(const Preparation& preparation, std::span<const double> X,
                            Index samples);

// Throws InvalidInput when the values are too large for their squares.
Problem make_problem(const Dataset& data, const Preparation& preparation, double weight_decay);

// ---- Models ----

// A network on raw features and the problem it was trained for.
struct Model {
  Network network;                  // U is d x m, without bias and standardization
  std::vector<double> hidden_bias;  // m, or empty. Also there without Preparation::bias when
                                    // standardized: it then holds the constants -U'(mean / scale)
  // Of a gated network: what is added to x'h_j before its sign is taken; m, or empty, as
  // hidden_bias.
  std::vector<double> gate_bias = {};
  // Of Method::circular: filters on the prepared features, the same function as `network`.
  CircularNetwork filters = {};
  // Gates that training rows lie on but for rounding and that no bias could clear: the model may
  // have those rows on the other side than the prepared network. In no file.
  Index unclear_gates = 0;
  Schema schema;
  Preparation preparation;  // of the problem that objective and lower_bound refer to
  double weight_decay = std::numeric_limits<double>::quiet_NaN();  // NaN: unknown
  double objective = std::numeric_limits<double>::quiet_NaN();
  double lower_bound = -std::numeric_limits<double>::infinity();
  std::string version;  // that wrote the file; empty: another program
};

// Folds the preparation into the weights, so that the model predicts from raw features.
Model make_model(const Network& network, const Preparation& preparation, const Schema& schema);

// The same for a network trained on `data`, `prepared` being prepare() of its X. Folding rounds,
// and a training row on a gate, x'h = 0, could change sides: the bias of such a gate goes to the
// middle between the rows on its two sides, so that each row is active or not as in the prepared
// network. `prepared` is read of gated networks alone.
Model make_model(const Network& network, const Preparation& preparation, const Dataset& data,
                 std::span<const double> prepared);

// The inverse: the network of the prepared problem, whose objective [eq:train] counts. Where that
// has no bias, gates lose what moved them off training rows.
Network prepared_network(const Model& model);

// Scores of raw features: samples x outputs, column-major.
std::vector<double> predict(const Model& model, std::span<const double> X, Index samples);

// safetensors: hidden.weight (m x d), output.weight (c x m), hidden.bias (m) where there is one, of
// gated networks gate.weight (m x d) and gate.bias (m), of circular ones filter.weight (filters x
// d) and filter.output (filters x c x d), all float64, and metadata. Reading also takes float32 and
// the names 0.weight, 0.bias, 2.weight of a torch Sequential; everything else in the file is
// refused with the reason.
std::string model_bytes(const Model& model);
Model read_model(const Path& path);

// ---- Text ----

// The whole of a file. Throws FileError for what is no readable regular file, InvalidInput for what
// is empty or larger than the free memory.
std::string read_text(const Path& path);

// ---- Output ----

// Writes under a temporary name in the same folder, then renames: the file is whole or not there.
void write_file(const Path& path, std::string_view content);

// Writes a CSV table with columns x0, x1, .., y0, y1, .. and one line per sample, each number as
// the shortest decimal that reads back as the same double. Under a temporary name first, as
// write_file. `go_on` is asked about once per megabyte; when it returns false nothing is written,
// and the result is false. Throws what validate throws.
bool write_table(const Path& path, const Problem& problem, const std::function<bool()>& go_on = {});

// Throws FileError when write_file would fail for what stands at `path` or for the rights of its
// folder: asked before long work whose result goes there.
void check_writable(const Path& path);

// Throws InvalidInput unless replace_directory may write there: nothing yet, an empty folder, or
// one that holds a relulift result, or a path, and nothing else.
void check_replaceable(const Path& directory);

// All files or none: written to a temporary folder beside it, then swapped in. A name may stand in
// the folder "best" below it.
void replace_directory(const Path& directory, const std::map<std::string, std::string>& files);

}  // namespace relulift
