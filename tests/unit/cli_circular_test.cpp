// SPDX-License-Identifier: Apache-2.0
// Circular networks as a user trains them. The filters are read by hand from the model file and
// convolved by plain loops; the optimum is that of proximal gradient on transforms by definition.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>
#include <relulift/solve.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/html.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;
using Complex = std::complex<double>;

std::vector<Row> numbers_of(const std::string& csv) {
  std::vector<Row> rows;
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);  // names
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');)
      rows.back().push_back(std::stod(field));
  }
  return rows;
}

// filter.weight and filter.output, and what prepares a row.
struct Filters {
  std::size_t m = 0, d = 0, c = 0;
  Row weight, output, mean, scale;

  explicit Filters(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    const Json header = Json::parse(bytes.substr(8, length));
    const auto read = [&](const char* name) {
      const auto from = header[name]["data_offsets"][0].get<std::size_t>();
      const auto to = header[name]["data_offsets"][1].get<std::size_t>();
      Row out((to - from) / 8);
      if (to > from) std::memcpy(out.data(), bytes.data() + 8 + length + from, to - from);
      return out;
    };
    const Json shape = header["filter.output"]["shape"];
    m = shape[0], c = shape[1], d = shape[2];
    EXPECT_EQ(header["filter.weight"]["shape"], Json({m, d}));
    weight = read("filter.weight");
    output = read("filter.output");
    const Json prepared = Json::parse(header["__metadata__"]["standardization"].get<std::string>());
    mean = prepared.is_null() ? Row(d, 0.0) : prepared["mean"].get<Row>();
    scale = prepared.is_null() ? Row(d, 1.0) : prepared["scale"].get<Row>();
    EXPECT_EQ(header["__metadata__"]["activation"], "\"linear\"");
  }

  Row prepared(const Row& x) const {
    Row z(d);
    for (std::size_t i = 0; i < d; ++i) z[i] = (x[i] - mean[i]) / scale[i];
    return z;
  }
  // Of a raw row: sum_j sum_t W_j,t (z * u_j)_t.
  Row scores(const Row& x) const {
    const Row z = prepared(x);
    Row f(c, 0.0);
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t t = 0; t < d; ++t) {
        double convolved = 0.0;
        for (std::size_t s = 0; s < d; ++s) convolved += z[s] * weight[j * d + (t + d - s) % d];
        for (std::size_t k = 0; k < c; ++k) f[k] += output[(j * c + k) * d + t] * convolved;
      }
    return f;
  }
  double loss(const std::vector<Row>& rows) const {
    double sum = 0.0;
    for (const Row& row : rows) {
      const Row f = scores(row);
      for (std::size_t k = 0; k < c; ++k) sum += 0.5 * std::pow(f[k] - row[d + k], 2);
    }
    return sum;
  }
  double objective(const std::vector<Row>& rows, double g) const {
    double squares = 0.0;
    for (const Row* part : {&weight, &output})
      for (const double w : *part) squares += w * w;
    return loss(rows) + g / 2 * squares;
  }
};

// min_V 1/2 ||XV - Y||^2 + g/d sum_k ||V^_k|| by gradient steps and shrinking of every frequency.
double optimum(const std::vector<Row>& rows, std::size_t d, std::size_t c, double g) {
  double curvature = 0.0;
  for (const Row& row : rows)
    for (std::size_t s = 0; s < d; ++s) curvature += row[s] * row[s];
  const double root = std::sqrt(static_cast<double>(d));
  std::vector<Complex> wave(d);
  for (std::size_t k = 0; k < d; ++k)
    wave[k] = std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(k) / (root * root));
  std::vector<Row> V(d, Row(c, 0.0));
  double value = 0.0;
  for (int step = 0; step < 4000; ++step) {
    std::vector<Row> next = V;
    value = 0.0;
    for (const Row& row : rows)
      for (std::size_t k = 0; k < c; ++k) {
        double r = -row[d + k];
        for (std::size_t s = 0; s < d; ++s) r += row[s] * V[s][k];
        value += 0.5 * r * r;
        for (std::size_t s = 0; s < d; ++s) next[s][k] -= row[s] * r / curvature;
      }
    for (Row& row : V) std::ranges::fill(row, 0.0);
    for (std::size_t q = 0; q < d; ++q) {
      std::vector<Complex> before(c), now(c);
      double norm = 0.0;
      for (std::size_t k = 0; k < c; ++k) {
        for (std::size_t t = 0; t < d; ++t) now[k] += next[t][k] * std::conj(wave[q * t % d]);
        norm += std::norm(now[k]) / (root * root);
      }
      norm = std::sqrt(norm);
      const double kept = norm > 0.0 ? std::max(0.0, 1.0 - g / root / curvature / norm) : 0.0;
      for (std::size_t k = 0; k < c; ++k)
        for (std::size_t t = 0; t < d; ++t)
          V[t][k] += kept * (now[k] * wave[q * t % d]).real() / (root * root);
      value += g / root * kept * norm;  // of the next point, as good at the end
    }
  }
  return value;
}

class CliCircular : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run("generate teacher --samples 25 --features 6 --outputs 2 --noise 0.1 --seed 3 "
                  "--out t.csv")
                  .code,
              0);
    rows = numbers_of(content_of(folder / "t.csv"));
    ASSERT_EQ(rows.size(), 25U);
  }
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Outcome train(const std::string& more) {
    return run("train t.csv --targets y0,y1 --out r --method circular " + more);
  }
  Json result() { return Json::parse(content_of(folder / "r/result.json")); }
  Filters filters() { return Filters(content_of(folder / "r/model.safetensors")); }
  TemporaryFolder folder;
  std::vector<Row> rows;
};

TEST_F(CliCircular, ReachesTheOptimumOfTheProgramAndStatesTheObjectiveOfItsFilters) {
  for (const char* decay : {"0.1", "3"}) {
    const Outcome outcome = train(std::string("--weight-decay ") + decay);

    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const double g = std::stod(decay), best = optimum(rows, 6, 2, g);
    const Json json = result(), program = json["convex_program"];
    const double objective = json["objective"].get<double>();
    EXPECT_NEAR(objective, filters().objective(rows, g), 1e-10 * objective);
    EXPECT_NEAR(json["train"]["loss"].get<double>(), filters().loss(rows), 1e-10 * objective);
    EXPECT_NEAR(objective, best, 2e-6 * best);
    EXPECT_LE(json["program_bound"].get<double>(), best * (1 + 1e-12));
    EXPECT_LE(program["relative_gap"].get<double>(), 1e-6);
    EXPECT_EQ(json["method"], "circular");
    EXPECT_EQ(json["status"], "optimal");
    EXPECT_EQ(program["solver"], "interior");
    EXPECT_EQ(program["filters"], 1);
    EXPECT_TRUE(program["patterns"].is_null());
    EXPECT_TRUE(json["lower_bound"].is_null());  // nothing is said of ReLU networks
    EXPECT_EQ(json["certificate"]["claim"], "none");
    EXPECT_FALSE(fs::exists(folder / "r/certificate.safetensors"));
    EXPECT_NE(outcome.out.find("1 filter, "), std::string::npos) << outcome.out;
  }
}

// The model file holds a linear network; filters are beside it for the standardized signal.
TEST_F(CliCircular, PredictsWhatItsFiltersDo) {
  for (const char* more : {"", " --standardize"}) {
    ASSERT_EQ(train(std::string("--weight-decay 0.5") + more).code, 0);

    const Outcome predicted = run("predict r/model.safetensors t.csv");

    ASSERT_EQ(predicted.code, 0) << predicted.err;
    const std::vector<Row> scores = numbers_of(predicted.out);
    ASSERT_EQ(scores.size(), rows.size());
    const Filters net = filters();
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t k = 0; k < 2; ++k)
        EXPECT_NEAR(scores[r][k], net.scores(rows[r])[k], 1e-11) << more;
    EXPECT_NEAR(result()["objective"].get<double>(), net.objective(rows, 0.5), 1e-9) << more;
    EXPECT_EQ(run("certify r/model.safetensors t.csv").err,
              "relulift: bounds are for ReLU networks; this one has gates or no activation\n");
  }
}

TEST_F(CliCircular, ALargeDecayLeavesNoFilter) {
  ASSERT_EQ(train("--weight-decay 1000").code, 0);

  EXPECT_EQ(result()["neurons"], 0);
  EXPECT_EQ(result()["convex_program"]["filters"], 0);
  EXPECT_EQ(filters().m, 0U);
  EXPECT_NEAR(result()["objective"].get<double>(), filters().loss(rows), 1e-12);
  EXPECT_EQ(run("report r").code, 0);
}

// So long that the time is over before the first step.
TEST_F(CliCircular, ATimeLimitLeavesANetworkNoWorseThanZero) {
  ASSERT_EQ(
      run("generate random --samples 400 --features 200 --outputs 1 --seed 1 --out long.csv").code,
      0);
  const std::string arguments =
      "train long.csv --targets y0 --method circular --weight-decay 100 --out ";

  const Outcome outcome = run(arguments + "r --time-limit 1e-9");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<Row> signals = numbers_of(content_of(folder / "long.csv"));
  double zero = 0.0;
  for (const Row& row : signals) zero += 0.5 * row[200] * row[200];
  const Json json = result();
  const double objective = json["objective"].get<double>();
  EXPECT_EQ(json["status"], "time_limit");
  EXPECT_LE(objective, zero * (1 + 1e-12));
  EXPECT_NEAR(objective, filters().objective(signals, 100), 1e-9 * objective);
  ASSERT_EQ(run(arguments + "whole").code, 0);
  const Json whole = Json::parse(content_of(folder / "whole/result.json"));
  EXPECT_LE(json["program_bound"].get<double>(), whole["objective"].get<double>());
  EXPECT_GE(objective, whole["program_bound"].get<double>());
}

TEST_F(CliCircular, APathChoosesADecayAndWritesItsFilters) {
  const Outcome outcome =
      run("path t.csv --targets y0,y1 --method circular --weight-decays 0.1:10:3 --folds 2 "
          "--standardize --out p");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json path = Json::parse(content_of(folder / "p/path.json"));
  const double g = path["best"].get<double>();
  const Filters net(content_of(folder / "p/best/model.safetensors"));
  const Json best = Json::parse(content_of(folder / "p/best/result.json"));
  EXPECT_NEAR(best["objective"].get<double>(), net.objective(rows, g), 1e-9);
}

TEST_F(CliCircular, TheReportSaysWhatItIs) {
  ASSERT_EQ(train("--weight-decay 0.5").code, 0);

  const Outcome outcome = run("report r");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string html = content_of(folder / "r/report.html");
  EXPECT_NO_THROW(tags_of(html));
  EXPECT_NE(html.find("Two-layer circular network for"), std::string::npos);
  for (const char* word : {"ReLU", "neuron", "Neuron", "any width", "<script", "nan\"", ">nan"})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
}

// ---- The library ----

TEST(CircularMethod, AnInterruptedSolveReturnsANetworkAndAValidBound) {
  Problem problem{.samples = 2, .features = 3, .outputs = 1, .X = {1, 2, 3, 4, 5, 7}, .Y = {1, -2}};
  problem.weight_decay = 0.1;
  Options options{.method = Method::circular};
  const Result solved = solve(problem, options);
  ASSERT_EQ(solved.status, Status::optimal);
  options.on_progress = [](const Progress&) { return false; };

  const Result stopped = solve(problem, options);

  EXPECT_EQ(stopped.status, Status::interrupted);
  EXPECT_EQ(stopped.objective, objective(problem, stopped.filters));
  EXPECT_LE(stopped.program.bound, solved.objective);
  EXPECT_GE(stopped.objective, solved.program.bound);
  EXPECT_EQ(stopped.network.activation, Activation::linear);
}

}  // namespace
}  // namespace relulift::test
