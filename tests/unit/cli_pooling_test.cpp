// SPDX-License-Identifier: Apache-2.0
// Networks of filters as a user trains them: the filters that docs/formats.md says how to take out
// of a model give its scores by loops over patches, and what cannot go together is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <relulift/io.hpp>
#include <sstream>

#include "src/core/dense.hpp"
#include "tests/support/files.hpp"
#include "tests/support/filters.hpp"
#include "tests/support/formats.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;
using testing::Images;

constexpr Images kPlain{4, 5, 1, 2, 1};

// Two pixels of noise and a pair of equal ones: beside each other for a, one below the other for b.
struct Table {
  std::string csv = "kind,";
  Matrix X, Y;  // Y: one-hot of a, b

  explicit Table(Index n) : X(n, 20), Y(Matrix::Zero(n, 2)) {
    for (Index j = 0; j < 20; ++j) csv += (j > 0 ? ",p" : "p") + std::to_string(j);
    csv += '\n';
    std::uint64_t state = 1;
    const auto below = [&state](Index bound) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return static_cast<Index>((state >> 33) % static_cast<std::uint64_t>(bound));
    };
    for (Index r = 0; r < n; ++r) {
      for (Index j = 0; j < 20; ++j) X(r, j) = static_cast<double>(below(5)) / 8.0;
      const bool across = r % 2 == 0;
      const Index y = below(across ? 4 : 3), x = below(across ? 4 : 5);
      X(r, 5 * y + x) += 2.0;
      X(r, across ? 5 * y + x + 1 : 5 * y + x + 5) += 2.0;
      Y(r, across ? 0 : 1) = 1.0;
      std::ostringstream line;
      line << (across ? 'a' : 'b');
      for (Index j = 0; j < 20; ++j) line << ',' << X(r, j);
      csv += line.str() + '\n';
    }
  }
};

class CliPooling : public ::testing::Test {
 protected:
  CliPooling() { folder.write("t.csv", table.csv); }
  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Outcome train(const std::string& more) {
    return run("train t.csv --target kind --weight-decay 0.2 --outputs one-vs-all --out r " + more);
  }
  Json result() { return Json::parse(content_of(folder / "r/result.json")); }
  Model model() { return read_model(folder / "r/model.safetensors"); }

  Table table{40};
  TemporaryFolder folder;
};

// Filter j, from its neuron in patch k, and the weights of its outputs.
Vector filter_of(const Model& model, const Images& images, Index j, Index k, Index K) {
  const Network& network = model.network;
  Vector row = Eigen::Map<const Vector>(network.U.data() + (j * K + k) * 20, 20);
  if (model.preparation.standardized())
    for (Index i = 0; i < 20; ++i) row[i] *= model.preparation.scale[static_cast<std::size_t>(i)];
  Images plain = images;
  plain.bias = false;
  const Vector pixels = testing::naive_patches(plain, row)[static_cast<std::size_t>(k)];
  if (!images.bias) return std::sqrt(K) * pixels;
  Vector out(pixels.size() + 1);
  out << pixels, model.hidden_bias[static_cast<std::size_t>(j * K + k)];
  return std::sqrt(K) * out;
}

Matrix scores_by_filters(const Model& model, const Images& images, const Matrix& X, Index filters) {
  const Index K = model.network.neurons / filters;
  Matrix f = Matrix::Zero(X.rows(), 2);
  for (Index j = 0; j < filters; ++j) {
    const Vector u = filter_of(model, images, j, 0, K);
    for (Index k = 1; k < K; ++k)
      EXPECT_LE((filter_of(model, images, j, k, K) - u).norm(), 1e-12 * u.norm());
    const Vector v = Eigen::Map<const Vector>(model.network.V.data() + 2 * j * K, 2);
    f += naive_filter(images, X, u) * (std::sqrt(K) * v).transpose();
  }
  return f;
}

TEST_F(CliPooling, FiltersOfTheModelGiveItsScoresAndItsObjective) {
  for (const std::string stride : {"1", "2"})
    for (const bool bias : {false, true}) {
      Images images = kPlain;
      images.stride = std::stoll(stride);
      images.bias = bias;
      Matrix X(40, images.features());
      X.leftCols(20) = table.X;
      if (bias) X.col(20).setOnes();

      const Outcome out =
          train("--method relu --gates 30 --pool average --image 4x5 --patch 2 --stride " + stride +
                (bias ? " --bias" : ""));

      ASSERT_EQ(out.code, 0) << out.err;
      const Json json = result(), program = json["convex_program"];
      const auto filters = program["filters"].get<Index>();
      EXPECT_EQ(
          program["pooling"],
          (Json{
              {"kind", "average"}, {"image", {4, 5, 1}}, {"patch", 2}, {"stride", images.stride}}));
      const Model model = this->model();
      const Index K = images.stride == 1 ? 12 : 4;
      ASSERT_EQ(json["neurons"].get<Index>(), filters * K);
      ASSERT_GT(filters, 0);
      const Matrix f = scores_by_filters(model, images, X, filters);
      double squares = 0.0;
      for (const auto* weights : {&model.network.U, &model.network.V, &model.hidden_bias})
        for (const double w : *weights) squares += w * w;
      const double objective = 0.5 * (f - table.Y).squaredNorm() + 0.1 * squares;
      EXPECT_NEAR(json["objective"].get<double>(), objective, 1e-9 * objective);
      EXPECT_NEAR(program["objective"].get<double>(), objective, 2e-6 * objective);
      EXPECT_LE(json["program_bound"].get<double>(), objective);
      EXPECT_EQ(json["status"], "optimal");
      EXPECT_NE(out.out.find("of filters pooled over these patches"), std::string::npos) << out.out;
    }
}

TEST_F(CliPooling, StandardizedModelsPredictFromRawPixels) {
  const Outcome out = train(
      "--method relu --gates 20 --pool average --image 4x5 --patch 2 --standardize --test t.csv");

  ASSERT_EQ(out.code, 0) << out.err;
  const Model model = this->model();
  Matrix X = table.X;
  for (Index i = 0; i < 20; ++i) {
    const auto at = static_cast<std::size_t>(i);
    X.col(i) = (X.col(i).array() - model.preparation.mean[at]) / model.preparation.scale[at];
  }
  const Json json = result();
  const Matrix f = scores_by_filters(model, kPlain, X, json["convex_program"]["filters"]);
  const double loss = 0.5 * (f - table.Y).squaredNorm();
  EXPECT_NEAR(json["train"]["loss"].get<double>(), loss, 1e-9);
  EXPECT_NEAR(json["test"]["loss"].get<double>(), loss, 1e-9);
}

TEST_F(CliPooling, OtherCommandsTakeTheModelAsAPlainNetwork) {
  ASSERT_EQ(train("--method relu --gates 20 --pool average --image 4x5 --patch 2").code, 0);
  const double objective = result()["objective"].get<double>();

  const Outcome certified =
      run("certify r/model.safetensors t.csv --engine none --time-limit 5 --json c.json");
  const Outcome reported = run("report r");

  ASSERT_EQ(certified.code, 0) << certified.err;
  const Json json = Json::parse(content_of(folder / "c.json"));
  EXPECT_NEAR(json["objective"].get<double>(), objective, 1e-10 * objective);
  EXPECT_LE(json["lower_bound"].get<double>(), objective);
  ASSERT_EQ(reported.code, 0) << reported.err;
  EXPECT_NE(content_of(folder / "r/report.html").find("Filters, pooled over patches"),
            std::string::npos);
}

TEST_F(CliPooling, GatedFiltersComeFromAFileWithARowPerPixelOfAPatch) {
  const Row entries{1, -1, 0.5, -0.2, 1, 0.3, -1, -0.6, -1, 0.1, 0.2, 1};
  folder.write("g.npy", npy_file("<f8", "(4, 3)", raw_bytes(entries), "True"));
  const std::string pooled = "--method gated --gates g.npy --pool average --image 4x5 --patch 2";

  const Outcome out = train(pooled);

  ASSERT_EQ(out.code, 0) << out.err;
  EXPECT_EQ(result()["convex_program"]["patterns"], 3);
  const Model model = this->model();
  ASSERT_EQ(model.network.neurons % 12, 0);
  for (Index neuron = 0; neuron < model.network.neurons; ++neuron) {
    const Vector gate = Eigen::Map<const Vector>(model.network.G.data() + neuron * 20, 20);
    const Vector pixels =
        testing::naive_patches(kPlain, gate)[static_cast<std::size_t>(neuron % 12)];
    bool given = false;
    for (int k = 0; k < 3; ++k)
      given |= pixels == Eigen::Map<const Vector>(entries.data() + 4 * k, 4);
    EXPECT_TRUE(given) << neuron;
  }
  const Outcome refused = train(pooled + " --bias");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("g.npy: holds 4 rows of gates, a filter has 5 weights"),
            std::string::npos)
      << refused.err;
}

TEST_F(CliPooling, APathHasFiltersToo) {
  const Outcome out =
      run("path t.csv --target kind --outputs one-vs-all --method gated --gates 20 --pool average "
          "--image 4x5 --patch 2 --weight-decays 0.1:1:3 --folds 2 --standardize --out p");

  ASSERT_EQ(out.code, 0) << out.err;
  const Json json = Json::parse(content_of(folder / "p/path.json"));
  EXPECT_EQ(json["settings"]["pooling"]["patch"], 2);
  EXPECT_EQ(json["points"].size(), 3U);
  const Json best = Json::parse(content_of(folder / "p/best/result.json"));
  EXPECT_GT(best["convex_program"]["filters"], 0);
  EXPECT_GT(best["train"]["accuracy"], 0.9);
}

TEST_F(CliPooling, WhatCannotGoTogetherIsRefusedInOneSentence) {
  const std::string pool = " --pool average --image 4x5 --patch 2 ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"--method gated --pool average", "--pool average needs --image"},
      {"--method linear" + pool, "--pool is for --method relu, gated and exact, not linear"},
      {"--method sdp" + pool, "--pool"},
      {"--method gated --pool average --image 4x4", "--image 4x4: the data have 20 features"},
      {"--method gated --stride 2", "--stride goes with --pool average"},
      {"--method gated --stride 0" + pool, "--stride must be at least 1, not 0"},
      {"--method gated --gate-kind network" + pool, "--gate-kind gaussian or sparse"},
      {"--method gated --gate-kind patches" + pool, "--gate-kind gaussian or sparse"},
      {"--method relu" + pool + "--outputs joint", "choose one-vs-all"},
      {"--method gated --pool maximum --image 4x5", "--pool"}};
  for (const auto& [arguments, words] : cases) {
    const Outcome out =
        run("train t.csv --target kind --weight-decay 0.2 --out refused " + arguments);

    EXPECT_EQ(out.code, 2) << arguments;
    EXPECT_NE(out.err.find(words), std::string::npos) << out.err;
    EXPECT_FALSE(fs::exists(folder / "refused")) << arguments;
  }
}

}  // namespace
}  // namespace relulift::test
