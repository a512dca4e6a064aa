// SPDX-License-Identifier: Apache-2.0
// Tables in the text format of LIBSVM and SVMlight.
#include <relulift/io.hpp>

#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;
using Names = std::vector<std::string>;

const Targets kClasses{.label_column = "label"};
const Targets kNumbers{.value_columns = {"label"}};

class Svm : public testing::Test {
 protected:
  Dataset read(const std::string& text, const Targets& targets = {}, const Schema& like = {}) {
    return read_dataset(folder.write("t.svm", text), targets, like);
  }
  // The message without the path.
  std::string error(const std::string& text, const Targets& targets = {}, const Schema& like = {}) {
    const std::string message = error_of([&] { read(text, targets, like); });
    const std::string path = (folder / "t.svm").string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Svm, WhatIsNotListedIsZeroAndTheLargestIndexGivesTheWidth) {
  const Dataset data = read("+1 1:0.5 3:-2\n-1 2:1e1\n", kClasses);

  EXPECT_EQ(data.samples, 2);
  EXPECT_EQ(data.schema.features, (Names{"x1", "x2", "x3"}));
  EXPECT_EQ(data.X, (Doubles{0.5, 0, 0, 10, -2, 0}));
  EXPECT_EQ(data.schema.label_column, "label");
  EXPECT_EQ(data.schema.outputs, (Names{"-1", "1"}));
  EXPECT_EQ(data.Y, (Doubles{0, 1, 1, 0}));
}

TEST_F(Svm, CommentsBlankLinesTabsCarriageReturnsAndBareLabelsAreAccepted) {
  const Dataset data = read(
      "# made by hand\r\n\r\n 2 # a sample of zeros\r\n\t1\t1:3  2:4 # 7:8\r\n\n3 2:5", kClasses);

  EXPECT_EQ(data.X, (Doubles{0, 3, 0, 0, 4, 5}));
  EXPECT_EQ(data.schema.outputs, (Names{"1", "2", "3"}));
}

TEST_F(Svm, ALabelIsTheSameClassHoweverItsNumberIsWritten) {
  EXPECT_EQ(read("1 1:1\n+1 1:2\n1.0 1:3\n-3 1:4\n1e0 1:5\n", kClasses).schema.outputs,
            (Names{"-3", "1"}));
}

TEST_F(Svm, LabelsAreNumbersWhenNumericTargetsAreAskedFor) {
  const Dataset data = read("0.25 1:1\n-7 1:2\n", kNumbers);

  EXPECT_EQ(data.schema.outputs, Names{"label"});
  EXPECT_EQ(data.Y, (Doubles{0.25, -7}));
  EXPECT_FALSE(data.is_classification());
}

TEST_F(Svm, WithoutATargetTheLabelsAreLeftOut) { EXPECT_EQ(read("1 1:1\n2 1:2\n").outputs, 0); }

TEST_F(Svm, OtherTablesHaveTheWidthOfTheTrainingData) {
  const Schema like = read("1 1:1 4:1\n2 2:1\n", kClasses).schema;

  const Dataset data = read("2 2:7\n", {}, like);

  EXPECT_EQ(data.X, (Doubles{0, 7, 0, 0}));
  EXPECT_EQ(data.Y, (Doubles{0, 1}));
  EXPECT_EQ(error("1 1:1\n1 2:1 5:1\n", {}, like),
            ":line 2: the index 5 is beyond the 4 features of the training data");
  EXPECT_EQ(error("9 1:1\n", {}, like),
            ":line 1: '9' is not among the labels of the training data ('1', '2')");
}

TEST_F(Svm, FeaturesAreMatchedByName) {
  const Schema like{.features = {"x3", "x1"}};

  EXPECT_EQ(read("0 1:5 3:6\n", {}, like).X, (Doubles{6, 5}));
  EXPECT_EQ(error("0 1:5\n", {}, {.features = {"width"}}),
            ": has no feature column 'width' (those of LIBSVM data are x1, x2, ..)");
  EXPECT_NE(error("0 1:5\n", {}, {.features = {"x0", "x1"}}).find("'x0'"), std::string::npos);
}

// A CSV table of the same columns and this one are the same training data.
TEST_F(Svm, AgreesWithTheSameTableAsCsv) {
  const Dataset svm = read("3 1:1 2:2\n5 2:4\n", kClasses);

  const Dataset csv = read_dataset(folder.write("t.csv", "x1,x2,label\n1,2,3\n0,4,5\n"), kClasses);

  EXPECT_EQ(svm.X, csv.X);
  EXPECT_EQ(svm.Y, csv.Y);
  EXPECT_EQ(svm.schema.features, csv.schema.features);
  EXPECT_EQ(svm.schema.outputs, csv.schema.outputs);
}

TEST_F(Svm, BrokenPairsAreRefusedWithTheirPlace) {
  EXPECT_EQ(error("1 1:1\n1 1:nan\n"), ":line 2, index 1: 'nan' is not a finite number");
  EXPECT_EQ(error("1 1:1e999\n"), ":line 1, index 1: '1e999' is not a finite number");
  EXPECT_EQ(error("1 1:\n"), ":line 1, index 1: '' is not a finite number");
  EXPECT_EQ(error("1 2:1 2:1\n"), ":line 1: the index 2 stands twice");
  EXPECT_EQ(error("1 2:1 1:1\n"), ":line 1: the index 1 follows 2; indices must ascend");
  EXPECT_EQ(error("1 0:1\n"), ":line 1: the index 0 is not positive; indices count from 1");
  EXPECT_EQ(error("1 -4:1\n"), ":line 1: the index -4 is not positive; indices count from 1");
  EXPECT_EQ(error("1 1:1 7\n"), ":line 1: '7' is no pair index:value");
  EXPECT_EQ(error("1 1:1 99999999999999999999:1\n"),
            ":line 1: '99999999999999999999:1' is no pair index:value");
  EXPECT_EQ(error("1 qid:3 1:1\n"),
            ":line 1: 'qid:3' is a query of ranking data, which are not supported");
}

TEST_F(Svm, BrokenLabelsAreRefused) {
  EXPECT_EQ(error("1 1:1\ncat 1:1\n", kClasses), ":line 2: the label 'cat' is not a finite number");
  EXPECT_EQ(error("1 1:1\n1,2 1:1\n", kClasses), ":line 2: the label '1,2' is not a finite number");
  EXPECT_EQ(error("1:1 2:1\n", kClasses), ":line 1: the label '1:1' is not a finite number");
  EXPECT_EQ(error("inf 1:1\n", kNumbers), ":line 1: the label 'inf' is not a finite number");
  EXPECT_NE(error("0.5 1:1\n1.5 1:1\n", kClasses).find("fractions"), std::string::npos);
  EXPECT_NE(error("1 1:1\n1 1:2\n", kClasses).find("single label '1'"), std::string::npos);
}

TEST_F(Svm, SizesBeyondMemoryAreRefusedBeforeAllocation) {
  EXPECT_NE(error("1 9000000000000000000:1\n2 1:1\n").find("of memory"), std::string::npos);
  EXPECT_NE(error("1 1000000000000:1\n").find("1 x 1000000000000 numbers needs"),
            std::string::npos);
}

TEST_F(Svm, OnlyTheLabelIsATarget) {
  EXPECT_EQ(error("1 1:1\n", {.label_column = "k"}),
            ": has no target column 'k' (of LIBSVM data it is called 'label')");
  EXPECT_NE(error("1 1:1\n", {.value_columns = {"label", "label"}}).find("twice"),
            std::string::npos);
  EXPECT_NE(error("1 1:1\n", {.file = "y.npy"}).find("holds its labels"), std::string::npos);
}

// What could pass for either is read as it always was.
TEST_F(Svm, CsvTablesAreNotTakenForIt) {
  EXPECT_EQ(read("a b:1,c\n1,2\n").schema.features, (Names{"a b:1", "c"}));
  EXPECT_EQ(read("a\n1\n2\n").X, (Doubles{1, 2}));
  EXPECT_EQ(read("time 12:30,c\n1,2\n").schema.features, (Names{"time 12:30", "c"}));
}

}  // namespace
}  // namespace relulift::test
