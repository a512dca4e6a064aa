// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <relulift/io.hpp>

#include "tests/support/files.hpp"
#include "tests/support/formats.hpp"

namespace relulift::test {
namespace {

using Doubles = std::vector<double>;

// The format by its specification, written here independently of the reader.
template <class T>
std::string npy(const std::string& dictionary, const std::vector<T>& entries, char version = 1) {
  std::string header = dictionary + "\n";
  std::string bytes = std::string("\x93NUMPY") + version + '\0';
  const std::size_t width = version == 1 ? 2 : 4;
  for (std::size_t k = 0; k < width; ++k) bytes += static_cast<char>(header.size() >> (8 * k));
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(T));
  return bytes;
}

std::string dictionary(const std::string& descr, const std::string& fortran,
                       const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

class Npy : public testing::Test {
 protected:
  Dataset read(const std::string& bytes) { return read_dataset(folder.write("x.npy", bytes), {}); }
  std::string error(const std::string& bytes) {
    const std::string message = error_of([&] { read(bytes); });
    const std::string path = (folder / "x.npy").string();
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
  }
  TemporaryFolder folder;
};

TEST_F(Npy, BothOrdersBothTypesAndAllVersionsAreRead) {
  const Doubles by_rows{1, 2, 3, 4, 5, 6}, by_columns{1, 4, 2, 5, 3, 6};
  const std::vector<float> floats(by_rows.begin(), by_rows.end());
  for (const char version : {1, 2, 3}) {
    EXPECT_EQ(read(npy(dictionary("<f8", "False", "(2, 3)"), by_rows, version)).X, by_columns);
    EXPECT_EQ(read(npy(dictionary("<f8", "True", "(2, 3)"), by_columns, version)).X, by_columns);
    EXPECT_EQ(read(npy(dictionary("<f4", "False", "(2, 3)"), floats, version)).X, by_columns);
  }
}

TEST_F(Npy, AVectorIsOneColumnAndFeaturesAreCounted) {
  EXPECT_EQ(read(npy(dictionary("<f8", "False", "(2,)"), Doubles{7, 8})).X, (Doubles{7, 8}));
  EXPECT_EQ(read(npy(dictionary("<f8", "False", "(1, 2)"), Doubles{7, 8})).schema.features,
            (std::vector<std::string>{"x0", "x1"}));
}

TEST_F(Npy, IntegersAndBooleansOfEveryWidthAreRead) {
  const auto one = [&](const std::string& type, const std::string& bytes) {
    return read(npy_file(type, "(1, 1)", bytes)).X.at(0);
  };
  EXPECT_EQ(one("|u1", "\xFE"), 254);
  EXPECT_EQ(one("|i1", "\xFE"), -2);
  EXPECT_EQ(one("<u2", "\x01\x80"), 32769);
  EXPECT_EQ(one("<i2", "\x01\x80"), -32767);
  EXPECT_EQ(one("<u4", little(4000000000, 4)), 4e9);
  EXPECT_EQ(one("<i4", little(4000000000, 4)), 4e9 - 4294967296.0);
  EXPECT_EQ(one("<u8", little(1ULL << 63, 8)), 9223372036854775808.0);
  EXPECT_EQ(one("<i8", little(1ULL << 63, 8)), -9223372036854775808.0);
  EXPECT_EQ(read(npy_file("|b1", "(3,)", std::string("\0\1\2", 3))).X, (Doubles{0, 1, 1}));
}

TEST_F(Npy, BigEndianEntriesAreRead) {
  EXPECT_EQ(read(npy_file(">i2", "(2,)", "\x01\x02\x7F\xFF")).X, (Doubles{258, 32767}));
  EXPECT_EQ(read(npy_file(">f8", "(1,)", std::string("\xC0\x04\0\0\0\0\0\0", 8))).X, Doubles{-2.5});
}

// 100 x 2 images of 3 x 5 pixels, entry k of the file being k: more rows than one block of a copy.
TEST_F(Npy, FurtherDimensionsAreFlattenedInTheOrderOfTheFile) {
  std::vector<std::uint16_t> entries(100 * 30);
  for (std::size_t k = 0; k < entries.size(); ++k) entries[k] = static_cast<std::uint16_t>(k);

  const Dataset data = read(npy_file("<u2", "(100, 2, 3, 5)", raw_bytes(entries)));

  EXPECT_EQ(data.samples, 100);
  EXPECT_EQ(data.features, 30);
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t j = 0; j < 30; ++j)
      ASSERT_EQ(data.X[i + 100 * j], static_cast<double>(30 * i + j));
}

TEST_F(Npy, TargetsComeFromASecondFile) {
  const auto x = folder.write("x.npy", npy(dictionary("<f8", "False", "(2, 1)"), Doubles{1, 2}));
  const auto y =
      folder.write("y.npy", npy(dictionary("<f8", "False", "(2, 2)"), Doubles{0, 1, 1, 0}));

  const Dataset data = read_dataset(x, {.file = y});

  EXPECT_EQ(data.Y, (Doubles{0, 1, 1, 0}));
  EXPECT_EQ(data.schema.outputs, (std::vector<std::string>{"y0", "y1"}));
  EXPECT_TRUE(data.is_classification());
}

TEST_F(Npy, RowsOfTheTwoFilesMustAgree) {
  const auto x = folder.write("x.npy", npy(dictionary("<f8", "False", "(2, 1)"), Doubles{1, 2}));
  const auto y = folder.write("y.npy", npy(dictionary("<f8", "False", "(1,)"), Doubles{1}));

  EXPECT_NE(error_of([&] { read_dataset(x, {.file = y}); }).find("has 1 rows"), std::string::npos);
}

TEST_F(Npy, SizesAreCheckedAgainstTheFileBeforeAllocation) {
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(3, 1)"), Doubles{1, 2})),
            ": 3 x 1 entries of 8 bytes are announced, 16 bytes follow");
  for (const std::string shape :
       {"(4611686018427387904, 4)", "(9223372036854775807, 2)", "(1000000000000, 1000000000000)"})
    EXPECT_NE(error(npy(dictionary("<f8", "False", shape), Doubles{1, 2})).find("announced"),
              std::string::npos);
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(99999999999999999999, 4)"), Doubles{1})),
            ": the NPY header cannot be understood");
}

TEST_F(Npy, OtherContentIsRefusedWithTheReason) {
  for (const std::string type : {"|O", "<f2", "<c16", "<U3", "|f8", "f8", "=f8", "<"})
    EXPECT_EQ(
        error(npy(dictionary(type, "False", "(1, 1)"), Doubles{1})),
        ": holds entries of type '" + type + "'; booleans, integers, float32 and float64 are read");
  EXPECT_EQ(
      error(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", Doubles{1})),
      ": holds records, not a plain array of numbers");
  EXPECT_EQ(error(npy(dictionary("<f8", "True", "(1, 1, 1)"), Doubles{1})),
            ": has 3 dimensions in Fortran order; save it in C order");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "()"), Doubles{1})),
            ": is a single number, not a table");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(0, 3)"), Doubles{})),
            ": is an empty array of 0 x 3");
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(1, 1)"), Doubles{1}, 9)),
            ": NPY version 9 is unknown");
  EXPECT_EQ(error("\x93NUMPY\x01"), ": ends within the NPY header");
  EXPECT_EQ(error(std::string("\x93NUMPY\x01\x00\xFF\xFF{", 11)), ": ends within the NPY header");
  EXPECT_EQ(error(npy("{'descr': '<f8'}", Doubles{1})), ": the NPY header cannot be understood");
  EXPECT_EQ(error(npy("garbage", Doubles{1})), ": the NPY header cannot be understood");
}

TEST_F(Npy, EntriesMustBeFinite) {
  EXPECT_EQ(error(npy(dictionary("<f8", "False", "(2, 2)"), Doubles{1, 2, std::nan(""), 4})),
            ": the entry in row 1, column 0 (from 0) is not finite");
}

}  // namespace
}  // namespace relulift::test
