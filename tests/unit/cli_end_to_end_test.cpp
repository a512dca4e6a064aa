// SPDX-License-Identifier: Apache-2.0
// The program as a user runs it: train, predict and certify on bundled data. Figures in the results
// are recomputed here from the files alone: the model is parsed by hand and run by plain loops.
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;

fs::path data_folder() {
  const char* folder = std::getenv("RELULIFT_DATA");
  if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
  return folder;
}

// A table without quoted fields.
struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;

  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
  }
  explicit Table(const std::string& text) {
    std::istringstream in(text);
    std::string line;
    std::getline(in, line);
    names = split(line);
    while (std::getline(in, line)) rows.push_back(split(line));
  }
  std::size_t column(const std::string& name) const {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }
};

// hidden.weight, hidden.bias and output.weight by rows, and the metadata.
struct PlainModel {
  std::vector<Row> hidden, output;
  Row bias;
  Json metadata;

  explicit PlainModel(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    const Json header = Json::parse(bytes.substr(8, length));
    const auto matrix = [&](const Json& entry) {
      const auto rows = entry["shape"][0].get<std::size_t>();
      const auto cols = entry["shape"].size() > 1 ? entry["shape"][1].get<std::size_t>() : 1;
      std::vector<Row> out(rows, Row(cols));
      const auto from = 8 + length + entry["data_offsets"][0].get<std::size_t>();
      for (std::size_t i = 0; i < rows; ++i)
        std::memcpy(out[i].data(), bytes.data() + from + 8 * i * cols, 8 * cols);
      return out;
    };
    hidden = matrix(header["hidden.weight"]);
    output = matrix(header["output.weight"]);
    bias.assign(hidden.size(), 0.0);
    if (header.contains("hidden.bias"))
      for (std::size_t j = 0; j < bias.size(); ++j) bias[j] = matrix(header["hidden.bias"])[j][0];
    metadata = header["__metadata__"];
  }

  Row scores(const Row& x) const {
    Row out(output.size(), 0.0);
    for (std::size_t j = 0; j < hidden.size(); ++j) {
      double t = bias[j];
      for (std::size_t i = 0; i < x.size(); ++i) t += hidden[j][i] * x[i];
      for (std::size_t k = 0; k < out.size(); ++k) out[k] += output[k][j] * std::max(t, 0.0);
    }
    return out;
  }

  double squared_weights() const {
    double sum = 0.0;
    for (const auto* rows : {&hidden, &output})
      for (const Row& row : *rows)
        for (const double weight : row) sum += weight * weight;
    return sum;
  }
};

// Half the sum of squared errors on the rows of `table`, and how many rows have their largest score
// in the right place.
struct Fit {
  double loss = 0.0;
  int right = 0;
};

Fit fit(const PlainModel& model, const Table& table, const std::vector<std::string>& features,
        const std::vector<std::string>& targets, const std::string& label = "") {
  Fit result;
  for (const auto& row : table.rows) {
    Row x, y;
    for (const auto& name : features) x.push_back(std::stod(row[table.column(name)]));
    for (const auto& name : targets)
      y.push_back(label.empty() ? std::stod(row[table.column(name)])
                                : static_cast<double>(row[table.column(label)] == name));
    const Row f = model.scores(x);
    for (std::size_t k = 0; k < y.size(); ++k) result.loss += 0.5 * (f[k] - y[k]) * (f[k] - y[k]);
    result.right += std::max_element(f.begin(), f.end()) - f.begin() ==
                    std::max_element(y.begin(), y.end()) - y.begin();
  }
  return result;
}

class Cli : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Json json(const std::string& name) { return Json::parse(content_of(folder / name)); }
  std::string data(const std::string& name) { return (data_folder() / name).string(); }
  TemporaryFolder folder;
};

const std::vector<std::string> kIris{"sepal_length", "sepal_width", "petal_length", "petal_width"};
const std::vector<std::string> kSpecies{"setosa", "versicolor", "virginica"};

TEST_F(Cli, TrainsPredictsAndCertifiesIris) {
  const Outcome trained = run("train " + data("iris_train.csv") +
                              " --target species --weight-decay 0.1 --out iris --time-limit 6 "
                              "--test " +
                              data("iris_test.csv"));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.out.find("No two-layer ReLU network of any width can have an objective below"),
            std::string::npos)
      << trained.out;

  const Json result = json("iris/result.json");
  const PlainModel model(content_of(folder / "iris/model.safetensors"));
  const Table train(content_of(data("iris_train.csv"))), test(content_of(data("iris_test.csv")));
  const Fit on_train = fit(model, train, kIris, kSpecies, "species");
  const Fit on_test = fit(model, test, kIris, kSpecies, "species");
  const double objective = on_train.loss + 0.05 * model.squared_weights();
  EXPECT_NEAR(result["objective"].get<double>(), objective, 1e-9 * objective);
  EXPECT_LE(result["lower_bound"].get<double>(), 2.5306);  // a network with 2.5305 is known
  EXPECT_GT(result["lower_bound"].get<double>(), 0.0);
  EXPECT_EQ(result["certificate"]["claim"], "every_network");
  EXPECT_EQ(result["neurons"], model.hidden.size());
  EXPECT_NEAR(result["train"]["loss"].get<double>(), on_train.loss, 1e-9);
  EXPECT_DOUBLE_EQ(result["train"]["accuracy"], on_train.right / 75.0);
  EXPECT_DOUBLE_EQ(result["test"]["accuracy"], on_test.right / 75.0);
  EXPECT_EQ(result["problem"]["samples"], 75);
  EXPECT_EQ(result["problem"]["outputs"], 3);
  EXPECT_EQ(Json::parse(model.metadata["classes"].get<std::string>()), Json(kSpecies));
  EXPECT_EQ(content_of(folder / "iris/trace.csv").rfind("phase,iteration,objective", 0), 0U);

  const Outcome predicted = run("predict iris/model.safetensors " + data("iris_test.csv"));
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  const Table predictions(predicted.out);
  EXPECT_EQ(predictions.names, (std::vector<std::string>{"class", "score_setosa",
                                                         "score_versicolor", "score_virginica"}));
  ASSERT_EQ(predictions.rows.size(), 75U);
  int right = 0;
  for (std::size_t i = 0; i < 75; ++i) right += predictions.rows[i][0] == test.rows[i][4];
  EXPECT_EQ(right, on_test.right);
  EXPECT_NE(predicted.err.find("accuracy 0."), std::string::npos);

  const Outcome certified = run("certify iris/model.safetensors " + data("iris_train.csv") +
                                " --target species --time-limit 3 --json bound.json --quiet");
  ASSERT_EQ(certified.code, 0) << certified.err;
  EXPECT_EQ(certified.out + certified.err, "");
  const Json bound = json("bound.json");
  EXPECT_NEAR(bound["objective"].get<double>(), objective, 1e-9 * objective);
  EXPECT_LE(bound["lower_bound"].get<double>(), 2.5306);
  EXPECT_EQ(bound["winner"], nullptr);
}

// Objective and bound refer to the prepared problem; the file predicts from raw features, and
// certify finds its way back from the metadata.
TEST_F(Cli, StandardizationAndBiasAreFoldedIntoTheModel) {
  ASSERT_EQ(run("train " + data("wine.csv") +
                " --target cultivar --weight-decay 1 --out wine --standardize --bias "
                "--time-limit 4 --engine none --quiet")
                .code,
            0);
  const Json result = json("wine/result.json");
  const PlainModel model(content_of(folder / "wine/model.safetensors"));
  const Table table(content_of(data("wine.csv")));
  const std::vector<std::string> features(table.names.begin(), table.names.end() - 1);
  const Fit on_train = fit(model, table, features, {"class_0", "class_1", "class_2"}, "cultivar");
  EXPECT_NEAR(result["train"]["loss"].get<double>(), on_train.loss, 1e-7);
  EXPECT_DOUBLE_EQ(result["train"]["accuracy"], on_train.right / 178.0);
  EXPECT_TRUE(result["problem"]["standardized"]);
  EXPECT_TRUE(result["problem"]["bias"]);

  ASSERT_EQ(run("certify wine/model.safetensors " + data("wine.csv") +
                " --time-limit 2 --engine none --json bound.json")
                .code,
            0);
  EXPECT_NEAR(json("bound.json")["objective"].get<double>(), result["objective"].get<double>(),
              1e-9 * result["objective"].get<double>());
}

TEST_F(Cli, NumericTargetsAreScoredByTheirError) {
  ASSERT_EQ(run("train " + data("random_00.csv") +
                " --targets y0,y1,y2,y3,y4 --weight-decay 0.1 --out r --time-limit 3")
                .code,
            0);
  const Json result = json("r/result.json");
  EXPECT_TRUE(result["train"]["accuracy"].is_null());
  EXPECT_NEAR(result["train"]["rmse"].get<double>(),
              std::sqrt(2 * result["train"]["loss"].get<double>() / 125), 1e-12);
  EXPECT_LE(result["lower_bound"].get<double>(), 8.9024);  // a network with 8.9023 is known
  const Outcome predicted =
      run("predict r/model.safetensors " + data("random_00.csv") + " --out r.csv");
  EXPECT_EQ(predicted.code, 0);
  EXPECT_NE(predicted.out.find("rmse"), std::string::npos);
  EXPECT_EQ(Table(content_of(folder / "r.csv")).names,
            (std::vector<std::string>{"y0", "y1", "y2", "y3", "y4"}));
}

// A float32 network with the names of a torch Sequential: 2 features, 1 neuron, 1 output, bias.
TEST_F(Cli, CertifiesANetworkOfAnotherProgram) {
  const std::string header = R"({"0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                             R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                             R"("2.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[12,16]}})";
  const std::vector<float> weights{1.0F, -0.5F, 0.25F, 2.0F};
  std::string bytes;
  for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  folder.write("net.safetensors",
               bytes + header + std::string(reinterpret_cast<const char*>(weights.data()), 16));
  folder.write("t.csv", "p,q,y\n1,2,0\n3,1,5\n-1,4,1\n");

  const Outcome certified = run(
      "certify net.safetensors t.csv --targets y --weight-decay 0.5 --time-limit 3 --json b.json");

  // Hidden (0.25, 2.75, 0), outputs (0.5, 5.5, 0), errors (0.5, 0.5, -1); weights 1 + .25 + .0625
  // + 4.
  ASSERT_EQ(certified.code, 0) << certified.err;
  EXPECT_NEAR(json("b.json")["objective"].get<double>(), 0.5 * 1.5 + 0.25 * 5.3125, 1e-12);
  EXPECT_LE(json("b.json")["lower_bound"].get<double>(), 0.5 * 1.5 + 0.25 * 5.3125);
  EXPECT_TRUE(json("b.json")["problem"]["bias"]);
  EXPECT_NE(certified.out.find("this one has"), std::string::npos);
}

TEST_F(Cli, AnEarlierResultIsReplacedWhole) {
  const std::string train = "train " + data("random_01.csv") +
                            " --targets y0,y1,y2,y3,y4 --weight-decay 0.1 --out r --engine none "
                            "--time-limit 1 --quiet";
  const Outcome first = run(train);
  ASSERT_EQ(first.code, 0);
  EXPECT_EQ(first.out + first.err, "");
  ASSERT_EQ(run(train + " --bias").code, 0);
  EXPECT_TRUE(json("r/result.json")["problem"]["bias"]);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST_F(Cli, TheTimeLimitCoversTheCommand) {
  ASSERT_EQ(run("train " + data("breast_cancer.csv") +
                " --target diagnosis --weight-decay 0.1 --out r --gap 0 --time-limit 2 --quiet")
                .code,
            0);
  EXPECT_EQ(json("r/result.json")["status"], "time_limit");
  EXPECT_LT(json("r/result.json")["seconds"]["total"].get<double>(), 8.0);  // of a loaded machine
}

TEST_F(Cli, SignalsWriteTheResultAndExitWithFour) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Program program(folder.path(), {"train", data("breast_cancer.csv"), "--target", "diagnosis",
                                    "--weight-decay", "0.1", "--gap", "0", "--out", "r"});
    ASSERT_TRUE(program.wait_for_error_output("objective"));
    program.send(signal);
    const Outcome outcome = program.wait();

    EXPECT_EQ(outcome.code, 4) << outcome.err;
    EXPECT_EQ(json("r/result.json")["status"], "interrupted");
    EXPECT_GT(json("r/result.json")["neurons"].get<int>(), 0);
    EXPECT_LE(json("r/result.json")["lower_bound"].get<double>(),
              json("r/result.json")["objective"].get<double>());
  }
}

// Targets of zero are fitted by the network without neurons, whose objective is the bound.
TEST_F(Cli, TargetsOfZeroGiveANetworkWithoutNeurons) {
  folder.write("t.csv", "a,b,y\n1,2,0\n3,1,0\n-1,4,0\n");
  ASSERT_EQ(run("train t.csv --targets y --weight-decay 1 --out r --time-limit 5").code, 0);
  EXPECT_NEAR(json("r/result.json")["objective"].get<double>(), 0.0, 1e-12);
  EXPECT_EQ(json("r/result.json")["status"], "gap_met");
  const Outcome predicted = run("predict r/model.safetensors t.csv");
  EXPECT_EQ(predicted.code, 0) << predicted.err;
  EXPECT_EQ(run("certify r/model.safetensors t.csv --time-limit 5").code, 0);
}

TEST_F(Cli, NpyTablesTrainAndPredict) {
  const auto npy = [](const std::string& shape, const std::vector<double>& entries) {
    const std::string header =
        "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size());
    bytes += '\0';
    return bytes + header +
           std::string(reinterpret_cast<const char*>(entries.data()), 8 * entries.size());
  };
  folder.write("x.npy", npy("(4, 2)", {1, 2, 3, 1, -1, 4, 2, -2}));
  folder.write("y.npy", npy("(4, 2)", {1, 0, 0, 1, 1, 0, 0, 1}));

  ASSERT_EQ(run("train x.npy --targets-file y.npy --weight-decay 0.1 --out r --time-limit 3 "
                "--test x.npy --test-targets-file y.npy")
                .code,
            0);
  EXPECT_FALSE(json("r/result.json")["test"]["accuracy"].is_null());
  const Outcome predicted = run("predict r/model.safetensors x.npy --targets-file y.npy");
  EXPECT_EQ(predicted.code, 0);
  EXPECT_EQ(Table(predicted.out).rows.size(), 4U);
}

TEST_F(Cli, EverySubcommandHasHelpWithAnExample) {
  for (const char* command : {"train", "predict", "certify", "generate", "report", "info"}) {
    const Outcome outcome = run(std::string(command) + " --help");
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.out.find("Example:\n  relulift " + std::string(command)), std::string::npos);
  }
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("--version").out.rfind("relulift ", 0), 0U);
  const std::string info = run("info").out;
  for (const char* word : {"relulift", "build", "CUDA", "devices", "BLAS", "memory"})
    EXPECT_NE(info.find(word), std::string::npos) << word;
}

TEST_F(Cli, AnAbsentDeviceIsExitCodeThree) {
  if (run("info").out.find("cuda: ") != std::string::npos) GTEST_SKIP() << "a device is present";
  const Outcome outcome = run("train " + data("spiral.csv") +
                              " --targets y0,y1,y2 --weight-decay 0.1 --out r --device cuda");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err.rfind("relulift: ", 0), 0U);
  EXPECT_FALSE(fs::exists(folder / "r"));
}

}  // namespace
}  // namespace relulift::test
