// SPDX-License-Identifier: Apache-2.0
// The formats of data through the program: the same table trains, tests and predicts alike in each.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"
#include "tests/support/program.hpp"

namespace relulift::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Twelve samples of 2 x 2 pixels of which the first is always dark; the class is that of the
// second.
Bytes pixels() {
  Bytes out;
  for (int i = 0; i < 12; ++i)
    for (const int value : {0, i % 3, 10 * i, 255 - i * i})
      out.push_back(static_cast<std::uint8_t>(value));
  return out;
}

Bytes classes() {
  Bytes out;
  for (std::uint8_t i = 0; i < 12; ++i) out.push_back(i % 3);
  return out;
}

class Formats : public testing::Test {
 protected:
  Formats() {
    const Bytes x = pixels(), y = classes();
    const std::string x_npy = npy_file("|u1", "(12, 2, 2)", raw_bytes(x));
    const std::string y_npy =
        npy_file("<i8", "(12,)", raw_bytes(std::vector<std::int64_t>(y.begin(), y.end())));
    std::ostringstream csv, svm;
    csv << "x0,x1,x2,x3,label\n";
    for (std::size_t i = 0; i < 12; ++i) {
      svm << int{y[i]};
      for (std::size_t j = 0; j < 4; ++j) {
        csv << int{x[4 * i + j]} << ',';
        if (x[4 * i + j] != 0) svm << ' ' << j + 1 << ':' << int{x[4 * i + j]};
      }
      csv << int{y[i]} << '\n';
      svm << '\n';
    }
    folder.write("t.csv", csv.str());
    folder.write("t.svm", svm.str());
    folder.write("x.npy", x_npy);
    folder.write("y.npy", y_npy);
    folder.write("t.npz", zip_file({{.name = "X.npy", .content = x_npy, .method = 8},
                                    {.name = "label.npy", .content = y_npy}}));
    folder.write("x.idx", idx_file(8, {12, 2, 2}, raw_bytes(x)));
    folder.write("y.idx", idx_file(8, {12}, raw_bytes(y)));
    for (const char* name : {"t.csv", "t.svm", "x.npy", "x.idx", "y.idx"})
      folder.write(name + std::string(".gz"), gzip_file(content_of(folder / name)));
  }

  Outcome run(const std::string& arguments) { return run_program(folder.path(), arguments); }
  Outcome train(const std::string& data, const std::string& more = "") {
    return run("train " + data +
               " --weight-decay 0.5 --engine none --iterations 20 --gap 0.5 --out " + "out " +
               more);
  }
  nlohmann::json result() { return nlohmann::json::parse(content_of(folder / "out/result.json")); }
  std::string model() { return content_of(folder / "out/model.safetensors"); }

  TemporaryFolder folder;
};

// Bytes of the model: features are called x0, x1, .. in all of these.
TEST_F(Formats, TheSameTableTrainsTheSameModel) {
  ASSERT_EQ(train("t.csv --target label --bias").code, 0);
  ASSERT_GT(result()["neurons"], 0);
  const std::string expected = model();
  EXPECT_TRUE(fs::exists(folder / "out/certificate.safetensors"));

  for (const std::string data :
       {"t.csv.gz --target label", "x.npy --targets-file y.npy", "x.npy.gz --targets-file y.idx",
        "t.npz --target label", "x.idx --targets-file y.idx", "x.idx.gz --targets-file y.idx.gz"}) {
    const Outcome outcome = train(data + " --bias");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(model() == expected, true) << data;
    EXPECT_FALSE(fs::exists(folder / "out/certificate.safetensors")) << data;
    EXPECT_EQ(outcome.out.find("certificate"), std::string::npos) << outcome.out;
  }
}

TEST_F(Formats, ModelsPredictFromAnyFormatThatHasTheirColumns) {
  ASSERT_EQ(train("x.idx --targets-file y.idx --test x.npy --test-targets-file y.npy").code, 0);
  EXPECT_EQ(result()["test"], result()["train"]);
  const std::string expected = run("predict out/model.safetensors t.csv").out;
  ASSERT_EQ(expected.rfind("class,score_0,score_1,score_2\n", 0), 0U);

  for (const std::string data : {"x.idx", "x.idx.gz", "x.npy", "t.npz", "t.csv.gz"})
    EXPECT_EQ(run("predict out/model.safetensors " + data).out, expected) << data;
  EXPECT_NE(run("predict out/model.safetensors x.idx --targets-file y.idx").err.find("accuracy"),
            std::string::npos);
}

TEST_F(Formats, LibsvmTablesTrainTestPredictAndCertify) {
  const Outcome trained = train("t.svm --target label --test t.svm.gz");
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(result()["test"], result()["train"]);
  EXPECT_EQ(result()["columns"]["features"], (std::vector<std::string>{"x1", "x2", "x3", "x4"}));
  folder.write("one.svm", "0 3:110\n");

  EXPECT_EQ(run("predict out/model.safetensors one.svm").code, 0);
  EXPECT_EQ(run("certify out/model.safetensors t.svm --engine none --iterations 20").code, 0);
  EXPECT_EQ(run("report out").code, 0);
  EXPECT_EQ(run("report out").out.find("Without"), std::string::npos);
  folder.write("wide.svm", "0 5:1\n");
  EXPECT_EQ(run("predict out/model.safetensors wide.svm").err,
            "relulift: wide.svm:line 1: the index 5 is beyond the 4 features of the training "
            "data\n");
}

TEST_F(Formats, ReportsFindTheTablesOfEveryFormat) {
  for (const std::string data :
       {"t.npz --target label", "t.npz --targets label", "x.idx.gz --targets-file y.idx.gz"}) {
    ASSERT_EQ(train(data).code, 0);
    const Outcome outcome = run("report out");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out.find("Without"), std::string::npos) << data << outcome.out;
  }
}

TEST_F(Formats, ATestOfPositionalColumnsNeedsItsOwnTargets) {
  const Outcome outcome = train("x.idx --targets-file y.idx --test x.idx");

  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "relulift: x.idx: the test table needs --test-targets-file too\n");
}

// The first pixel is constant: standardized it is a column of zeros.
TEST_F(Formats, ConstantColumnsAreStandardizedToZeroAndCounted) {
  const Outcome outcome = train("x.idx --targets-file y.idx --standardize");

  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("relulift: 1 of 4 columns are constant; standardized they are zero\n"),
            std::string::npos)
      << outcome.err;
  EXPECT_EQ(train("x.idx --targets-file y.idx --standardize --quiet").err, "");
}

// Each network is one of the other problem too, so that neither bound is above either objective;
// and the relaxations are the same.
TEST_F(Formats, AStandardizedConstantColumnChangesNeitherOptimumNorRelaxation) {
  std::istringstream lines(content_of(folder / "t.csv"));
  std::string line, three;
  while (std::getline(lines, line)) three += line.substr(line.find(',') + 1) + "\n";
  folder.write("three.csv", three);
  const auto solved = [&](const std::string& table) {
    const Outcome outcome = run("train " + table +
                                " --target label --standardize --weight-decay 0.5 --out out "
                                "--engine interior --split 0 --gap 0 --iterations 200");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return result();
  };

  const nlohmann::json with = solved("t.csv"), without = solved("three.csv");

  EXPECT_GT(with["neurons"], 0);
  EXPECT_LE(with["lower_bound"], without["objective"]);
  EXPECT_LE(without["lower_bound"], with["objective"]);
  const double dual = without["relaxation"]["dual"];
  EXPECT_NEAR(static_cast<double>(with["relaxation"]["dual"]), dual, 1e-6 * dual);
}

TEST_F(Formats, ACertificateOfAStandardizedConstantColumnIsValid) {
  ASSERT_EQ(train("t.csv --target label --standardize").code, 0);

  const Outcome outcome = run("verify out/certificate.safetensors t.csv out/model.safetensors");

  EXPECT_EQ(outcome.out.rfind("VALID\n", 0), 0U) << outcome.out;
}

// Every column is constant: the network of no neurons is all there is.
TEST_F(Formats, ATableOfConstantColumnsAloneIsTrainedAllTheSame) {
  folder.write("flat.csv", "a,k\n1,u\n1,v\n1,u\n");

  const Outcome outcome = train("flat.csv --target k --standardize");

  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(result()["objective"], 1.5);  // half of the three ones
}

}  // namespace
}  // namespace relulift::test
