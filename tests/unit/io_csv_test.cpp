// SPDX-License-Identifier: Apache-2.0
#include <relulift/io.hpp>

#include "tests/support/files.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;
using Names = std::vector<std::string>;

class Csv : public testing::Test {
 protected:
  Dataset read(const std::string& text, const Targets& targets = {}, const Schema& like = {}) {
    return read_dataset(folder.write("t.csv", text), targets, like);
  }
  // The message without the path.
  std::string error(const std::string& text, const Targets& targets = {}, const Schema& like = {}) {
    const std::string message = error_of([&] { read(text, targets, like); });
    const std::string path = (folder / "t.csv").string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Csv, LabelsBecomeOneHotInSortedOrder) {
  const Dataset data = read("a,kind,b\n1,pear,2\n3,apple,4\n5,pear,6\n", {.label_column = "kind"});

  EXPECT_EQ(data.samples, 3);
  EXPECT_EQ(data.schema.features, (Names{"a", "b"}));
  EXPECT_EQ(data.X, (Doubles{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(data.schema.outputs, (Names{"apple", "pear"}));
  EXPECT_EQ(data.Y, (Doubles{0, 1, 0, 1, 0, 1}));
  EXPECT_TRUE(data.is_classification());
}

TEST_F(Csv, IntegerLabelsSortByValueAndOthersByBytes) {
  EXPECT_EQ(read("x,y\n1,10\n1,-2\n1,9\n", {.label_column = "y"}).schema.outputs,
            (Names{"-2", "9", "10"}));
  EXPECT_EQ(read("x,y\n1,10\n1,b\n1,9\n", {.label_column = "y"}).schema.outputs,
            (Names{"10", "9", "b"}));
}

TEST_F(Csv, NumericTargetsAreUsedAsTheyAre) {
  const Dataset data = read("y1,a,y0\n0.5,1,2\n-1,3,4\n", {.value_columns = {"y0", "y1"}});

  EXPECT_EQ(data.schema.features, Names{"a"});
  EXPECT_EQ(data.Y, (Doubles{2, 4, 0.5, -1}));
  EXPECT_FALSE(data.is_classification());
}

TEST_F(Csv, OneHotNumericTargetsCountAsClassification) {
  EXPECT_TRUE(read("a,p,q\n1,0,1\n2,1,0\n", {.value_columns = {"p", "q"}}).is_classification());
  EXPECT_FALSE(read("a,p,q\n1,1,1\n2,1,0\n", {.value_columns = {"p", "q"}}).is_classification());
  EXPECT_FALSE(read("a,p\n1,1\n2,1\n", {.value_columns = {"p"}}).is_classification());
}

TEST_F(Csv, QuotedFieldsMayHoldCommasQuotesAndNewlines) {
  const Dataset data = read("\"a, b\",\"say \"\"x\"\"\",k\n\" 1 \",2,\"u\nv\"\n3,\"4\",\"\"\"\"\n",
                            {.label_column = "k"});

  EXPECT_EQ(data.schema.features, (Names{"a, b", "say \"x\""}));
  EXPECT_EQ(data.X, (Doubles{1, 3, 2, 4}));
  EXPECT_EQ(data.schema.outputs, (Names{"\"", "u\nv"}));
}

TEST_F(Csv, ByteOrderMarkCarriageReturnsAndEmptyLastLinesAreAccepted) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const Dataset data = read(
        "\xEF\xBB\xBF"
        "a,b" +
        end + "1,2" + end + "3,4" + end + end + end);
    EXPECT_EQ(data.schema.features, (Names{"a", "b"}));
    EXPECT_EQ(data.X, (Doubles{1, 3, 2, 4}));
  }
  EXPECT_EQ(read("a,b\n1,2").X, (Doubles{1, 2}));
}

TEST_F(Csv, NumbersAreReadInFull) {
  const Dataset data = read("a\n+1.5\n -2e-3 \n1e-400\n0.1\n");

  EXPECT_EQ(data.X, (Doubles{1.5, -2e-3, 0.0, 0.1}));
}

TEST_F(Csv, WhatIsNoFiniteNumberIsRefusedWithItsPlace) {
  for (const std::string bad :
       {"x", "1x", "1 2", "inf", "-nan", "0x10", "1e999", "1,5e", "--1", "+-1", "1.2.3", "NA"}) {
    const std::string field = "\"" + bad + "\"";
    EXPECT_EQ(error("a,b\n1,2\n3," + field + "\n"),
              ":line 3, column 'b': '" + bad + "' is not a finite number");
  }
  EXPECT_EQ(error("a,b\n1,\n"), ":line 2, column 'b': is empty, a number is needed");
}

TEST_F(Csv, LinesAreCountedThroughQuotedNewlines) {
  EXPECT_EQ(error("k,b\n\"u\nv\",1\nw,x\n", {.label_column = "k"}),
            ":line 4, column 'b': 'x' is not a finite number");
}

TEST_F(Csv, BrokenTablesAreRefused) {
  EXPECT_EQ(error(""), ": is empty");
  EXPECT_EQ(error("\n\n"), ": is empty");
  EXPECT_EQ(error("a,b\n"), ": has a header and no data rows");
  EXPECT_EQ(error("a,b\n1\n"), ":line 2: has 1 fields, the header has 2");
  EXPECT_EQ(error("a,b\n1,2\n1,2,3\n"), ":line 3: has 3 fields, the header has 2");
  EXPECT_EQ(error("a,b\n1,2\n\n3,4\n"), ":line 3: is empty");
  EXPECT_EQ(error("a,b,a\n1,2,3\n"), ":line 1: two columns are named 'a'");
  EXPECT_EQ(error("a,,b\n1,2,3\n"), ":line 1: column 2 has no name");
  EXPECT_EQ(error("a,\"b\n1,2\n"), ":line 1: a quoted field is opened and never closed");
  EXPECT_EQ(error("a,b\n1,\"2\"3\n"), ":line 2: text follows the closing quote of a field");
  EXPECT_EQ(error("a;b\n1;2\n"),
            ":line 1: holds the single column 'a;b'; columns are separated "
            "by commas");
  EXPECT_EQ(error(std::string("a,b\n1,\0\n", 8)),
            ":line 2: holds a NUL byte; this is not a CSV file");
  EXPECT_EQ(error("\xFF\xFE"
                  "a,b\n"),
            ": is UTF-16 text; save it as UTF-8");
  EXPECT_EQ(error("a,\xC0\xAF\n1,2\n"), ":line 1: the name of column 2 is not UTF-8 text");
}

// The first sample of a table without header must not be lost silently.
TEST_F(Csv, DataInPlaceOfAHeaderIsRefused) {
  EXPECT_EQ(error("5.1,3.5,a\n4.9,3.0,b\n"),
            ":line 1: must hold the names of the columns, and '5.1' is a number");
  EXPECT_EQ(error("7,3\n1,2\n"), ":line 1: must hold the names of the columns, not numbers");
  EXPECT_EQ(read("0,1\n7,8\n").X, (Doubles{7, 8}));
}

TEST_F(Csv, TargetColumnsMustExistOnce) {
  EXPECT_EQ(error("a,b\n1,2\n", {.label_column = "c"}),
            ": has no target column 'c' (its columns are 'a', 'b')");
  EXPECT_EQ(error("a,b\n1,2\n", {.value_columns = {"b", "b"}}),
            ": target column 'b' is asked for twice");
  EXPECT_EQ(error("a\n1\n", {.value_columns = {"a"}}),
            ": has no feature column besides the targets");
}

TEST_F(Csv, LabelsThatCannotBeMeantAreRefused) {
  EXPECT_EQ(error("a,k\n1,u\n2,u\n", {.label_column = "k"}),
            ": column 'k' holds the single label 'u'; two classes are needed");
  EXPECT_EQ(error("a,k\n1,u\n2, \n", {.label_column = "k"}),
            ":line 3, column 'k': the label is empty");
  EXPECT_NE(error("a,k\n1,0.5\n2,1.5\n", {.label_column = "k"}).find("fractions"),
            std::string::npos);
  EXPECT_EQ(error("a,k\n1,\xFF\n2,b\n", {.label_column = "k"}),
            ":line 2, column 'k': the label is not UTF-8 text");
}

TEST_F(Csv, OtherTablesAreMatchedByName) {
  const Schema like = read("a,k,b\n1,u,2\n3,v,4\n", {.label_column = "k"}).schema;

  const Dataset data = read("id,b,k,a\nx,20,v,10\ny,21,v,11\n", {.label_column = "k"}, like);

  EXPECT_EQ(data.X, (Doubles{10, 11, 20, 21}));
  EXPECT_EQ(data.Y, (Doubles{0, 0, 1, 1}));
  EXPECT_EQ(error("a,k\n1,u\n", {.label_column = "k"}, like),
            ": has no feature column 'b' (its columns are 'a', 'k')");
  EXPECT_EQ(error("a,b,k\n1,2,w\n", {.label_column = "k"}, like),
            ":line 2, column 'k': 'w' is not among the labels of the training data ('u', 'v')");
}

TEST_F(Csv, TargetsOfTheModelAreTakenWhenAllAreThere) {
  const Schema like = read("a,p,q\n1,2,3\n", {.value_columns = {"p", "q"}}).schema;

  EXPECT_EQ(read("a,p,q\n1,2,3\n", {}, like).Y, (Doubles{2, 3}));
  EXPECT_EQ(read("a,p\n1,2\n", {}, like).outputs, 0);
  EXPECT_EQ(read("a\n1\n", {}, like).schema.kind, TargetKind::none);
}

TEST_F(Csv, OtherFormatsAreNamed) {
  EXPECT_NE(error("PK\x03\x04zip").find("ZIP archive"), std::string::npos);
  EXPECT_NE(error("PAR1").find("Parquet"), std::string::npos);
  EXPECT_NE(error(std::string(257, '\0') + "ustar").find("TAR archive"), std::string::npos);
  EXPECT_NE(error("\x89HDF\r\n").find("HDF5"), std::string::npos);
}

TEST_F(Csv, FilesThatCannotBeReadAreNamed) {
  const std::string absent = (folder / "absent.csv").string();
  EXPECT_EQ(error_of([&] { read_dataset(absent, {}); }),
            absent + ": cannot be opened (No such file or directory)");
  EXPECT_EQ(error_of([&] { read_dataset(folder.path(), {}); }),
            folder.path().string() + ": is a folder, not a file");
  EXPECT_EQ(error_of([&] { read_dataset("/dev/zero", {}); }), "/dev/zero: is not a regular file");
}

}  // namespace
}  // namespace relulift::test
