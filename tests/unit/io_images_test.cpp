// SPDX-License-Identifier: Apache-2.0
// Image data: IDX files of MNIST, records of CIFAR-10, and any of the formats out of gzip.
#include <algorithm>
#include <relulift/io.hpp>

#include "src/io/input.hpp"
#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;
using Names = std::vector<std::string>;

const std::string kImages = idx_file(8, {2, 2, 2}, {1, 2, 3, '\xFF', 5, 6, 7, 8});

class Images : public testing::Test {
 protected:
  Dataset read(const std::string& bytes, const Targets& targets = {}, const Schema& like = {}) {
    return read_dataset(folder.write(name, bytes), targets, like);
  }
  // The message without the path.
  std::string error(const std::string& bytes, const Targets& targets = {},
                    const Schema& like = {}) {
    const std::string message = error_of([&] { read(bytes, targets, like); });
    const std::string path = (folder / name).string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  Targets targets(const std::string& bytes) { return {.file = folder.write("y", bytes)}; }
  TemporaryFolder folder;
  std::string name = "x";
};

class Idx : public Images {};

TEST_F(Idx, AnImageIsARowOfItsPixelsAsTheyStand) {
  const Dataset data = read(kImages);

  EXPECT_EQ(data.samples, 2);
  EXPECT_EQ(data.X, (Doubles{1, 5, 2, 6, 3, 7, 255, 8}));
  EXPECT_EQ(data.schema.features, (Names{"x0", "x1", "x2", "x3"}));
}

TEST_F(Idx, AllElementTypesAreBigEndian) {
  EXPECT_EQ(read(idx_file(0x09, {2}, {'\xFE', 3})).X, (Doubles{-2, 3}));
  EXPECT_EQ(read(idx_file(0x0B, {2}, {'\xFF', '\xFE', 1, 2})).X, (Doubles{-2, 258}));
  EXPECT_EQ(read(idx_file(0x0C, {1, 1}, {0, 1, 0, 0})).X, Doubles{65536});
  EXPECT_EQ(read(idx_file(0x0D, {1, 1}, {0x3F, '\xC0', 0, 0})).X, Doubles{1.5});
  EXPECT_EQ(read(idx_file(0x0E, {1, 1}, {'\xC0', 4, 0, 0, 0, 0, 0, 0})).X, Doubles{-2.5});
}

TEST_F(Idx, AVectorOfIntegersHoldsClassLabels) {
  const Dataset data = read(kImages, targets(idx_file(8, {2}, {9, 3})));

  EXPECT_EQ(data.schema.kind, TargetKind::labels);
  EXPECT_EQ(data.schema.label_column, "label");
  EXPECT_EQ(data.schema.outputs, (Names{"3", "9"}));
  EXPECT_EQ(data.Y, (Doubles{0, 1, 1, 0}));
  EXPECT_EQ(read(kImages, targets(npy_file("<i4", "(2, 1)", little(10, 4) + little(9, 4))))
                .schema.outputs,
            (Names{"9", "10"}));
}

TEST_F(Idx, FloatsAndSeveralColumnsAreNumericTargets) {
  const Dataset data = read(kImages, targets(npy_file("<f4", "(2,)", raw_bytes<float>({1, 2}))));
  EXPECT_EQ(data.schema.kind, TargetKind::values);
  EXPECT_EQ(data.Y, (Doubles{1, 2}));

  const Dataset one_hot = read(kImages, targets(idx_file(8, {2, 2}, {1, 0, 0, 1})));
  EXPECT_EQ(one_hot.schema.kind, TargetKind::values);
  EXPECT_EQ(one_hot.Y, (Doubles{1, 0, 0, 1}));
}

TEST_F(Idx, OtherTablesKeepToTheColumnsAndClassesOfTheTrainingData) {
  const Schema like = read(kImages, targets(idx_file(8, {2}, {9, 3}))).schema;

  EXPECT_EQ(read(idx_file(8, {1, 2, 2}, {1, 2, 3, 4}), targets(idx_file(8, {1}, {9})), like).Y,
            (Doubles{0, 1}));
  EXPECT_EQ(error(idx_file(8, {1, 3}, {1, 2, 3}), {}, like),
            ": has 3 columns, 4 features are needed");
  EXPECT_EQ(read(kImages, {}, like).outputs, 0);
  const std::string y = (folder / "y").string();
  EXPECT_EQ(error_of([&] {
              read(kImages, targets(idx_file(8, {2}, {9, 4})), like);
            }),
            y + ": row 1 (from 0): '4' is not among the labels of the training data ('3', '9')");
}

TEST_F(Idx, IntegersAreNumbersWhereTheTrainingTargetsWere) {
  const Schema like{.kind = TargetKind::values, .outputs = {"y0"}};

  EXPECT_EQ(read(kImages, targets(idx_file(8, {2}, {9, 3})), like).Y, (Doubles{9, 3}));
}

TEST_F(Idx, BrokenFilesAreRefused) {
  EXPECT_EQ(error(kImages.substr(0, 15)), ": ends within the IDX header");
  EXPECT_EQ(error(kImages.substr(0, 20)),
            ": 2 x 2 x 2 entries of 1 bytes are announced, 4 bytes follow");
  EXPECT_EQ(error(kImages + "x"), ": 2 x 2 x 2 entries of 1 bytes are announced, 9 bytes follow");
  EXPECT_EQ(error(idx_file(0x0A, {1}, {1})), ": is an IDX file with the unknown element type 0x0A");
  EXPECT_EQ(error(idx_file(8, {}, {1})), ": is a single number, not a table");
  EXPECT_EQ(error(idx_file(8, {0, 28, 28}, "")), ": is an empty array of 0 x 28 x 28");
  EXPECT_NE(error(idx_file(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {1})).find("are announced"),
            std::string::npos);
  EXPECT_NE(error(idx_file(8, {1U << 31, 1U << 31, 4}, {1})).find("are announced"),
            std::string::npos);
  EXPECT_EQ(error(idx_file(0x0D, {1}, {0x7F, '\xC0', 0, 0})),
            ": the entry in row 0, column 0 (from 0) is not finite");
}

TEST_F(Idx, TargetsThatDoNotFitAreRefused) {
  const std::string y = (folder / "y").string();
  const auto message = [&](const std::string& bytes) {
    return error_of([&] { read(kImages, targets(bytes)); });
  };
  EXPECT_EQ(message(idx_file(8, {3}, {1, 2, 3})),
            y + ": has 3 rows, " + (folder / "x").string() + " has 2");
  EXPECT_EQ(message("a,b\n1,2\n"),
            y + ": is neither an NPY nor an IDX file, of which targets are read");
  EXPECT_NE(message(npy_file("<u8", "(2,)", std::string(16, '\xFF'))).find("above 2^63"),
            std::string::npos);
  EXPECT_EQ(error(kImages, {.label_column = "label"}),
            ": an IDX table has no named columns; its targets come from a file");
}

class Cifar : public Images {
 protected:
  Cifar() { name = "data_batch.bin"; }
  // Pixel k of record i is (7 k + i) modulo 256.
  static std::string records(const std::vector<int>& labels) {
    std::string bytes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      bytes += static_cast<char>(labels[i]);
      for (std::size_t k = 0; k < 3072; ++k) bytes += static_cast<char>((7 * k + i) % 256);
    }
    return bytes;
  }
};

TEST_F(Cifar, ARecordIsALabelAndItsPixels) {
  const Dataset data = read(records({7, 2, 7}), {.label_column = "label"});

  EXPECT_EQ(data.samples, 3);
  EXPECT_EQ(data.features, 3072);
  EXPECT_EQ(data.schema.outputs, (Names{"2", "7"}));
  EXPECT_EQ(data.Y, (Doubles{0, 1, 0, 1, 0, 1}));
  for (std::size_t k = 0; k < 3072; ++k)
    for (std::size_t i = 0; i < 3; ++i)
      ASSERT_EQ(data.X[i + 3 * k], static_cast<double>((7 * k + i) % 256));
}

TEST_F(Cifar, LabelsMayBeNumbersAndMayBeLeftOut) {
  EXPECT_EQ(read(records({7, 2}), {.value_columns = {"label"}}).Y, (Doubles{7, 2}));
  EXPECT_EQ(read(records({7, 2})).outputs, 0);
}

TEST_F(Cifar, OtherTablesKeepToTheClassesOfTheTrainingData) {
  const Schema like = read(records({7, 2}), {.label_column = "label"}).schema;

  EXPECT_EQ(read(records({2}), {}, like).Y, (Doubles{1, 0}));
  EXPECT_NE(error(records({3}), {}, like).find("'3' is not among the labels"), std::string::npos);
  EXPECT_EQ(error(records({2}), {}, {.features = {"a"}}),
            ": has 3072 columns, 1 features are needed");
}

TEST_F(Cifar, WhatCannotBeRecordsIsRefused) {
  EXPECT_EQ(error(records({1}) + '\0'),
            ": is named like CIFAR-10 data, and its 3074 bytes are no whole number of records of "
            "3073");
  EXPECT_EQ(error(records({1, 10})),
            ": record 1 (from 0) has the label 10; those of CIFAR-10 are 0 to 9");
  EXPECT_NE(error(records({1}), {.label_column = "k"}).find("no target column 'k'"),
            std::string::npos);
}

TEST_F(Cifar, WhatIsAWholeIdxFileTooIsAmbiguous) {
  const std::string both = idx_file(8, {3065}, std::string(3065, '\1'));
  ASSERT_EQ(both.size(), 3073U);

  EXPECT_NE(error(both).find("may be an IDX file or CIFAR-10 records"), std::string::npos);
  EXPECT_EQ(read(kImages).features, 4);  // an IDX file alone, whatever its name
  name = "x.idx";
  EXPECT_EQ(read(both).samples, 3065);
}

TEST_F(Cifar, TheNameIsNeededAndTextMayHaveIt) {
  EXPECT_EQ(read("a,b\n1,2\n").X, (Doubles{1, 2}));
  name = "data_batch";
  EXPECT_NE(error(records({1})).find("NUL byte"), std::string::npos);
}

class Gzip : public Images {};

TEST_F(Gzip, EveryFormatIsReadOutOfIt) {
  EXPECT_EQ(read(gzip_file("a,b\n1,2\n")).X, (Doubles{1, 2}));
  EXPECT_EQ(read(gzip_file("1 2:3\n")).X, (Doubles{0, 3}));
  EXPECT_EQ(read(gzip_file(npy_file("|u1", "(1, 2)", "\1\2"))).X, (Doubles{1, 2}));
  EXPECT_EQ(read(gzip_file(kImages), targets(gzip_file(idx_file(8, {2}, {9, 3})))).schema.outputs,
            (Names{"3", "9"}));
  name = "batch.bin.gz";
  EXPECT_EQ(read(gzip_file(std::string(3073, '\5'))).features, 3072);
}

TEST_F(Gzip, MembersFollowEachOtherAndZerosMayFillUpTheEnd) {
  const std::string bytes = gzip_file("a,b\n1,") + gzip_file("2\n") + std::string(512, '\0');

  EXPECT_EQ(read(bytes).X, (Doubles{1, 2}));
}

// "a" and 300 times "1" in lines, compressed by the program gzip.
TEST_F(Gzip, HuffmanCodesAreRead) {
  const std::string bytes(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xe4\x32\x1c\x85\xa3\x90\x06\x10\x00"
      "\x8b\x73\x1d\xea\x5a\x02\x00\x00",
      28);

  EXPECT_EQ(read(bytes).X, Doubles(300, 1.0));
}

TEST_F(Gzip, DamagedFilesAreRefused) {
  const std::string good = gzip_file("a,b\n1,2\n");
  for (std::size_t length : {2, 9, 12, 20, 24, 30})
    EXPECT_EQ(error(good.substr(0, length)), ": ends within its gzip data") << length;
  std::string wrong = good;
  wrong[18] ^= 1;  // of the content: the checksum tells
  EXPECT_EQ(error(wrong), ": holds damaged gzip data");
  EXPECT_EQ(error(good + "more"), ": holds damaged gzip data");
  EXPECT_EQ(error(gzip_file("")), ": holds nothing but an empty gzip member");
  EXPECT_EQ(error(gzip_file(good)), ": is compressed by gzip twice");
  EXPECT_EQ(error(gzip_file(zip_file({}))), ": is a ZIP archive within gzip; decompress it first");
}

// 64 MB out of members of a megabyte each; the limit is met long before the end.
TEST_F(Gzip, MoreThanTheLimitIsRefusedBeforeAllocation) {
  const std::string member = gzip_file(std::string(1 << 20, 'a'));
  std::string bomb;
  for (int k = 0; k < 64; ++k) bomb += member;

  EXPECT_EQ(error_of([&] { io::gunzip(bomb, "bomb", 5e6); }),
            "bomb: decompressed it takes more memory than the 5.0 MB that are free");
  EXPECT_EQ(io::gunzip(member, "one", 5e6), std::string(1 << 20, 'a'));
}

}  // namespace
}  // namespace relulift::test
