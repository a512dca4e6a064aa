// SPDX-License-Identifier: Apache-2.0
// NPZ tables: ZIP files of NPY arrays.
#include <relulift/io.hpp>

#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;
using Names = std::vector<std::string>;

// X of two rows and two columns; labels; targets of two columns.
const ZipEntry kX{.name = "X.npy",
                  .content = npy_file("<f8", "(2, 2)", raw_bytes<double>({1, 2, 3, 4}))};
const ZipEntry kLabels{.name = "y.npy", .content = npy_file("|u1", "(2,)", {9, 3})};
const ZipEntry kNumbers{.name = "t.npy",
                        .content = npy_file("<f4", "(2, 2)", raw_bytes<float>({5, 6, 7, 8}))};

ZipEntry with(ZipEntry entry, const std::string& name) {
  entry.name = name;
  return entry;
}

class Npz : public testing::Test {
 protected:
  Dataset read(const std::vector<ZipEntry>& entries, const Targets& targets = {},
               const Schema& like = {}) {
    return read_dataset(folder.write("t.npz", zip_file(entries)), targets, like);
  }
  // The message without the path.
  std::string error(const std::vector<ZipEntry>& entries, const Targets& targets = {},
                    const Schema& like = {}) {
    return error(zip_file(entries), targets, like);
  }
  std::string error(const std::string& bytes, const Targets& targets = {},
                    const Schema& like = {}) {
    const fs::path file = folder.write("t.npz", bytes);
    const std::string message = error_of([&] { read_dataset(file, targets, like); });
    EXPECT_EQ(message.substr(0, file.string().size()), file.string());
    return message.substr(std::min(file.string().size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Npz, ATargetOfLabelsIsAnArrayOfIntegers) {
  const Dataset data = read({kX, kNumbers, kLabels}, {.label_column = "y"});

  EXPECT_EQ(data.X, (Doubles{1, 3, 2, 4}));
  EXPECT_EQ(data.schema.features, (Names{"x0", "x1"}));
  EXPECT_EQ(data.schema.label_column, "y");
  EXPECT_EQ(data.schema.outputs, (Names{"3", "9"}));
  EXPECT_EQ(data.Y, (Doubles{0, 1, 1, 0}));
}

TEST_F(Npz, NumericTargetsAreArraysOrColumnsOfThem) {
  const Dataset both = read({kX, kLabels, kNumbers}, {.value_columns = {"t", "y"}});
  EXPECT_EQ(both.schema.outputs, (Names{"t0", "t1", "y"}));
  EXPECT_EQ(both.Y, (Doubles{5, 7, 6, 8, 9, 3}));

  const Dataset one = read({kX, kNumbers}, {.value_columns = {"t1"}});
  EXPECT_EQ(one.schema.outputs, Names{"t1"});
  EXPECT_EQ(one.Y, (Doubles{6, 8}));
}

// What a model states about its targets finds them again.
TEST_F(Npz, TargetsOfTheModelAreTakenWhenAllAreThere) {
  const Schema numbers = read({kX, kNumbers}, {.value_columns = {"t"}}).schema;
  EXPECT_EQ(read({kX, kNumbers}, {}, numbers).Y, (Doubles{5, 7, 6, 8}));
  EXPECT_EQ(read({kX, kLabels}, {}, numbers).outputs, 0);

  const Schema labels = read({kX, kLabels}, {.label_column = "y"}).schema;
  EXPECT_EQ(read({kX, kLabels}, {}, labels).Y, (Doubles{0, 1, 1, 0}));
  EXPECT_EQ(read({kX, kNumbers}, {}, labels).outputs, 0);
  EXPECT_NE(error({kX, with({.name = "", .content = npy_file("|u1", "(2,)", {9, 4})}, "y.npy")}, {},
                  labels)
                .find("row 1 (from 0): '4' is not among the labels"),
            std::string::npos);
}

TEST_F(Npz, FeaturesAreXOrTheOnlyArrayThatIsNoTarget) {
  EXPECT_EQ(read({kLabels, with(kX, "x.npy")}).X, (Doubles{1, 3, 2, 4}));
  EXPECT_EQ(read({kLabels, with(kX, "images.npy")}, {.label_column = "y"}).X,
            (Doubles{1, 3, 2, 4}));
  EXPECT_EQ(error({kLabels, with(kX, "images.npy")}),
            ": which array holds the features is not clear: none is called X, and its arrays are "
            "'y', 'images'");
  EXPECT_EQ(error({kX, kLabels}, {}, {.features = {"a"}}),
            ": has 2 columns, 1 features are needed");
}

TEST_F(Npz, StoredAndDeflatedEntriesAreRead) {
  ZipEntry deflated = kX;
  deflated.method = 8;
  EXPECT_EQ(read({deflated}).X, (Doubles{1, 3, 2, 4}));

  // Compressed by zlib: 4 x 2 zeros.
  const std::string packed(
      "\x9b\xec\x17\xea\x1b\x10\xc9\xc8\x60\xc3\x50\xad\x9e\x92\x5a\x9c\x5c\xa4\x6e\xa5"
      "\xa0\x6e\x93\x66\xa1\xae\xa3\xa0\x9e\x96\x5f\x54\x52\x94\x98\x17\x9f\x5f\x94\x92"
      "\x0a\x12\x77\x4b\xcc\x29\x4e\x05\x8a\x17\x67\x24\x16\xa4\x02\xf9\x1a\x26\x3a\x0a"
      "\x46\x9a\x3a\x0a\xb5\x5c\x0c\x14\x02\x00",
      70);
  const std::string zeros = npy_file("<f8", "(4, 2)", std::string(64, '\0'));
  const ZipEntry huffman{.name = "X.npy", .content = zeros, .method = 8, .packed = packed};
  EXPECT_EQ(read({huffman}).X, Doubles(8, 0.0));
}

TEST_F(Npz, TargetsThatDoNotFitAreRefused) {
  EXPECT_EQ(error({kX, kLabels}, {.label_column = "z"}),
            ": has no target array 'z' (its arrays are 'X', 'y')");
  EXPECT_EQ(error({kX, kNumbers}, {.label_column = "t1"}),
            ": has no target array 't1' (its arrays are 'X', 't')");
  EXPECT_EQ(error({kX, kNumbers}, {.label_column = "t"}),
            ", array 't': holds 2 columns, which are no labels; name it as a numeric target");
  const ZipEntry floats{.name = "y.npy", .content = npy_file("<f4", "(2,)", std::string(8, '\0'))};
  EXPECT_EQ(error({kX, floats}, {.label_column = "y"}),
            ", array 'y': holds floating-point numbers, which are no labels; name it as a numeric "
            "target");
  EXPECT_EQ(error({kX, kNumbers}, {.value_columns = {"t2"}}),
            ", array 't': has 2 columns, number 2 (from 0) is asked for");
  EXPECT_EQ(error({kX, kNumbers}, {.value_columns = {"t", "t0"}}),
            ": target column 't0' is asked for twice");
  EXPECT_NE(error({kX, {.name = "y.npy", .content = npy_file("|u1", "(3,)", "abc")}},
                  {.label_column = "y"})
                .find(", array 'y': has 3 rows"),
            std::string::npos);
  EXPECT_NE(error({kX}, {.label_column = "X"}).find("holds the features is not clear"),
            std::string::npos);
  EXPECT_NE(error({kX}, {.file = "y.npy"}).find("by --target or --targets"), std::string::npos);
}

TEST_F(Npz, DamagedArchivesAreRefused) {
  const std::string good = zip_file({kX, kLabels});
  EXPECT_NE(error(good.substr(0, good.size() / 2)).find(": is a damaged ZIP archive"),
            std::string::npos);
  EXPECT_EQ(error(std::vector<ZipEntry>{}),
            ": is a ZIP archive without NPY arrays (a spreadsheet?)");
  EXPECT_EQ(error({{.name = "word/document.xml", .content = "<w/>"}}),
            ": is a ZIP archive without NPY arrays (a spreadsheet?)");
  EXPECT_EQ(error({kX, kX}), ": holds two arrays 'X'");
  EXPECT_EQ(error({{.name = "X.npy", .content = "no array"}}), ", array 'X': is not an NPY file");
  ZipEntry entry = kX;
  entry.crc_error = 1;
  EXPECT_EQ(error({entry}), ", array 'X': is damaged, or its size is not what the archive states");
  entry = {.name = "X.npy", .content = kX.content, .method = 8, .packed = "\x07garbage"};
  EXPECT_EQ(error({entry}), ", array 'X': is damaged, or its size is not what the archive states");
}

TEST_F(Npz, EncryptedAndForeignEntriesAreRefused) {
  ZipEntry entry = kX;
  entry.flags = 1;
  EXPECT_EQ(error({entry}), ", array 'X': is encrypted");
  entry = kX;
  entry.method = 12;
  EXPECT_EQ(error({entry}),
            ", array 'X': is compressed by method 12; stored and deflated ones are read");
}

// Sizes are lies here: the first cannot be, the others are found out by what follows.
TEST_F(Npz, SizesThatTheContentBeliesAreRefused) {
  ZipEntry entry = kX;
  entry.method = 8;
  entry.size = 4000000000;
  EXPECT_NE(error({entry}).find("to 4000000000 bytes, which is impossible"), std::string::npos);
  entry.size = 100000;
  EXPECT_EQ(error({entry}), ", array 'X': is damaged, or its size is not what the archive states");
  entry.size = 10;
  EXPECT_EQ(error({entry}), ", array 'X': is damaged, or its size is not what the archive states");
  const std::string shape = "(4611686018427387904, 4)";
  EXPECT_NE(error({{.name = "X.npy", .content = npy_file("<f8", shape, std::string(8, '\0'))}})
                .find("are announced"),
            std::string::npos);
}

}  // namespace
}  // namespace relulift::test
