// SPDX-License-Identifier: Apache-2.0
// relulift certify --out, and the neuron it suggests: figures are recomputed from the files alone,
// by plain loops over the tensors of the model.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<double>;

std::string iris() {
  const char* folder = std::getenv("RELULIFT_DATA");
  if (folder == nullptr) throw std::runtime_error("RELULIFT_DATA is not set");
  return (fs::path(folder) / "iris_train.csv").string();
}

// Rows of four features, and one-hot rows of three classes.
struct Iris {
  std::vector<Row> X, Y;

  Iris() {
    std::istringstream rows(content_of(iris()));
    std::string line, field;
    std::getline(rows, line);
    while (std::getline(rows, line)) {
      std::istringstream fields(line);
      X.emplace_back();
      for (int i = 0; i < 4 && std::getline(fields, field, ','); ++i)
        X.back().push_back(std::stod(field));
      std::getline(fields, field);
      Y.push_back(
          {double(field == "setosa"), double(field == "versicolor"), double(field == "virginica")});
    }
  }
};

// A model file of iris with standardized features and a bias, neuron by neuron.
struct FileModel {
  struct Neuron {
    Row w;  // hidden.weight, on raw features
    double b;
    Row v;  // output.weight
  };
  Json header;
  Row mean, scale;
  std::vector<Neuron> neurons;

  explicit FileModel(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    header = Json::parse(bytes.substr(8, length));
    const auto tensor = [&](const char* name) {
      const auto from = header[name]["data_offsets"][0].get<std::size_t>();
      const auto to = header[name]["data_offsets"][1].get<std::size_t>();
      Row entries((to - from) / 8);
      std::memcpy(entries.data(), bytes.data() + 8 + length + from, to - from);
      return entries;
    };
    const Row W = tensor("hidden.weight"), b = tensor("hidden.bias"), V = tensor("output.weight");
    const std::size_t m = b.size();
    for (std::size_t j = 0; j < m; ++j)
      neurons.push_back({{W[4 * j], W[4 * j + 1], W[4 * j + 2], W[4 * j + 3]},
                         b[j],
                         {V[j], V[m + j], V[2 * m + j]}});
    const Json standard = Json::parse(header["__metadata__"]["standardization"].get<std::string>());
    mean = standard["mean"].get<Row>();
    scale = standard["scale"].get<Row>();
  }

  std::string bytes() {
    const std::size_t m = neurons.size();
    Row W, b, V;
    for (const Neuron& n : neurons) {
      W.insert(W.end(), n.w.begin(), n.w.end());
      b.push_back(n.b);
    }
    for (std::size_t k = 0; k < 3; ++k)
      for (const Neuron& n : neurons) V.push_back(n.v[k]);
    std::string data;
    const auto append = [&](const char* name, const Row& entries, const Json& shape) {
      const std::size_t from = data.size();
      data.append(reinterpret_cast<const char*>(entries.data()), 8 * entries.size());
      header[name]["data_offsets"] = {from, data.size()};
      header[name]["shape"] = shape;
    };
    append("hidden.bias", b, {m});
    append("hidden.weight", W, {m, 4});
    append("output.weight", V, {3, m});
    const std::string text = header.dump();
    std::string out;
    for (std::size_t k = 0; k < 8; ++k) out += static_cast<char>(text.size() >> (8 * k));
    return out + text + data;
  }

  // J on the standardized features and the constant one, for weight decay 0.1.
  double objective(const Iris& data) const {
    double loss = 0.0, penalty = 0.0;
    for (std::size_t r = 0; r < data.X.size(); ++r)
      for (std::size_t k = 0; k < 3; ++k) {
        double f = -data.Y[r][k];
        for (const Neuron& n : neurons) {
          double z = n.b;
          for (std::size_t i = 0; i < 4; ++i) z += n.w[i] * data.X[r][i];
          f += n.v[k] * std::max(z, 0.0);
        }
        loss += f * f;
      }
    for (const Neuron& n : neurons) {
      double bias = n.b;
      for (std::size_t i = 0; i < 4; ++i) {
        bias += n.w[i] * mean[i];
        penalty += std::pow(n.w[i] * scale[i], 2);
      }
      penalty += bias * bias;
      for (const double v : n.v) penalty += v * v;
    }
    return 0.5 * loss + 0.05 * penalty;
  }
};

class CliSuggestion : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Json json(const std::string& name) { return Json::parse(content_of(folder / name)); }
  TemporaryFolder folder;
};

TEST_F(CliSuggestion, TheNeuronThatWasRemovedIsFoundAndIsWorthWhatIsSaid) {
  ASSERT_EQ(run("train " + iris() +
                " --target species --weight-decay 0.1 --out r --standardize --bias --engine none "
                "--time-limit 2")
                .code,
            0);
  const Iris data;
  FileModel model(content_of(folder / "r/model.safetensors"));
  const double whole = model.objective(data);
  EXPECT_NEAR(whole, json("r/result.json")["objective"].get<double>(), 1e-9 * whole);
  const auto size = [](const FileModel::Neuron& n) {
    return std::abs(n.v[0]) + std::abs(n.v[1]) + std::abs(n.v[2]);
  };
  model.neurons.erase(
      std::max_element(model.neurons.begin(), model.neurons.end(),
                       [&](const auto& a, const auto& b) { return size(a) < size(b); }));
  const double without = model.objective(data);
  folder.write("less.safetensors", model.bytes());

  const Outcome certified = run("certify less.safetensors " + iris() +
                                " --engine none --gap 0.99 --time-limit 60 --out c");

  ASSERT_EQ(certified.code, 0) << certified.err;
  const Json result = json("c/result.json"), suggestion = result["suggestion"];
  ASSERT_FALSE(suggestion.is_null());
  model.neurons.push_back(
      {suggestion["u"].get<Row>(), suggestion["bias"].get<double>(), suggestion["v"].get<Row>()});
  const double enlarged = model.objective(data);
  EXPECT_NEAR(result["objective"].get<double>(), without, 1e-9 * without);
  EXPECT_NEAR(suggestion["objective"].get<double>(), enlarged, 1e-9 * without);
  EXPECT_NEAR(suggestion["reduction"].get<double>(), without - enlarged, 1e-9 * without);
  // The neuron that was there is one of those to find; a little is left to the search.
  EXPECT_GE(without - enlarged, 0.95 * (without - whole));
  EXPECT_NE(certified.out.find("Adding one neuron lowers the objective by "), std::string::npos);

  ASSERT_EQ(run("report c").code, 0);
  EXPECT_NE(content_of(folder / "c/report.html").find("Adding one neuron lowers the objective by "),
            std::string::npos);
}

// A network of another program names nothing; the folder holds it as it is, and a report finds the
// names in result.json.
TEST_F(CliSuggestion, TheFolderHoldsTheModelAsItWasGivenAndHasAReport) {
  const std::string header = R"({"0.weight":{"dtype":"F64","shape":[1,4],"data_offsets":[0,32]},)"
                             R"("2.weight":{"dtype":"F64","shape":[3,1],"data_offsets":[32,56]}})";
  const Row weights{0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2};
  std::string bytes;
  for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  bytes += header + std::string(reinterpret_cast<const char*>(weights.data()), 56);
  folder.write("net.safetensors", bytes);
  ASSERT_EQ(run("certify net.safetensors " + iris() +
                " --target species --weight-decay 0.5 --engine none --time-limit 2 --out c --json "
                "c.json")
                .code,
            0);

  EXPECT_EQ(content_of(folder / "c/model.safetensors"), bytes);
  EXPECT_EQ(json("c.json"), json("c/result.json"));
  EXPECT_EQ(content_of(folder / "c/trace.csv").rfind("phase,iteration,objective", 0), 0U);
  ASSERT_EQ(run("report c").code, 0);
  const std::string html = content_of(folder / "c/report.html");
  EXPECT_NE(html.find("petal_length"), std::string::npos);
  EXPECT_NE(html.find("class=\"confusion\""), std::string::npos);
}

TEST_F(CliSuggestion, AnInputInTheFolderIsRefusedBeforeAnythingIsDone) {
  fs::create_directory(folder / "c");
  folder.write("c/net.safetensors", "x");
  const Outcome outcome = run("certify c/net.safetensors " + iris() + " --out c");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(content_of(folder / "c/net.safetensors"), "x");
  fs::create_directory(folder / "d");
  const Outcome beside = run("certify c/net.safetensors " + iris() + " --out d --json d/x.json");
  EXPECT_EQ(beside.code, 2);
  EXPECT_NE(beside.err.find("d/x.json: lies in the output folder d"), std::string::npos)
      << beside.err;
}

}  // namespace
}  // namespace relulift::test
