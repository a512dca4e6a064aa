// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <relulift/io.hpp>

#include "tests/support/files.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;
using Json = nlohmann::json;

// d = 2, c = 2, m = 3, no bias.
Model small_model() {
  Network network{.features = 2,
                  .outputs = 2,
                  .neurons = 3,
                  .U = {1, 2, 3, 4, 5, 6},
                  .V = {-1, 0.1, -3, 1e-300, -5, 6}};
  const Schema schema{.features = {"a", "b"},
                      .kind = TargetKind::labels,
                      .label_column = "k",
                      .outputs = {"u", "v\"w"}};
  Model model = make_model(network, {}, schema);
  model.weight_decay = 0.1;
  model.objective = 1.0 / 3.0;
  model.lower_bound = 0.25;
  return model;
}

// A safetensors file by its specification.
std::string safetensors(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  return bytes + header + data;
}

template <class T>
std::string raw(const std::vector<T>& entries) {
  return {reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(T)};
}

class ModelFile : public testing::Test {
 protected:
  Model read(const std::string& bytes) { return read_model(folder.write("m.safetensors", bytes)); }
  std::string error(const std::string& bytes) {
    const std::string message = error_of([&] { read(bytes); });
    const std::string path = (folder / "m.safetensors").string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(ModelFile, ComesBackBitByBit) {
  const Model model = small_model();

  const Model back = read(model_bytes(model));

  EXPECT_EQ(back.network.U, model.network.U);
  EXPECT_EQ(back.network.V, model.network.V);
  EXPECT_EQ(back.schema.features, model.schema.features);
  EXPECT_EQ(back.schema.outputs, model.schema.outputs);
  EXPECT_EQ(back.schema.label_column, "k");
  EXPECT_EQ(back.weight_decay, 0.1);
  EXPECT_EQ(back.objective, 1.0 / 3.0);
  EXPECT_EQ(back.lower_bound, 0.25);
  EXPECT_TRUE(back.hidden_bias.empty());
  EXPECT_FALSE(back.version.empty());
}

// Parsed by hand, in PyTorch's orientation: hidden.weight is m x d, output.weight c x m, by rows.
TEST_F(ModelFile, FollowsTheSpecification) {
  const std::string bytes = model_bytes(small_model());

  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  ASSERT_EQ(length % 8, 0U);
  const Json header = Json::parse(bytes.substr(8, length));
  const auto tensor = [&](const char* name) {
    const auto from = header[name]["data_offsets"][0].get<std::size_t>();
    const auto to = header[name]["data_offsets"][1].get<std::size_t>();
    Doubles entries((to - from) / 8);
    std::memcpy(entries.data(), bytes.data() + 8 + length + from, to - from);
    return entries;
  };
  EXPECT_EQ(header["hidden.weight"]["dtype"], "F64");
  EXPECT_EQ(header["hidden.weight"]["shape"], Json({3, 2}));
  EXPECT_EQ(tensor("hidden.weight"), (Doubles{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(header["output.weight"]["shape"], Json({2, 3}));
  EXPECT_EQ(tensor("output.weight"), (Doubles{-1, -3, -5, 0.1, 1e-300, 6}));
  EXPECT_FALSE(header.contains("hidden.bias"));
  EXPECT_EQ(header["__metadata__"]["classes"], R"(["u","v\"w"])");
  EXPECT_EQ(header["__metadata__"]["bias"], "false");
  EXPECT_EQ(bytes.size(), 8 + length + 8 * 12);
}

TEST_F(ModelFile, ANetworkWithoutNeuronsComesBack) {
  Model model = small_model();
  model.network.neurons = 0;
  model.network.U.clear();
  model.network.V.clear();
  model.preparation.bias = true;

  const Model back = read(model_bytes(model));

  EXPECT_EQ(back.network.neurons, 0);
  EXPECT_EQ(back.network.features, 2);
  EXPECT_EQ(back.network.outputs, 2);
  EXPECT_TRUE(back.preparation.bias);
  EXPECT_EQ(prepared_network(back).features, 3);
}

TEST_F(ModelFile, Float32AndTheNamesOfATorchSequentialAreRead) {
  const std::string header = R"({"2.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},)"
                             R"("0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                             R"("0.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})";

  const Model model = read(safetensors(header, raw(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8})));

  EXPECT_EQ(model.network.U, (Doubles{1, 2, 3, 4}));
  EXPECT_EQ(model.network.V, (Doubles{5, 6}));
  EXPECT_EQ(model.hidden_bias, (Doubles{7, 8}));
  EXPECT_TRUE(model.preparation.bias);
  EXPECT_TRUE(model.schema.features.empty());
  EXPECT_TRUE(std::isnan(model.weight_decay));
  EXPECT_EQ(prepared_network(model).U, (Doubles{1, 2, 7, 3, 4, 8}));
}

constexpr const char* kHidden = R"("0.weight":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]})";
constexpr const char* kOutput = R"("2.weight":{"dtype":"F64","shape":[1,1],"data_offsets":[8,16]})";

TEST_F(ModelFile, AnOutputBiasIsRefusedWithTheReason) {
  const std::string bias = R"("2.bias":{"dtype":"F64","shape":[1],"data_offsets":[16,24]})";
  const std::string header = std::string("{") + kHidden + "," + kOutput + "," + bias + "}";

  EXPECT_NE(error(safetensors(header, raw(Doubles{1, 2, 3}))).find("output bias"),
            std::string::npos);
}

TEST_F(ModelFile, BrokenFilesAreRefused) {
  const std::string data = raw(Doubles{1, 2});
  const auto with = [&](const std::string& header, const std::string& bytes) {
    return error(safetensors(header, bytes));
  };
  const std::string hidden = kHidden, output = kOutput;
  const std::string good = "{" + hidden + "," + output + "}";
  ASSERT_NO_THROW(read(safetensors(good, data)));

  EXPECT_EQ(error(""), ": is empty");
  EXPECT_EQ(error("short"), ": is too short for a safetensors file");
  EXPECT_NE(error(std::string(16, '\xFF')).find("announces a header"), std::string::npos);
  EXPECT_NE(error(safetensors(good, data).substr(0, 40)).find("announces"), std::string::npos);
  EXPECT_NE(error("PK\x03\x04 torch").find("PyTorch archive"), std::string::npos);
  EXPECT_NE(with("[1]", data).find("not a JSON object"), std::string::npos);
  EXPECT_NE(with("{\"a\":", data).find("not a JSON object"), std::string::npos);
  EXPECT_NE(with(good + std::string("\0]", 2), data).find("not a JSON object"), std::string::npos);
  EXPECT_NE(with(std::string(100000, '['), data).find("nested too deeply"), std::string::npos);
  EXPECT_NE(with("{" + hidden + "," + hidden + "}", data).find("twice"), std::string::npos);
  EXPECT_EQ(with("{" + hidden + "}", data.substr(0, 8)), ": holds no tensor 'output.weight'");
  EXPECT_EQ(with(good, data + "tail"), ": 4 bytes belong to no tensor");
  EXPECT_NE(with(good, data.substr(0, 12)).find("is said to stand"), std::string::npos);
  EXPECT_NE(with(good, raw(Doubles{1, std::nan("")})).find("not finite"), std::string::npos);
  EXPECT_NE(with("{" + hidden + R"(,"hidden.weight":{"dtype":"F64","shape":[1,1],)" +
                     R"("data_offsets":[8,16]}})",
                 data)
                .find("holds both"),
            std::string::npos);
}

// One field of a valid header is replaced at a time.
TEST_F(ModelFile, EveryFieldOfATensorIsChecked) {
  const auto with = [&](const std::string& tensor) {
    return error(safetensors("{" + std::string(kOutput) + ",\"0.weight\":" + tensor + "}",
                             raw(Doubles{1, 2})));
  };
  EXPECT_NE(with(R"({"dtype":"F16","shape":[1,4],"data_offsets":[0,8]})").find("dtype 'F16'"),
            std::string::npos);
  EXPECT_NE(with(R"({"dtype":1,"shape":[1,1],"data_offsets":[0,8]})").find("dtype"),
            std::string::npos);
  for (const char* shape : {"[1,2]", "[1]", "[]", "[-1,-1]", "[1.0,1]", "{}", "\"1\"",
                            "[4611686018427387904,4]", "[18446744073709551615,1]"})
    EXPECT_NE(with(std::string(R"({"dtype":"F64","shape":)") + shape + R"(,"data_offsets":[0,8]})"),
              "")
        << shape;
  for (const char* offsets :
       {"[0,16]", "[8,0]", "[8,16]", "[0]", "[0,8,8]", "[-8,0]", "[0,80]", "[1,9]", "null"})
    EXPECT_NE(with(std::string(R"({"dtype":"F64","shape":[1,1],"data_offsets":)") + offsets + "}"),
              "")
        << offsets;
  for (const char* tensor : {"null", "3", "[]", "{}"}) EXPECT_NE(with(tensor), "") << tensor;
}

TEST_F(ModelFile, MetadataMustFitTheWeights) {
  const auto with = [&](const std::string& key, const std::string& value) {
    Json metadata{{"version", "1"}, {"features", "[\"a\"]"}, {"bias", "false"}};
    metadata[key] = value;
    return error(
        safetensors("{\"__metadata__\":" + metadata.dump() + "," + kHidden + "," + kOutput + "}",
                    raw(Doubles{1, 2})));
  };
  EXPECT_EQ(with("features", "[\"a\",\"b\"]"),
            ": the metadata name a number of features that the weights do not have");
  EXPECT_EQ(with("classes", "[\"a\",\"b\"]"),
            ": the metadata name a number of outputs that the weights do not have");
  EXPECT_NE(with("bias", "true"), "");
  EXPECT_NE(with("bias", "1"), "");
  EXPECT_NE(with("features", "{broken"), "");
  EXPECT_NE(with("features", "[1]"), "");
  EXPECT_NE(with("weight_decay", "true"), "");
  EXPECT_NE(with("standardization", R"({"mean":[0],"scale":[0]})"), "");
  EXPECT_NE(with("standardization", R"({"mean":[0],"scale":[1,2]})"), "");
  EXPECT_NE(with("standardization", "[]"), "");
  EXPECT_NE(
      error(safetensors(std::string("{\"__metadata__\":{\"a\":1},") + kHidden + "," + kOutput + "}",
                        raw(Doubles{1, 2}))),
      "");
}

// ---- Gated and linear networks ----

TEST_F(ModelFile, GatedNetworksComeBackBitByBit) {
  for (const bool bias : {false, true}) {
    const Index rows = bias ? 3 : 2;
    Network network{.features = rows, .outputs = 1, .neurons = 2, .U = {}, .V = {0.1, -3}};
    network.activation = Activation::gated;
    for (Index k = 0; k < 2 * rows; ++k) {
      network.U.push_back(1.0 / static_cast<double>(k + 3));
      network.G.push_back(k % 2 == 0 ? 1e-300 : -static_cast<double>(k) / 7);
    }
    const Schema schema{.features = {"a", "b"}, .kind = TargetKind::values, .outputs = {"y"}};
    const Model model = make_model(network, {.bias = bias}, schema);

    const Model back = read(model_bytes(model));

    EXPECT_EQ(back.network.activation, Activation::gated);
    EXPECT_EQ(back.network.G, model.network.G);
    EXPECT_EQ(back.gate_bias, model.gate_bias);
    EXPECT_EQ(back.gate_bias.size(), bias ? 2U : 0U);
    EXPECT_EQ(prepared_network(back).G, network.G);
    EXPECT_EQ(prepared_network(back).U, network.U);
  }
}

TEST_F(ModelFile, LinearNetworksComeBack) {
  Model model = small_model();
  model.network.activation = Activation::linear;

  const Model back = read(model_bytes(model));

  EXPECT_EQ(back.network.activation, Activation::linear);
  EXPECT_EQ(back.network.U, model.network.U);
  EXPECT_TRUE(back.network.G.empty());
}

// Two outputs of two filters on signals of length three, in the order that the format states.
TEST_F(ModelFile, FiltersComeBackAndMustFitTheNetwork) {
  CircularNetwork filters{.features = 3, .outputs = 2, .filters = 2, .U = {}, .W = {}};
  for (int k = 0; k < 6; ++k) filters.U.push_back(k / 7.0);
  for (int k = 0; k < 12; ++k) filters.W.push_back(k / 11.0);
  Model model = make_model(linear_network(filters), {}, {.features = {"a", "b", "c"}});
  model.filters = filters;

  const std::string bytes = model_bytes(model);
  const Model back = read(bytes);

  EXPECT_EQ(back.filters.U, filters.U);
  EXPECT_EQ(back.filters.W, filters.W);
  EXPECT_EQ(back.filters.filters, 2);
  const Doubles x{0.3, -1, 2};
  const Doubles f = predict(back, x, 1), g = predict(back.filters, x, 1);
  for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(f[k], g[k], 1e-14);
  const std::string wrong = ": filter.weight must be filters x 3 and filter.output filters x 2 x 3";
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string out = bytes;
    return out.replace(out.find(from), from.size(), to);
  };
  EXPECT_EQ(error(replaced("[2,2,3]", "[2,3,2]")), wrong);
  EXPECT_EQ(error(replaced("[2,2,3]", "[1,4,3]")), wrong);
  model.filters.features = 0;  // no filters are written
  EXPECT_EQ(read(model_bytes(model)).filters.features, 0);
}

// A gated network that left every neuron out is still one.
TEST_F(ModelFile, AGatedNetworkWithoutNeuronsComesBack) {
  Model model = small_model();
  model.network = {.features = 2, .outputs = 2, .neurons = 0, .U = {}, .V = {}};
  model.network.activation = Activation::gated;

  EXPECT_EQ(read(model_bytes(model)).network.activation, Activation::gated);
}

// One neuron of one feature, with the gate 3, and what is said of it.
TEST_F(ModelFile, GatesMustFitTheNeurons) {
  const auto tensor = [](const char* name, const char* shape, int from, int to) {
    return std::string(",\"") + name + R"(":{"dtype":"F64","shape":)" + shape +
           ",\"data_offsets\":[" + std::to_string(from) + "," + std::to_string(to) + "]}";
  };
  const auto with = [&](const std::string& more, const Doubles& entries) {
    return safetensors(std::string("{") + kHidden + "," + kOutput + more + "}", raw(entries));
  };
  ASSERT_EQ(read(with(tensor("gate.weight", "[1,1]", 16, 24), {1, 2, 3})).network.G, Doubles{3});

  EXPECT_EQ(error(with(tensor("gate.bias", "[1]", 16, 24), {1, 2, 3})),
            ": holds gate.bias, and no gate.weight");
  const std::string wrong =
      ": gate.weight must be 1 x 1 as hidden.weight, and gate.bias have as many entries";
  for (const char* shape : {"[2]", "[2,1]", "[1,2]", "[1,1,2]"})
    EXPECT_EQ(error(with(tensor("gate.weight", shape, 16, 32), {1, 2, 3, 4})), wrong) << shape;
  EXPECT_EQ(error(with(tensor("gate.weight", "[0,1]", 16, 16), {1, 2})), wrong);
  const std::string good = tensor("gate.weight", "[1,1]", 16, 24);
  for (const char* shape : {"[2]", "[2,1]"})
    EXPECT_EQ(error(with(good + tensor("gate.bias", shape, 24, 40), {1, 2, 3, 4, 5})), wrong);
  EXPECT_EQ(error(with(good + tensor("gate.bias", "[1]", 24, 32), {1, 2, 3, 4})),
            ": the gates have a bias and the neurons do not, or the reverse");
  EXPECT_EQ(error(with(good + tensor("0.bias", "[1]", 24, 32), {1, 2, 3, 4})),
            ": the gates have a bias and the neurons do not, or the reverse");
  EXPECT_NE(error(with(good, {1, 2, std::nan("")})).find("not finite"), std::string::npos);
}

TEST_F(ModelFile, AnActivationThatTheTensorsContradictIsRefused) {
  const auto with = [&](const std::string& activation, bool gates) {
    const Json metadata{{"version", "1"}, {"features", "[\"a\"]"}, {"activation", activation}};
    const std::string gate = R"(,"gate.weight":{"dtype":"F64","shape":[1,1],)"
                             R"("data_offsets":[16,24]})";
    return safetensors("{\"__metadata__\":" + metadata.dump() + "," + kHidden + "," + kOutput +
                           (gates ? gate : "") + "}",
                       raw(gates ? Doubles{1, 2, 3} : Doubles{1, 2}));
  };
  EXPECT_EQ(read(with("\"gated\"", true)).network.activation, Activation::gated);
  EXPECT_EQ(read(with("\"linear\"", false)).network.activation, Activation::linear);
  EXPECT_EQ(read(with("\"relu\"", false)).network.activation, Activation::relu);

  const std::string lie = ": the metadata entry 'activation' does not fit the tensors";
  EXPECT_EQ(error(with("\"gated\"", false)), lie);
  EXPECT_EQ(error(with("\"relu\"", true)), lie);
  EXPECT_EQ(error(with("\"linear\"", true)), lie);
  EXPECT_EQ(error(with("\"tanh\"", false)), lie);
  for (const char* broken : {"gated", "1", "null", "[\"gated\"]"})
    EXPECT_EQ(error(with(broken, true)), ": the metadata entry 'activation' cannot be understood")
        << broken;
}

// ---- Folding ----

double relu_score(const Model& model, const Doubles& x) {  // c = 1
  double out = 0.0;
  const auto d = static_cast<std::size_t>(model.network.features);
  for (std::size_t j = 0; j < static_cast<std::size_t>(model.network.neurons); ++j) {
    double t = model.hidden_bias.empty() ? 0.0 : model.hidden_bias[j];
    for (std::size_t i = 0; i < d; ++i) t += model.network.U[i + j * d] * x[i];
    out += model.network.V[j] * std::max(t, 0.0);
  }
  return out;
}

// The folded model on raw features equals the network on prepared ones, with and without bias.
TEST(Folding, PredictsFromRawFeaturesAndUnfoldsAgain) {
  const Dataset data{.source = "t",
                     .schema = {.features = {"a", "b"}},
                     .samples = 3,
                     .features = 2,
                     .outputs = 0,
                     .X = {1, 2, 6, -10, 0, 40}};
  for (const Bias bias : {Bias::no, Bias::yes}) {
    const Preparation preparation = fit_preparation(data, Standardize::yes, bias);
    EXPECT_DOUBLE_EQ(preparation.mean[0], 3.0);
    EXPECT_DOUBLE_EQ(preparation.scale[0], std::sqrt(14.0 / 3.0));  // (4 + 1 + 9) / 3
    const Doubles prepared = prepare(preparation, data.X, 3);
    const Index d = bias == Bias::yes ? 3 : 2;
    ASSERT_EQ(prepared.size(), static_cast<std::size_t>(3 * d));
    Network network{.features = d, .outputs = 1, .neurons = 2, .U = {}, .V = {2, -3}};
    for (Index k = 0; k < 2 * d; ++k) network.U.push_back(0.5 - 0.4 * static_cast<double>(k % 4));

    const Model model = make_model(network, preparation, data.schema);

    EXPECT_EQ(model.network.features, 2);
    for (std::size_t i = 0; i < 3; ++i) {
      double expected = 0.0;
      for (std::size_t j = 0; j < 2; ++j) {
        double t = 0.0;
        for (std::size_t k = 0; k < static_cast<std::size_t>(d); ++k)
          t += network.U[k + j * static_cast<std::size_t>(d)] * prepared[i + 3 * k];
        expected += network.V[j] * std::max(t, 0.0);
      }
      EXPECT_NEAR(relu_score(model, {data.X[i], data.X[i + 3]}), expected, 1e-13);
    }
    const Network back = prepared_network(model);
    for (std::size_t k = 0; k < network.U.size(); ++k) EXPECT_NEAR(back.U[k], network.U[k], 1e-15);
  }
}

// Whether the model has neuron 0 on, by its file's formula.
bool gate_is_open(const Model& model, const Doubles& x) {
  double s = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) s += model.network.G[i] * x[i];
  return s + model.gate_bias[0] >= 0.0;
}

Network one_gate(Doubles gate) {
  Network network{.features = static_cast<Index>(gate.size()),
                  .outputs = 1,
                  .neurons = 1,
                  .U = Doubles(gate.size(), 1.0),
                  .V = {1.0}};
  network.activation = Activation::gated;
  network.G = std::move(gate);
  return network;
}

// Four of these rows have equal features once they are standardized, and lie on the gate (1, -1).
TEST(Folding, RowsOnAGateStayActiveAndTheGateComesBack) {
  const Dataset data{.source = "t",
                     .schema = {.features = {"a", "b"}},
                     .samples = 6,
                     .features = 2,
                     .outputs = 0,
                     .X = {2, 8, 5, 1, 5, 6, 21, 33, 9, 5, 21, 25}};
  const Preparation preparation = fit_preparation(data, Standardize::yes, Bias::no);
  const Network network = one_gate({1, -1});
  const Doubles prepared = prepare(preparation, data.X, 6);
  const auto row = [&](std::size_t r) { return Doubles{data.X[r], data.X[r + 6]}; };
  const Model plain = make_model(network, preparation, data.schema);
  for (const std::size_t r : {1, 3, 4, 5}) ASSERT_FALSE(gate_is_open(plain, row(r)));

  const Model model = make_model(network, preparation, data, prepared);

  EXPECT_EQ(model.unclear_gates, 0);
  for (std::size_t r = 0; r < 6; ++r) {
    EXPECT_EQ(prepared[r] >= prepared[r + 6], r != 0);
    EXPECT_EQ(gate_is_open(model, row(r)), r != 0) << r;
  }
  const Doubles wanted = predict(network, prepared, 6), found = predict(model, data.X, 6);
  for (std::size_t r = 0; r < 6; ++r) EXPECT_NEAR(found[r], wanted[r], 1e-13);
  EXPECT_NEAR(model.gate_bias[0] - plain.gate_bias[0], 1.26962211 / 2, 1e-8);  // to the middle
  const Network back = prepared_network(model);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(back.G[i], network.G[i], 1e-15);
}

TEST(Folding, AGateThatRowsAreClearOfStays) {
  const Dataset data{.source = "t",
                     .schema = {.features = {"a"}},
                     .samples = 3,
                     .features = 1,
                     .outputs = 0,
                     .X = {0, 1, 5}};
  const Preparation preparation = fit_preparation(data, Standardize::yes, Bias::yes);
  const Network network = one_gate({1, 0.1});

  const Model model = make_model(network, preparation, data, prepare(preparation, data.X, 3));

  EXPECT_EQ(model.gate_bias, make_model(network, preparation, data.schema).gate_bias);
  EXPECT_EQ(model.unclear_gates, 0);
}

// All rows are active and the first lies on the gate: no inactive row says how far it may go.
TEST(Folding, AGateWithoutInactiveRowsMovesALittle) {
  const Dataset data{.source = "t",
                     .schema = {.features = {"a"}},
                     .samples = 3,
                     .features = 1,
                     .outputs = 0,
                     .X = {0, 1, 2}};

  const Model model = make_model(one_gate({1, 0}), {.bias = true}, data, Doubles{0, 1, 2, 1, 1, 1});

  EXPECT_GT(model.gate_bias[0], 1e-12);
  EXPECT_LT(model.gate_bias[0], 1e-5);
}

// 1 - (1 + e) and 0 have different signs and are apart by rounding alone.
TEST(Folding, RowsOnBothSidesOfAGateByRoundingAreCounted) {
  const double e = std::numeric_limits<double>::epsilon();
  const Dataset data{.source = "t",
                     .schema = {.features = {"a"}},
                     .samples = 2,
                     .features = 1,
                     .outputs = 0,
                     .X = {1, 1 + e}};

  const Model model =
      make_model(one_gate({1, -1 - e}), {.bias = true}, data, Doubles{1, 1 + e, 1, 1});

  EXPECT_EQ(model.unclear_gates, 1);
  EXPECT_EQ(model.gate_bias, Doubles{-1 - e});
}

TEST(Folding, ABiasThatTheMetadataDenyIsRefused) {
  Model model = small_model();
  model.preparation.mean = {1, 1};
  model.preparation.scale = {1, 1};
  model.hidden_bias = {1, 2, 3};

  EXPECT_NE(error_of([&] { prepared_network(model); }), "");
}

// 0.1 has no exact mean of three: the column is zero all the same. The last deviates by rounding.
TEST(Preparing, ConstantColumnsBecomeZeroAndAreCounted) {
  const Dataset data{.source = "t.csv",
                     .schema = {.features = {"a", "b", "c"}},
                     .samples = 3,
                     .features = 3,
                     .outputs = 0,
                     .X = {1, 2, 6, 0.1, 0.1, 0.1, 1, 1 + 1e-15, 1}};

  const Preparation preparation = fit_preparation(data, Standardize::yes, Bias::no);

  EXPECT_EQ(preparation.constant_features, 2);
  EXPECT_EQ(preparation.scale[1], 1.0);
  EXPECT_EQ(preparation.scale[2], 1.0);
  const Doubles prepared = prepare(preparation, data.X, 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(prepared[3 + i], 0.0);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(std::abs(prepared[6 + i]), 2e-15);
  EXPECT_EQ(fit_preparation(data, Standardize::no, Bias::yes).constant_features, 0);
}

// Two values that differ in the last places of a large offset: a sum of squares would lose them.
TEST(Preparing, MeanAndDeviationOfLongColumnsAreAccurate) {
  const Index n = 1 << 18;
  Dataset data{.source = "t",
               .schema = {.features = {"a"}},
               .samples = n,
               .features = 1,
               .outputs = 0,
               .X = Doubles(static_cast<std::size_t>(n), 1e8)};
  for (std::size_t i = 0; i < data.X.size(); i += 4) data.X[i] += 1.0;

  const Preparation preparation = fit_preparation(data, Standardize::yes, Bias::no);

  EXPECT_DOUBLE_EQ(preparation.mean[0], 1e8 + 0.25);
  EXPECT_NEAR(preparation.scale[0], std::sqrt(3.0) / 4.0, 1e-15);  // of a share 1/4
}

TEST(Preparing, ColumnsTooLargeToStandardizeAreRefusedByName) {
  const Dataset data{.source = "t.csv",
                     .schema = {.features = {"a"}},
                     .samples = 2,
                     .features = 1,
                     .outputs = 0,
                     .X = {1e200, -1e200}};
  EXPECT_EQ(error_of([&] { fit_preparation(data, Standardize::yes, Bias::no); }),
            "t.csv: the values of column 'a' are too large to standardize");
}

TEST(Preparing, ValuesTooLargeToSquareAreRefused) {
  const Dataset data{.source = "t.csv",
                     .schema = {.features = {"a"}},
                     .samples = 2,
                     .features = 1,
                     .outputs = 1,
                     .X = {1, 1e200},
                     .Y = {1, 2}};
  EXPECT_NE(error_of([&] { make_problem(data, {}, 0.1); }).find("too large"), std::string::npos);
}

TEST(Preparing, TheProblemCarriesTheBiasAsAColumnOfOnes) {
  const Dataset data{.source = "t.csv",
                     .schema = {.features = {"a"}},
                     .samples = 2,
                     .features = 1,
                     .outputs = 1,
                     .X = {1, 2},
                     .Y = {3, 4}};
  const Problem problem = make_problem(data, {.bias = true}, 0.5);
  EXPECT_EQ(problem.features, 2);
  EXPECT_EQ(problem.X, (Doubles{1, 2, 1, 1}));
  EXPECT_EQ(problem.Y, (Doubles{3, 4}));
  EXPECT_EQ(problem.weight_decay, 0.5);
}

}  // namespace
}  // namespace relulift::test
